/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures as a published model's preprocessor makes them: resized, cropped from the middle,
 * normalised. Pixels are laid out by patches, so that the first convolution is a product.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "blocks.h"

#define CLIP_MEAN                                                                                  \
    {                                                                                              \
        0.48145466, 0.4578275, 0.40821073                                                          \
    }
#define CLIP_STD                                                                                   \
    {                                                                                              \
        0.26862954, 0.26130258, 0.27577711                                                         \
    }
#define PIXELS_MAX 16384
#define BICUBIC    3.0

const itx_prep_defaults itx_prep_crop = {
    .crop = true, .filter = BICUBIC, .mean = CLIP_MEAN, .deviation = CLIP_STD};
const itx_prep_defaults itx_prep_squash = {
    .filter = BICUBIC, .mean = CLIP_MEAN, .deviation = CLIP_STD};
const itx_prep_defaults itx_prep_square = {
    .square = true, .filter = BICUBIC, .mean = CLIP_MEAN, .deviation = CLIP_STD};

/* ---- what the file says ---- */

static uint32_t edge_at(itx_facts *f, const char *key, uint32_t fallback)
{
    return (uint32_t)itx_fact_count(f, key, fallback, PIXELS_MAX);
}

/* 224; [224, 224], height first; {"height", "width"}; {"shortest_edge"}. */
static void read_size(itx_facts *f, itx_prep *p, const itx_prep_defaults *d)
{
    if (itx_fact_flag(f, "use_square_size", false))
        (void)itx_facts_fail(f, "use_square_size is not supported");
    if (itx_fact_there(f, "size.shortest_edge") || itx_fact_there(f, "size.longest_edge")) {
        if (itx_fact_there(f, "size.longest_edge"))
            (void)itx_facts_fail(f, "size.longest_edge is not supported");
        p->width = 0;
        p->height = edge_at(f, "size.shortest_edge", p->edge);
    } else if (itx_fact_there(f, "size.height") || itx_fact_there(f, "size.width")) {
        p->height = edge_at(f, "size.height", p->edge);
        p->width = edge_at(f, "size.width", p->edge);
    } else if (itx_fact_there(f, "size.0")) {
        p->height = edge_at(f, "size.0", p->edge);
        p->width = edge_at(f, "size.1", p->height);
    } else {
        p->height = edge_at(f, "size", p->edge);
        p->width = d->crop ? 0 : p->height;
    }
}

static void read_crop(itx_facts *f, itx_prep *p)
{
    p->crop = p->edge;
    if (itx_fact_there(f, "crop_size.height"))
        p->crop = edge_at(f, "crop_size.height", p->edge);
    else if (itx_fact_there(f, "crop_size.0"))
        p->crop = edge_at(f, "crop_size.0", p->edge);
    else
        p->crop = edge_at(f, "crop_size", p->edge);
    if (p->crop != p->edge)
        (void)itx_facts_fail(f, "crop_size is %u, the network wants %u", p->crop, p->edge);
}

/* Pillow's numbers of the filters. */
static int32_t read_filter(itx_facts *f, const itx_prep_defaults *d)
{
    switch ((int)itx_fact_number(f, "resample", d->filter, 0.0, 5.0)) {
    case 1:
        return ITEM_FILTER_LANCZOS;
    case 2:
        return ITEM_FILTER_BILINEAR;
    case 3:
        return ITEM_FILTER_BICUBIC;
    default:
        (void)itx_facts_fail(f, "resample is not 1, 2 or 3 (Lanczos, bilinear, bicubic)");
        return ITEM_FILTER_BICUBIC;
    }
}

/* A channel's number, as the reference makes it: in single precision, one step after another. */
static float normalised(const itx_prep *p, uint32_t channel, float scaled)
{
    const float centred = scaled - p->mean[channel];
    return centred / p->deviation[channel];
}

