/* SPDX-License-Identifier: Apache-2.0 */
/* Reads data sets of safetensors files: what refers to something that is not there is refused. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "train/store.h"

/* A tensor of one dimension (width 0) or of rows of `width` values. */
static item_status find(const itemi_safetensors *st, const char *path, const char *name,
                        itemi_dtype dtype, uint64_t width, const itemi_tensor **out,
                        item_error *err)
{
    const itemi_tensor *t = itemi_safetensors_find(st, name);
    bool fits = t && t->dtype == dtype && t->dims == (width ? 2 : 1) &&
                (width == 0 || t->shape[1] == width);
    if (!fits)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor `%s` of the data set is %s", path, name,
                          t ? "of a wrong kind or shape" : "missing");
    *out = t;
    return ITEM_OK;
}

static bool get_size(const json_t *object, const char *key, uint32_t *out)
{
    const json_t *member = json_object_get(object, key);
    const json_int_t value = json_integer_value(member);
    *out = (uint32_t)value;
    return json_is_integer(member) && value >= 0 && value <= INT32_MAX;
}

static item_status read_info(const char *text, const char *path, item_dataset_info *info,
                             uint32_t *format, json_t **owner, item_error *err)
{
    item_status status = itemi_json_parse(text, strlen(text), path, owner, err);
    if (status != ITEM_OK)
        return status;
    const json_int_t value = json_integer_value(json_object_get(*owner, "format"));
    if (value > ITEMI_DATASET_FORMAT)
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "%s: the data set has format %lld, this libitem %s reads up to %d", path,
                          (long long)value, item_version(), ITEMI_DATASET_FORMAT);
    *format = value < 1 ? 1 : (uint32_t)value;
    /* not by json_unpack(), which allocates */
    const json_t *callers = json_object_get(*owner, "callers_captions");
    bool whole = get_size(*owner, "width", &info->width) &&
                 get_size(*owner, "working_size", &info->working_size) && json_is_boolean(callers);
    info->embedder = json_string_value(json_object_get(*owner, "embedder"));
    info->pipeline = json_string_value(json_object_get(*owner, "pipeline"));
    info->working_filter = json_string_value(json_object_get(*owner, "working_filter"));
    info->callers_captions = json_is_true(callers);
    if (!whole || !info->embedder || !info->pipeline || !info->working_filter)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the facts of the data set are incomplete", path);
    return ITEM_OK;
}

/* How many views and numbers of layers there are is told by these tensors alone. */
static void count_extras(const itemi_safetensors *st, item_dataset_info *info)
{
    const itemi_tensor *views = itemi_safetensors_find(st, "views");
    const itemi_tensor *layers = itemi_safetensors_find(st, "layers");
    if (views && views->dims == 3)
        info->views = (uint32_t)(views->shape[1] > UINT32_MAX ? UINT32_MAX : views->shape[1]);
    if (layers && layers->dims == 2)
        info->layers = (uint32_t)(layers->shape[1] > UINT32_MAX ? UINT32_MAX : layers->shape[1]);
}

static item_status read_column(const itemi_safetensors *st, const char *path, size_t i,
                               itemi_columns *c, item_error *err)
{
    const itemi_column *column = &itemi_column_list[i];
    const itemi_tensor *t = NULL;
    item_status status = find(st, path, column->name, column->dtype, column->width, &t, err);
    if (status == ITEM_OK && t->shape[0] != c->count)
        status = itemi_fail(err, ITEM_E_FORMAT, "%s: column `%s` has another length than `label`",
                            path, column->name);
    if (status == ITEM_OK && t->bytes)
        memcpy(itemi_column_data(c, i), t->data, t->bytes);
    return status;
}

/* Columns that the format did not have stay as "not known". */
static item_status read_columns(const itemi_safetensors *st, const char *path, uint32_t format,
                                itemi_columns *c, item_error *err)
{
    const itemi_tensor *t = NULL;
    item_status status = find(st, path, "label", ITEMI_U8, 0, &t, err);
    if (status == ITEM_OK && !itemi_columns_reserve(c, (size_t)t->shape[0]))
        status = itemi_fail_memory(err, "reading a data set");
    for (size_t i = 0; status == ITEM_OK && i < c->count; i++)
        c->caption_prior[i] = NAN;
    for (size_t i = 0; status == ITEM_OK && i < c->count * ITEM_PLAIN_NUMBERS; i++)
        c->plain[i] = NAN;
    for (size_t i = 0; status == ITEM_OK && i < ITEMI_COLUMNS; i++) {
        if (itemi_column_list[i].format <= format)
            status = read_column(st, path, i, c, err);
    }
    return status;
}

