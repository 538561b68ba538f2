/* SPDX-License-Identifier: Apache-2.0 */
/* What calls made: looking at all of it, so that two answers can be told apart, and freeing it. */
#include "outputs.h"

#include <stdlib.h>
#include <string.h>

outputs out;
bool outputs_rounded;

static void add(uint64_t *sum, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        *sum = (*sum ^ at[i]) * UINT64_C(0x100000001b3);
}

static void add_text(uint64_t *sum, const char *text)
{
    add(sum, text ? text : "\1", text ? strlen(text) + 1 : 2);
}

/* All numbers but the milliseconds, which no two runs have in common. */
static void add_json(uint64_t *sum, const char *text)
{
    const char *times = strstr(text, "\"timings_ms\":{");
    const char *after = times ? strchr(times, '}') : NULL;
    if (after) {
        add(sum, text, (size_t)(times - text));
        text = after;
    }
    add_text(sum, text);
}

static void add_image(uint64_t *sum, const item_image *image)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_image_get_info(image, &info, &err), &err);
    add(sum, item_image_pixels(image), (size_t)info.width * info.height * 3);
    add_text(sum, info.warning);
    add(sum, &info.has_icc, sizeof info.has_icc);
}

static void add_values(uint64_t *sum, const item_result *result, int32_t which, uint32_t index)
{
    size_t count = 0;
    const float *values = item_result_values(result, which, index, &count);
    if (values)
        add(sum, values, count * sizeof *values);
}

static void add_object(uint64_t *sum, const item_result *result, uint32_t index)
{
    item_object object = ITEM_OBJECT_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_result_get_object(result, index, &object, &err), &err);
    add_text(sum, object.phrase);
    add(sum, object.box, sizeof object.box);
    add(sum, &object.score, sizeof object.score);
    add(sum, &object.contribution, sizeof object.contribution);
    add_values(sum, result, ITEM_VALUES_CROP_VECTOR, index);
    add_values(sum, result, ITEM_VALUES_PHRASE_VECTOR, index);
}

static void add_result(uint64_t *sum, const item_result *result)
{
    item_error err = ITEM_ERROR_INIT;
    add_text(sum, item_status_name(item_result_status(result, &err)));
    add_text(sum, err.message);
    item_result_summary summary = summary_of(result);
    if (outputs_rounded) {
        add_text(sum, item_result_text(result, ITEM_TEXT_CAPTION));
        add_text(sum, item_result_text(result, ITEM_TEXT_VERDICT));
        add(sum, &summary.objects, sizeof summary.objects);
        return;
    }
    add(sum, &summary, sizeof summary);
    for (int32_t which = ITEM_TEXT_FILE; which <= ITEM_TEXT_EMBEDDER; which++)
        add_text(sum, item_result_text(result, which));
    for (uint32_t i = 0; i < summary.objects; i++)
        add_object(sum, result, i);
    add_values(sum, result, ITEM_VALUES_FEATURES, 0);
    add_values(sum, result, ITEM_VALUES_IMAGE_VECTOR, 0);
    add_values(sum, result, ITEM_VALUES_TEXT_VECTOR, 0);
    for (uint32_t i = 0; item_result_warning(result, i); i++)
        add_text(sum, item_result_warning(result, i));
}

static void add_row(uint64_t *sum, const item_dataset *data, uint64_t index, uint32_t width)
{
    item_row row = ITEM_ROW_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_dataset_get(data, index, &row, &err), &err);
    add(sum, &row.label, sizeof row.label);
    add(sum, &row.caption_logprob, sizeof row.caption_logprob);
    add(sum, row.image, width * sizeof *row.image);
    add(sum, row.text, width * sizeof *row.text);
    add(sum, row.crops, row.objects * (size_t)width * sizeof *row.crops);
    add_text(sum, row.name);
    add_text(sum, row.source);
    add_text(sum, row.generator);
    add_text(sum, row.scene);
}

