/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong while stages compute: numbers that are none, memory that ends, a cancel at any
 * moment. Each call answers or fails; a failed one has written nothing and kept nothing.
 */
#include "host.h"

#include <math.h>
#include <string.h>

#include "cmocka_all.h"

#define PICTURES 2

static stages s; /* good ones: their networks are shared with those that fail */
static item_image *images[PICTURES];
static bool opened;

static int setup(void **state)
{
    const char *pack = host_pack();
    (void)state;
    if (!pack)
        return 0;
    assert_int_equal(host_pictures("image_encoder", images, PICTURES), PICTURES);
    opened = stages_open(&s, pack, "cde", NULL) == ITEM_OK;
    return opened ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; opened && i < PICTURES; i++)
        item_image_unref(images[i]);
    if (opened)
        stages_close(&s);
    return 0;
}

/* ---- one call of each kind, and whether it has written anything ---- */

static item_status caption(stages *of, const item_call *call, bool *wrote, item_error *err)
{
    char text[PICTURES][4096] = {"", ""};
    item_caption_out out[PICTURES], *list[PICTURES];
    for (int i = 0; i < PICTURES; i++) {
        out[i] = (item_caption_out){.struct_size = sizeof *out,
                                    .text = text[i],
                                    .capacity = sizeof text[i],
                                    .logprob = NAN,
                                    .margin = NAN};
        list[i] = &out[i];
    }
    const item_status status = of->captioner.caption(
        of->captioner_self, call, (const item_image *const *)images, PICTURES, NULL, list, err);
    *wrote = text[0][0] != '\0' || text[1][0] != '\0' || !isnan(out[0].logprob);
    return status;
}

static item_status add_box(void *user, size_t phrase, const double box[4], double score)
{
    (void)phrase;
    (void)box;
    (void)score;
    *(bool *)user = true;
    return ITEM_OK;
}

static item_status detect_n(stages *of, const item_call *call, size_t n, bool *wrote,
                            item_error *err)
{
    const char *const phrases[] = {"a dog", "a man", "a person"}, *const heads[3] = {NULL};
    const char *const *phrase_lists[] = {phrases, phrases}, *const * head_lists[] = {heads, heads};
    const size_t counts[] = {n, n};
    const item_box_sink sink = {.struct_size = sizeof sink, .host = wrote, .add = add_box};
    const item_box_sink *sinks[] = {&sink, &sink};
    const item_detect_options options = {.struct_size = sizeof options, .least_score = 0.05};
    *wrote = false;
    return of->detector.detect(of->detector_self, call, (const item_image *const *)images, PICTURES,
                               phrase_lists, head_lists, counts, &options, sinks, err);
}

static item_status detect(stages *of, const item_call *call, bool *wrote, item_error *err)
{
    return detect_n(of, call, 3, wrote, err);
}

/* Texts of unlike length, for a picture each. */
static item_status score(stages *of, const item_call *call, bool *wrote, item_error *err)
{
    double out[PICTURES] = {NAN, NAN};
    const char *const texts[] = {"a dog", "two men on a bench"};
    const item_caption_options options = {.struct_size = sizeof options};
    const item_status status =
        of->captioner.score(of->captioner_self, call, (const item_image *const *)images, texts,
                            PICTURES, &options, out, err);
    *wrote = !isnan(out[0]) || !isnan(out[1]);
    return status;
}

static item_status embed_images(stages *of, const item_call *call, bool *wrote, item_error *err)
{
    float out[PICTURES * 1024] = {NAN};
    item_crop crops[PICTURES];
    const item_crop *list[PICTURES];
    for (int i = 0; i < PICTURES; i++) {
        crops[i] = (item_crop){sizeof *crops, 0, images[i], {0.0, 0.0, 100.0, 100.0}};
        list[i] = &crops[i];
    }
    const item_status status =
        of->embedder.embed_images(of->embedder_self, call, list, PICTURES, out, err);
    *wrote = !isnan(out[0]);
    return status;
}

static item_status embed_layers(stages *of, const item_call *call, bool *wrote, item_error *err)
{
    enum { LAYERS = 1280 };
    static float out[1024], layers[LAYERS];
    const item_crop crop = {sizeof crop, 0, images[0], {0.0, 0.0, 100.0, 100.0}};
    const item_crop *list = &crop;
    assert_true(of->embedder.width <= 1024 && of->embedder.layers_width <= LAYERS);
    out[0] = layers[0] = NAN;
    const item_status status =
        of->embedder.embed_layers(of->embedder_self, call, &list, 1, out, layers, err);
    *wrote = !isnan(out[0]) || !isnan(layers[0]);
    return status;
}

static item_status embed_texts(stages *of, const item_call *call, bool *wrote, item_error *err)
{
    float out[2 * 1024] = {NAN};
    const char *const texts[] = {"a dog", "two men on a bench"};
    const item_status status =
        of->embedder.embed_texts(of->embedder_self, call, texts, 2, out, err);
    *wrote = !isnan(out[0]);
    return status;
}

