/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets in memory. */
#include "train/data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define INFO_SIZE ITEMI_SIZE_TO(item_dataset_info, pipeline)
#define ROW_SIZE  ITEMI_SIZE_TO(item_row, scene)

#define WIDTH_MAX 8192 /* of an embedder's vectors */
#define ROWS_MAX  (1u << 30)

#define OBJECTS_MAX 65535 /* of a picture; phrases likewise */

/* How far the square of a unit vector's length may be from 1: fp16 weights and casts. */
#define UNIT_SLACK 1e-2

static bool is_utf8(const char *text)
{
    return !text || itemi_utf8_valid(text, strlen(text)) == strlen(text);
}

static item_status check_info(const item_dataset_info *info, item_error *err)
{
    if (info->width < 1 || info->width > WIDTH_MAX)
        return itemi_fail(err, ITEM_E_ARGUMENT, "data set: vectors have 1 to %d numbers, not %u",
                          WIDTH_MAX, (unsigned)info->width);
    if (!info->embedder || strlen(info->embedder) >= sizeof((item_dataset *)0)->embedder)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "data set: the embedder's identity is missing or too long");
    if (info->views > ITEM_VIEWS_MAX || info->layers > ITEMI_LAYERS_MAX)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "data set: views are 0 to %d, numbers of layers 0 to %d, not %u and %u",
                          ITEM_VIEWS_MAX, ITEMI_LAYERS_MAX, (unsigned)info->views,
                          (unsigned)info->layers);
    if (info->pipeline && strlen(info->pipeline) >= ITEMI_PIPELINE_MAX)
        return itemi_fail(err, ITEM_E_ARGUMENT, "data set: the pipeline's name is too long");
    /* both go into files and reports, which are JSON */
    if (!is_utf8(info->embedder) || !is_utf8(info->pipeline))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "data set: the embedder's or the pipeline's name is not UTF-8");
    const char *filter = info->working_filter;
    if (filter && strcmp(filter, "bilinear") != 0 && strcmp(filter, "bicubic") != 0 &&
        strcmp(filter, "lanczos") != 0)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "data set: filter `%.40s` is not bilinear, bicubic or lanczos", filter);
    return ITEM_OK;
}

item_status item_dataset_new(const item_dataset_info *info, item_dataset **out, item_error *err)
{
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_dataset_new: out is NULL");
    *out = NULL;
    item_dataset_info ours;
    item_status status =
        itemi_struct_in(&ours, sizeof ours, INFO_SIZE, info, "item_dataset_info", err);
    if (status == ITEM_OK)
        status = check_info(&ours, err);
    if (status != ITEM_OK)
        return status;

    uint32_t none;
    item_dataset *data = itemi_alloc_zero(NULL, 1, sizeof *data);
    if (!data || !itemi_texts_add(&data->texts, "", &none)) {
        item_dataset_free(data);
        return itemi_fail_memory(err, "making a data set");
    }
    data->width = ours.width;
    data->working_size = ours.working_size;
    data->callers_captions = ours.callers_captions != 0;
    data->view_count = ours.views;
    data->layer_count = ours.layers;
    memcpy(data->embedder, ours.embedder, strlen(ours.embedder) + 1);
    snprintf(data->pipeline, sizeof data->pipeline, "%s", ours.pipeline ? ours.pipeline : "");
    snprintf(data->working_filter, sizeof data->working_filter, "%s",
             ours.working_filter ? ours.working_filter : "lanczos");
    *out = data;
    return ITEM_OK;
}

static void free_lines(char **lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        itemi_free(NULL, lines[i]);
    itemi_free(NULL, lines);
}

void item_dataset_free(item_dataset *data)
{
    if (!data)
        return;
    free_lines(data->warning, data->warnings);
    free_lines(data->notice, data->notices);
    itemi_free(NULL, data->record);
    itemi_free(NULL, data->image);
    itemi_free(NULL, data->text);
    itemi_free(NULL, data->crops);
    itemi_free(NULL, data->phrases);
    itemi_free(NULL, data->named);
    itemi_free(NULL, data->views);
    itemi_free(NULL, data->layers);
    itemi_texts_free(&data->texts);
    itemi_free(NULL, data);
}