/* Positions of the texts in the tensor; their number in *count. */
static item_status read_texts(const itemi_safetensors *st, const char *path, const char ***out,
                              size_t *count, item_error *err)
{
    const itemi_tensor *t = NULL;
    item_status status = find(st, path, "texts", ITEMI_U8, 0, &t, err);
    if (status != ITEM_OK)
        return status;
    const char *text = t->data;
    if (t->bytes == 0 || text[t->bytes - 1] != '\0')
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the texts of the data set are cut off", path);
    for (size_t i = 0; i < t->bytes; i++)
        *count += text[i] == '\0';
    *out = itemi_alloc_array(NULL, *count, sizeof **out);
    if (!*out)
        return itemi_fail_memory(err, "reading a data set");
    for (size_t i = 0; i < *count; i++) {
        (*out)[i] = text;
        text += strlen(text) + 1;
    }
    return ITEM_OK;
}

/* What the rows are made of; tensors that are not there are NULL. */
typedef struct parts {
    itemi_columns c;
    const char **text;
    size_t texts;
    const itemi_tensor *image, *caption, *crops, *phrases, *named, *views, *layers;
    size_t objects, names; /* of the rows before */
} parts;

static item_status read_extras(const itemi_safetensors *st, const char *path,
                               const item_dataset_info *info, parts *p, item_error *err)
{
    item_status status = find(st, path, "named", ITEMI_F32, info->width, &p->named, err);
    if (status == ITEM_OK && info->layers)
        status = find(st, path, "layers", ITEMI_F32, info->layers, &p->layers, err);
    if (status != ITEM_OK || !info->views)
        return status;
    p->views = itemi_safetensors_find(st, "views"); /* of three dimensions: it told info->views */
    if (p->views->dtype != ITEMI_F32 || p->views->shape[2] != info->width)
        return itemi_fail(err, ITEM_E_FORMAT,
                          "%s: tensor `views` of the data set is of a wrong kind or shape", path);
    return ITEM_OK;
}

static bool has_rows(const itemi_tensor *t, size_t rows)
{
    return !t || t->shape[0] == rows;
}

static item_status read_vectors(const itemi_safetensors *st, const char *path, uint32_t format,
                                const item_dataset_info *info, parts *p, item_error *err)
{
    item_status status = find(st, path, "image", ITEMI_F32, info->width, &p->image, err);
    if (status == ITEM_OK)
        status = find(st, path, "text", ITEMI_F32, info->width, &p->caption, err);
    if (status == ITEM_OK)
        status = find(st, path, "crops", ITEMI_F32, info->width, &p->crops, err);
    if (status == ITEM_OK)
        status = find(st, path, "phrases", ITEMI_F32, info->width, &p->phrases, err);
    if (status == ITEM_OK && format >= 2)
        status = read_extras(st, path, info, p, err);
    if (status != ITEM_OK)
        return status;
    size_t rows = p->c.count;
    if (!has_rows(p->image, rows) || !has_rows(p->caption, rows) || !has_rows(p->views, rows) ||
        !has_rows(p->layers, rows) || p->crops->shape[0] != p->phrases->shape[0])
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the vectors of the data set do not fit its rows",
                          path);
    return ITEM_OK;
}

static bool is_text(const parts *p, int32_t id)
{
    return id >= 0 && (size_t)id < p->texts;
}

static bool are_there(int32_t count, const itemi_tensor *t, size_t used)
{
    return count >= 0 && (count == 0 || (t && (uint64_t)count <= t->shape[0] - used));
}

/* A row, as the public function takes it; false when it refers to what is not there. */
static bool row_of(const parts *p, size_t i, item_row *row)
{
    const itemi_columns *c = &p->c;
    if (!are_there(c->objects[i], p->crops, p->objects) ||
        !are_there(c->named_count[i], p->named, p->names) || c->picture_width[i] < 0 ||
        c->picture_height[i] < 0 || c->file_bytes[i] < 0 || !is_text(p, c->name[i]) ||
        !is_text(p, c->source[i]) || !is_text(p, c->generator[i]) || !is_text(p, c->scene[i]) ||
        !is_text(p, c->caption[i]))
        return false;
    row->label = c->label[i];
    row->flags = c->flags[i];
    row->objects = (uint32_t)c->objects[i];
    row->picture_width = (uint32_t)c->picture_width[i];
    row->picture_height = (uint32_t)c->picture_height[i];
    row->file_bytes = (uint64_t)c->file_bytes[i];
    row->caption_logprob = c->caption_logprob[i];
    row->caption_prior = c->caption_prior[i];
    row->named = (uint32_t)c->named_count[i];
    row->picture = c->picture + i * ITEM_PICTURE_HASH;
    row->plain = c->plain + i * ITEM_PLAIN_NUMBERS;
    row->name = p->text[c->name[i]];
    row->source = p->text[c->source[i]];
    row->generator = p->text[c->generator[i]];
    row->scene = p->text[c->scene[i]];
    row->caption = c->caption[i] ? p->text[c->caption[i]] : NULL;
    return true;
}

