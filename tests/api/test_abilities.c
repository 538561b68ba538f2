/* SPDX-License-Identifier: Apache-2.0 */
/* What backends may be able to: score texts, draw captions, give inner layers. */
#include "support.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 32, LAYERS = 6, MANY = 67 }; /* MANY: more than one call of a stage takes */

/* A context of the dummies, one of them with another table. */
static item_ctx *ctx_with_captioner(const item_captioner_ops *ops, void *self)
{
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_config_set_captioner(config, ops, self, &err), &err);
    return open_ctx(config);
}

static item_ctx *ctx_with_embedder(const item_embedder_ops *ops, void *self)
{
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_config_set_embedder(config, ops, self, &err), &err);
    return open_ctx(config);
}

static item_result *caption(item_ctx *ctx, item_image *image, double sample, uint64_t seed)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    options.sample = sample;
    options.sample_seed = seed;
    assert_ok(item_caption_image(ctx, image, &options, &result, &err), &err);
    return result;
}

static const char *text_of(const item_result *result)
{
    return item_result_text(result, ITEM_TEXT_CAPTION);
}

/* ---- scores ---- */

static void a_caption_scores_what_it_said(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(1, 300, 200), *other = make_picture(2, 90, 200);
    item_result *own = caption(ctx, image, 0, 0), *another = caption(ctx, other, 0, 0);
    item_image *const images[] = {image, image, NULL, NULL};
    const char *const texts[] = {text_of(own), text_of(another), text_of(own), ""};
    double score[4];
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_score_captions(ctx, images, texts, 4, NULL, score, &err), &err);
    assert_true(fabs(score[0] - summary_of(own).caption_logprob) < 1e-12);
    for (size_t i = 1; i < 4; i++)
        assert_true(score[i] < score[0]);

    item_image *many[MANY];
    const char *said[MANY];
    double all[MANY];
    for (size_t i = 0; i < MANY; i++) {
        many[i] = images[i % 4];
        said[i] = texts[i % 4];
    }
    assert_ok(item_score_captions(ctx, many, said, MANY, NULL, all, &err), &err);
    for (size_t i = 0; i < MANY; i++)
        assert_true(all[i] == score[i % 4]);
    assert_ok(item_score_captions(ctx, NULL, NULL, 0, NULL, NULL, &err), &err);
    item_result_unref(own);
    item_result_unref(another);
    item_image_unref(image);
    item_image_unref(other);
    item_ctx_unref(ctx);
}

/* What stands for no picture: even, grey, and the same for every text of a call. */
static item_status look_at_grey(void *self, const item_call *call, const item_image *const *images,
                                const char *const *texts, size_t n,
                                const item_caption_options *options, double *out, item_error *err)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)call;
    (void)texts;
    assert_int_equal(options->struct_size, sizeof *options);
    assert_string_equal(options->prompt, "a picture of");
    assert_true(options->temperature == 0 && options->beams == 0);
    assert_ok(item_image_get_info(images[1], &info, err), err);
    const uint8_t *pixels = item_image_pixels(images[1]);
    for (size_t i = 0; i < (size_t)info.width * info.height * 3; i++)
        assert_int_equal(pixels[i], 128);
    assert_ptr_equal(images[0], *(item_image **)self);
    assert_ptr_equal(images[1], images[2]);
    for (size_t i = 0; i < n; i++)
        out[i] = 5e-7; /* a rounded sum */
    return ITEM_OK;
}

static void no_picture_is_grey(void **state)
{
    (void)state;
    item_captioner_ops ops = *item_dummy_captioner();
    ops.score = look_at_grey;
    item_image *image = make_picture(1, 30, 20);
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_config_set_captioner(config, &ops, &image, &err), &err);
    set_option(config, "prompt", "a picture of");
    set_option(config, "sample", "1.5");
    item_ctx *ctx = open_ctx(config);
    item_image *const images[] = {image, NULL, NULL};
    const char *const texts[] = {"a dog", "a dog", "a cat"};
    double score[3];
    assert_ok(item_score_captions(ctx, images, texts, 3, NULL, score, &err), &err);
    assert_true(score[0] == 0 && score[2] == 0); /* no probability is above 1 */
    item_image_unref(image);
    item_ctx_unref(ctx);
}

