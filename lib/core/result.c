/* SPDX-License-Identifier: Apache-2.0 */
/* Results: what is read from them, and who holds them. */
#include "core/result.h"

#include <math.h>
#include <string.h>

void itemi_summary_init(item_result_summary *summary)
{
    *summary = (item_result_summary)ITEM_RESULT_SUMMARY_INIT;
    double *numbers[] = {
        &summary->probability,  &summary->score,           &summary->threshold,
        &summary->real_below,   &summary->promised_fpr,    &summary->similarity,
        &summary->contribution, &summary->caption_logprob, &summary->caption_margin};
    for (size_t i = 0; i < ITEMI_COUNT(numbers); i++)
        *numbers[i] = NAN;
}

void itemi_summary_judge(item_result_summary *summary, const itemi_judgement *judgement)
{
    summary->verdict = judgement->verdict;
    summary->reason = judgement->reason;
    summary->probability = judgement->probability;
    summary->score = judgement->score;
    summary->threshold = judgement->threshold;
    summary->real_below = judgement->real_below;
    summary->promised_fpr = judgement->promised;
}

item_result *itemi_result_new(const itemi_mem *mem)
{
    item_result *result = itemi_alloc_zero(mem, 1, sizeof *result);
    if (!result)
        return NULL;
    if (mem)
        result->mem = *mem;
    atomic_init(&result->refs, 1);
    atomic_init(&result->json, NULL);
    result->error = (item_error)ITEM_ERROR_INIT;
    itemi_summary_init(&result->summary);
    result->timings = (item_timings)ITEM_TIMINGS_INIT;
    return result;
}

bool itemi_result_set_text(item_result *result, int32_t which, const char *text)
{
    char *copy = itemi_strdup(&result->mem, text);
    if (!copy)
        return false;
    itemi_free(&result->mem, result->text[which]);
    result->text[which] = copy;
    return true;
}

void itemi_lines_add(const itemi_mem *mem, itemi_lines *lines, const char *text)
{
    char clean[1024];
    itemi_escape(clean, sizeof clean, text);
    char *copy = itemi_strdup(mem, clean);
    char **items =
        copy ? itemi_resize_array(mem, lines->items, lines->count + 1, sizeof *items) : NULL;
    if (!items) {
        itemi_free(mem, copy);
        lines->lost = true;
        return;
    }
    lines->items = items;
    lines->items[lines->count++] = copy;
}

void itemi_lines_free(const itemi_mem *mem, itemi_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        itemi_free(mem, lines->items[i]);
    itemi_free(mem, lines->items);
    *lines = (itemi_lines){0};
}

item_result *item_result_ref(item_result *result)
{
    if (result)
        atomic_fetch_add_explicit(&result->refs, 1, memory_order_relaxed);
    return result;
}

void item_result_unref(item_result *result)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!result || atomic_fetch_sub_explicit(&result->refs, 1, memory_order_acq_rel) != 1)
        return;
    itemi_mem mem = result->mem;
    for (size_t i = 0; i < ITEMI_TEXTS; i++)
        itemi_free(&mem, result->text[i]);
    for (size_t i = 0; result->objects && i < result->summary.objects; i++)
        itemi_free(&mem, result->objects[i].phrase);
    itemi_free(&mem, result->objects);
    float *const arrays[] = {result->features,     result->image_vector,   result->text_vector,
                             result->crop_vectors, result->phrase_vectors, result->extra.layers,
                             result->extra.views,  result->extra.named};
    for (size_t i = 0; i < ITEMI_COUNT(arrays); i++)
        itemi_free(&mem, arrays[i]);
    itemi_free(&mem, result->tokens);
    itemi_lines_free(&mem, &result->warnings);
    item_provenance_free(result->provenance);
    itemi_free(&mem, atomic_load(&result->json));
    itemi_free(&mem, result);
}

/* ---- reading ---- */

item_status item_result_status(const item_result *result, item_error *err)
{
    if (!result)
        return itemi_fail(err, ITEM_E_ARGUMENT, "result is NULL");
    if (result->error.code == ITEM_OK)
        return ITEM_OK;
    return itemi_fail_as(err, &result->error);
}

