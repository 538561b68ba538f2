/* SPDX-License-Identifier: Apache-2.0 */
/* Writes data sets as safetensors files. */
#include <string.h>

#include "core/json_make.h"
#include "train/store.h"

#define VECTOR_TENSORS 7

#define COLUMN(name, dtype, width, format)                                                         \
    {                                                                                              \
#name, dtype, offsetof(itemi_columns, name), width, format                                 \
    }

const itemi_column itemi_column_list[ITEMI_COLUMNS] = {
    COLUMN(label, ITEMI_U8, 0, 1),
    COLUMN(flags, ITEMI_U8, 0, 1),
    COLUMN(objects, ITEMI_I32, 0, 1),
    COLUMN(picture_width, ITEMI_I32, 0, 1),
    COLUMN(picture_height, ITEMI_I32, 0, 1),
    COLUMN(file_bytes, ITEMI_I64, 0, 1),
    COLUMN(caption_logprob, ITEMI_F64, 0, 1),
    COLUMN(name, ITEMI_I32, 0, 1),
    COLUMN(source, ITEMI_I32, 0, 1),
    COLUMN(generator, ITEMI_I32, 0, 1),
    COLUMN(scene, ITEMI_I32, 0, 1),
    COLUMN(picture, ITEMI_U8, ITEM_PICTURE_HASH, 2),
    COLUMN(caption, ITEMI_I32, 0, 2),
    COLUMN(caption_prior, ITEMI_F64, 0, 2),
    COLUMN(named_count, ITEMI_I32, 0, 2),
    COLUMN(plain, ITEMI_F32, ITEM_PLAIN_NUMBERS, 3),
};

void *itemi_column_data(const itemi_columns *c, size_t i)
{
    void *data;
    memcpy(&data, (const char *)c + itemi_column_list[i].offset, sizeof data);
    return data;
}

bool itemi_columns_reserve(itemi_columns *c, size_t count)
{
    bool ok = true;
    c->count = count;
    for (size_t i = 0; i < ITEMI_COLUMNS; i++) {
        const itemi_column *column = &itemi_column_list[i];
        size_t width = column->width ? column->width : 1;
        void *data = itemi_alloc_zero(NULL, count, width * itemi_dtype_size(column->dtype));
        memcpy((char *)c + column->offset, &data, sizeof data);
        ok &= data != NULL;
    }
    return ok;
}

void itemi_columns_free(itemi_columns *c)
{
    for (size_t i = 0; i < ITEMI_COLUMNS; i++)
        itemi_free(NULL, itemi_column_data(c, i));
}

static void fill(const item_dataset *data, itemi_columns *c)
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
        memcpy(c->picture + i * ITEM_PICTURE_HASH, r->picture, ITEM_PICTURE_HASH);
        c->caption[i] = (int32_t)r->caption;
        c->caption_prior[i] = r->caption_prior;
        c->named_count[i] = (int32_t)r->named;
        memcpy(c->plain + i * ITEM_PLAIN_NUMBERS, r->plain, sizeof r->plain);
    }
}

/* Where the vectors of a row stand, and how many. */
typedef struct place {
    uint32_t first, count;
} place;

static place place_of_objects(const itemi_record *r)
{
    return (place){r->first, r->objects};
}

static place place_of_names(const itemi_record *r)
{
    return (place){r->first_named, r->named};
}

/* Vectors that rows still have, in the order of the rows. */
static bool gather(const item_dataset *data, place (*where)(const itemi_record *),
                   const float *from, float **out, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < data->count; i++)
        *count += where(&data->record[i]).count;
    *out = itemi_alloc_array(NULL, *count, data->width * sizeof **out);
    float *next = *out;
    for (size_t i = 0; next && i < data->count; i++) {
        place at = where(&data->record[i]);
        size_t numbers = at.count * data->width;
        if (numbers)
            memcpy(next, from + at.first * data->width, numbers * sizeof *next);
        next += numbers;
    }
    return *out != NULL;
}

/* What is made for writing alone. */
typedef struct scratch {
    itemi_columns c;
    float *crops, *phrases, *named;
    size_t objects, names;
    itemi_buf texts;
} scratch;

static void put_texts(const item_dataset *data, itemi_buf *buf)
{
    for (size_t i = 0; i < data->texts.count; i++)
        itemi_buf_add(buf, data->texts.text[i], strlen(data->texts.text[i]) + 1);
}