typedef enum score_lie {
    SCORE_UNWRITTEN = 0,
    SCORE_POSITIVE,
    SCORE_INFINITE,
    SCORE_TOO_LONG,
    SCORE_FAILS,
    SCORE_LIES
} score_lie;

static item_status score_badly(void *self, const item_call *call, const item_image *const *images,
                               const char *const *texts, size_t n,
                               const item_caption_options *options, double *out, item_error *err)
{
    (void)call;
    (void)images;
    (void)texts;
    (void)options;
    const score_lie lie = *(score_lie *)self;
    for (size_t i = 0; i < n; i++)
        assert_true(isnan(out[i]));
    out[0] = -1;
    if (lie == SCORE_POSITIVE)
        out[1] = 0.1;
    if (lie == SCORE_INFINITE)
        out[1] = -INFINITY;
    strcpy(err->message, "the text has 99 tokens, 12 are taken");
    return lie == SCORE_TOO_LONG ? ITEM_E_LIMIT : lie == SCORE_FAILS ? ITEM_E_IO : ITEM_OK;
}

static void scores_are_checked(void **state)
{
    (void)state;
    static const struct {
        item_status status;
        const char *part;
    } wanted[SCORE_LIES] = {
        [SCORE_UNWRITTEN] = {ITEM_E_BACKEND, "nan as the log-probability of text 1"},
        [SCORE_POSITIVE] = {ITEM_E_BACKEND, "0.1 as the log-probability of text 1"},
        [SCORE_INFINITE] = {ITEM_E_BACKEND, "-inf as the log-probability of text 1"},
        [SCORE_TOO_LONG] = {ITEM_E_LIMIT, "99 tokens"},
        [SCORE_FAILS] = {ITEM_E_BACKEND, "99 tokens"},
    };
    item_captioner_ops ops = *item_dummy_captioner();
    ops.score = score_badly;
    score_lie lie = SCORE_UNWRITTEN;
    item_ctx *ctx = ctx_with_captioner(&ops, &lie);
    item_image *image = make_picture(1, 30, 20);
    item_image *images[] = {image, image};
    const char *texts[] = {"a dog", "a cat"};
    double score[2];
    item_error err = ITEM_ERROR_INIT;
    for (; lie < SCORE_LIES; lie++) {
        reset(&err);
        assert_error(item_score_captions(ctx, images, texts, 2, NULL, score, &err),
                     wanted[lie].status, &err, wanted[lie].part);
        assert_non_null(strstr(err.message, "captioner dummy"));
    }
    texts[1] = "\xff";
    reset(&err);
    assert_error(item_score_captions(ctx, images, texts, 2, NULL, score, &err), ITEM_E_FORMAT, &err,
                 NULL);
    reset(&err);
    assert_error(item_score_captions(ctx, images, texts, 1, NULL, NULL, &err), ITEM_E_ARGUMENT,
                 &err, "out is NULL");
    item_image_unref(image);
    item_ctx_unref(ctx);
}

/* A table of an earlier release, and one that leaves the member out. */
static void not_every_captioner_scores(void **state)
{
    (void)state;
    item_captioner_ops ops = *item_dummy_captioner();
    item_image *image = make_picture(1, 30, 20);
    const char *text = "a dog";
    for (int i = 0; i < 2; i++) {
        double score = 0;
        item_error err = ITEM_ERROR_INIT;
        ops.score = i ? NULL : item_dummy_captioner()->score;
        ops.struct_size = i ? sizeof ops : offsetof(item_captioner_ops, score) + 4;
        item_ctx *ctx = ctx_with_captioner(&ops, NULL);
        assert_error(item_score_captions(ctx, &image, &text, 1, NULL, &score, &err),
                     ITEM_E_UNSUPPORTED, &err, "captioner dummy cannot score");
        item_ctx_unref(ctx);
    }
    item_image_unref(image);
}

/* ---- draws ---- */

