/* SPDX-License-Identifier: Apache-2.0 */
/* The embedding step: all pictures and crops of a batch in one call, all its texts in another. */
#include <string.h>

#include "core/recall.h"

/* Texts of a batch, each of them once. */
typedef struct text_list {
    const char **items;
    uint64_t *hashes;
    size_t count;
} text_list;

static uint64_t hash(const char *text)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return value;
}

/* Index of a text, which is added if it is new; there is room for every text of the batch. */
static size_t put_text(text_list *list, const char *text)
{
    uint64_t h = hash(text);
    for (size_t i = 0; i < list->count; i++) {
        if (list->hashes[i] == h && strcmp(list->items[i], text) == 0)
            return i;
    }
    list->items[list->count] = text;
    list->hashes[list->count] = h;
    return list->count++;
}

/* What a batch embeds, and where each vector will be. */
typedef struct plan {
    const itemi_mem *mem;
    item_crop *crops;
    size_t crop_count;
    text_list texts;
    size_t *rows; /* of texts, in the order in which readings ask for them */
    float *image_vectors, *text_vectors;
} plan;

static void free_plan(plan *p)
{
    itemi_free(p->mem, p->crops);
    itemi_free(p->mem, p->texts.items);
    itemi_free(p->mem, p->texts.hashes);
    itemi_free(p->mem, p->rows);
    itemi_free(p->mem, p->image_vectors);
    itemi_free(p->mem, p->text_vectors);
}

static void add_crop(plan *p, const itemi_work *work, const double box[4])
{
    item_crop *crop = &p->crops[p->crop_count++];
    *crop = (item_crop){.struct_size = sizeof *crop, .image = work->image};
    memcpy(crop->box, box, sizeof crop->box);
}

/* The whole picture, then the objects of each reading; captions and phrases in the same order. */
static void add_work(plan *p, const itemi_work *work, size_t *row)
{
    const double whole[4] = {0, 0, work->work_width, work->work_height};
    if (!work->vector) /* else it came with the inner layers */
        add_crop(p, work, whole);
    for (size_t i = 0; i < ITEMI_COUNT(work->readings); i++) {
        const itemi_reading *r = &work->readings[i];
        if (!r->used)
            continue;
        p->rows[(*row)++] = put_text(&p->texts, r->caption);
        for (size_t j = 0; j < r->count; j++) {
            add_crop(p, work, r->objects[j].box);
            p->rows[(*row)++] = put_text(&p->texts, r->phrases.items[r->objects[j].phrase].text);
        }
    }
}

static item_status make_plan(plan *p, itemi_work **works, size_t n, item_error *err)
{
    size_t most = n;
    for (size_t i = 0; i < n; i++)
        most += 2 + works[i]->readings[0].count + works[i]->readings[1].count;
    p->crops = itemi_alloc_array(p->mem, most, sizeof *p->crops);
    p->texts.items = itemi_alloc_array(p->mem, most, sizeof(char *));
    p->texts.hashes = itemi_alloc_array(p->mem, most, sizeof *p->texts.hashes);
    p->rows = itemi_alloc_array(p->mem, most, sizeof *p->rows);
    if (!p->crops || !p->texts.items || !p->texts.hashes || !p->rows)
        return itemi_fail_memory(err, "embedding");
    size_t row = 0;
    for (size_t i = 0; i < n; i++)
        add_work(p, works[i], &row);
    return ITEM_OK;
}

static item_status ask_embedder(itemi_batch *batch, itemi_stage *stage, plan *p, item_error *err)
{
    size_t width = batch->width;
    p->image_vectors = itemi_alloc_array(p->mem, p->crop_count * width, sizeof(float));
    p->text_vectors = itemi_alloc_array(p->mem, p->texts.count * width, sizeof(float));
    if (!p->image_vectors || !p->text_vectors)
        return itemi_fail_memory(err, "embedding");
    item_status status = ITEM_OK;
    if (p->crop_count)
        status = itemi_recall_image_vectors(batch, stage, p->crops, p->crop_count, p->image_vectors,
                                            err);
    if (status == ITEM_OK && p->texts.count)
        status = itemi_recall_text_vectors(batch, stage, p->texts.items, p->texts.count,
                                           p->text_vectors, err);
    return status;
}