/* Makes room for `needed` rows of `width` numbers; an array of no width stays NULL. */
static bool grow(float **rows, size_t needed, size_t width)
{
    float *grown = width ? itemi_resize_array(NULL, *rows, needed, width * sizeof **rows) : NULL;
    if (grown)
        *rows = grown;
    return grown || width == 0;
}

static size_t next_room(size_t room, size_t needed)
{
    return needed > 2 * room ? needed : 2 * room;
}

static bool reserve_rows(item_dataset *data, size_t needed)
{
    size_t room = next_room(data->room, needed);
    itemi_record *record = itemi_resize_array(NULL, data->record, room, sizeof *record);
    if (!record)
        return false;
    data->record = record;
    if (!grow(&data->image, room, data->width) || !grow(&data->text, room, data->width) ||
        !grow(&data->views, room, data->view_count * data->width) ||
        !grow(&data->layers, room, data->layer_count))
        return false;
    data->room = room;
    return true;
}

static bool reserve_objects(item_dataset *data, size_t needed)
{
    size_t room = next_room(data->object_room, needed);
    if (!grow(&data->crops, room, data->width) || !grow(&data->phrases, room, data->width))
        return false;
    data->object_room = room;
    return true;
}

static bool reserve_names(item_dataset *data, size_t needed)
{
    size_t room = next_room(data->name_room, needed);
    if (!grow(&data->named, room, data->width))
        return false;
    data->name_room = room;
    return true;
}

bool itemi_dataset_reserve(item_dataset *data, size_t rows, size_t objects, size_t names)
{
    rows += data->count;
    objects += data->objects;
    names += data->names;
    if (rows > ROWS_MAX || objects > ROWS_MAX || names > ROWS_MAX)
        return false;
    return (rows <= data->room || reserve_rows(data, rows)) &&
           (objects <= data->object_room || reserve_objects(data, objects)) &&
           (names <= data->name_room || reserve_names(data, names));
}

static item_status check_unit(const float *v, size_t n, size_t width, const char *what,
                              item_error *err)
{
    if (n && !v)
        return itemi_fail(err, ITEM_E_ARGUMENT, "data set: the %s is missing", what);
    for (size_t i = 0; i < n; i++) {
        float square = itemi_dot(v + i * width, v + i * width, width);
        if (!(fabs((double)square - 1) <= UNIT_SLACK))
            return itemi_fail(err, ITEM_E_ARGUMENT, "data set: the %s is not of unit length", what);
    }
    return ITEM_OK;
}

static item_status check_layers(const item_dataset *data, const float *layers, item_error *err)
{
    if (data->layer_count && !layers)
        return itemi_fail(err, ITEM_E_ARGUMENT, "data set: the inner layers are missing");
    for (size_t i = 0; i < data->layer_count; i++) {
        if (!isfinite(layers[i]))
            return itemi_fail(err, ITEM_E_ARGUMENT, "data set: an inner layer is not finite");
    }
    return ITEM_OK;
}

static item_status check_vectors(const item_dataset *data, const item_row *row, item_error *err)
{
    const struct {
        const float *rows;
        size_t count;
        const char *what;
    } all[] = {{row->image, 1, "picture's vector"},
               {row->text, 1, "caption's vector"},
               {row->crops, row->objects, "vector of a crop"},
               {row->phrases, row->objects, "vector of a phrase"},
               {row->named_phrases, row->named, "vector of a named phrase"},
               {row->views, data->view_count, "vector of a view"}};
    item_status status = ITEM_OK;
    for (size_t i = 0; i < ITEMI_COUNT(all) && status == ITEM_OK; i++)
        status = check_unit(all[i].rows, all[i].count, data->width, all[i].what, err);
    return status == ITEM_OK ? check_layers(data, row->layers, err) : status;
}

