/* SPDX-License-Identifier: Apache-2.0 */
/* Heads compared in one training: the table, the choice, what it rests on; rules of thresholds. */
#include "train_tests.h"

static const test_world plain = {
    .seed = 1, .each = 60, .sources = 6, .strength = 2, .paired = true};

static item_train_options quick(const char *const *candidates, uint32_t count)
{
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    options.candidates = candidates;
    options.candidate_count = count;
    options.hidden[0] = 0;
    options.penalty = 0.01;
    options.epochs = 20;
    options.learning_rate = 0.02;
    options.draws = 100;
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

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double end(const json_t *row, const char *interval, size_t which)
{
    return json_number_value(json_array_get(json_object_get(row, interval), which));
}

/* The row that was chosen, after the rule was looked at in every row. */
static const json_t *look_at_rule(const json_t *table)
{
    size_t i;
    const json_t *row, *chosen = NULL, *best = NULL;
    json_array_foreach(table, i, row)
    {
        if (json_is_true(json_object_get(row, "chosen")))
            chosen = row;
        if (json_is_true(json_object_get(row, "best")))
            best = row;
    }
    assert_non_null(chosen);
    assert_non_null(best);
    assert_true(end(chosen, "difference_interval", 1) >= 0);
    json_array_foreach(table, i, row)
    {
        assert_true(number(row, "auc") <= number(best, "auc"));
        assert_near(number(row, "difference"), number(row, "auc") - number(best, "auc"), 2e-6);
        if (end(row, "difference_interval", 1) >= 0)
            assert_true(number(row, "parameters") >= number(chosen, "parameters"));
    }
    return chosen;
}

static const char *const candidates[] = {"difference/both/1 16", "cosine/both/1", "picture/1 0 3",
                                         "cosine/both/1 8,4"};

static void chooses_the_fewest_that_are_as_good(void **state)
{
    item_dataset *data = test_pictures(&plain);
    const item_train_options options = quick(candidates, 4);
    item_report *report = train(data, &options);
    json_t *root = json_loads(item_report_json(report), 0, NULL);
    const json_t *table = json_object_get(json_object_get(root, "candidates"), "table");
    static const double parameters[] = {(19 + 1) * 16 + 17, 8, 7, 8 * 8 + 9 * 4 + 5};
    assert_int_equal(json_array_size(table), 4);
    for (size_t i = 0; i < 4; i++)
        assert_near(number(json_array_get(table, i), "parameters"), parameters[i], 0);

    /* the label is in the agreement: the picture alone has one number less, and is worse */
    const json_t *chosen = look_at_rule(table);
    assert_ptr_equal(chosen, json_array_get(table, 1));
    assert_near(number(json_array_get(table, 1), "penalty"), 0.01, 0);
    assert_true(json_is_null(json_object_get(json_array_get(table, 0), "penalty")));
    assert_near(number(json_array_get(table, 2), "penalty"), 3, 0);
    assert_true(end(json_array_get(table, 2), "difference_interval", 1) < 0);
    assert_near(item_report_number(report, "candidates.sources"), 6, 0);
    const char *text = item_report_markdown(report);
    assert_non_null(strstr(text, "## Heads that were compared"));
    assert_non_null(strstr(text, "| cosine/both/1 | none | 8 |"));
    assert_non_null(strstr(text, "| cosine/both/1 | 8, 4 | 105 |"));
    json_decref(root);

    /* The head is the one that is made where nothing is compared, to the byte. */
    const char *path = test_path(*state, "chosen.safetensors");
    itemi_file file[2];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(item_report_write_head(report, path, NULL), ITEM_OK);
        assert_int_equal(itemi_file_open(NULL, path, 0, false, &file[i], NULL), ITEM_OK);
        item_report_free(report);
        item_train_options alone = quick(NULL, 0);
        alone.layout = "cosine/both/1";
        report = i == 0 ? train(data, &alone) : NULL;
        assert_true(i == 1 || !strstr(item_report_json(report), "\"candidates\""));
    }
    assert_int_equal(file[0].size, file[1].size);
    assert_memory_equal(file[0].data, file[1].data, file[0].size);
    itemi_file_close(&file[0]);
    itemi_file_close(&file[1]);
    item_dataset_free(data);
}

static void same_seed_same_table(void **state)
{
    (void)state;
    const test_world small = {.seed = 2, .each = 20, .sources = 3, .strength = 2, .paired = true};
    item_dataset *data = test_pictures(&small);
    const item_train_options options = quick(candidates, 3);
    item_report *a = train(data, &options), *b = train(data, &options);
    assert_string_equal(item_report_json(a), item_report_json(b));
    assert_string_equal(item_report_markdown(a), item_report_markdown(b));
    item_report_free(a);
    item_report_free(b);
    item_dataset_free(data);
}

