/* SPDX-License-Identifier: Apache-2.0 */
/* Scores of texts, drawn captions and inner layers of the small pack. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

#include "cmocka_all.h"

enum { PICTURES = 4, ROOM = 4096 };

static stages s;
static call_state call;
static const char *opened;
static item_image *images[PICTURES];

static int setup(void **state)
{
    item_error err = ITEM_ERROR_INIT;
    (void)state;
    opened = host_pack();
    call_init(&call);
    if (opened && stages_open(&s, opened, "ce", &err) != ITEM_OK)
        fail_msg("%s", err.message);
    if (opened)
        assert_int_equal(host_pictures("image_encoder", images, PICTURES), PICTURES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; opened && i < PICTURES; i++)
        item_image_unref(images[i]);
    if (opened)
        stages_close(&s);
    return 0;
}

typedef struct said {
    char text[PICTURES][ROOM];
    double logprob[PICTURES];
} said;

static void caption(size_t first, size_t n, double temperature, uint64_t seed, said *out)
{
    const item_caption_options options = {
        .struct_size = sizeof options, .beams = 1, .temperature = temperature, .seed = seed};
    item_caption_out each[PICTURES], *list[PICTURES];
    for (size_t i = 0; i < n; i++) {
        each[i] = (item_caption_out){
            .struct_size = sizeof *each, .text = out->text[first + i], .capacity = ROOM};
        list[i] = &each[i];
    }
    assert_int_equal(s.captioner.caption(s.captioner_self, &call.call,
                                         (const item_image *const *)images + first, n, &options,
                                         list, NULL),
                     ITEM_OK);
    for (size_t i = 0; i < n; i++)
        out->logprob[first + i] = each[i].logprob;
}

static item_status score(const item_image *const *of, const char *const *texts, size_t n,
                         double *out, item_error *err)
{
    const item_caption_options options = {.struct_size = sizeof options};
    return s.captioner.score(s.captioner_self, &call.call, of, texts, n, &options, out, err);
}

static double score_one(size_t picture, const char *text)
{
    double out = NAN;
    const item_image *image = images[picture];
    assert_int_equal(score(&image, &text, 1, &out, NULL), ITEM_OK);
    return out;
}

static void own_captions_score_their_logprob(void **state)
{
    SKIP_UNLESS(opened);
    static said greedy, drawn;
    (void)state;
    caption(0, PICTURES, 0.0, 0, &greedy);
    caption(0, PICTURES, 1.0, 4, &drawn);
    for (size_t i = 0; i < PICTURES; i++) {
        assert_true(fabs(score_one(i, greedy.text[i]) - greedy.logprob[i]) < 1e-5);
        assert_true(fabs(score_one(i, drawn.text[i]) - drawn.logprob[i]) < 1e-5);
        assert_true(score_one(i, greedy.text[(i + 1) % PICTURES]) < greedy.logprob[i]);
    }
}

/* More texts and tokens than one run takes, pictures in a row and alone. */
static void batches_score_as_each_alone(void **state)
{
    SKIP_UNLESS(opened);
    enum { COUNT = 41 };
    static const char *const texts[] = {"a dog", "", "a man in a red shirt rides a horse",
                                        "two dogs are playing in the snow with a yellow ball"};
    const item_image *of[COUNT];
    const char *list[COUNT];
    double together[COUNT], alone[PICTURES][4];
    (void)state;
    for (size_t i = 0; i < PICTURES; i++)
        for (size_t t = 0; t < 4; t++)
            alone[i][t] = score_one(i, texts[t]);
    for (size_t i = 0; i < COUNT; i++) {
        of[i] = images[i / 3 % PICTURES];
        list[i] = texts[i % 4];
    }
    assert_int_equal(score(of, list, COUNT, together, NULL), ITEM_OK);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(fabs(together[i] - alone[i / 3 % PICTURES][i % 4]) < 1e-5);
    assert_int_equal(score(NULL, NULL, 0, NULL, NULL), ITEM_OK);
}

/* As captions were split for training; what is not in the list goes in and does not count. */
static void texts_are_read_as_in_training(void **state)
{
    SKIP_UNLESS(opened);
    char longest[256] = "";
    item_error err = ITEM_ERROR_INIT;
    double out = 0.0;
    const item_image *image = images[0];
    const char *text = longest;
    (void)state;
    assert_true(score_one(0, "A Dog, on THE grass!") == score_one(0, "a dog on the grass"));
    assert_true(score_one(0, "a man 's hat") == score_one(0, "a man hat"));
    assert_true(score_one(0, "a dog xyzzy") != score_one(0, "a dog"));
    assert_true(isfinite(score_one(0, "xyzzy \xe7\x8a\xac")));
    for (size_t i = 0; i < 20; i++)
        strcat(longest, "dog ");
    assert_int_equal(score(&image, &text, 1, &out, &err), ITEM_OK);
    strcat(longest, "dog ");
    assert_int_equal(score(&image, &text, 1, &out, &err), ITEM_E_LIMIT);
    assert_non_null(strstr(err.message, "23 tokens"));
    assert_non_null(strstr(err.message, "takes 22"));
}

