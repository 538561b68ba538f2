/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cancels COUNT [MILLISECONDS]: so many calls of every kind are cancelled at a random moment, on
 * the small pack. Each comes back with an answer or with ITEM_E_CANCELLED and nothing else, and the
 * same context answers as before after it. Prints how long they took to come back, by kind; fails
 * where one took longer than MILLISECONDS (10,000 unless told: machines are busy).
 */
#include "lasting.h"

#include <item/train.h>
#include <math.h>
#include <png.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h> /* needs stdio.h before */

#define LARGE    2500 /* pixels of an edge of the pictures that take long to decode */
#define BATCH    8
#define ROWS     40 /* of each source and label to train on */
#define WIDTH    32
#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct {
    item_ctx *ctx;
    item_image *image;
    char *jpeg, *png, *set;
    item_dataset *train;
    uint32_t width;
    char answer[512];
} w;

/* ---- calls that can be cancelled; each returns with nothing left ---- */

static item_status check_image(item_cancel *cancel, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    options.cancel = cancel;
    const item_status status = item_check_image(w.ctx, w.image, &options, &result, err);
    item_result_unref(result);
    return status;
}

static item_status check_batch(item_cancel *cancel, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_image *images[BATCH];
    item_result *results[BATCH];
    options.cancel = cancel;
    for (size_t i = 0; i < BATCH; i++)
        images[i] = w.image;
    const item_status status = item_check_images(w.ctx, images, BATCH, &options, results, err);
    for (size_t i = 0; i < BATCH; i++)
        item_result_unref(results[i]);
    return status;
}

/* A context of its own: its first check opens the networks that no other context has open. */
static item_status check_first(item_cancel *cancel, item_error *err)
{
    static const char *const options_here[] = {"verify", "none", "map_files", "0", NULL};
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    item_ctx *ctx = open_pack_with(options_here);
    options.cancel = cancel;
    const item_status status = item_check_image(ctx, w.image, &options, &result, err);
    item_result_unref(result);
    item_ctx_unref(ctx);
    return status;
}

static item_status decode(const char *path, item_cancel *cancel, item_error *err)
{
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    item_image *image = NULL;
    options.cancel = cancel;
    const item_status status = item_image_from_file(path, &options, &image, err);
    item_image_unref(image);
    return status;
}

static item_status decode_jpeg(item_cancel *cancel, item_error *err)
{
    return decode(w.jpeg, cancel, err);
}

static item_status decode_png(item_cancel *cancel, item_error *err)
{
    return decode(w.png, cancel, err);
}

static item_status check_large(item_cancel *cancel, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    options.cancel = cancel;
    const item_status status = item_check_file(w.ctx, w.jpeg, &options, &result, err);
    item_result_unref(result);
    return status;
}

static item_status caption(item_cancel *cancel, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    options.cancel = cancel;
    const item_status status = item_caption_image(w.ctx, w.image, &options, &result, err);
    item_result_unref(result);
    return status;
}

static item_status detect(item_cancel *cancel, item_error *err)
{
    static const char *const phrases[] = {"a cat", "two people", "a red car", "the sky"};
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    options.cancel = cancel;
    const item_status status =
        item_detect_image(w.ctx, w.image, phrases, 4, &options, &result, err);
    item_result_unref(result);
    return status;
}

static item_status embed_images(item_cancel *cancel, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_image *images[BATCH];
    options.cancel = cancel;
    for (size_t i = 0; i < BATCH; i++)
        images[i] = w.image;
    float *out = malloc(BATCH * w.width * sizeof *out);
    const item_status status = item_embed_images(w.ctx, images, BATCH, &options, out, w.width, err);
    free(out);
    return status;
}

static item_status embed_texts(item_cancel *cancel, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    const char *texts[BATCH];
    options.cancel = cancel;
    for (size_t i = 0; i < BATCH; i++)
        texts[i] = "two dogs are playing with a ball in the high grass beside a river";
    float *out = malloc(BATCH * w.width * sizeof *out);
    const item_status status = item_embed_texts(w.ctx, texts, BATCH, &options, out, w.width, err);
    free(out);
    return status;
}

