/* SPDX-License-Identifier: Apache-2.0 */
/* Training and calibrating heads on a small world whose truth is known. */
#include "train_tests.h"

#include "train/data.h"

static const test_world plain = {
    .seed = 1, .each = 60, .sources = 6, .strength = 2, .paired = true};

static item_train_options quick(void)
{
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    options.layout = "cosine/both/1";
    options.hidden[0] = 0;
    options.epochs = 30;
    options.learning_rate = 0.02;
    options.draws = 50;
    options.controls = 0;
    return options;
}

static item_report *train(const item_dataset *data, const item_train_options *options)
{
    item_report *report = NULL;
    item_error err = ITEM_ERROR_INIT;
    if (item_train(data, options, &report, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    return report;
}

static itemi_head *head_of(void **state, const item_report *report)
{
    itemi_head *head = NULL;
    const char *path = test_path(*state, "head.safetensors");
    assert_int_equal(item_report_write_head(report, path, NULL), ITEM_OK);
    assert_int_equal(itemi_head_open(NULL, path, &head, NULL), ITEM_OK);
    return head;
}

static void learns_and_keeps_its_promise(void **state)
{
    item_dataset *data = test_pictures(&plain);
    item_train_options options = quick();
    options.trained_on = "a small world";
    item_report *report = train(data, &options);
    assert_true(item_report_number(report, "headline.auc") > 0.85);
    assert_int_equal((int)item_report_number(report, "headline.sources"), 6);
    assert_true(item_report_number(report, "network.folds") >= 5);
    assert_non_null(strstr(item_report_json(report), "\"folds_by\":\"source\""));
    assert_true(item_report_number(report, "verdicts.false_positive_rate") <= 0.01);
    assert_true(item_report_number(report, "verdicts.recall") > 0.2);
    assert_true(item_report_number(report, "calibration.ece") < 0.1);
    assert_true(item_report_number(report, "network.loss") <
                item_report_number(report, "network.first_loss"));
    assert_true(isnan(item_report_number(report, "headline.nothing")));
    assert_true(isnan(item_report_number(report, "nothing.at.all")));

    itemi_head *head = head_of(state, report);
    const itemi_head_facts *f = itemi_head_get_facts(head);
    assert_string_equal(f->layout_name, "cosine/both/1");
    assert_string_equal(f->trained_on, "a small world");
    assert_string_equal(f->embedder, "dummy 1");
    assert_string_equal(f->pipeline, "captioner a, detector b");
    assert_string_equal(f->library, item_version());
    assert_int_equal(f->working_size, 224);
    assert_int_equal(f->size_min, 224);
    assert_int_equal(f->size_max, 0);
    assert_int_equal(f->fpr1.real, 360);
    assert_int_equal(f->fpr1.above, 3);
    assert_int_equal(f->fpr5.above, 18);
    assert_int_equal(f->ai, 360);
    assert_true(f->fpr1.score > f->fpr5.score);
    assert_true(f->real_below < f->fpr1.score);
    assert_true(f->caption_least < -1.9 && f->caption_least > -2);
    assert_true(f->scope_limit > 1);
    itemi_head_free(head);

    /* On new pictures of new sources the promise holds, within what chance allows. */
    const test_world others = {
        .seed = 2, .each = 500, .sources = 3, .strength = 2, .paired = true, .first = 100};
    item_dataset *fresh = test_pictures(&others);
    item_report *evaluated = NULL;
    item_eval_options eval = ITEM_EVAL_OPTIONS_INIT;
    eval.draws = 20;
    eval.threshold = "fpr5";
    assert_int_equal(
        item_evaluate(fresh, test_path(*state, "head.safetensors"), NULL, &eval, &evaluated, NULL),
        ITEM_OK);
    assert_true(item_report_number(evaluated, "verdicts.false_positive_rate") < 0.08);
    assert_true(item_report_number(evaluated, "verdicts.recall") > 0.4);
    assert_true(item_report_number(evaluated, "headline.auc") > 0.85);
    item_report_free(evaluated);
    item_report_free(report);
    item_report_free(NULL);
    item_dataset_free(fresh);
    item_dataset_free(data);
}

static void same_seed_same_head(void **state)
{
    item_dataset *data = test_pictures(&plain);
    item_train_options options = quick();
    options.hidden[0] = 8;
    options.layout = "difference/both/1";
    options.epochs = 5;
    itemi_file file[3];
    for (size_t i = 0; i < 3; i++) {
        options.seed = i < 2 ? 3 : 4;
        item_report *report = train(data, &options);
        const char *path = test_path(*state, "same.safetensors");
        assert_int_equal(item_report_write_head(report, path, NULL), ITEM_OK);
        assert_int_equal(itemi_file_open(NULL, path, 0, false, &file[i], NULL), ITEM_OK);
        item_report_free(report);
    }
    assert_int_equal(file[0].size, file[1].size);
    assert_memory_equal(file[0].data, file[1].data, file[0].size);
    assert_true(file[0].size != file[2].size ||
                memcmp(file[0].data, file[2].data, file[0].size) != 0);
    for (size_t i = 0; i < 3; i++)
        itemi_file_close(&file[i]);
    item_dataset_free(data);
}

static void nothing_to_learn_is_told(void **state)
{
    const test_world noise = {.seed = 3, .each = 40, .sources = 5, .strength = 0, .paired = true};
    item_dataset *data = test_pictures(&noise);
    item_train_options options = quick();
    item_report *report = train(data, &options);
    assert_near(item_report_number(report, "headline.auc"), 0.5, 0.12);
    assert_true(item_report_number(report, "headline.unsure") > 0.7);
    itemi_head *head = head_of(state, report);
    assert_true(itemi_head_get_facts(head)->temperature > 0);
    itemi_head_free(head);
    item_report_free(report);
    item_dataset_free(data);
}

/* Sources of one label each: held out whole, and the report says what that means. */
static void single_labels_are_told(void **state)
{
    const test_world single = {.seed = 4, .each = 50, .sources = 6, .strength = 2, .paired = false};
    item_dataset *data = test_pictures(&single);
    item_train_options options = quick();
    item_report *report = train(data, &options);
    assert_int_equal((int)item_report_number(report, "headline.sources"), 0);
    assert_true(isnan(item_report_number(report, "headline.auc")));
    assert_true(item_report_number(report, "mixed.auc") > 0.8);
    assert_non_null(strstr(item_report_json(report), "\"folds_by\":\"source\""));
    assert_non_null(strstr(item_report_markdown(report), "6 of 6 sources have one label alone"));
    assert_non_null(strstr(item_report_markdown(report), "No source has both labels"));
    item_report_free(report);
    item_dataset_free(data);
    (void)state;
}

static void too_few_sources_are_told(void **state)
{
    const test_world one = {.seed = 5, .each = 40, .sources = 1, .strength = 2, .paired = true};
    item_dataset *data = test_pictures(&one);
    item_train_options options = quick();
    item_report *report = train(data, &options);
    assert_non_null(strstr(item_report_json(report), "\"folds_by\":\"scene\""));
    assert_non_null(strstr(item_report_markdown(report), "Of the one source that has both labels"));
    assert_non_null(strstr(item_report_markdown(report), "too few sources"));
    assert_non_null(strstr(item_report_markdown(report), "fewer than 100 photographs"));
    itemi_head *head = head_of(state, report);
    assert_true(isinf(itemi_head_get_facts(head)->fpr1.score));
    assert_true(isfinite(itemi_head_get_facts(head)->fpr5.score));
    itemi_head_free(head);
    assert_near(item_report_number(report, "verdicts.ai_called.ai"), 0, 0);
    item_report_free(report);
    item_dataset_free(data);
}

/* A dozen pictures promise nothing, so that neither `ai` nor `real` is said. */
static void few_pictures_decide_nothing(void **state)
{
    const test_world few = {.seed = 5, .each = 6, .sources = 1, .strength = 3, .paired = true};
    item_dataset *data = test_pictures(&few);
    item_train_options options = quick();
    item_report *report = train(data, &options);
    assert_near(item_report_number(report, "verdicts.unsure"), 1, 0);
    assert_non_null(strstr(item_report_markdown(report), "too few AI pictures"));
    itemi_head *head = head_of(state, report);
    assert_true(isinf(itemi_head_get_facts(head)->real_below));
    itemi_head_free(head);
    item_report_free(report);
    item_dataset_free(data);
}

/* Many pictures in which the labels do not differ: no verdict would be more than an accident. */
static void verdicts_that_say_nothing_are_not_given(void **state)
{
    const test_world same = {.seed = 7, .each = 100, .sources = 4, .strength = 0, .paired = true};
    item_dataset *data = test_pictures(&same);
    item_train_options options = quick();
    item_report *report = train(data, &options);
    assert_near(item_report_number(report, "verdicts.unsure"), 1, 0);
    assert_non_null(strstr(item_report_markdown(report), "Photographs score highest as often"));
    assert_non_null(strstr(item_report_markdown(report), "AI pictures score lowest as often"));
    itemi_head *head = head_of(state, report);
    const itemi_head_facts *facts = itemi_head_get_facts(head);
    assert_true(isinf(facts->fpr1.score) && isinf(facts->fpr5.score) && isinf(facts->real_below));
    assert_int_equal((int)facts->fpr1.real, 400);
    assert_int_equal((int)facts->fpr1.above, 0);
    itemi_head_free(head);
    item_report_free(report);
    item_dataset_free(data);
}

/* A copy of a world in which AI pictures name the generator that is given, or none. */
static item_dataset *with_generator(const test_world *world, const char *generator)
{
    item_dataset *data = test_pictures(world), *copy = test_dataset();
    item_row row = ITEM_ROW_INIT;
    for (uint64_t i = 0; item_dataset_get(data, i, &row, NULL) == ITEM_OK; i++) {
        row.generator = row.label ? generator : "photo";
        assert_int_equal(item_dataset_add(copy, &row, NULL), ITEM_OK);
    }
    item_dataset_free(data);
    return copy;
}

/* Folds that hold no generator out are not said to. */
static void folds_without_generators_are_of_scenes(void **state)
{
    (void)state;
    static const char *const none[] = {NULL, "unknown"};
    const test_world one = {.seed = 5, .each = 40, .sources = 1, .strength = 2, .paired = true};
    item_train_options options = quick();
    for (size_t i = 0; i < ITEMI_COUNT(none); i++) {
        item_dataset *data = with_generator(&one, none[i]);
        item_report *report = train(data, &options);
        assert_non_null(strstr(item_report_json(report), "\"folds_by\":\"scene\""));
        item_report_free(report);
        item_dataset_free(data);
    }
}

static void controls_stand_beside(void **state)
{
    (void)state;
    const test_world small = {.seed = 6, .each = 30, .sources = 4, .strength = 2, .paired = true};
    item_dataset *data = test_pictures(&small);
    item_train_options options = quick();
    options.controls = 1;
    item_report *report = train(data, &options);
    json_t *root = json_loads(item_report_json(report), 0, NULL);
    json_t *controls = json_object_get(root, "controls");
    assert_int_equal(json_array_size(controls), ITEMI_DESIGNS - 1);
    size_t i;
    json_t *row;
    json_array_foreach(controls, i, row)
    {
        double auc = json_number_value(json_object_get(row, "auc"));
        assert_near(auc, 0.5, 0.2); /* the label is in the agreement alone */
        assert_non_null(strstr(item_report_markdown(report),
                               json_string_value(json_object_get(row, "control"))));
    }
    json_decref(root);
    item_report_free(report);
    item_dataset_free(data);
}

typedef struct watcher {
    uint64_t calls, last, total;
    item_cancel *cancel;
} watcher;

static void watch(void *user, uint64_t done, uint64_t total)
{
    watcher *w = user;
    assert_true(done > w->last && done <= total);
    assert_true(w->total == 0 || w->total == total);
    w->last = done;
    w->total = total;
    if (++w->calls == 2)
        item_cancel_set(w->cancel);
}

static void tells_progress_and_can_be_cancelled(void **state)
{
    (void)state;
    const test_world small = {.seed = 7, .each = 20, .sources = 3, .strength = 1, .paired = true};
    item_dataset *data = test_pictures(&small);
    watcher w = {.calls = 0};
    item_train_options options = quick();
    options.controls = 1;
    options.progress = watch;
    options.progress_user = &w;
    item_report *report = train(data, &options);
    assert_int_equal(w.last, w.total);
    assert_int_equal(w.calls, 3 * ITEMI_DESIGNS + 1);
    item_report_free(report);

    w = (watcher){.calls = 0};
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_cancel_new(&w.cancel, NULL), ITEM_OK);
    options.cancel = w.cancel;
    assert_int_equal(item_train(data, &options, &report, &err), ITEM_E_CANCELLED);
    assert_null(report);
    assert_int_equal(w.calls, 2);
    item_cancel_unref(w.cancel);
    item_dataset_free(data);
}

static void refuses_bad_settings(void **state)
{
    (void)state;
    const test_world small = {.seed = 8, .each = 10, .sources = 3, .strength = 1, .paired = true};
    item_dataset *data = test_pictures(&small), *empty = test_dataset();
    item_report *report = NULL;
    item_train_options bad[12];
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++)
        bad[i] = quick();
    bad[0].layout = "sum/both/1";
    bad[1].folds = 1;
    bad[2].validation = 0.9;
    bad[3].real_share = 0;
    bad[4].learning_rate = -1;
    bad[5].epochs = 0;
    bad[6].dropout = 1;
    bad[7].size_min = 300, bad[7].size_max = 200;
    bad[8].caption_quantile = NAN;
    bad[9].draws = UINT32_MAX;
    for (size_t l = 0; l < ITEMI_COUNT(bad[10].hidden); l++) {
        bad[10].hidden[l] = 4096; /* 134 MB, which nobody reads */
        bad[11].hidden[l] = UINT32_MAX;
    }
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++) {
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(item_train(data, &bad[i], &report, &err), ITEM_E_ARGUMENT);
        assert_message(err, "training: ");
        assert_null(report);
    }
    assert_int_equal(item_train(empty, NULL, &report, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(item_dataset_remove(data, "label", "ai", NULL, NULL), ITEM_OK);
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_train(data, NULL, &report, &err), ITEM_E_ARGUMENT);
    assert_message(err, "each label");
    item_dataset_free(data);
    item_dataset_free(empty);
}