/* ---- handing the vectors out ---- */

static float *copy_rows(const itemi_mem *mem, const float *rows, size_t count, size_t width)
{
    float *out = itemi_alloc_array(mem, count * width, sizeof *out);
    if (out)
        memcpy(out, rows, count * width * sizeof *out);
    return out;
}

static bool take_reading(const plan *p, itemi_reading *r, size_t width, size_t *crop, size_t *row)
{
    r->text = copy_rows(p->mem, p->text_vectors + p->rows[*row] * width, 1, width);
    r->crops = copy_rows(p->mem, p->image_vectors + *crop * width, r->count, width);
    r->phrased = itemi_alloc_array(p->mem, r->count * width, sizeof(float));
    if (!r->text || !r->crops || !r->phrased)
        return false;
    for (size_t i = 0; i < r->count; i++)
        memcpy(r->phrased + i * width, p->text_vectors + p->rows[*row + 1 + i] * width,
               width * sizeof(float));
    *crop += r->count;
    *row += 1 + r->count;
    return true;
}

static bool take_work(const plan *p, itemi_work *work, size_t width, size_t *crop, size_t *row)
{
    if (!work->vector)
        work->vector = copy_rows(p->mem, p->image_vectors + (*crop)++ * width, 1, width);
    bool taken = work->vector != NULL;
    for (size_t i = 0; i < ITEMI_COUNT(work->readings) && taken; i++) {
        if (work->readings[i].used)
            taken = take_reading(p, &work->readings[i], width, crop, row);
    }
    return taken;
}

/* A work that found no memory half-way gives back what it took, and may be tried again. */
static void drop_vectors(const itemi_mem *mem, itemi_work *work)
{
    itemi_free(mem, work->vector);
    work->vector = NULL;
    for (size_t i = 0; i < ITEMI_COUNT(work->readings); i++) {
        itemi_reading *r = &work->readings[i];
        itemi_free(mem, r->text);
        itemi_free(mem, r->crops);
        itemi_free(mem, r->phrased);
        r->text = r->crops = r->phrased = NULL;
    }
}

static item_status take_all(const plan *p, itemi_work **works, size_t n, size_t width,
                            item_error *err)
{
    size_t crop = 0, row = 0;
    bool taken = true;
    for (size_t i = 0; i < n && taken; i++)
        taken = take_work(p, works[i], width, &crop, &row);
    for (size_t i = 0; i < n && !taken; i++)
        drop_vectors(p->mem, works[i]);
    return taken ? ITEM_OK : itemi_fail_memory(err, "embedding");
}

static item_status embed_step(itemi_batch *batch, itemi_work **works, size_t n, item_error *err)
{
    itemi_stage *stage;
    item_status status = itemi_batch_stage(batch, ITEMI_EMBEDDER, &stage, err);
    if (status != ITEM_OK)
        return status;
    batch->width = itemi_stage_width(stage);
    plan p = {.mem = batch->call.mem};
    status = make_plan(&p, works, n, err);
    if (status == ITEM_OK)
        status = ask_embedder(batch, stage, &p, err);
    if (status == ITEM_OK)
        status = take_all(&p, works, n, batch->width, err);
    free_plan(&p);
    return status;
}

item_status itemi_batch_embed(itemi_batch *batch, item_error *err)
{
    if (!batch->ctx->slot[ITEMI_EMBEDDER].possible)
        return ITEM_OK;
    return itemi_batch_each(batch, embed_step, offsetof(item_timings, embed), err);
}