static item_status check_row(const item_dataset *data, const item_row *row, item_error *err)
{
    if (row->label > ITEM_LABEL_AI)
        return itemi_fail(err, ITEM_E_ARGUMENT, "data set: %u is no label", (unsigned)row->label);
    if (row->flags & ~(ITEM_ROW_CAPTION_EMPTY | ITEM_ROW_CAPTION_LOOPING))
        return itemi_fail(err, ITEM_E_ARGUMENT, "data set: flags %#x are not known",
                          (unsigned)row->flags);
    if (row->picture_width > INT32_MAX || row->picture_height > INT32_MAX ||
        row->file_bytes > INT64_MAX || row->objects > OBJECTS_MAX || row->named > OBJECTS_MAX)
        return itemi_fail(err, ITEM_E_ARGUMENT, "data set: a size or a count is out of range");
    if (isinf(row->caption_logprob) || isinf(row->caption_prior))
        return itemi_fail(err, ITEM_E_ARGUMENT, "data set: %s is infinite",
                          isinf(row->caption_prior) ? "caption_prior" : "caption_logprob");
    for (size_t i = 0; row->plain && i < ITEM_PLAIN_NUMBERS; i++) {
        if (isinf(row->plain[i]))
            return itemi_fail(err, ITEM_E_ARGUMENT, "data set: a plain statistic is infinite");
    }
    if (row->reserved)
        return itemi_fail(err, ITEM_E_ARGUMENT, "data set: reserved is not 0");
    return check_vectors(data, row, err);
}

static bool add_text(item_dataset *data, const char *text, uint32_t *id)
{
    return itemi_texts_add(&data->texts, text ? text : "", id);
}

/* Appends `count` rows of `width` numbers behind the first `used` ones. */
static void append(float *to, size_t used, const float *from, size_t count, size_t width)
{
    if (count && width)
        memcpy(to + used * width, from, count * width * sizeof *to);
}

static void append_vectors(item_dataset *data, const item_row *row)
{
    size_t width = data->width;
    append(data->image, data->count, row->image, 1, width);
    append(data->text, data->count, row->text, 1, width);
    append(data->views, data->count, row->views, 1, data->view_count * width);
    append(data->layers, data->count, row->layers, 1, data->layer_count);
    append(data->crops, data->objects, row->crops, row->objects, width);
    append(data->phrases, data->objects, row->phrases, row->objects, width);
    append(data->named, data->names, row->named_phrases, row->named, width);
    data->objects += row->objects;
    data->names += row->named;
}

static const float *copy(float **to, const float *from, size_t numbers)
{
    float *at = *to;
    if (numbers)
        memcpy(at, from, numbers * sizeof *at);
    *to += numbers;
    return at;
}

/* Lets a row point to copies, in one block: those of a row of this set would move as it grows. */
static float *copy_vectors(const item_dataset *data, item_row *row)
{
    const size_t width = data->width, views = data->view_count * width;
    const size_t objects = row->objects * width, named = row->named * width;
    const size_t all = 2 * width + views + data->layer_count + 2 * objects + named;
    float *block = itemi_alloc_array(NULL, all, sizeof *block), *at = block;
    if (!block)
        return NULL;
    row->image = copy(&at, row->image, width);
    row->text = copy(&at, row->text, width);
    row->views = copy(&at, row->views, views);
    row->layers = copy(&at, row->layers, data->layer_count);
    row->crops = copy(&at, row->crops, objects);
    row->phrases = copy(&at, row->phrases, objects);
    row->named_phrases = copy(&at, row->named_phrases, named);
    return block;
}