static void a_seed_is_a_caption(void **state)
{
    (void)state;
    enum { SEEDS = 20 };
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(1, 300, 200);
    item_result *greedy = caption(ctx, image, 0, 0);
    size_t others = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        item_result *once = caption(ctx, image, 1, seed), *twice = caption(ctx, image, 1, seed);
        const char *text = text_of(once);
        double score = 0, said = summary_of(once).caption_logprob;
        item_error err = ITEM_ERROR_INIT;
        assert_string_equal(text, text_of(twice));
        others += strcmp(text, text_of(greedy)) != 0;
        assert_ok(item_score_captions(ctx, &image, &text, 1, NULL, &score, &err), &err);
        assert_true(fabs(score - said) < 1e-12); /* of the words, without the temperature */
        item_result_unref(once);
        item_result_unref(twice);
    }
    assert_true(others > SEEDS / 2);
    item_result_unref(greedy);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

/* The same by the options of the context; a call's own go before them. */
static void draws_of_a_context(void **state)
{
    (void)state;
    item_ctx *plain = make_ctx();
    item_config *config = make_config();
    set_option(config, "sample", "0.7");
    set_option(config, "sample_seed", "12");
    item_ctx *ctx = open_ctx(config);
    item_image *image = make_picture(1, 300, 200);
    item_result *of_ctx = caption(ctx, image, 0, 99), *of_call = caption(plain, image, 0.7, 12);
    item_result *own = caption(ctx, image, 0.7, 13), *same = caption(plain, image, 0.7, 13);
    assert_string_equal(text_of(of_ctx), text_of(of_call));
    assert_string_equal(text_of(own), text_of(same));
    item_result_unref(of_ctx);
    item_result_unref(of_call);
    item_result_unref(own);
    item_result_unref(same);

    item_error err = ITEM_ERROR_INIT;
    item_result *checked[2] = {NULL, NULL};
    assert_ok(item_check_image(ctx, image, NULL, &checked[0], &err), &err);
    assert_ok(item_check_image(plain, image, NULL, &checked[1], &err), &err);
    assert_string_not_equal(item_result_text(checked[0], ITEM_TEXT_FINGERPRINT),
                            item_result_text(checked[1], ITEM_TEXT_FINGERPRINT));
    item_result_unref(checked[0]);
    item_result_unref(checked[1]);

    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    const double bad[] = {-0.1, 10.1, NAN, INFINITY};
    for (size_t i = 0; i < 4; i++) {
        options.sample = bad[i];
        reset(&err);
        assert_error(item_caption_image(ctx, image, &options, checked, &err), ITEM_E_ARGUMENT, &err,
                     "sample");
    }
    item_image_unref(image);
    item_ctx_unref(plain);
    item_ctx_unref(ctx);
}

/* ---- inner layers ---- */

static void layers_come_with_vectors(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *images[MANY];
    float vectors[MANY * WIDTH], same[MANY * WIDTH], layers[MANY * LAYERS];
    for (uint32_t i = 0; i < MANY; i++)
        images[i] = make_picture(i % 5, 40 + i % 5, 30);
    item_error err = ITEM_ERROR_INIT;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    assert_ok(item_embed_layers(ctx, NULL, 0, NULL, NULL, 0, NULL, 0, &err), &err);
    assert_ok(item_ctx_get_info(ctx, &info, &err), &err);
    assert_int_equal(info.width, WIDTH);
    assert_int_equal(info.layers_width, LAYERS);
    assert_ok(item_embed_layers(ctx, images, MANY, NULL, vectors, WIDTH, layers, LAYERS, &err),
              &err);
    assert_ok(item_embed_images(ctx, images, MANY, NULL, same, WIDTH, &err), &err);
    assert_memory_equal(vectors, same, sizeof same);
    for (size_t i = 0; i < MANY; i++)
        assert_memory_equal(layers + i * LAYERS, layers + i % 5 * LAYERS, LAYERS * sizeof *layers);
    assert_memory_not_equal(layers, layers + LAYERS, LAYERS * sizeof *layers);

    assert_error(item_embed_layers(ctx, images, 1, NULL, vectors, WIDTH, layers, 5, &err),
                 ITEM_E_MISMATCH, &err, "inner layers have width 6, not 5");
    reset(&err);
    assert_error(item_embed_layers(ctx, images, 1, NULL, vectors, 31, layers, LAYERS, &err),
                 ITEM_E_MISMATCH, &err, "32");
    reset(&err);
    assert_error(item_embed_layers(ctx, images, 1, NULL, vectors, WIDTH, NULL, LAYERS, &err),
                 ITEM_E_ARGUMENT, &err, "layers is NULL");
    for (size_t i = 0; i < MANY; i++)
        item_image_unref(images[i]);
    item_ctx_unref(ctx);
}

