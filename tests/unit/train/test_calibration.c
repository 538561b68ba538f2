/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds by a user's own photographs: what they are, what is refused, what is told. */
#include "train_tests.h"

/* Photographs of a world of their own: `strength` makes them look like AI pictures. */
static item_dataset *photographs(uint64_t seed, size_t count, double strength)
{
    const test_world world = {.seed = seed, .each = count, .sources = 1, .strength = strength};
    item_dataset *drawn = test_dataset(), *data = test_dataset();
    itemi_rng rng = {seed, 77, 0};
    for (size_t i = 0; i < count; i++)
        test_add(drawn, &rng, &world, 0, 1, i);
    item_row row = ITEM_ROW_INIT;
    for (uint64_t i = 0; item_dataset_get(drawn, i, &row, NULL) == ITEM_OK; i++) {
        row.label = ITEM_LABEL_REAL;
        assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    }
    item_dataset_free(drawn);
    return data;
}

/* A head whose score falls as picture and caption agree more. */
static const char *make_head(void **state, const uint8_t *trained)
{
    const char *path = test_path(*state, "head.safetensors");
    itemi_head_facts facts = test_facts();
    itemi_head *head = NULL;
    itemi_mlp mlp = {.layers = 1, .width = {7, 1}};
    facts.scope_limit = NAN;
    facts.trained_pictures = trained;
    facts.trained_count = trained ? 1 : 0;
    assert_true(itemi_mlp_reserve(NULL, &mlp));
    mlp.scale[0] = 1;
    mlp.weight[0][0] = -4;
    mlp.bias[0][0] = 5;
    assert_int_equal(itemi_head_make(NULL, &facts, &mlp, &head, NULL), ITEM_OK);
    assert_int_equal(itemi_head_write(head, path, NULL), ITEM_OK);
    itemi_head_free(head);
    itemi_mlp_free(&mlp);
    return path;
}