static void draws_repeat(void **state)
{
    SKIP_UNLESS(opened);
    static said together, alone, other;
    size_t differ = 0;
    (void)state;
    caption(0, PICTURES, 0.8, 11, &together);
    caption(0, PICTURES, 0.8, 12, &other);
    for (size_t i = 0; i < PICTURES; i++) {
        caption(i, 1, 0.8, 11, &alone);
        assert_string_equal(alone.text[i], together.text[i]);
        differ += strcmp(other.text[i], together.text[i]) != 0;
    }
    assert_true(differ > 0);
}

/* The mean of the places of the grid that the reference stored. */
static void layers_are_the_grid(void **state)
{
    SKIP_UNLESS(opened);
    const size_t width = s.embedder.width, inner = s.embedder.layers_width;
    item_crop crops[PICTURES];
    const item_crop *list[PICTURES];
    itemi_safetensors *file = NULL;
    (void)state;
    assert_int_equal(itemi_safetensors_open(NULL, host_golden("image_encoder"), false, &file, NULL),
                     ITEM_OK);
    const itemi_tensor *grid = itemi_safetensors_find(file, "grid");
    const size_t places = (size_t)grid->shape[1];
    float *wanted = calloc(2 * places * inner, sizeof *wanted);
    float *vectors = calloc(PICTURES * width, sizeof *vectors), *same = calloc(width, sizeof *same);
    float *layers = calloc(PICTURES * inner, sizeof *layers);
    assert_int_equal(grid->shape[2], inner);
    itemi_to_f32(grid, wanted);
    for (size_t i = 0; i < PICTURES; i++) {
        crops[i] = (item_crop){
            .struct_size = sizeof *crops, .image = images[i], .box = {0.0, 0.0, 224.0, 224.0}};
        list[i] = &crops[i];
    }
    assert_int_equal(
        s.embedder.embed_layers(s.embedder_self, &call.call, list, PICTURES, vectors, layers, NULL),
        ITEM_OK);
    for (size_t i = 0; i < 2; i++) {
        for (size_t c = 0; c < inner; c++) {
            double mean = 0.0;
            for (size_t p = 0; p < places; p++)
                mean += (double)wanted[(i * places + p) * inner + c] / (double)places;
            assert_true(fabs(mean - (double)layers[i * inner + c]) < 2e-3);
        }
    }
    assert_int_equal(s.embedder.embed_images(s.embedder_self, &call.call, &list[3], 1, same, NULL),
                     ITEM_OK);
    for (size_t i = 0; i < width; i++)
        assert_true(fabsf(same[i] - vectors[3 * width + i]) < 1e-5f);
    itemi_safetensors_close(file);
    free(wanted);
    free(vectors);
    free(same);
    free(layers);
}

static void both_can_be_cancelled(void **state)
{
    SKIP_UNLESS(opened);
    const item_image *image = images[0];
    const item_crop crop = {
        .struct_size = sizeof crop, .image = image, .box = {0.0, 0.0, 224.0, 224.0}};
    const item_crop *list = &crop;
    const char *text = "a dog";
    double out = 0.0;
    float *numbers = calloc(s.embedder.width + s.embedder.layers_width, sizeof *numbers);
    (void)state;
    atomic_store(&call.cancel, 1);
    assert_int_equal(score(&image, &text, 1, &out, NULL), ITEM_E_CANCELLED);
    assert_int_equal(s.embedder.embed_layers(s.embedder_self, &call.call, &list, 1, numbers,
                                             numbers + s.embedder.width, NULL),
                     ITEM_E_CANCELLED);
    atomic_store(&call.cancel, 0);
    assert_int_equal(score(&image, &text, 1, &out, NULL), ITEM_OK);
    free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_captions_score_their_logprob),
        cmocka_unit_test(batches_score_as_each_alone),
        cmocka_unit_test(texts_are_read_as_in_training),
        cmocka_unit_test(draws_repeat),
        cmocka_unit_test(layers_are_the_grid),
        cmocka_unit_test(both_can_be_cancelled),
    };
    return cmocka_run_group_tests_name("engine: abilities", tests, setup, teardown);
}