typedef item_status (*one_call)(stages *of, const item_call *call, bool *wrote, item_error *err);

static const one_call calls[] = {caption, score, detect, embed_images, embed_layers, embed_texts};

/* ---- numbers ---- */

/* With one weight that is no number, nothing that depends on it is an answer. */
static void expect_no_answer(const char *which, const char *tensor, one_call run)
{
    stages bad = {0};
    call_state call;
    item_error err = ITEM_ERROR_INIT;
    bool wrote = false;
    call_init(&call);
    host_init(&bad.h, host_pack());
    bad.h.hash = "spoiled ";
    bad.h.spoiled = tensor;
    assert_int_equal(stages_open(&bad, host_pack(), which, NULL), ITEM_OK);
    assert_int_equal(run(&bad, &call.call, &wrote, &err), ITEM_E_BACKEND);
    assert_non_null(strstr(err.message, "not finite"));
    assert_false(wrote);
    stages_close(&bad);
}

static void numbers_that_are_none_are_no_answer(void **state)
{
    SKIP_UNLESS(opened);
    (void)state;
    expect_no_answer("c", "out_bias", caption);
    expect_no_answer("c", "out_bias", score);
    expect_no_answer("d", "conv.33.bias", detect);
    expect_no_answer("d", "encoder.layer.0.output.dense.bias", detect);
    expect_no_answer("e", "stem.bias", embed_images);
    expect_no_answer("e", "stem.bias", embed_layers);
    expect_no_answer("e", "text.out.bias", embed_texts);
}

/* ---- memory ---- */

static void openings_without_memory_are_told(void **state)
{
    SKIP_UNLESS(opened);
    static const char *const which[] = {"c", "d", "e"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        item_status status = ITEM_E_MEMORY;
        int blocks = 0;
        for (; status == ITEM_E_MEMORY && blocks < 100; blocks++) {
            stages bad = {0};
            host_init(&bad.h, host_pack());
            atomic_store(&bad.h.memory, blocks);
            status = stages_open(&bad, host_pack(), which[i], NULL);
            if (status != ITEM_OK)
                assert_true(!bad.captioner_self && !bad.detector_self && !bad.embedder_self);
            stages_close(&bad); /* fails where a block was left */
        }
        assert_int_equal(status, ITEM_OK);
        assert_true(blocks > 1);
    }
}

static void calls_without_memory_are_told(void **state)
{
    SKIP_UNLESS(opened);
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const size_t kept = atomic_load(&s.h.blocks);
        item_status status = ITEM_E_MEMORY;
        call_state call;
        bool wrote = false;
        int blocks = 0;
        call_init(&call);
        for (; status == ITEM_E_MEMORY && blocks < 100; blocks++) {
            item_error err = ITEM_ERROR_INIT;
            atomic_store(&s.h.memory, blocks);
            status = calls[i](&s, &call.call, &wrote, &err);
            assert_int_equal(err.code, status);
            assert_int_equal(wrote, status == ITEM_OK);
            assert_int_equal(atomic_load(&s.h.blocks), kept);
        }
        atomic_store(&s.h.memory, -1);
        assert_int_equal(status, ITEM_OK);
        assert_true(blocks > 2);
    }
}

/* ---- cancel ---- */

/* Wherever the answer to "cancelled?" changes, the call ends there. */
static void a_cancel_ends_any_phase(void **state)
{
    SKIP_UNLESS(opened);
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const size_t kept = atomic_load(&s.h.blocks);
        item_status status = ITEM_E_CANCELLED;
        int polls = 1;
        for (; status == ITEM_E_CANCELLED && polls < 100000; polls += polls < 8 ? 1 : 37) {
            call_state call;
            bool wrote = false;
            call_init(&call);
            call.patience = polls;
            status = calls[i](&s, &call.call, &wrote, NULL);
            assert_int_equal(wrote, status == ITEM_OK);
            assert_int_equal(atomic_load(&s.h.blocks), kept);
            if (status == ITEM_E_CANCELLED) /* told once, perhaps twice where two threads ask */
                assert_in_range(atomic_load(&call.asked), polls + 1, polls + 2);
        }
        assert_int_equal(status, ITEM_OK);
        assert_true(polls > 8);
    }
}

/* The boxes of a phrase take long where any score will do: each is asked before. */
static void each_phrase_asks_for_a_cancel(void **state)
{
    SKIP_UNLESS(opened);
    call_state one, three;
    bool wrote;
    (void)state;
    call_init(&one);
    call_init(&three);
    assert_int_equal(detect_n(&s, &one.call, 1, &wrote, NULL), ITEM_OK);
    assert_int_equal(detect_n(&s, &three.call, 3, &wrote, NULL), ITEM_OK);
    assert_true(atomic_load(&three.asked) >= atomic_load(&one.asked) + 2 * PICTURES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_are_none_are_no_answer),
        cmocka_unit_test(openings_without_memory_are_told),
        cmocka_unit_test(calls_without_memory_are_told),
        cmocka_unit_test(a_cancel_ends_any_phase),
        cmocka_unit_test(each_phrase_asks_for_a_cancel),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