/* A number for each channel, or one for all. */
static void read_channels(itx_facts *f, const char *key, double least, const double fallback[3],
                          float out[3])
{
    char first[32], path[32];
    (void)snprintf(first, sizeof first, "%s.0", key);
    const bool each = itx_fact_there(f, first);
    for (uint32_t c = 0; c < 3; c++) {
        (void)snprintf(path, sizeof path, each ? "%s.%u" : "%s", key, c);
        if (each && !itx_fact_there(f, path))
            (void)itx_facts_fail(f, "%s has no number for each of three channels", key);
        out[c] = (float)itx_fact_number(f, path, fallback[c], least, 1e9);
    }
}

static void read_values(itx_facts *f, itx_prep *p, const itx_prep_defaults *d)
{
    const bool rescale = itx_fact_flag(f, "rescale", itx_fact_flag(f, "do_rescale", true));
    const bool normalise = itx_fact_flag(f, "do_normalize", true);
    p->scale = rescale ? itx_fact_number(f, "rescale_factor", 1.0 / 255.0, 1e-9, 1e9) : 1.0;
    if (normalise) {
        read_channels(f, "image_mean", -1e9, d->mean, p->mean);
        read_channels(f, "image_std", 1e-9, d->deviation, p->deviation);
    }
    for (uint32_t c = 0; c < 3; c++) {
        if (!normalise)
            p->deviation[c] = 1.0f;
        for (int v = 0; v < 256; v++)
            p->value[c][v] = normalised(p, c, (float)(v * p->scale));
    }
}

item_status itx_prep_open(itx_prep *p, const item_services *s, const itx_prep_defaults *defaults,
                          int64_t edge, int64_t patch, item_error *err)
{
    itx_facts f;
    itx_facts_open(&f, s, err);
    f.role = defaults->alone ? "" : "preprocessor";
    *p = (itx_prep){.edge = (uint32_t)edge, .patch = (uint32_t)patch, .square = defaults->square};
    if (itx_fact_flag(&f, "do_resize", true))
        read_size(&f, p, defaults);
    if (itx_fact_flag(&f, "do_center_crop", defaults->crop))
        read_crop(&f, p);
    p->filter = read_filter(&f, defaults);
    read_values(&f, p, defaults);
    if (p->square && (p->crop || !p->height || !itx_fact_flag(&f, "do_pad", true)))
        (void)itx_facts_fail(&f, "pictures that are not padded and resized are not supported");
    if (!p->crop && p->height && (p->height != p->edge || p->width != p->edge))
        (void)itx_facts_fail(&f, "pictures would be %u x %u pixels, the network wants %u", p->width,
                             p->height, p->edge);
    return f.status;
}

/* ---- one picture ---- */

size_t itx_prep_count(const itx_prep *p)
{
    const size_t side = p->edge / p->patch * p->patch;
    return side * side * 3;
}

typedef struct view {
    double box[4];          /* of whole pixels */
    uint32_t width, height; /* to which the box is resized */
    int64_t left, top;      /* what the network sees of that: edge x edge from here */
    uint32_t part[4];       /* the part of it that exists */
} view;

/* Whole pixels, at least one. */
static void whole_pixels(const double box[4], double out[4])
{
    for (int i = 0; i < 2; i++) {
        out[i] = floor(box[i] + 0.5);
        out[i + 2] = floor(box[i + 2] + 0.5);
        if (out[i + 2] <= out[i]) {
            out[i] = floor(box[i]);
            out[i + 2] = out[i] + 1.0;
        }
    }
}

static uint32_t clamp(int64_t value, uint32_t most)
{
    return value < 0 ? 0 : value > most ? most : (uint32_t)value;
}

/* Of the side that is not the short one; what nobody can make is refused by the host. */
static uint32_t long_side(double edge, double side, double shorter)
{
    const double length = edge * side / shorter;
    return length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
}

static view look(const itx_prep *p, const double box[4])
{
    view v;
    whole_pixels(box, v.box);
    const double w = v.box[2] - v.box[0], h = v.box[3] - v.box[1], edge = p->height;
    v.width = p->width;
    v.height = p->height;
    if (!p->height) {
        v.width = (uint32_t)w;
        v.height = (uint32_t)h;
    } else if (!p->width) {
        v.width = w <= h ? p->height : long_side(edge, w, h);
        v.height = w <= h ? long_side(edge, h, w) : p->height;
    }
    /* rounded down, also below 0 */
    v.left = ((int64_t)v.width - p->edge - (v.width < p->edge)) / 2;
    v.top = ((int64_t)v.height - p->edge - (v.height < p->edge)) / 2;
    v.part[0] = clamp(v.left, v.width);
    v.part[1] = clamp(v.top, v.height);
    v.part[2] = clamp(v.left + p->edge, v.width);
    v.part[3] = clamp(v.top + p->edge, v.height);
    return v;
}

