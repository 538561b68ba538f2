/* SPDX-License-Identifier: Apache-2.0 */
/* An embedder with a defect. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wrong.h"

enum { WIDTH = 32, LAYERS = 6, MOST = 1024 };

ITEM_API item_module_embedder_fn item_module_embedder;

/* What is done to a vector that was right. */
static void spoil(float *row, size_t i, size_t n)
{
    static unsigned calls;
    if (defect_is("unwritten"))
        row[WIDTH - 1] = NAN;
    if (defect_is("infinity"))
        row[0] = INFINITY;
    if (defect_is("length"))
        for (size_t j = 0; j < WIDTH; j++)
            row[j] *= 1.1f;
    if (defect_is("batch") && n > 1 && i == n - 1)
        row[0] = -row[0];
    if (defect_is("again") && ++calls % 5 == 0)
        row[0] = -row[0];
    if (defect_is("constant")) {
        memset(row, 0, WIDTH * sizeof *row);
        row[0] = 1;
    }
}

/* Another thread may come between the two copies. */
static void through_scratch(float *out, size_t n)
{
    static float scratch[MOST * WIDTH];
    memcpy(scratch, out, n * WIDTH * sizeof *out);
    usleep(3000);
    memcpy(out, scratch, n * WIDTH * sizeof *out);
}

static void finish(const item_call *call, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        spoil(out + i * WIDTH, i, n);
    if (defect_is("beyond"))
        out[n * WIDTH] = 0;
    if ((defect_is("static scratch") || defect_is("shared scratch")) && n <= MOST)
        through_scratch(out, n);
    after_answer(call);
}

/* Takes the crops for an array, not for pointers. */
static item_status embed_strided(const item_call *call, const item_crop *const *crops, size_t n,
                                 float *out, item_error *err)
{
    const item_crop **mine = malloc(n * sizeof(item_crop *));
    for (size_t i = 0; i < n; i++)
        mine[i] = &(*crops)[i];
    item_status status = item_dummy_embedder()->embed_images(NULL, call, mine, n, out, err);
    free(mine);
    return status;
}

/* It cannot do with a size: of 640 x 480 as contexts make it, or of pictures that come late. */
static bool refuses(const item_image *image, item_error *err)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    if (!(defect_is("working size") && info.width == 299) &&
        !(defect_is("new size") && info.width == 120))
        return false;
    err->code = ITEM_E_BACKEND;
    snprintf(err->message, sizeof err->message, "a picture of %u pixels", (unsigned)info.width);
    return true;
}

static item_status embed_images(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err)
{
    (void)self;
    static bool painted;
    item_status status = misbehave(call, n, err);
    if (status != ITEM_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        if (refuses(crops[i]->image, err))
            return ITEM_E_BACKEND;
    if (defect_is("pixels") && !painted) {
        painted = true;
        *(uint8_t *)(uintptr_t)item_image_pixels(crops[0]->image) ^= 1;
    }
    const item_call deaf = deafened(call);
    status = defect_is("stride")
                 ? embed_strided(&deaf, crops, n, out, err)
                 : item_dummy_embedder()->embed_images(NULL, &deaf, crops, n, out, err);
    if (status == ITEM_OK)
        finish(call, out, n);
    return status;
}

/* The last vector, by the address of the last text. */
static bool remembered(const char *text, float *out)
{
    static const char *last;
    static float vector[WIDTH];
    if (text == last) {
        memcpy(out, vector, sizeof vector);
        return true;
    }
    memcpy(vector, out, sizeof vector);
    last = text;
    return false;
}

static item_status embed_texts(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err)
{
    (void)self;
    static const char *kept;
    item_status status = misbehave(call, n, err);
    if (status != ITEM_OK)
        return status;
    if (defect_is("lent") && texts[0][0])
        *(char *)(uintptr_t)texts[0] ^= ' ';
    if (defect_is("pointer") && kept && kept[0] == '\1')
        return ITEM_E_BACKEND;
    kept = texts[0];
    const item_call deaf = deafened(call);
    status = item_dummy_embedder()->embed_texts(NULL, &deaf, texts, n, out, err);
    if (status == ITEM_OK && defect_is("address"))
        (void)remembered(texts[0], out);
    if (status == ITEM_OK)
        finish(call, out, n);
    return status;
}

static item_status embed_layers(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, float *layers, item_error *err)
{
    (void)self;
    item_status status =
        item_dummy_embedder()->embed_layers(NULL, call, crops, n, out, layers, err);
    if (status == ITEM_OK && defect_is("other vector"))
        out[0] = -out[0];
    if (status == ITEM_OK && defect_is("layer"))
        layers[LAYERS * n - 1] = NAN;
    return status;
}

const item_embedder_ops *item_module_embedder(const char *settings, void **self, item_error *err)
{
    static item_embedder_ops ops;
    ops = (item_embedder_ops){.struct_size = sizeof ops,
                              .version = ITEM_BACKEND_VERSION,
                              .name = "wrong",
                              .id = "1",
                              .width = WIDTH,
                              .embed_images = embed_images,
                              .embed_texts = embed_texts,
                              .close = close_wrong,
                              .layers_width = LAYERS,
                              .embed_layers = embed_layers};
    if (!open_wrong(settings, self, err))
        return NULL;
    ops.capabilities = defect_is("shared scratch") ? ITEM_BACKEND_SERIAL : 0;
    if (defect_is("half a table"))
        ops.embed_layers = NULL;
    ops.version += defect_is("version");
    ops.name = defect_is("blank name") ? "quite wrong" : "wrong";
    return &ops;
}
