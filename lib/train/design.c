/* SPDX-License-Identifier: Apache-2.0 */
/* Features of a data set: the layout of a head, and the controls beside it. */
#include <math.h>
#include <string.h>

#include "train/data.h"

#define STREAM_SHUFFLE 0x4001

#define COUNTS 2
#define SHAPES 4

const char *itemi_design_name(itemi_design design)
{
    static const char *const names[ITEMI_DESIGNS] = {
        [ITEMI_DESIGN_LAYOUT] = "head",
        [ITEMI_DESIGN_SHUFFLED] = "captions shuffled within the source",
        [ITEMI_DESIGN_PICTURE] = "picture vector alone",
        [ITEMI_DESIGN_CAPTION] = "caption vector alone",
        [ITEMI_DESIGN_COUNTS] = "object count and caption likelihood alone",
        [ITEMI_DESIGN_SHAPE] = "shape and file size alone",
    };
    return names[design];
}

size_t itemi_design_width(const item_dataset *data, itemi_design design, const itemi_layout *layout)
{
    switch (design) {
    case ITEMI_DESIGN_PICTURE:
    case ITEMI_DESIGN_CAPTION:
        return data->width;
    case ITEMI_DESIGN_COUNTS:
        return COUNTS;
    case ITEMI_DESIGN_SHAPE:
        return SHAPES;
    default:
        return itemi_layout_size(layout, itemi_dataset_widths(data));
    }
}

/* log(1 + x), so that 0 (not known) is a number too. */
static float log_size(double x)
{
    return (float)log1p(x);
}

static void plain_row(const item_dataset *data, itemi_design design, size_t row, float *out)
{
    const itemi_record *r = &data->record[row];
    double width = r->picture_width, height = r->picture_height;
    switch (design) {
    case ITEMI_DESIGN_PICTURE:
        memcpy(out, data->image + row * data->width, data->width * sizeof *out);
        break;
    case ITEMI_DESIGN_CAPTION:
        memcpy(out, data->text + row * data->width, data->width * sizeof *out);
        break;
    case ITEMI_DESIGN_COUNTS:
        out[0] = (float)r->objects;
        out[1] = isnan(r->caption_logprob) ? 0 : (float)r->caption_logprob;
        break;
    default:
        out[0] = log_size(width);
        out[1] = log_size(height);
        out[2] = log_size((double)r->file_bytes);
        out[3] = width > 0 && height > 0 ? (float)log(width / height) : 0;
    }
}

/* Which caption and which phrases a row reads: its own, or those of others of its source. */
typedef struct pairing {
    uint32_t *caption; /* [count]: row */
    uint32_t *phrase;  /* [objects]: object */
    uint32_t *pool;    /* of one source */
    float *phrases;    /* of one row */
} pairing;

static bool reserve(const item_dataset *data, pairing *p)
{
    size_t most = 0, objects = 0;
    for (size_t i = 0; i < data->count; i++) {
        most = data->record[i].objects > most ? data->record[i].objects : most;
        objects += data->record[i].objects;
    }
    size_t pool = objects > data->count ? objects : data->count;
    p->caption = itemi_alloc_array(NULL, data->count, sizeof *p->caption);
    p->phrase = itemi_alloc_array(NULL, data->objects, sizeof *p->phrase);
    p->pool = itemi_alloc_array(NULL, pool, sizeof *p->pool);
    p->phrases = itemi_alloc_array(NULL, most, data->width * sizeof *p->phrases);
    return p->caption && p->phrase && p->pool && p->phrases;
}

static void release(pairing *p)
{
    itemi_free(NULL, p->caption);
    itemi_free(NULL, p->phrase);
    itemi_free(NULL, p->pool);
    itemi_free(NULL, p->phrases);
}

static void pair_own(const item_dataset *data, pairing *p)
{
    for (size_t i = 0; i < data->count; i++)
        p->caption[i] = (uint32_t)i;
    for (size_t i = 0; i < data->objects; i++)
        p->phrase[i] = (uint32_t)i;
}

/* Shuffles captions among the rows of a source, and phrases among its objects. */
static void shuffle_source(const item_dataset *data, const itemi_cohort *cohort, uint32_t source,
                           itemi_rng *rng, pairing *p)
{
    size_t n = 0;
    for (size_t i = 0; i < data->count; i++) {
        if (cohort->source[i] == source)
            p->pool[n++] = (uint32_t)i;
    }
    itemi_rng_shuffle(rng, p->pool, n);
    for (size_t i = data->count; i-- > 0;) {
        if (cohort->source[i] == source)
            p->caption[i] = p->pool[--n];
    }

    for (size_t i = 0; i < data->count; i++) {
        const itemi_record *r = &data->record[i];
        for (uint32_t o = 0; cohort->source[i] == source && o < r->objects; o++)
            p->pool[n++] = r->first + o;
    }
    itemi_rng_shuffle(rng, p->pool, n);
    for (size_t i = 0; i < data->count; i++) {
        const itemi_record *r = &data->record[i];
        for (uint32_t o = 0; cohort->source[i] == source && o < r->objects; o++)
            p->phrase[r->first + o] = p->pool[--n];
    }
}

static void layout_row(const item_dataset *data, const itemi_layout *layout, const pairing *p,
                       size_t row, float *out)
{
    const itemi_record *r = &data->record[row];
    size_t width = data->width;
    for (uint32_t o = 0; o < r->objects; o++)
        memcpy(p->phrases + o * width, data->phrases + p->phrase[r->first + o] * width,
               width * sizeof *out);
    const itemi_vectors vectors = {.width = width,
                                   .image = data->image + row * width,
                                   .text = data->text + p->caption[row] * width,
                                   .n = r->objects,
                                   .crops = r->objects ? data->crops + r->first * width : NULL,
                                   .phrases = p->phrases,
                                   .layer_count = data->layer_count,
                                   .layers = data->layers + row * data->layer_count};
    itemi_misalign(layout, &vectors, out);
}

static bool fill_layout(const item_dataset *data, itemi_design design, const itemi_layout *layout,
                        const itemi_cohort *cohort, uint64_t seed, float *out)
{
    pairing p = {0};
    bool ok = reserve(data, &p);
    if (ok) {
        pair_own(data, &p);
        for (uint32_t s = 0; design == ITEMI_DESIGN_SHUFFLED && s < cohort->sources; s++) {
            itemi_rng rng = {seed, STREAM_SHUFFLE + s, 0};
            shuffle_source(data, cohort, s, &rng, &p);
        }
        size_t width = itemi_layout_size(layout, itemi_dataset_widths(data));
        for (size_t i = 0; i < data->count; i++)
            layout_row(data, layout, &p, i, out + i * width);
    }
    release(&p);
    return ok;
}

float *itemi_design_make(const item_dataset *data, itemi_design design, const itemi_layout *layout,
                         const itemi_cohort *cohort, uint64_t seed)
{
    size_t width = itemi_design_width(data, design, layout);
    float *out = itemi_alloc_array(NULL, data->count, width * sizeof *out);
    if (!out)
        return NULL;
    if (design == ITEMI_DESIGN_LAYOUT || design == ITEMI_DESIGN_SHUFFLED) {
        if (!fill_layout(data, design, layout, cohort, seed, out)) {
            itemi_free(NULL, out);
            return NULL;
        }
        return out;
    }
    for (size_t i = 0; i < data->count; i++)
        plain_row(data, design, i, out + i * width);
    return out;
}