static item_status take_row(item_dataset *data, itemi_record *record, item_row *row,
                            item_error *err)
{
    float *vectors = copy_vectors(data, row);
    bool good = vectors && itemi_dataset_reserve(data, 1, row->objects, row->named) &&
                add_text(data, row->name, &record->name) &&
                add_text(data, row->source, &record->source) &&
                add_text(data, row->generator, &record->generator) &&
                add_text(data, row->scene, &record->scene) &&
                add_text(data, row->caption, &record->caption);
    if (good) {
        append_vectors(data, row);
        data->record[data->count++] = *record;
    }
    itemi_free(NULL, vectors);
    return good ? ITEM_OK : itemi_fail_memory(err, "adding to a data set");
}

item_status item_dataset_add(item_dataset *data, const item_row *row, item_error *err)
{
    item_row ours;
    if (!data)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_dataset_add: data is NULL");
    item_status status = itemi_struct_in(&ours, sizeof ours, ROW_SIZE, row, "item_row", err);
    if (status == ITEM_OK)
        status = check_row(data, &ours, err);
    if (status != ITEM_OK)
        return status;

    itemi_record record = {.label = (uint8_t)ours.label,
                           .flags = (uint8_t)ours.flags,
                           .objects = ours.objects,
                           .first = (uint32_t)data->objects,
                           .picture_width = ours.picture_width,
                           .picture_height = ours.picture_height,
                           .file_bytes = ours.file_bytes,
                           .caption_logprob = ours.caption_logprob,
                           .named = ours.named,
                           .first_named = (uint32_t)data->names,
                           .caption_prior =
                               ours.caption_prior != 0 ? ours.caption_prior : (double)NAN};
    if (ours.picture)
        memcpy(record.picture, ours.picture, sizeof record.picture);
    for (size_t i = 0; i < ITEM_PLAIN_NUMBERS; i++)
        record.plain[i] = ours.plain ? ours.plain[i] : NAN;
    return take_row(data, &record, &ours, err);
}

item_status item_dataset_get(const item_dataset *data, uint64_t index, item_row *row,
                             item_error *err)
{
    if (!data || index >= data->count)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_dataset_get: there is no row %llu",
                          (unsigned long long)index);
    const itemi_record *r = &data->record[index];
    size_t width = data->width;
    item_row ours = {.label = r->label,
                     .flags = r->flags,
                     .objects = r->objects,
                     .picture_width = r->picture_width,
                     .picture_height = r->picture_height,
                     .file_bytes = r->file_bytes,
                     .caption_logprob = r->caption_logprob,
                     .image = data->image + index * width,
                     .text = data->text + index * width,
                     .crops = r->objects ? data->crops + r->first * width : NULL,
                     .phrases = r->objects ? data->phrases + r->first * width : NULL,
                     .name = data->texts.text[r->name],
                     .source = data->texts.text[r->source],
                     .generator = data->texts.text[r->generator],
                     .scene = data->texts.text[r->scene],
                     .named = r->named,
                     .caption_prior = r->caption_prior,
                     .caption = data->texts.text[r->caption],
                     .picture = itemi_record_has_picture(r) ? r->picture : NULL,
                     .plain = isnan(r->plain[0]) ? NULL : r->plain,
                     .named_phrases = r->named ? data->named + r->first_named * width : NULL,
                     .views =
                         data->view_count ? data->views + index * data->view_count * width : NULL,
                     .layers = data->layer_count ? data->layers + index * data->layer_count : NULL};
    return itemi_struct_out(row, ROW_SIZE, &ours, sizeof ours, "item_row", err);
}

item_status item_dataset_get_info(const item_dataset *data, item_dataset_info *info,
                                  item_error *err)
{
    if (!data)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_dataset_get_info: data is NULL");
    itemi_cohort cohort;
    item_status status = itemi_cohort_make(data, &cohort, err);
    if (status != ITEM_OK)
        return status;
    item_dataset_info ours = {.width = (uint32_t)data->width,
                              .working_size = data->working_size,
                              .callers_captions = data->callers_captions,
                              .embedder = data->embedder,
                              .working_filter = data->working_filter,
                              .rows = data->count,
                              .sources = cohort.sources,
                              .failed = data->warnings,
                              .pipeline = data->pipeline,
                              .views = (uint32_t)data->view_count,
                              .layers = (uint32_t)data->layer_count};
    for (size_t i = 0; i < data->count; i++)
        ours.ai += data->record[i].label;
    ours.real = ours.rows - ours.ai;
    itemi_cohort_free(&cohort);
    return itemi_struct_out(info, INFO_SIZE, &ours, sizeof ours, "item_dataset_info", err);
}