static item_status embed_layers_badly(void *self, const item_call *call,
                                      const item_crop *const *crops, size_t n, float *out,
                                      float *layers, item_error *err)
{
    const item_status status =
        item_dummy_embedder()->embed_layers(NULL, call, crops, n, out, layers, err);
    const int lie = *(int *)self;
    if (lie == 0)
        layers[n * LAYERS - 1] = NAN;
    if (lie == 1)
        layers[n * LAYERS - 1] = INFINITY;
    if (lie == 2)
        out[0] += 0.1f;
    return status;
}

static void layers_are_checked(void **state)
{
    (void)state;
    static const char *const parts[] = {"layers of picture 1", "layers of picture 1",
                                        "for picture 0, not 1"};
    item_embedder_ops ops = *item_dummy_embedder();
    ops.embed_layers = embed_layers_badly;
    int lie = 0;
    item_ctx *ctx = ctx_with_embedder(&ops, &lie);
    item_image *images[] = {make_picture(1, 30, 20), make_picture(2, 30, 20)};
    float vectors[2 * WIDTH], layers[2 * LAYERS];
    for (; lie < 3; lie++) {
        item_error err = ITEM_ERROR_INIT;
        assert_error(item_embed_layers(ctx, images, 2, NULL, vectors, WIDTH, layers, LAYERS, &err),
                     ITEM_E_BACKEND, &err, parts[lie]);
    }
    item_image_unref(images[0]);
    item_image_unref(images[1]);
    item_ctx_unref(ctx);
}

static void not_every_embedder_has_layers(void **state)
{
    (void)state;
    item_image *image = make_picture(1, 30, 20);
    float vector[WIDTH], layers[LAYERS];
    item_embedder_ops ops = *item_dummy_embedder();
    for (int i = 0; i < 2; i++) {
        item_error err = ITEM_ERROR_INIT;
        ops.struct_size = i ? sizeof ops : offsetof(item_embedder_ops, embed_layers);
        if (i) {
            ops.layers_width = 0;
            ops.embed_layers = NULL;
        }
        item_ctx *ctx = ctx_with_embedder(&ops, NULL);
        assert_error(item_embed_layers(ctx, &image, 1, NULL, vector, WIDTH, layers, LAYERS, &err),
                     ITEM_E_UNSUPPORTED, &err, "embedder dummy gives no inner layers");
        item_ctx_unref(ctx);
    }
    item_image_unref(image);
}

static void tables_with_half_of_it_are_refused(void **state)
{
    (void)state;
    item_config *config = make_config();
    for (int i = 0; i < 4; i++) {
        item_embedder_ops ops = *item_dummy_embedder();
        item_error err = ITEM_ERROR_INIT;
        if (i == 0)
            ops.layers_width = 0;
        if (i == 1)
            ops.embed_layers = NULL;
        if (i == 2)
            ops.layers_width = 262145;
        if (i == 3)
            ops.reserved3 = 1;
        assert_error(item_config_set_embedder(config, &ops, NULL, &err),
                     i == 3 ? ITEM_E_ARGUMENT : ITEM_E_BACKEND, &err,
                     i == 3 ? "reserved3" : "layers_width");
    }
    item_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_caption_scores_what_it_said),
        cmocka_unit_test(no_picture_is_grey),
        cmocka_unit_test(scores_are_checked),
        cmocka_unit_test(not_every_captioner_scores),
        cmocka_unit_test(a_seed_is_a_caption),
        cmocka_unit_test(draws_of_a_context),
        cmocka_unit_test(layers_come_with_vectors),
        cmocka_unit_test(layers_are_checked),
        cmocka_unit_test(not_every_embedder_has_layers),
        cmocka_unit_test(tables_with_half_of_it_are_refused),
    };
    return cmocka_run_group_tests_name("api: abilities of backends", tests, NULL, NULL);
}