double item_result_probability(const item_result *result)
{
    return result ? result->summary.probability : (double)NAN;
}

int32_t item_result_verdict(const item_result *result)
{
    return result ? result->summary.verdict : ITEM_VERDICT_NONE;
}

item_status item_result_get_summary(const item_result *result, item_result_summary *summary,
                                    item_error *err)
{
    if (!result)
        return itemi_fail(err, ITEM_E_ARGUMENT, "result is NULL");
    return itemi_struct_out(summary, ITEMI_SIZE_TO(item_result_summary, height), &result->summary,
                            sizeof result->summary, "item_result_summary", err);
}

const char *item_result_text(const item_result *result, int32_t which)
{
    if (!result || which < 1 || which >= ITEMI_TEXTS || !result->text[which])
        return "";
    return result->text[which];
}

item_status item_result_get_object(const item_result *result, uint32_t index, item_object *object,
                                   item_error *err)
{
    if (!result)
        return itemi_fail(err, ITEM_E_ARGUMENT, "result is NULL");
    if (index >= result->summary.objects)
        return itemi_fail(err, ITEM_E_ARGUMENT, "no object %u: the result has %u", (unsigned)index,
                          (unsigned)result->summary.objects);
    const itemi_object *from = &result->objects[index];
    item_object ours = ITEM_OBJECT_INIT;
    ours.phrase_index = from->phrase_index;
    ours.phrase = from->phrase;
    memcpy(ours.box, from->box, sizeof ours.box);
    ours.score = from->score;
    ours.similarity = from->similarity;
    ours.contribution = from->contribution;
    return itemi_struct_out(object, ITEMI_SIZE_TO(item_object, contribution), &ours, sizeof ours,
                            "item_object", err);
}

static const float *find_values(const item_result *result, int32_t which, uint32_t index,
                                size_t *count)
{
    bool per_object = which == ITEM_VALUES_CROP_VECTOR || which == ITEM_VALUES_PHRASE_VECTOR;
    if (index >= (per_object ? result->summary.objects : 1))
        return NULL;
    *count = which == ITEM_VALUES_FEATURES ? result->feature_count : result->width;
    const float *base = NULL;
    switch (which) {
    case ITEM_VALUES_FEATURES:
        base = result->features;
        break;
    case ITEM_VALUES_IMAGE_VECTOR:
        base = result->image_vector;
        break;
    case ITEM_VALUES_TEXT_VECTOR:
        base = result->text_vector;
        break;
    case ITEM_VALUES_CROP_VECTOR:
        base = result->crop_vectors;
        break;
    case ITEM_VALUES_PHRASE_VECTOR:
        base = result->phrase_vectors;
        break;
    case ITEM_VALUES_PLAIN:
        *count = ITEM_PLAIN_NUMBERS;
        return result->has_plain ? result->plain : NULL;
    default:
        break;
    }
    return base ? base + index * result->width : NULL;
}

const float *item_result_values(const item_result *result, int32_t which, uint32_t index,
                                size_t *count)
{
    size_t found = 0;
    const float *values = result ? find_values(result, which, index, &found) : NULL;
    if (count)
        *count = values ? found : 0;
    return values;
}

const int32_t *item_result_tokens(const item_result *result, size_t *count)
{
    if (count)
        *count = result ? result->token_count : 0;
    return result ? result->tokens : NULL;
}

item_status item_result_get_timings(const item_result *result, item_timings *timings,
                                    item_error *err)
{
    if (!result)
        return itemi_fail(err, ITEM_E_ARGUMENT, "result is NULL");
    return itemi_struct_out(timings, ITEMI_SIZE_TO(item_timings, total), &result->timings,
                            sizeof result->timings, "item_timings", err);
}

const char *item_result_warning(const item_result *result, uint32_t index)
{
    return result && index < result->warnings.count ? result->warnings.items[index] : NULL;
}

const item_provenance *item_result_provenance(const item_result *result)
{
    return result ? result->provenance : NULL;
}