static item_report *calibrate(const item_dataset *data, const char *head,
                              const item_calibrate_options *options)
{
    item_report *report = NULL;
    item_error err = ITEM_ERROR_INIT;
    if (item_calibrate(data, head, NULL, options, &report, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    return report;
}

static itemi_head *head_of(void **state, const item_report *report)
{
    itemi_head *head = NULL;
    const char *path = test_path(*state, "new.safetensors");
    assert_int_equal(item_report_write_head(report, path, NULL), ITEM_OK);
    assert_int_equal(itemi_head_open(NULL, path, &head, NULL), ITEM_OK);
    return head;
}

static double score_of(const item_dataset *data, uint64_t i)
{
    item_row row = ITEM_ROW_INIT;
    assert_int_equal(item_dataset_get(data, i, &row, NULL), ITEM_OK);
    return (5 - 4 * (double)itemi_dot(row.image, row.text, WIDTH) + 0.5) / 2;
}

static size_t reach(const item_dataset *data, size_t n, double score)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += score_of(data, i) >= score;
    return count;
}

static void sets_what_the_photographs_allow(void **state)
{
    item_dataset *data = photographs(1, 300, 1.5);
    const char *path = make_head(state, (const uint8_t *)"0123456789abcdef");
    item_calibrate_options options = ITEM_CALIBRATE_OPTIONS_INIT;
    options.pictures = "holidays, 2025";
    item_report *report = calibrate(data, path, &options);
    itemi_head *head = head_of(state, report);
    const itemi_head_facts *f = itemi_head_get_facts(head);
    assert_string_equal(f->threshold_rule, "calibrated");
    assert_string_equal(f->calibrated_on, "holidays, 2025");
    assert_near(f->fpr1.confidence, 0.95, 0);
    assert_int_equal(f->fpr1.real, 300);
    assert_int_equal(f->fpr1.allowed, 0);
    assert_int_equal(f->fpr1.above, 0);
    assert_int_equal(f->fpr5.allowed, 8);
    assert_int_equal(f->fpr5.above, 8);
    assert_int_equal(reach(data, 300, f->fpr1.score + 1e-6), 0);
    assert_int_equal(reach(data, 300, f->fpr5.score + 1e-6), 8);
    assert_int_equal(reach(data, 300, f->fpr5.score - 1e-6), 9); /* it is the least such score */
    assert_near(f->real_below, -1, 0);
    assert_near(f->temperature, 2, 0);
    assert_int_equal(f->trained_count, 1); /* the rest stays */

    /* Before: what the old thresholds say of them; after: at most what is allowed. */
    json_t *root = json_loads(item_report_json(report), 0, NULL);
    const json_t *five = json_array_get(json_object_get(root, "thresholds"), 1);
    const json_t *before = json_object_get(five, "called_before"),
                 *after = json_object_get(five, "called");
    assert_int_equal(json_integer_value(json_object_get(before, "ai")), reach(data, 300, 0.75));
    assert_int_equal(json_integer_value(json_object_get(after, "ai")), 8);
    assert_int_equal(json_integer_value(json_object_get(after, "unsure")), 292);
    assert_int_equal(json_integer_value(json_object_get(five, "needed")), 59);
    assert_near(json_number_value(json_object_get(five, "false_positive_rate")), 8.0 / 300, 1e-6);
    assert_int_equal(json_array_size(json_object_get(root, "warnings")), 0);
    assert_non_null(strstr(item_report_markdown(report), "300 different photographs; 0 more"));
    assert_non_null(strstr(item_report_markdown(report), "| fpr5 | 5.0 % | 59 | 8 | 8 |"));
    json_decref(root);
    itemi_head_free(head);
    item_report_free(report);
    item_dataset_free(data);
}

/* Thresholds that were too low for these photographs are not any more, on others of their kind. */
static void the_promise_holds_for_other_photographs(void **state)
{
    const char *path = make_head(state, NULL);
    item_dataset *own = photographs(2, 400, 1.5), *others = photographs(3, 3000, 1.5);
    item_report *report = calibrate(own, path, NULL);
    itemi_head *head = head_of(state, report);
    assert_true((double)reach(others, 3000, 0.75) / 3000 > 0.1);
    const itemi_head_facts *f = itemi_head_get_facts(head);
    assert_true((double)reach(others, 3000, f->fpr5.score) / 3000 < 0.05);
    assert_true((double)reach(others, 3000, f->fpr1.score) / 3000 < 0.01);
    assert_string_equal(f->calibrated_on, "own photographs");
    itemi_head_free(head);
    item_report_free(report);
    item_dataset_free(own);
    item_dataset_free(others);
}

/* The same photographs, some of them twice, give the same head, to the byte. */
static void copies_count_once(void **state)
{
    const char *path = make_head(state, (const uint8_t *)"0123456789abcdef");
    item_dataset *data = photographs(4, 100, 1.5), *same = photographs(4, 100, 1.5);
    itemi_file file[2];
    for (size_t i = 0; i < 2; i++) {
        item_report *report = calibrate(data, path, NULL);
        itemi_head_free(head_of(state, report));
        const char *made = test_path(*state, "new.safetensors");
        assert_int_equal(itemi_file_open(NULL, made, 0, false, &file[i], NULL), ITEM_OK);
        assert_near(item_report_number(report, "data.copies"), i == 0 ? 0 : 50, 0);
        assert_near(item_report_number(report, "data.photographs"), 100, 0);
        item_report_free(report);
        item_row row = ITEM_ROW_INIT;
        for (uint64_t j = 0; i == 0 && j < 50; j++) {
            assert_int_equal(item_dataset_get(same, j, &row, NULL), ITEM_OK);
            row.name = "a copy";
            assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
        }
    }
    assert_int_equal(file[0].size, file[1].size);
    assert_memory_equal(file[0].data, file[1].data, file[0].size);
    itemi_file_close(&file[0]);
    itemi_file_close(&file[1]);
    item_dataset_free(same);
    item_dataset_free(data);
}

static void too_few_are_refused_with_what_is_needed(void **state)
{
    const char *path = make_head(state, NULL);
    item_dataset *data = photographs(5, 58, 1);
    item_report *report = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_calibrate(data, path, NULL, NULL, &report, &err), ITEM_E_ARGUMENT);
    assert_message(err, "58 different photographs are too few: a promise of 5 % with confidence"
                        " 95 % needs 59, one of 1 % needs 299");
    assert_null(report);
    item_calibrate_options options = ITEM_CALIBRATE_OPTIONS_INIT;
    options.confidence = 0.9; /* which 45 are enough for */
    report = calibrate(data, path, &options);
    assert_near(item_report_number(report, "confidence"), 0.9, 0);
    item_report_free(report);
    item_dataset_free(data);

    data = photographs(5, 298, 1);
    report = calibrate(data, path, NULL);
    assert_non_null(strstr(item_report_markdown(report),
                           "298 photographs are too few for a promise of 1 %: with fpr1 no picture"
                           " is called `ai`. 299 are needed, 1 more."));
    assert_non_null(strstr(item_report_markdown(report), "| fpr1 | 1.0 % | 299 | - | - |"));
    itemi_head *head = head_of(state, report);
    assert_true(isinf(itemi_head_get_facts(head)->fpr1.score));
    assert_true(isfinite(itemi_head_get_facts(head)->fpr5.score));
    itemi_head_free(head);
    item_report_free(report);
    item_dataset_free(data);
}

