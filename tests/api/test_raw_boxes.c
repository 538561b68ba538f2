/* SPDX-License-Identifier: Apache-2.0 */
/* Detectors with ITEM_BACKEND_RAW_BOXES: what they give is passed on as it is, if all is asked for. */
#include "support.h"

#include <math.h>
#include <string.h>

typedef struct given {
    size_t phrase;
    double box[4], score;
} given;

/* What a detector gives: these where all is asked for, else the one in the middle of the picture. */
typedef struct script {
    given boxes[3];
    size_t count;
    uint32_t asked; /* max_boxes of the last call */
    const char *phrase;
} script;

static item_status detect(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err)
{
    static const double middle[4] = {20, 20, 80, 40};
    (void)call;
    (void)images;
    (void)heads;
    (void)counts;
    (void)err;
    script *s = self;
    s->asked = options->max_boxes;
    s->phrase = phrases[0][0];
    item_status status = ITEM_OK;
    for (size_t i = 0; i < n; i++) {
        if (options->max_boxes)
            status = sinks[i]->add(sinks[i]->host, 0, middle, 0.75);
        for (size_t k = 0; k < s->count && !options->max_boxes; k++)
            status = sinks[i]->add(sinks[i]->host, s->boxes[k].phrase, s->boxes[k].box,
                                   s->boxes[k].score);
    }
    return status;
}

static item_ctx *make(script *s, const char *max_objects)
{
    const item_detector_ops ops = {.struct_size = sizeof ops,
                                   .version = ITEM_BACKEND_VERSION,
                                   .capabilities = ITEM_BACKEND_RAW_BOXES,
                                   .name = "raw",
                                   .id = "1",
                                   .detect = detect};
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_config_set_detector(config, &ops, s, &err), &err);
    if (max_objects)
        set_option(config, "max_objects", max_objects);
    return open_ctx(config);
}

static item_status ask(item_ctx *ctx, const char *phrase, uint32_t max_objects, item_result **out,
                       item_error *err)
{
    const char *phrases[] = {"a dog", phrase};
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.max_objects = max_objects;
    item_image *image = make_picture(1, 100, 50);
    item_status status = item_detect_image(ctx, image, phrases, 2, &options, out, err);
    item_image_unref(image);
    return status;
}

static const script wild = {.boxes = {{1, {-90, -100, 190, 200}, 0.25},
                                      {0, {110, 60, 110, 60}, 0.5},
                                      {1, {5, 5, 10, 10}, 0.125}},
                            .count = 3};

static void all_is_passed_on(void **state)
{
    (void)state;
    script s = wild;
    item_ctx *ctx = make(&s, NULL);
    item_result *result = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(ask(ctx, "", 0, &result, &err), &err); /* an empty phrase is one */
    assert_int_equal(s.asked, 0);
    assert_int_equal(summary_of(result).objects, 3);
    for (uint32_t i = 0; i < 3; i++) {
        item_object o = ITEM_OBJECT_INIT;
        assert_ok(item_result_get_object(result, i, &o, &err), &err);
        assert_int_equal(o.phrase_index, wild.boxes[i].phrase);
        assert_memory_equal(o.box, wild.boxes[i].box, sizeof o.box);
        assert_true(o.score == wild.boxes[i].score);
    }
    item_result_unref(result);
    item_ctx_unref(ctx);
}

/* By a call, by the context, and in a check. */
static void some_are_those_of_any_detector(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        script s = wild;
        item_ctx *ctx = make(&s, way == 1 ? "2" : NULL);
        item_result *result = NULL;
        item_error err = ITEM_ERROR_INIT;
        if (way == 2) {
            item_image *image = make_picture(1, 100, 100);
            item_check_options options = ITEM_CHECK_OPTIONS_INIT;
            options.caption = "a dog";
            assert_ok(item_check_image(ctx, image, &options, &result, &err), &err);
            item_image_unref(image);
        } else {
            assert_ok(ask(ctx, "a cat", way == 0 ? 2 : 0, &result, &err), &err);
        }
        assert_int_equal(s.asked, way == 2 ? 8 : 2);
        assert_int_equal(summary_of(result).objects, 1);
        item_result_unref(result);
        item_ctx_unref(ctx);
    }
}

static void even_raw_boxes_have_limits(void **state)
{
    (void)state;
    const given lies[] = {
        {0, {-101, 0, 10, 10}, 0.5}, {0, {0, 0, 10, 201}, 0.5}, {0, {10, 0, 9, 10}, 0.5},
        {0, {0, NAN, 10, 10}, 0.5},  {0, {0, 0, 10, 10}, 1.25}, {0, {0, 0, 10, INFINITY}, 0.5},
        {2, {0, 0, 10, 10}, 0.5},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        script s = {.boxes = {lies[i]}, .count = 1};
        item_ctx *ctx = make(&s, NULL);
        item_result *result = NULL;
        item_error err = ITEM_ERROR_INIT;
        assert_error(ask(ctx, "a cat", 0, &result, &err), ITEM_E_BACKEND, &err, "detector raw");
        assert_null(result);
        item_ctx_unref(ctx);
    }
}

static void it_is_a_capability_of_detectors(void **state)
{
    (void)state;
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    item_embedder_ops ops = *item_dummy_embedder();
    ops.capabilities = ITEM_BACKEND_RAW_BOXES;
    assert_error(item_config_set_embedder(config, &ops, NULL, &err), ITEM_E_BACKEND, &err,
                 "capabilities 0x2");
    item_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_passed_on),
        cmocka_unit_test(some_are_those_of_any_detector),
        cmocka_unit_test(even_raw_boxes_have_limits),
        cmocka_unit_test(it_is_a_capability_of_detectors),
    };
    return cmocka_run_group_tests_name("api: raw boxes", tests, NULL, NULL);
}