/* What a row says in a column, as a text id; UINT32_MAX for an unknown column. */
static uint32_t cell(const item_dataset *data, const itemi_record *r, const char *column)
{
    if (strcmp(column, "label") == 0)
        return itemi_texts_find(&data->texts, r->label ? "ai" : "real");
    return strcmp(column, "source") == 0      ? r->source
           : strcmp(column, "generator") == 0 ? r->generator
           : strcmp(column, "scene") == 0     ? r->scene
           : strcmp(column, "name") == 0      ? r->name
                                              : UINT32_MAX;
}

static void move(float *rows, size_t to, size_t from, size_t width)
{
    if (width)
        memcpy(rows + to * width, rows + from * width, width * sizeof *rows);
}

/* Vectors of objects and phrases stay where they are; only save() leaves the unused ones out. */
static void move_row(item_dataset *data, size_t to, size_t from)
{
    data->record[to] = data->record[from];
    move(data->image, to, from, data->width);
    move(data->text, to, from, data->width);
    move(data->views, to, from, data->view_count * data->width);
    move(data->layers, to, from, data->layer_count);
}

item_status item_dataset_remove(item_dataset *data, const char *column, const char *value,
                                uint64_t *removed, item_error *err)
{
    static const char *const columns[] = {"source", "generator", "scene", "name", "label"};
    bool known = false;
    for (size_t i = 0; column && i < ITEMI_COUNT(columns); i++)
        known |= strcmp(column, columns[i]) == 0;
    if (!data || !value || !known)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_dataset_remove: a data set, a column (source, generator, scene,"
                          " name, label) and a value are needed");
    uint32_t wanted, label;
    if (!itemi_texts_add(&data->texts, value, &wanted) ||
        !itemi_texts_add(&data->texts, "ai", &label) ||
        !itemi_texts_add(&data->texts, "real", &label))
        return itemi_fail_memory(err, "taking rows out of a data set");

    size_t kept = 0;
    for (size_t i = 0; i < data->count; i++) {
        if (cell(data, &data->record[i], column) == wanted)
            continue;
        if (kept != i)
            move_row(data, kept, i);
        kept++;
    }
    if (removed)
        *removed = data->count - kept;
    data->count = kept;
    return ITEM_OK;
}

itemi_widths itemi_dataset_widths(const item_dataset *data)
{
    return (itemi_widths){data->width, data->layer_count};
}

static bool add_line(char ***lines, size_t *count, const char *line)
{
    char **grown = itemi_resize_array(NULL, *lines, *count + 1, sizeof *grown);
    if (!grown)
        return false;
    *lines = grown;
    grown[*count] = itemi_strdup(NULL, line);
    return grown[*count] && ++*count;
}

bool itemi_dataset_warn(item_dataset *data, const char *line)
{
    return add_line(&data->warning, &data->warnings, line);
}

bool itemi_dataset_notify(item_dataset *data, const char *line)
{
    return add_line(&data->notice, &data->notices, line);
}

const char *item_dataset_warning(const item_dataset *data, uint32_t index)
{
    return data && index < data->warnings ? data->warning[index] : NULL;
}

const char *item_dataset_notice(const item_dataset *data, uint32_t index)
{
    return data && index < data->notices ? data->notice[index] : NULL;
}

uint32_t itemi_record_short_side(const itemi_record *record)
{
    return record->picture_width < record->picture_height ? record->picture_width
                                                          : record->picture_height;
}

bool itemi_record_has_picture(const itemi_record *record)
{
    static const uint8_t none[ITEM_PICTURE_HASH];
    return memcmp(record->picture, none, sizeof none) != 0;
}