/* A share of less than one scene is none; one over it is no number of parts. */
static void validation_of_less_than_a_scene(void **state)
{
    (void)state;
    static const double shares[] = {1e-3, 1e-12, 1e-300, 4.9e-324};
    const test_world small = {.seed = 8, .each = 10, .sources = 3, .strength = 1, .paired = true};
    item_dataset *data = test_pictures(&small);
    item_train_options options = quick();
    options.validation = 0;
    item_report *report = train(data, &options);
    double loss = item_report_number(report, "network.loss");
    item_report_free(report);
    for (size_t i = 0; i < ITEMI_COUNT(shares); i++) {
        options.validation = shares[i];
        report = train(data, &options);
        assert_true(item_report_number(report, "network.loss") == loss);
        item_report_free(report);
    }
    item_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_and_keeps_its_promise),
        cmocka_unit_test(same_seed_same_head),
        cmocka_unit_test(nothing_to_learn_is_told),
        cmocka_unit_test(single_labels_are_told),
        cmocka_unit_test(too_few_sources_are_told),
        cmocka_unit_test(few_pictures_decide_nothing),
        cmocka_unit_test(verdicts_that_say_nothing_are_not_given),
        cmocka_unit_test(folds_without_generators_are_of_scenes),
        cmocka_unit_test(controls_stand_beside),
        cmocka_unit_test(tells_progress_and_can_be_cancelled),
        cmocka_unit_test(refuses_bad_settings),
        cmocka_unit_test(validation_of_less_than_a_scene),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