static void add_data(uint64_t *sum, const item_dataset *data)
{
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_dataset_get_info(data, &info, &err), &err);
    add_text(sum, info.embedder);
    add_text(sum, info.pipeline);
    add(sum, &info.rows, sizeof info.rows);
    for (uint64_t i = 0; i < info.rows; i++)
        add_row(sum, data, i, info.width);
    for (uint32_t i = 0; item_dataset_warning(data, i); i++)
        add_text(sum, item_dataset_warning(data, i));
}

static void add_file(uint64_t *sum, const char *path)
{
    char *text = read_text(path);
    add_text(sum, text);
    free(text);
}

static void add_context(uint64_t *sum, const item_ctx *ctx)
{
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_ctx_get_info(ctx, &info, &err), &err);
    add(sum, &info.has_captioner, 5 * sizeof(uint32_t));
    add_text(sum, info.pack);
    add_text(sum, info.layout);
    add_text(sum, info.no_verdict);
}

/* Shows each picture to a function, until that returns true; returns whether it did. */
static bool any_row(bool (*each)(uint64_t *sum, const item_index_row *row), uint64_t *sum)
{
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    bool ended = false;
    query.states |= ITEM_STATE_FAILED | ITEM_STATE_MISSING;
    assert_ok(item_index_find(out.index, &query, &rows, &err), &err);
    while (!ended && item_index_next(rows, &row, &err) == ITEM_OK && row.path)
        ended = each(sum, &row);
    item_index_rows_free(rows);
    return ended;
}

static bool add_picture(uint64_t *sum, const item_index_row *row)
{
    add_text(sum, row->path);
    add_text(sum, row->sha256);
    add_text(sum, row->message);
    add_json(sum, row->json);
    return false;
}

static bool row_tells(uint64_t *sum, const item_index_row *row)
{
    (void)sum;
    return row->error == ITEM_E_MEMORY || row->error == ITEM_E_IO;
}

uint64_t outputs_look(void)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    if (out.ctx)
        add_context(&sum, out.ctx);
    if (out.image)
        add_image(&sum, out.image);
    for (size_t i = 0; i < RESULTS; i++)
        if (out.result[i])
            add_result(&sum, out.result[i]);
    if (out.data)
        add_data(&sum, out.data);
    if (out.report) {
        add_text(&sum, item_report_json(out.report));
        add_text(&sum, item_report_markdown(out.report));
        add_text(&sum, item_report_html(out.report));
    }
    if (out.index)
        any_row(add_picture, &sum);
    if (out.pack)
        add_json(&sum, item_pack_json(out.pack));
    for (uint32_t i = 0; out.phrases && item_phrases_get(out.phrases, i, NULL, NULL); i++)
        add_text(&sum, item_phrases_get(out.phrases, i, NULL, NULL));
    if (out.text)
        add_json(&sum, out.text);
    if (out.file)
        add_file(&sum, out.file);
    add(&sum, out.values, out.count * sizeof *out.values);
    return sum;
}

bool outputs_tell(void)
{
    for (size_t i = 0; i < RESULTS; i++) {
        const item_status status =
            out.result[i] ? item_result_status(out.result[i], NULL) : ITEM_OK;
        if (status == ITEM_E_MEMORY || status == ITEM_E_IO)
            return true;
    }
    if (out.index && any_row(row_tells, NULL))
        return true;
    return item_dataset_warning(out.data, 0) != NULL;
}

void outputs_free(void)
{
    item_config_unref(out.config);
    item_image_unref(out.image);
    for (size_t i = 0; i < RESULTS; i++)
        item_result_unref(out.result[i]);
    item_dataset_free(out.data);
    item_report_free(out.report);
    item_pack_free(out.pack);
    item_index_free(out.index);
    item_phrases_free(out.phrases);
    item_cancel_unref(out.cancel);
    item_ctx_unref(out.ctx);
    memset(&out, 0, sizeof out);
}
