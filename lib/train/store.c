/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets as safetensors files. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "core/json_make.h"
#include "files/files.h"
#include "train/data.h"

#define META_KEY       "item_dataset"
#define FORMAT         1
#define COLUMN_TENSORS 11
#define VECTOR_TENSORS 4

/* The records, turned into columns. */
typedef struct columns {
    size_t count;
    uint8_t *label, *flags;
    int32_t *objects, *picture_width, *picture_height, *name, *source, *generator, *scene;
    int64_t *file_bytes;
    double *caption_logprob;
} columns;

typedef struct column {
    const char *name;
    itemi_dtype dtype;
    size_t offset; /* of the pointer in columns */
} column;

static const column all_columns[COLUMN_TENSORS] = {
    {"label", ITEMI_U8, offsetof(columns, label)},
    {"flags", ITEMI_U8, offsetof(columns, flags)},
    {"objects", ITEMI_I32, offsetof(columns, objects)},
    {"picture_width", ITEMI_I32, offsetof(columns, picture_width)},
    {"picture_height", ITEMI_I32, offsetof(columns, picture_height)},
    {"file_bytes", ITEMI_I64, offsetof(columns, file_bytes)},
    {"caption_logprob", ITEMI_F64, offsetof(columns, caption_logprob)},
    {"name", ITEMI_I32, offsetof(columns, name)},
    {"source", ITEMI_I32, offsetof(columns, source)},
    {"generator", ITEMI_I32, offsetof(columns, generator)},
    {"scene", ITEMI_I32, offsetof(columns, scene)},
};

static void **column_data(columns *c, size_t i)
{
    return (void **)((char *)c + all_columns[i].offset);
}

static bool reserve(columns *c, size_t count)
{
    bool ok = true;
    c->count = count;
    for (size_t i = 0; i < COLUMN_TENSORS; i++) {
        void *data = itemi_alloc_array(NULL, count, itemi_dtype_size(all_columns[i].dtype));
        memcpy(column_data(c, i), &data, sizeof data);
        ok &= data != NULL;
    }
    return ok;
}

static void release(columns *c)
{
    for (size_t i = 0; i < COLUMN_TENSORS; i++) {
        void *data;
        memcpy(&data, column_data(c, i), sizeof data);
        itemi_free(NULL, data);
    }
}

/* ---- writing ---- */

static void fill(const item_dataset *data, columns *c)
{
    for (size_t i = 0; i < data->count; i++) {
        const itemi_record *r = &data->record[i];
        c->label[i] = r->label;
        c->flags[i] = r->flags;
        c->objects[i] = (int32_t)r->objects;
        c->picture_width[i] = (int32_t)r->picture_width;
        c->picture_height[i] = (int32_t)r->picture_height;
        c->file_bytes[i] = (int64_t)r->file_bytes;
        c->caption_logprob[i] = r->caption_logprob;
        c->name[i] = (int32_t)r->name;
        c->source[i] = (int32_t)r->source;
        c->generator[i] = (int32_t)r->generator;
        c->scene[i] = (int32_t)r->scene;
    }
}

/* Vectors of the objects that rows still have, in their order. */
static bool gather(const item_dataset *data, const float *from, float **out, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < data->count; i++)
        *count += data->record[i].objects;
    *out = itemi_alloc_array(NULL, *count, data->width * sizeof **out);
    float *next = *out;
    for (size_t i = 0; next && i < data->count; i++) {
        size_t numbers = data->record[i].objects * data->width;
        if (numbers)
            memcpy(next, from + data->record[i].first * data->width, numbers * sizeof *next);
        next += numbers;
    }
    return *out != NULL;
}

static void put_texts(const item_dataset *data, itemi_buf *buf)
{
    for (size_t i = 0; i < data->texts.count; i++)
        itemi_buf_add(buf, data->texts.text[i], strlen(data->texts.text[i]) + 1);
}

static itemi_tensor tensor(const char *name, itemi_dtype dtype, size_t rows, size_t width,
                           const void *data)
{
    itemi_tensor t = {.name = name, .dtype = dtype, .dims = width ? 2 : 1, .data = data};
    t.shape[0] = rows;
    t.shape[1] = width;
    t.bytes = rows * (width ? width : 1) * itemi_dtype_size(dtype);
    return t;
}