static item_status extract(item_cancel *cancel, item_error *err)
{
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    item_dataset *data = NULL;
    options.cancel = cancel;
    const item_status status = item_dataset_extract(w.ctx, w.set, &options, &data, err);
    item_dataset_free(data);
    return status;
}

static item_status train(item_cancel *cancel, item_error *err)
{
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    item_report *report = NULL;
    options.epochs = 20;
    options.cancel = cancel;
    const item_status status = item_train(w.train, &options, &report, err);
    item_report_free(report);
    return status;
}

typedef struct kind {
    const char *name;
    item_status (*call)(item_cancel *, item_error *);
    double usual; /* ms without a cancel */
    double *late; /* ms from each cancel to the return of a call that was ended by it */
    unsigned tried, ended;
} kind;

static kind kinds[] = {
    {.name = "check", .call = check_image},
    {.name = "check of 8", .call = check_batch},
    {.name = "first check", .call = check_first},
    {.name = "decode JPEG", .call = decode_jpeg},
    {.name = "decode PNG", .call = decode_png},
    {.name = "check a large file", .call = check_large},
    {.name = "caption", .call = caption},
    {.name = "detect", .call = detect},
    {.name = "embed pictures", .call = embed_images},
    {.name = "embed texts", .call = embed_texts},
    {.name = "extract", .call = extract},
    {.name = "train", .call = train},
};

/* ---- a try ---- */

typedef struct bomb {
    item_cancel *cancel;
    double after, set_at;
} bomb;

static void *go_off(void *argument)
{
    bomb *b = argument;
    sleep_ms(b->after);
    b->set_at = now_ms();
    item_cancel_set(b->cancel);
    return NULL;
}

static void answer(char *out, size_t room)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_check_image(w.ctx, w.image, NULL, &result, &err), &err);
    answer_text(result, out, room);
    item_result_unref(result);
}

static void try_one(kind *k, uint32_t *random)
{
    item_error err = ITEM_ERROR_INIT;
    bomb b = {.after = k->usual * chance(random, 1000) / 1000};
    pthread_t thread;
    char now[512];
    assert_ok(item_cancel_new(&b.cancel, &err), &err);
    assert_int_equal(pthread_create(&thread, NULL, go_off, &b), 0);
    const item_status status = k->call(b.cancel, &err);
    const double end = now_ms();
    pthread_join(thread, NULL);
    item_cancel_unref(b.cancel);
    if (status != ITEM_OK)
        assert_error(status, ITEM_E_CANCELLED, &err, "cancelled");
    if (status == ITEM_E_CANCELLED)
        k->late[k->ended++] = fmax(0, end - b.set_at);
    k->tried++;
    answer(now, sizeof now);
    if (!same_answer(now, w.answer))
        fail_msg("after %s: %s instead of %s", k->name, now, w.answer);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_kind(const kind *k)
{
    qsort(k->late, k->ended, sizeof *k->late, by_size);
    printf("%-20s %7.0f %6u %6u", k->name, k->usual, k->tried, k->ended);
    static const double quantiles[] = {0.5, 0.95, 0.99, 1};
    for (size_t i = 0; i < COUNT(quantiles) && k->ended; i++)
        printf(" %6.0f", k->late[(size_t)(quantiles[i] * (k->ended - 1))]);
    printf("\n");
}

static bool run(unsigned count, double most)
{
    uint32_t random = 4711;
    unsigned ended = 0, slow = 0, within = 0;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        item_error err = ITEM_ERROR_INIT;
        const double start = now_ms();
        assert_ok(kinds[i].call(NULL, &err), &err);
        kinds[i].usual = now_ms() - start;
        kinds[i].late = calloc(count, sizeof(double));
    }
    for (unsigned i = 0; i < count; i++)
        try_one(&kinds[i % COUNT(kinds)], &random);
    printf("%-20s %7s %6s %6s %6s %6s %6s %6s\n", "call", "ms", "tried", "ended", "50 %", "95 %",
           "99 %", "most");
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const kind *k = &kinds[i];
        print_kind(k);
        for (size_t j = 0; j < k->ended; j++) {
            slow += k->late[j] > most;
            within += k->late[j] <= 300;
        }
        ended += k->ended;
        free(k->late);
    }
    printf("%u calls, %u were ended by their cancel, %u of these within 300 ms\n", count, ended,
           within);
    return slow == 0 && ended > 0;
}