/* Rows of `width` numbers each, or single ones (width 0). */
static itemi_tensor tensor(const char *name, itemi_dtype dtype, size_t rows, size_t width,
                           const void *data)
{
    itemi_tensor t = {.name = name, .dtype = dtype, .dims = width ? 2 : 1, .data = data};
    t.shape[0] = rows;
    t.shape[1] = width;
    t.bytes = rows * (width ? width : 1) * itemi_dtype_size(dtype);
    return t;
}

static itemi_tensor tensor_of_views(const item_dataset *data)
{
    itemi_tensor t =
        tensor("views", ITEMI_F32, data->count, data->view_count * data->width, data->views);
    t.dims = 3;
    t.shape[1] = data->view_count;
    t.shape[2] = data->width;
    return t;
}

static char *describe(const item_dataset *data)
{
    json_t *object =
        json_pack("{s:i, s:I, s:s, s:s, s:I, s:s, s:b}", "format", ITEMI_DATASET_FORMAT, "width",
                  (json_int_t)data->width, "embedder", data->embedder, "pipeline", data->pipeline,
                  "working_size", (json_int_t)data->working_size, "working_filter",
                  data->working_filter, "callers_captions", data->callers_captions);
    char *text = itemi_json_dump(NULL, object, ITEMI_DIGITS_EXACT);
    json_decref(object);
    return text;
}

/* The tensors in the order of the file; returns how many. */
static size_t list_tensors(const item_dataset *data, const scratch *s, itemi_tensor *tensors)
{
    size_t count = 0, width = data->width;
    tensors[count++] = tensor("image", ITEMI_F32, data->count, width, data->image);
    tensors[count++] = tensor("text", ITEMI_F32, data->count, width, data->text);
    tensors[count++] = tensor("crops", ITEMI_F32, s->objects, width, s->crops);
    tensors[count++] = tensor("phrases", ITEMI_F32, s->objects, width, s->phrases);
    tensors[count++] = tensor("named", ITEMI_F32, s->names, width, s->named);
    if (data->view_count)
        tensors[count++] = tensor_of_views(data);
    if (data->layer_count)
        tensors[count++] =
            tensor("layers", ITEMI_F32, data->count, data->layer_count, data->layers);
    for (size_t i = 0; i < ITEMI_COLUMNS; i++) {
        const itemi_column *column = &itemi_column_list[i];
        tensors[count++] = tensor(column->name, column->dtype, data->count, column->width,
                                  itemi_column_data(&s->c, i));
    }
    tensors[count++] = tensor("texts", ITEMI_U8, s->texts.length, 0, s->texts.data);
    return count;
}

static item_status write_all(const item_dataset *data, const scratch *s, const char *path,
                             item_error *err)
{
    itemi_tensor tensors[VECTOR_TENSORS + ITEMI_COLUMNS + 1];
    size_t count = list_tensors(data, s, tensors);
    char *meta = describe(data);
    if (!meta)
        return itemi_fail_memory(err, "writing a data set");
    const char *const pairs[] = {ITEMI_DATASET_META, meta};
    item_status status = itemi_safetensors_write(path, tensors, count, pairs, 1, err);
    itemi_free(NULL, meta);
    return status;
}

item_status item_dataset_save(const item_dataset *data, const char *path, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!data || !path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_dataset_save: data or path is NULL");
    scratch s = {.objects = 0};
    itemi_buf_init(&s.texts, NULL);
    put_texts(data, &s.texts);
    bool ok = itemi_columns_reserve(&s.c, data->count) &&
              gather(data, place_of_objects, data->crops, &s.crops, &s.objects) &&
              gather(data, place_of_objects, data->phrases, &s.phrases, &s.objects) &&
              gather(data, place_of_names, data->named, &s.named, &s.names) && !s.texts.failed;
    item_status status;
    if (ok) {
        fill(data, &s.c);
        status = write_all(data, &s, path, err);
    } else {
        status = itemi_fail_memory(err, "writing a data set");
    }
    itemi_columns_free(&s.c);
    itemi_free(NULL, s.crops);
    itemi_free(NULL, s.phrases);
    itemi_free(NULL, s.named);
    itemi_buf_free(&s.texts);
    return status;
}