static void says_what_the_choice_rests_on(void **state)
{
    (void)state;
    const test_world one = {.seed = 5, .each = 30, .sources = 1, .strength = 2, .paired = true};
    const test_world none = {.seed = 4, .each = 30, .sources = 6, .strength = 2, .paired = false};
    const item_train_options options = quick(candidates, 2);
    item_dataset *data = test_pictures(&one);
    item_report *report = train(data, &options);
    assert_non_null(strstr(item_report_markdown(report), "rests on that source alone"));
    item_report_free(report);
    item_dataset_free(data);

    data = test_pictures(&none);
    report = train(data, &options);
    assert_near(item_report_number(report, "candidates.sources"), 0, 0);
    assert_non_null(strstr(item_report_json(report), "\"figure\":\"all pictures\""));
    assert_non_null(strstr(item_report_markdown(report), "rewards knowing the source"));
    json_t *root = json_loads(item_report_json(report), 0, NULL);
    look_at_rule(json_object_get(json_object_get(root, "candidates"), "table"));
    json_decref(root);
    item_report_free(report);
    item_dataset_free(data);
}

static void refuses_bad_candidates(void **state)
{
    (void)state;
    static const char *const bad[] = {"sum/both/1",
                                      "cosine/both/1 x",
                                      "cosine/both/1 ",
                                      "cosine/both/1 8,",
                                      "cosine/both/1 1,2,3,4",
                                      "cosine/both/1 0,4",
                                      "cosine/both/1 70000",
                                      " 8",
                                      "",
                                      "cosine/both/1 -3",
                                      "difference/both/1 4096,4096,4096",
                                      NULL};
    const test_world small = {.seed = 2, .each = 10, .sources = 3, .strength = 2, .paired = true};
    item_dataset *data = test_pictures(&small);
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++) {
        const char *list[2] = {"cosine/both/1", bad[i]};
        const item_train_options options = quick(list, 2);
        item_error err = ITEM_ERROR_INIT;
        item_report *report = NULL;
        if (item_train(data, &options, &report, &err) != ITEM_E_ARGUMENT)
            fail_msg("`%s` is taken: %s", bad[i], err.message);
        assert_message(err, "training: ");
        assert_null(report);
    }
    item_report *report = NULL;
    item_train_options options = quick(candidates, 65); /* not read beyond its end */
    assert_int_equal(item_train(data, &options, &report, NULL), ITEM_E_ARGUMENT);
    options = quick(NULL, 2);
    assert_int_equal(item_train(data, &options, &report, NULL), ITEM_E_ARGUMENT);
    options = quick(NULL, 0);
    options.reserved = 1;
    assert_int_equal(item_train(data, &options, &report, NULL), ITEM_E_ARGUMENT);
    options = quick(NULL, 0);
    options.threshold_rule = "best-source";
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_train(data, &options, &report, &err), ITEM_E_ARGUMENT);
    assert_message(err, "not `best-source`");
    item_dataset_free(data);
}

/* Adds photographs that look more like AI pictures than others do. */
static void add_hard_source(item_dataset *data, size_t each)
{
    const test_world hard = {.seed = 30, .each = each, .sources = 1, .strength = 1.2};
    item_dataset *more = test_dataset();
    itemi_rng rng = {30, 77, 0};
    for (size_t i = 0; i < each; i++)
        test_add(more, &rng, &hard, 0, 1, i);
    item_row row = ITEM_ROW_INIT;
    for (uint64_t i = 0; item_dataset_get(more, i, &row, NULL) == ITEM_OK; i++) {
        row.label = ITEM_LABEL_REAL;
        row.source = "hard";
        row.scene = NULL;
        assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    }
    item_dataset_free(more);
}

/* The largest share of photographs of a source that are called ai, of those with 100 or more. */
static double worst_source(const item_report *report, const char *rule)
{
    json_t *root = json_loads(item_report_json(report), 0, NULL);
    const json_t *thresholds = json_object_get(json_object_get(root, "head"), "thresholds");
    assert_string_equal(json_string_value(json_object_get(thresholds, "rule")), rule);
    size_t i;
    const json_t *row;
    double worst = 0;
    json_array_foreach(json_object_get(root, "false_positives"), i, row)
    {
        if (number(row, "real") >= 100 && number(row, "rate") > worst)
            worst = number(row, "rate");
    }
    json_decref(root);
    return worst;
}

static void promises_can_hold_within_each_source(void **state)
{
    (void)state;
    const test_world easy = {.seed = 3, .each = 150, .sources = 4, .strength = 2, .paired = true};
    item_dataset *data = test_pictures(&easy);
    add_hard_source(data, 120);
    item_train_options options = quick(NULL, 0);
    options.layout = "cosine/both/1";
    item_report *report = train(data, &options);
    assert_true(worst_source(report, "pooled") > 0.02);
    item_report_free(report);
    options.threshold_rule = "worst-source";
    report = train(data, &options);
    assert_true(worst_source(report, "worst-source") <= 0.01);
    double score = item_report_number(report, "head.thresholds.fpr5.score");
    assert_true(item_report_number(report, "head.thresholds.fpr5.above") < 0.05 * 720);
    item_report_free(report);
    item_dataset_free(data);

    /* a source of fewer photographs does not count alone */
    data = test_pictures(&easy);
    add_hard_source(data, 40);
    report = train(data, &options);
    assert_true(item_report_number(report, "head.thresholds.fpr5.score") < score);
    item_report_free(report);
    item_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_the_fewest_that_are_as_good),
        cmocka_unit_test(same_seed_same_table),
        cmocka_unit_test(says_what_the_choice_rests_on),
        cmocka_unit_test(refuses_bad_candidates),
        cmocka_unit_test(promises_can_hold_within_each_source),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