static char *describe(const item_dataset *data)
{
    json_t *object =
        json_pack("{s:i, s:I, s:s, s:s, s:I, s:s, s:b}", "format", FORMAT, "width",
                  (json_int_t)data->width, "embedder", data->embedder, "pipeline", data->pipeline,
                  "working_size", (json_int_t)data->working_size, "working_filter",
                  data->working_filter, "callers_captions", data->callers_captions);
    char *text = itemi_json_dump(NULL, object, ITEMI_DIGITS_EXACT);
    json_decref(object);
    return text;
}

static item_status write_all(const item_dataset *data, columns *c, const float *crops,
                             const float *phrases, size_t objects, const itemi_buf *texts,
                             const char *path, item_error *err)
{
    itemi_tensor tensors[VECTOR_TENSORS + COLUMN_TENSORS + 1];
    size_t count = 0, width = data->width;
    tensors[count++] = tensor("image", ITEMI_F32, data->count, width, data->image);
    tensors[count++] = tensor("text", ITEMI_F32, data->count, width, data->text);
    tensors[count++] = tensor("crops", ITEMI_F32, objects, width, crops);
    tensors[count++] = tensor("phrases", ITEMI_F32, objects, width, phrases);
    for (size_t i = 0; i < COLUMN_TENSORS; i++) {
        void *values;
        memcpy(&values, column_data(c, i), sizeof values);
        tensors[count++] =
            tensor(all_columns[i].name, all_columns[i].dtype, data->count, 0, values);
    }
    tensors[count++] = tensor("texts", ITEMI_U8, texts->length, 0, texts->data);

    char *meta = describe(data);
    if (!meta)
        return itemi_fail_memory(err, "writing a data set");
    const char *const pairs[] = {META_KEY, meta};
    item_status status = itemi_safetensors_write(path, tensors, count, pairs, 1, err);
    itemi_free(NULL, meta);
    return status;
}

item_status item_dataset_save(const item_dataset *data, const char *path, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!data || !path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_dataset_save: data or path is NULL");
    columns c = {0};
    float *crops = NULL, *phrases = NULL;
    size_t objects;
    itemi_buf texts;
    itemi_buf_init(&texts, NULL);
    put_texts(data, &texts);
    bool ok = reserve(&c, data->count) && gather(data, data->crops, &crops, &objects) &&
              gather(data, data->phrases, &phrases, &objects) && !texts.failed;
    item_status status;
    if (ok) {
        fill(data, &c);
        status = write_all(data, &c, crops, phrases, objects, &texts, path, err);
    } else {
        status = itemi_fail_memory(err, "writing a data set");
    }
    release(&c);
    itemi_free(NULL, crops);
    itemi_free(NULL, phrases);
    itemi_buf_free(&texts);
    return status;
}

/* ---- reading ---- */

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
                             json_t **owner, item_error *err)
{
    item_status status = itemi_json_parse(text, strlen(text), path, owner, err);
    if (status != ITEM_OK)
        return status;
    const json_int_t format = json_integer_value(json_object_get(*owner, "format"));
    if (format > FORMAT)
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "%s: the data set has format %lld, this libitem %s reads up to %d", path,
                          (long long)format, item_version(), FORMAT);
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