/* ---- the world ---- */

static void fill_row(uint8_t *row, uint32_t *random)
{
    for (size_t x = 0; x < 3 * LARGE; x++)
        row[x] = (uint8_t)((x / 3) % 200 + chance(random, 40));
}

static void write_jpeg(void)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    uint32_t random = 1;
    uint8_t *row = malloc(3 * LARGE);
    FILE *file = fopen(w.jpeg, "wb");
    assert_non_null(file);
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_stdio_dest(&c, file);
    c.image_width = c.image_height = LARGE;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    for (int y = 0; y < LARGE; y++) {
        fill_row(row, &random);
        (void)jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    assert_int_equal(fclose(file), 0);
    free(row);
}

static void write_png(void)
{
    uint32_t random = 2;
    uint8_t *row = malloc(3 * LARGE);
    FILE *file = fopen(w.png, "wb");
    assert_non_null(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_compression_level(png, 1);
    png_set_IHDR(png, info, LARGE, LARGE, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, 0, 0);
    png_write_info(png, info);
    for (int y = 0; y < LARGE; y++) {
        fill_row(row, &random);
        png_write_row(png, row);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
    free(row);
}

static void write_set(void)
{
    static const char *const folders[] = {"set", "set/ai", "set/real"};
    for (size_t i = 0; i < COUNT(folders); i++) {
        char *folder = temp_path(folders[i]);
        (void)mkdir(folder, 0700);
        free(folder);
    }
    for (uint32_t i = 0; i < BATCH; i++) {
        char name[64];
        snprintf(name, sizeof name, "set/%s/%u.png", i % 2 ? "ai" : "real", i);
        free(write_picture(name, i, 300, 200));
    }
    w.set = temp_path("set");
}

static void unit(uint32_t *random, float *out)
{
    double length = 0;
    for (size_t i = 0; i < WIDTH; i++) {
        out[i] = (float)chance(random, 2000) - 1000;
        length += (double)out[i] * (double)out[i];
    }
    for (size_t i = 0; i < WIDTH; i++)
        out[i] = (float)((double)out[i] / sqrt(length));
}

static void make_training_set(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    uint32_t random = 3;
    info.width = WIDTH;
    info.embedder = "none";
    assert_ok(item_dataset_new(&info, &w.train, &err), &err);
    for (uint32_t i = 0; i < 6 * ROWS; i++) {
        float image[WIDTH], text[WIDTH];
        char source[16];
        item_row row = ITEM_ROW_INIT;
        unit(&random, image);
        unit(&random, text);
        snprintf(source, sizeof source, "s%u", i % 3);
        row.label = i / 3 % 2;
        row.image = image;
        row.text = text;
        row.source = source;
        row.generator = row.label ? "maker" : "photo";
        assert_ok(item_dataset_add(w.train, &row, &err), &err);
    }
}

static void make_world(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    w.jpeg = temp_path("large.jpg");
    w.png = temp_path("large.png");
    write_jpeg();
    write_png();
    write_set();
    make_training_set();
    w.ctx = open_pack_with(NULL);
    assert_ok(item_ctx_get_info(w.ctx, &info, &err), &err);
    w.width = info.width;
    assert_ok(item_image_from_file(PHOTOGRAPHS "/chelsea.jpg", NULL, &w.image, &err), &err);
    answer(w.answer, sizeof w.answer);
}

int main(int count, char **arguments)
{
    const unsigned tries = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 1000;
    const double most = count > 2 ? strtod(arguments[2], NULL) : 10000;
    if (tries == 0 || !(most > 0)) {
        fprintf(stderr, "usage: cancels COUNT [MILLISECONDS]\n");
        return 2;
    }
    if (!pack_is_there())
        return SKIPPED;
    make_world();
    const bool good = run(tries, most);
    item_ctx_unref(w.ctx);
    item_image_unref(w.image);
    item_dataset_free(w.train);
    free(w.jpeg);
    free(w.png);
    free(w.set);
    return !good;
}
