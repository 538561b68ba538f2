/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application that has a CLIP of its own: it fills the embedder's table, and libitem uses it
 * beside a captioner and a detector. Here the "CLIP" is a histogram of colours and a hash of
 * letters, so that the example runs anywhere; put your own two functions in their place.
 *
 *     cc own_embedder.c $(pkg-config --cflags --libs item) -lm -o own_embedder
 *     ./own_embedder photo.jpg
 *
 * A head is bound to the embedder that it was trained with. Without one, as here, the answer has
 * caption, objects and similarities, and says why there is no verdict.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <item/item.h>
#include <item/sys/backend.h>

#define WIDTH 64u

static void make_unit(float *v)
{
    double sum = 0;
    for (size_t i = 0; i < WIDTH; i++)
        sum += (double)v[i] * (double)v[i];
    for (size_t i = 0; i < WIDTH; i++)
        v[i] = (float)((double)v[i] / sqrt(sum));
}

/* Your image encoder: a crop of an upright RGB picture in, a unit vector out. */
static item_status embed_crop(const item_crop *crop, float *out, item_error *err)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    item_status status = item_image_get_info(crop->image, &info, err);
    if (status != ITEM_OK)
        return status;
    const uint8_t *pixels = item_image_pixels(crop->image);
    for (size_t i = 0; i < WIDTH; i++)
        out[i] = 1.0f; /* so that no vector is all zero */
    for (uint32_t y = (uint32_t)crop->box[1]; y < (uint32_t)crop->box[3]; y++)
        for (uint32_t x = (uint32_t)crop->box[0]; x < (uint32_t)crop->box[2]; x++) {
            const uint8_t *p = pixels + ((size_t)y * info.width + x) * 3;
            out[(p[0] >> 6) * 16 + (p[1] >> 6) * 4 + (p[2] >> 6)] += 1.0f;
        }
    make_unit(out);
    return ITEM_OK;
}

/* Called with everything that a picture (or a batch) needs at once. */
static item_status embed_images(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err)
{
    (void)self;
    for (size_t i = 0; i < n; i++) {
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        item_status status = embed_crop(crops[i], out + i * WIDTH, err);
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

/* Your text encoder. */
static item_status embed_texts(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err)
{
    (void)self;
    (void)call;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        float *v = out + i * WIDTH;
        for (size_t k = 0; k < WIDTH; k++)
            v[k] = 1.0f;
        for (const char *c = texts[i]; *c; c++)
            v[(unsigned char)*c % WIDTH] += 1.0f;
        make_unit(v);
    }
    return ITEM_OK;
}

static const item_embedder_ops my_embedder = {
    .struct_size = sizeof(item_embedder_ops),
    .version = ITEM_BACKEND_VERSION,
    .name = "colours-and-letters",
    .id = "1", /* change it whenever answers change: it is part of the fingerprint */
    .width = WIDTH,
    .embed_images = embed_images,
    .embed_texts = embed_texts,
};

int main(int argc, char **argv)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    item_result *result = NULL;
    if (argc < 2) {
        fprintf(stderr, "usage: %s PICTURE\n", argv[0]);
        return 2;
    }
    /* The dummies need no model. With a pack's captioner and detector in their place: set the
       option "head" to "none", or to a head that was trained with this embedder (the pack's was
       not), and open the pack's folder; item_pack_default_path() of <item/pack.h> tells it. */
    if (item_config_new(&config, &err) == ITEM_OK &&
        item_config_set_embedder(config, &my_embedder, NULL, &err) == ITEM_OK &&
        item_config_set_captioner(config, item_dummy_captioner(), NULL, &err) == ITEM_OK &&
        item_config_set_detector(config, item_dummy_detector(), NULL, &err) == ITEM_OK &&
        item_ctx_open(NULL, config, &ctx, &err) == ITEM_OK &&
        item_check_file(ctx, argv[1], NULL, &result, &err) == ITEM_OK)
        printf("%s\n", item_result_json(result));
    else
        fprintf(stderr, "%s\n", err.message);
    item_result_unref(result);
    item_ctx_unref(ctx);
    item_config_unref(config);
    return err.code != ITEM_OK;
}