static void what_is_not_known_is_told(void **state)
{
    const char *path = make_head(state, NULL);
    item_dataset *known = photographs(6, 70, 1), *data = test_dataset();
    item_row row = ITEM_ROW_INIT;
    for (uint64_t i = 0; item_dataset_get(known, i, &row, NULL) == ITEM_OK; i++) {
        row.picture = i < 60 ? NULL : row.picture;
        assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    }
    item_report *report = calibrate(data, path, NULL);
    assert_near(item_report_number(report, "data.photographs"), 70, 0);
    assert_non_null(strstr(item_report_markdown(report), "The vectors of 60 pictures do not say"));
    assert_non_null(strstr(item_report_markdown(report), "The head does not remember"));
    item_report_free(report);
    item_dataset_free(known);
    item_dataset_free(data);
}

static void refuses_what_would_make_the_promise_false(void **state)
{
    item_dataset *data = photographs(7, 80, 1), *same = photographs(7, 80, 1);
    item_row row = ITEM_ROW_INIT;
    item_report *report = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_dataset_get(same, 9, &row, NULL), ITEM_OK);
    const char *path = make_head(state, row.picture);
    assert_int_equal(item_calibrate(data, path, NULL, NULL, &report, &err), ITEM_E_ARGUMENT);
    assert_message(err, "the head was trained on 1 of these pictures, such as 0/1/9.jpg");
    assert_null(report);

    path = make_head(state, NULL);
    row.label = ITEM_LABEL_AI;
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_calibrate(data, path, NULL, NULL, &report, &err), ITEM_E_ARGUMENT);
    assert_message(err, "photographs alone are wanted, and 1 of 81 pictures have the label ai");
    item_dataset_free(same);
    item_dataset_free(data);

    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    info.width = WIDTH;
    info.working_size = 224;
    info.embedder = "dummy 1";
    info.pipeline = "captioner z, detector b";
    info.working_filter = "bicubic";
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_OK);
    assert_int_equal(item_calibrate(data, path, NULL, NULL, &report, NULL), ITEM_E_ARGUMENT);
    const float v[WIDTH] = {1};
    row = (item_row)ITEM_ROW_INIT;
    row.image = row.text = v;
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_calibrate(data, path, NULL, NULL, &report, &err), ITEM_E_MISMATCH);
    assert_message(err, "captioner a, detector b, these pictures were looked at with captioner z");
    item_dataset_free(data);
}