/* Where the first channel of a pixel goes; the others follow a patch's pixels apart. */
static float *place_of(const itx_prep *p, float *out, uint32_t x, uint32_t y)
{
    const uint32_t patch = p->patch, side = p->edge / patch;
    return out + ((size_t)(y / patch) * side + x / patch) * 3 * patch * patch +
           (size_t)(y % patch) * patch + x % patch;
}

/* Bytes of the part, rows of RGB, to patches; what lies outside of it is black. */
static void lay_out(const itx_prep *p, const view *v, const uint8_t *bytes, float *out)
{
    static const uint8_t black[3];
    const uint32_t patch = p->patch, side = p->edge / patch, across = v->part[2] - v->part[0];
    for (uint32_t y = 0; y < side * patch; y++) {
        const int64_t row = v->top + y;
        const bool above = row >= v->part[1] && row < v->part[3];
        for (uint32_t x = 0; x < side * patch; x++) {
            const int64_t column = v->left + x;
            const bool inside = above && column >= v->part[0] && column < v->part[2];
            const size_t place =
                inside ? (size_t)(row - v->part[1]) * across + (size_t)(column - v->part[0]) : 0;
            const uint8_t *pixel = inside ? bytes + 3 * place : black;
            float *to = place_of(p, out, x, y);
            for (uint32_t c = 0; c < 3; c++)
                to[(size_t)c * patch * patch] = p->value[c][pixel[c]];
        }
    }
}

/* The same of what resize_square() gives. */
static void lay_out_square(const itx_prep *p, const float *pixels, float *out)
{
    const uint32_t side = p->edge / p->patch * p->patch, area = p->patch * p->patch;
    const float scale = (float)(255.0 * p->scale);
    for (uint32_t y = 0; y < side; y++)
        for (uint32_t x = 0; x < side; x++)
            for (uint32_t c = 0; c < 3; c++)
                place_of(p, out, x, y)[(size_t)c * area] =
                    normalised(p, c, scale * pixels[((size_t)y * p->edge + x) * 3 + c]);
}

static item_status square_pixels(const itx_prep *p, const item_services *s, const item_image *image,
                                 const double box[4], float *out, item_error *err)
{
    double whole[4];
    whole_pixels(box, whole);
    float *pixels = s->allocate(s->host, (size_t)p->edge * p->edge * 3 * sizeof *pixels);
    if (!pixels)
        return itx_fail_memory(err, "resizing a picture");
    /* black, whatever the reference's own documents say */
    const item_status status = s->resize_square(s->host, image, whole, p->edge, 0.0, pixels, err);
    if (status == ITEM_OK)
        lay_out_square(p, pixels, out);
    s->release(s->host, pixels);
    return status;
}

item_status itx_prep_pixels(const itx_prep *p, const item_services *s, const item_image *image,
                            const double box[4], float *out, item_error *err)
{
    if (p->square)
        return square_pixels(p, s, image, box, out, err);
    const view v = look(p, box);
    if (!p->crop && (v.width != p->edge || v.height != p->edge))
        return itx_fail(err, ITEM_E_UNSUPPORTED,
                        "the model takes pictures of %u x %u pixels as they are, not of %u x %u",
                        p->edge, p->edge, v.width, v.height);
    const size_t room = (size_t)(v.part[2] - v.part[0]) * (v.part[3] - v.part[1]) * 3;
    uint8_t *bytes = s->allocate(s->host, room);
    if (!bytes)
        return itx_fail_memory(err, "resizing a picture");
    const item_status status =
        s->resize_part(s->host, image, v.box, p->filter, v.width, v.height, v.part, bytes, err);
    if (status == ITEM_OK)
        lay_out(p, &v, bytes, out);
    s->release(s->host, bytes);
    return status;
}