static item_status read_columns(const itemi_safetensors *st, const char *path, columns *c,
                                item_error *err)
{
    const itemi_tensor *t = NULL;
    item_status status = find(st, path, "label", ITEMI_U8, 0, &t, err);
    if (status == ITEM_OK && !reserve(c, (size_t)t->shape[0]))
        status = itemi_fail_memory(err, "reading a data set");
    for (size_t i = 0; status == ITEM_OK && i < COLUMN_TENSORS; i++) {
        status = find(st, path, all_columns[i].name, all_columns[i].dtype, 0, &t, err);
        if (status == ITEM_OK && t->shape[0] != c->count)
            status =
                itemi_fail(err, ITEM_E_FORMAT, "%s: column `%s` has another length than `label`",
                           path, all_columns[i].name);
        void *values;
        memcpy(&values, column_data(c, i), sizeof values);
        if (status == ITEM_OK && t->bytes)
            memcpy(values, t->data, t->bytes);
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

/* What the rows are made of. */
typedef struct parts {
    columns c;
    const char **text;
    size_t texts, objects;
    const itemi_tensor *image, *caption, *crops, *phrases;
} parts;

static item_status read_vectors(const itemi_safetensors *st, const char *path, uint32_t width,
                                parts *p, item_error *err)
{
    item_status status = find(st, path, "image", ITEMI_F32, width, &p->image, err);
    if (status == ITEM_OK)
        status = find(st, path, "text", ITEMI_F32, width, &p->caption, err);
    if (status == ITEM_OK)
        status = find(st, path, "crops", ITEMI_F32, width, &p->crops, err);
    if (status == ITEM_OK)
        status = find(st, path, "phrases", ITEMI_F32, width, &p->phrases, err);
    if (status != ITEM_OK)
        return status;
    if (p->image->shape[0] != p->c.count || p->caption->shape[0] != p->c.count ||
        p->crops->shape[0] != p->phrases->shape[0])
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the vectors of the data set do not fit its rows",
                          path);
    return ITEM_OK;
}

static bool is_text(const parts *p, int32_t id)
{
    return id >= 0 && (size_t)id < p->texts;
}

/* A row, as the public function takes it; false when it refers to what is not there. */
static bool row_of(const parts *p, size_t i, size_t *first, item_row *row)
{
    const columns *c = &p->c;
    if (c->objects[i] < 0 || (uint64_t)c->objects[i] > p->crops->shape[0] - *first ||
        c->picture_width[i] < 0 || c->picture_height[i] < 0 || c->file_bytes[i] < 0 ||
        !is_text(p, c->name[i]) || !is_text(p, c->source[i]) || !is_text(p, c->generator[i]) ||
        !is_text(p, c->scene[i]))
        return false;
    row->label = c->label[i];
    row->flags = c->flags[i];
    row->objects = (uint32_t)c->objects[i];
    row->picture_width = (uint32_t)c->picture_width[i];
    row->picture_height = (uint32_t)c->picture_height[i];
    row->file_bytes = (uint64_t)c->file_bytes[i];
    row->caption_logprob = c->caption_logprob[i];
    row->name = p->text[c->name[i]];
    row->source = p->text[c->source[i]];
    row->generator = p->text[c->generator[i]];
    row->scene = p->text[c->scene[i]];
    *first += row->objects;
    return true;
}

/* Copies n vectors, as a file's bytes may stand at any address. */
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

static item_status add_row(item_dataset *data, const parts *p, size_t i, size_t *first,
                           const char *path, item_error *err)
{
    item_row row = ITEM_ROW_INIT;
    size_t object = *first, width = data->width;
    if (!row_of(p, i, first, &row))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: row %zu of the data set is broken", path, i);
    float *vectors = itemi_alloc_array(NULL, 2 + 2 * (size_t)row.objects, width * sizeof *vectors);
    if (!vectors)
        return itemi_fail_memory(err, "reading a data set");
    float *next = vectors;
    row.image = aligned(p->image, i, 1, width, &next);
    row.text = aligned(p->caption, i, 1, width, &next);
    row.crops = aligned(p->crops, object, row.objects, width, &next);
    row.phrases = aligned(p->phrases, object, row.objects, width, &next);
    item_status status = item_dataset_add(data, &row, err);
    itemi_free(NULL, vectors);
    return status;
}

static item_status load_all(const itemi_safetensors *st, const char *path, item_dataset **out,
                            item_error *err)
{
    const char *meta = itemi_safetensors_meta(st, META_KEY);
    if (!meta)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: this is no data set: its metadata has no `%s`",
                          path, META_KEY);
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    json_t *owner = NULL;
    parts p = {.objects = 0};
    item_status status = read_info(meta, path, &info, &owner, err);
    if (status == ITEM_OK)
        status = item_dataset_new(&info, out, err);
    if (status == ITEM_OK)
        status = read_columns(st, path, &p.c, err);
    if (status == ITEM_OK)
        status = read_texts(st, path, &p.text, &p.texts, err);
    if (status == ITEM_OK)
        status = read_vectors(st, path, info.width, &p, err);
    if (status == ITEM_OK && !itemi_dataset_reserve(*out, p.c.count, (size_t)p.crops->shape[0]))
        status = itemi_fail_memory(err, "reading a data set");
    size_t first = 0;
    for (size_t i = 0; status == ITEM_OK && i < p.c.count; i++)
        status = add_row(*out, &p, i, &first, path, err);
    json_decref(owner);
    itemi_free(NULL, p.text);
    release(&p.c);
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