static void refuses_bad_settings(void **state)
{
    const char *path = make_head(state, NULL);
    item_dataset *data = photographs(8, 70, 1);
    item_report *report = NULL;
    char text[300];
    memset(text, 'x', sizeof text);
    text[256] = '\0';
    item_calibrate_options bad[6];
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++)
        bad[i] = (item_calibrate_options)ITEM_CALIBRATE_OPTIONS_INIT;
    bad[0].confidence = 1;
    bad[1].confidence = NAN;
    bad[2].confidence = 0.4;
    bad[3].reserved = 1;
    bad[4].pictures = text;
    bad[5].pictures = "caf\xe9";
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++)
        assert_int_equal(item_calibrate(data, path, NULL, &bad[i], &report, NULL), ITEM_E_ARGUMENT);
    text[255] = '\0';
    item_report_free(calibrate(data, path, &bad[4]));
    assert_int_equal(item_calibrate(NULL, path, NULL, NULL, &report, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(item_calibrate(data, NULL, NULL, NULL, &report, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(item_calibrate(data, path, NULL, NULL, NULL, NULL), ITEM_E_ARGUMENT);
    item_error err = ITEM_ERROR_INIT;
    const char *none = test_path(*state, "none.safetensors");
    assert_int_equal(item_calibrate(data, none, NULL, NULL, &report, &err), ITEM_E_IO);
    assert_message(err, "none.safetensors");
    item_dataset_free(data);
}

/* Four pictures with so many numbers of inner layers, and a head that reads two of them. */
static item_dataset *layered(uint32_t layers, uint64_t seed)
{
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_dataset *data = NULL;
    float *numbers = calloc(layers, sizeof *numbers);
    itemi_rng rng = {seed, 5, 0};
    info.width = WIDTH;
    info.working_size = 224;
    info.embedder = "dummy 1";
    info.working_filter = "bicubic";
    info.layers = layers;
    assert_non_null(numbers);
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_OK);
    for (uint32_t i = 0; i < 4; i++) {
        float v[WIDTH];
        item_row row = ITEM_ROW_INIT;
        test_unit(&rng, NULL, 0, v);
        numbers[0] = (float)i;
        row.label = i % 2;
        row.image = row.text = v;
        row.layers = numbers;
        assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    }
    free(numbers);
    return data;
}

static void controls_fit_the_head(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    itemi_head_facts facts = test_facts();
    facts.layout = (itemi_layout){1, {{ITEMI_FORM_LAYERS, ITEMI_SCOPE_GLOBAL}}};
    facts.layers_width = 2;
    itemi_head *head = test_head(NULL, &facts);
    assert_int_equal(itemi_head_write(head, path, NULL), ITEM_OK);
    itemi_head_free(head);
    item_dataset *data = layered(2, 1), *longer = layered(5000, 2), *empty = layered(2, 3);
    assert_int_equal(item_dataset_remove(empty, "source", "", NULL, NULL), ITEM_OK);
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    item_report *report = NULL;
    item_error err = ITEM_ERROR_INIT;
    options.draws = 10;
    options.controls = longer;
    assert_int_equal(item_evaluate(data, path, NULL, &options, &report, &err), ITEM_E_MISMATCH);
    assert_message(err, "controls: the head reads 2 numbers of inner layers, the data set holds");
    err = (item_error)ITEM_ERROR_INIT;
    options.controls = empty;
    assert_int_equal(item_evaluate(data, path, NULL, &options, &report, &err), ITEM_E_ARGUMENT);
    assert_message(err, "controls: the data set is empty");
    item_dataset_free(data);
    item_dataset_free(longer);
    item_dataset_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_what_the_photographs_allow),
        cmocka_unit_test(the_promise_holds_for_other_photographs),
        cmocka_unit_test(copies_count_once),
        cmocka_unit_test(too_few_are_refused_with_what_is_needed),
        cmocka_unit_test(what_is_not_known_is_told),
        cmocka_unit_test(refuses_what_would_make_the_promise_false),
        cmocka_unit_test(refuses_bad_settings),
        cmocka_unit_test(controls_fit_the_head),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