/* Copies rows of a tensor, as a file's bytes may stand at any address. */
static const float *aligned(const itemi_tensor *t, size_t first, size_t n, size_t width,
                            float **next)
{
    float *out = *next;
    size_t numbers = n * width;
    if (numbers)
        memcpy(out, (const char *)t->data + first * width * sizeof *out, numbers * sizeof *out);
    *next += numbers;
    return out;
}

static item_status add_row(item_dataset *data, parts *p, size_t i, const char *path,
                           item_error *err)
{
    item_row row = ITEM_ROW_INIT;
    size_t width = data->width, views = data->view_count;
    if (!row_of(p, i, &row))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: row %zu of the data set is broken", path, i);
    size_t vectors = 2 + 2 * (size_t)row.objects + row.named + views;
    float *numbers = itemi_alloc_array(NULL, vectors * width + data->layer_count, sizeof *numbers);
    if (!numbers)
        return itemi_fail_memory(err, "reading a data set");
    float *next = numbers;
    row.image = aligned(p->image, i, 1, width, &next);
    row.text = aligned(p->caption, i, 1, width, &next);
    row.crops = aligned(p->crops, p->objects, row.objects, width, &next);
    row.phrases = aligned(p->phrases, p->objects, row.objects, width, &next);
    row.named_phrases = aligned(p->named, p->names, row.named, width, &next);
    row.views = aligned(p->views, i, 1, views * width, &next);
    row.layers = aligned(p->layers, i, 1, data->layer_count, &next);
    p->objects += row.objects;
    p->names += row.named;
    item_status status = item_dataset_add(data, &row, err);
    itemi_free(NULL, numbers);
    return status;
}

static item_status add_rows(item_dataset *data, parts *p, const char *path, item_error *err)
{
    size_t names = p->named ? (size_t)p->named->shape[0] : 0;
    if (!itemi_dataset_reserve(data, p->c.count, (size_t)p->crops->shape[0], names))
        return itemi_fail_memory(err, "reading a data set");
    item_status status = ITEM_OK;
    for (size_t i = 0; status == ITEM_OK && i < p->c.count; i++)
        status = add_row(data, p, i, path, err);
    return status;
}

static item_status load_all(const itemi_safetensors *st, const char *path, item_dataset **out,
                            item_error *err)
{
    const char *meta = itemi_safetensors_meta(st, ITEMI_DATASET_META);
    if (!meta)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: this is no data set: its metadata has no `%s`",
                          path, ITEMI_DATASET_META);
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    uint32_t format = 1;
    json_t *owner = NULL;
    parts p = {.objects = 0};
    item_status status = read_info(meta, path, &info, &format, &owner, err);
    if (status == ITEM_OK && format >= 2)
        count_extras(st, &info);
    if (status == ITEM_OK)
        status = item_dataset_new(&info, out, err);
    if (status == ITEM_OK)
        status = read_columns(st, path, format, &p.c, err);
    if (status == ITEM_OK)
        status = read_texts(st, path, &p.text, &p.texts, err);
    if (status == ITEM_OK)
        status = read_vectors(st, path, format, &info, &p, err);
    if (status == ITEM_OK)
        status = add_rows(*out, &p, path, err);
    json_decref(owner);
    itemi_free(NULL, p.text);
    itemi_columns_free(&p.c);
    return status;
}

/* What the data set's own checks find is wrong with the file, not with the caller. */
static item_status load(const itemi_safetensors *st, const char *path, item_dataset **out,
                        item_error *err)
{
    item_error why = ITEM_ERROR_INIT;
    item_status status = load_all(st, path, out, &why);
    if (status == ITEM_E_ARGUMENT)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: %s", path, why.message);
    return status == ITEM_OK ? status : itemi_fail(err, status, "%s", why.message);
}

item_status item_dataset_load(const char *path, item_dataset **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!path || !out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_dataset_load: path or out is NULL");
    itemi_safetensors *st = NULL;
    *out = NULL;
    item_status status = itemi_safetensors_open(NULL, path, false, &st, err);
    if (status != ITEM_OK)
        return status;
    status = load(st, path, out, err);
    itemi_safetensors_close(st);
    if (status != ITEM_OK) {
        item_dataset_free(*out);
        *out = NULL;
    }
    return status;
}
