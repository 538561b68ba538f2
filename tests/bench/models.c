/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our side of `make bench-models`: keeps a published model open and, for each line of standard
 * input, makes one call and answers with its milliseconds.
 *
 *     bench-models FOLDER PRECISION TOKENS SCORE FILE...
 *
 * TOKENS is the length of a caption, SCORE the least one of a box.
 * Lines: "images N", "texts N", "caption 1", "detect N" (N queries), "check 1", which also tells the
 * objects and the caption, and "files N", which reads and embeds the next N files one by one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MOST 64

typedef struct side {
    item_ctx *ctx;
    item_image *images[MOST];
    const char *const *files;
    const char *texts[MOST];
    size_t count, width, next; /* of images; of a vector; file to be read */
    char said[1024];
} side;

static const char *const words[] = {"a dog", "the sky",     "two red cars", "a man with a hat",
                                    "tree",  "green grass", "a small boat", "window"};

static void config_set(item_config *config, const char *name, const char *value)
{
    item_error err = ITEM_ERROR_INIT;
    if (item_config_set(config, name, value, &err) != ITEM_OK)
        bench_die(&err);
}

static void open_side(side *s, char **argv, int argc)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    if (item_config_new(&config, &err) != ITEM_OK)
        bench_die(&err);
    config_set(config, "precision", argv[2]);
    config_set(config, "max_tokens", argv[3]);
    config_set(config, "detector_score", argv[4]);
    if (item_ctx_open(argv[1], config, &s->ctx, &err) != ITEM_OK ||
        item_ctx_get_info(s->ctx, &info, &err) != ITEM_OK)
        bench_die(&err);
    item_config_unref(config);
    s->width = info.width;
    s->files = (const char *const *)argv + 5;
    for (int i = 0; i < MOST; i++) {
        s->texts[i] = words[i % 8];
        if (i + 5 < argc &&
            item_image_from_file(argv[i + 5], NULL, &s->images[s->count++], &err) != ITEM_OK)
            bench_die(&err);
    }
}

static item_status embed(side *s, const char *what, size_t n, item_error *err)
{
    float *out = calloc(n * s->width + 1, sizeof *out);
    if (!out)
        exit(1);
    item_image *images[MOST];
    for (size_t i = 0; i < n; i++)
        images[i] = s->images[i % s->count];
    item_status status = strcmp(what, "images") == 0
                             ? item_embed_images(s->ctx, images, n, NULL, out, s->width, err)
                             : item_embed_texts(s->ctx, s->texts, n, NULL, out, s->width, err);
    free(out);
    return status;
}

/* From the file to the vector, as a program goes through a folder. */
static item_status embed_files(side *s, size_t n, item_error *err)
{
    item_status status = ITEM_OK;
    float *out = calloc(s->width + 1, sizeof *out);
    for (size_t i = 0; out && i < n && status == ITEM_OK; i++) {
        item_image *image = NULL;
        status = item_image_from_file(s->files[s->next++ % s->count], NULL, &image, err);
        if (status == ITEM_OK)
            status = item_embed_images(s->ctx, &image, 1, NULL, out, s->width, err);
        item_image_unref(image);
    }
    free(out);
    return status;
}

static item_status check(side *s, item_error *err)
{
    item_result *result = NULL;
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    item_status status = item_check_file(s->ctx, s->files[0], NULL, &result, err);
    if (status == ITEM_OK)
        status = item_result_get_summary(result, &summary, err);
    if (status == ITEM_OK)
        snprintf(s->said, sizeof s->said, "%u objects: %s", summary.objects,
                 item_result_text(result, ITEM_TEXT_CAPTION));
    item_result_unref(result);
    return status;
}

static item_status call(side *s, const char *what, size_t n, item_error *err)
{
    item_result *result = NULL;
    item_status status = ITEM_E_ARGUMENT;
    if (strcmp(what, "files") == 0)
        return embed_files(s, n, err);
    if (strcmp(what, "check") == 0)
        return check(s, err);
    if (strcmp(what, "images") == 0 || strcmp(what, "texts") == 0)
        return embed(s, what, n, err);
    if (strcmp(what, "caption") == 0)
        status = item_caption_image(s->ctx, s->images[0], NULL, &result, err);
    else if (strcmp(what, "detect") == 0)
        status = item_detect_image(s->ctx, s->images[0], s->texts, n, NULL, &result, err);
    item_result_unref(result);
    return status;
}

int main(int argc, char **argv)
{
    side s = {.count = 0};
    char what[32];
    unsigned n = 0;
    if (argc < 6) {
        fprintf(stderr, "usage: %s FOLDER PRECISION TOKENS SCORE FILE...\n", argv[0]);
        return 2;
    }
    open_side(&s, argv, argc);
    while (scanf("%31s %u", what, &n) == 2 && n <= MOST) {
        item_error err = ITEM_ERROR_INIT;
        double start = bench_now();
        if (call(&s, what, n, &err) != ITEM_OK)
            bench_die(&err);
        printf("%.3f %s\n", bench_now() - start, s.said);
        fflush(stdout);
    }
    for (size_t i = 0; i < s.count; i++)
        item_image_unref(s.images[i]);
    item_ctx_unref(s.ctx);
    return 0;
}
