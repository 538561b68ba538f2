/* SPDX-License-Identifier: Apache-2.0 */
/* Heads as files: written, read, refused. */
#include "train_tests.h"

static const char *head_path(void **state)
{
    return test_path(*state, "head.safetensors");
}

static void reads_what_it_wrote(void **state)
{
    const itemi_head_facts facts = test_facts();
    itemi_head *head = test_head(NULL, &facts), *again = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_head_write(head, head_path(state), &err), ITEM_OK);
    assert_int_equal(itemi_head_open(NULL, head_path(state), &again, &err), ITEM_OK);

    const itemi_head_facts *f = itemi_head_get_facts(again);
    assert_string_equal(f->layout_name, "cosine/both/1");
    assert_int_equal(f->features, 7);
    assert_string_equal(f->embedder, facts.embedder);
    assert_string_equal(f->pipeline, facts.pipeline);
    assert_string_equal(f->trained_on, facts.trained_on);
    assert_string_equal(f->library, facts.library);
    assert_int_equal(f->size_max, 5000);
    assert_near(f->bias, 0.5, 0);
    assert_near(f->fpr5.score, 0.75, 0);
    assert_int_equal(f->fpr5.above, 15);
    assert_near(f->caption_least, -3, 0);

    const float features[7] = {0.31f, 1, 2, 0.2f, 0.1f, 0.3f, 0.1f};
    double a = 0, b = 1;
    assert_int_equal(itemi_head_score(head, features, 7, &a, NULL), ITEM_OK);
    assert_int_equal(itemi_head_score(again, features, 7, &b, NULL), ITEM_OK);
    assert_near(a, (4 * 0.31 + 0.2 + 0.5) / 2, 1e-6);
    assert_near(a, b, 0);

    char *one = itemi_head_facts_json(head), *two = itemi_head_facts_json(again);
    assert_string_equal(one, two);
    itemi_free(NULL, one);
    itemi_free(NULL, two);
    itemi_head_free(head);
    itemi_head_free(again);
    itemi_head_free(NULL);
}

/* Writes a head with its facts changed by one JSON value (NULL: taken out). */
static void write_changed(const char *path, const char *key, const char *value)
{
    const itemi_head_facts facts = test_facts();
    json_t *object = itemi_head_facts_dump(&facts);
    if (value)
        json_object_set_new(object, key, json_loads(value, JSON_DECODE_ANY, NULL));
    else
        json_object_del(object, key);
    char *text = json_dumps(object, 0);
    const char *const meta[] = {"item_head", text};
    const float mean[7] = {0}, bias[1] = {0};
    itemi_tensor tensors[4] = {
        {.name = "mean", .dtype = ITEMI_F32, .dims = 1, .shape = {7}, .data = mean, .bytes = 28},
        {.name = "scale", .dtype = ITEMI_F32, .dims = 1, .shape = {7}, .data = mean, .bytes = 28},
        {.name = "layers.0.weight",
         .dtype = ITEMI_F32,
         .dims = 2,
         .shape = {1, 7},
         .data = mean,
         .bytes = 28},
        {.name = "layers.0.bias",
         .dtype = ITEMI_F32,
         .dims = 1,
         .shape = {1},
         .data = bias,
         .bytes = 4}};
    assert_int_equal(itemi_safetensors_write(path, tensors, 4, meta, 1, NULL), ITEM_OK);
    free(text);
    json_decref(object);
}

/* What a threshold rests on: of a calibration all of it, of a head of 0.1 what it says. */
static void thresholds_say_what_they_rest_on(void **state)
{
    itemi_head_facts facts = test_facts();
    facts.fpr5 = (itemi_promise){0.7, 0.05, 300, 7, 0.95, 8};
    snprintf(facts.threshold_rule, sizeof facts.threshold_rule, ITEMI_RULE_CALIBRATED);
    snprintf(facts.calibrated_on, sizeof facts.calibrated_on, "holidays");
    itemi_head *head = test_head(NULL, &facts), *again = NULL;
    assert_int_equal(itemi_head_write(head, head_path(state), NULL), ITEM_OK);
    itemi_head_free(head);
    assert_int_equal(itemi_head_open(NULL, head_path(state), &again, NULL), ITEM_OK);
    const itemi_head_facts *f = itemi_head_get_facts(again);
    assert_near(f->fpr5.confidence, 0.95, 0);
    assert_int_equal(f->fpr5.allowed, 8);
    assert_near(f->fpr1.confidence, 0, 0);
    assert_string_equal(f->threshold_rule, "calibrated");
    assert_string_equal(f->calibrated_on, "holidays");
    itemi_head_free(again);

    write_changed(head_path(state), "thresholds",
                  "{\"fpr1\":{\"score\":1,\"rate\":0.01,\"real\":300,\"above\":2},"
                  "\"fpr5\":{\"score\":0.5,\"rate\":0.05,\"real\":300,\"above\":9}}");
    assert_int_equal(itemi_head_open(NULL, head_path(state), &again, NULL), ITEM_OK);
    f = itemi_head_get_facts(again);
    assert_near(f->fpr5.confidence, 0, 0);
    assert_string_equal(f->threshold_rule, "pooled");
    assert_string_equal(f->calibrated_on, "");
    itemi_head_free(again);
}

static void rules_that_do_not_exist_stay_so(void **state)
{
    itemi_head_facts facts = test_facts();
    facts.fpr1.score = HUGE_VAL;
    facts.real_below = -HUGE_VAL;
    facts.scope_limit = facts.caption_least = NAN;
    facts.size_max = 0;
    itemi_head *head = test_head(NULL, &facts), *again = NULL;
    assert_int_equal(itemi_head_write(head, head_path(state), NULL), ITEM_OK);
    assert_int_equal(itemi_head_open(NULL, head_path(state), &again, NULL), ITEM_OK);
    const itemi_head_facts *f = itemi_head_get_facts(again);
    assert_true(isinf(f->fpr1.score) && f->fpr1.score > 0);
    assert_true(isinf(f->real_below) && f->real_below < 0);
    assert_true(isnan(f->scope_limit) && isnan(f->caption_least));
    itemi_head_free(head);
    itemi_head_free(again);
}

static bool knows_source(const itemi_head *head, const char *name)
{
    json_t *text = json_string(name);
    bool known = itemi_head_knows_source(head, text);
    json_decref(text);
    return known;
}

/* What it was trained on comes back, sorted and each picture once, and is known by bytes and name. */
static void remembers_what_it_was_trained_on(void **state)
{
    uint8_t pictures[4][ITEM_PICTURE_HASH];
    static const uint8_t order[4] = {9, 3, 9, 200};
    for (size_t i = 0; i < 4; i++)
        memset(pictures[i], order[i], sizeof pictures[i]);
    itemi_head_facts facts = test_facts();
    facts.trained_sources = json_pack("[s, s]", "a site", "caf\xc3\xa9");
    facts.trained_pictures = pictures[0];
    facts.trained_count = 4;
    itemi_head *head = test_head(NULL, &facts), *again = NULL;
    json_decref(facts.trained_sources); /* heads keep copies */
    assert_int_equal(itemi_head_write(head, head_path(state), NULL), ITEM_OK);
    itemi_head_free(head);
    assert_int_equal(itemi_head_open(NULL, head_path(state), &again, NULL), ITEM_OK);
    const itemi_head_facts *f = itemi_head_get_facts(again);
    assert_int_equal(f->trained_count, 3);
    assert_memory_equal(f->trained_pictures, pictures[1], ITEM_PICTURE_HASH);
    for (size_t i = 0; i < 4; i++)
        assert_true(itemi_head_knows_picture(again, pictures[i]));
    pictures[0][ITEM_PICTURE_HASH - 1]++;
    assert_false(itemi_head_knows_picture(again, pictures[0]));
    assert_true(knows_source(again, "caf\xc3\xa9"));
    assert_false(knows_source(again, "a sit"));
    itemi_head_free(again);

    facts = test_facts(); /* as heads of 0.1 are: nothing is known */
    head = test_head(NULL, &facts);
    assert_false(itemi_head_knows_picture(head, pictures[1]));
    assert_false(knows_source(head, "a site"));
    itemi_head_free(head);
}

static void refuses_facts_that_are_wrong(void **state)
{
    static const struct {
        const char *key, *value;
        item_status status;
        const char *message;
    } cases[] = {
        {"format", "2", ITEM_E_UNSUPPORTED, "format 2"},
        {"format", "\"1\"", ITEM_E_FORMAT, "format"},
        {"format", NULL, ITEM_E_FORMAT, "format"},
        {"layout", "\"sum/both/1\"", ITEM_E_UNSUPPORTED, "sum/both/1"},
        {"layout", NULL, ITEM_E_FORMAT, "`layout` of the head is missing"},
        {"layout", "3", ITEM_E_FORMAT, "`layout` of the head is no text"},
        {"vector_width", "0", ITEM_E_FORMAT, "vector_width"},
        {"vector_width", "99999", ITEM_E_FORMAT, "vector_width"},
        {"vector_width", "6.5", ITEM_E_FORMAT, "no whole number"},
        {"temperature", "0", ITEM_E_FORMAT, "temperature"},
        {"temperature", "-1", ITEM_E_FORMAT, "temperature"},
        {"temperature", "null", ITEM_E_FORMAT, "temperature"},
        {"bias", "\"x\"", ITEM_E_FORMAT, "bias"},
        {"thresholds", "{}", ITEM_E_FORMAT, "fpr1"},
        {"thresholds", "[]", ITEM_E_FORMAT, "thresholds"},
        {"thresholds", "{\"fpr1\":{\"score\":1,\"rate\":2,\"real\":1,\"above\":0}}", ITEM_E_FORMAT,
         "fpr5"},
        {"thresholds",
         "{\"fpr1\":{\"score\":1,\"rate\":0.01,\"real\":300,\"above\":2,\"confidence\":2}}",
         ITEM_E_FORMAT, "`allowed` of the head is missing"},
        {"thresholds",
         "{\"fpr1\":{\"score\":1,\"rate\":0.01,\"real\":300,\"above\":2,\"confidence\":2,"
         "\"allowed\":2},"
         "\"fpr5\":{\"score\":1,\"rate\":0.05,\"real\":9,\"above\":0}}",
         ITEM_E_FORMAT, "fpr1"},
        {"thresholds",
         "{\"fpr1\":{\"score\":1,\"rate\":0.01,\"real\":9,\"above\":0},"
         "\"fpr5\":{\"score\":1,\"rate\":0.05,\"real\":300,\"above\":9,\"confidence\":0.95,"
         "\"allowed\":8}}",
         ITEM_E_FORMAT, "fpr5"},
        {"thresholds", /* calibrating it would count for ever how many photographs that needs */
         "{\"fpr1\":{\"score\":1,\"rate\":1e-17,\"real\":300,\"above\":2},"
         "\"fpr5\":{\"score\":1,\"rate\":0.05,\"real\":300,\"above\":9}}",
         ITEM_E_FORMAT, "fpr1"},
        {"real_share", "1.5", ITEM_E_FORMAT, "real_share"},
        {"working_filter", "\"cubic\"", ITEM_E_FORMAT, "working_filter"},
        {"size_max", "50", ITEM_E_FORMAT, "size_max"},
        {"size_min", "-1", ITEM_E_FORMAT, "size_min"},
        {"scope_limit", "-2", ITEM_E_FORMAT, "scope_limit"},
        {"callers_captions", "1", ITEM_E_FORMAT, "callers_captions"},
        {"trained_on", NULL, ITEM_E_FORMAT, "trained_on"},
        {"pipeline", NULL, ITEM_E_FORMAT, "pipeline"},
        {"trained_sources", "\"a\"", ITEM_E_FORMAT, "trained_sources"},
        {"trained_sources", "[\"a\", 1]", ITEM_E_FORMAT, "holds what is no text"},
        {"library", "\"0123456789012345678901234567890123456789012345678\"", ITEM_E_FORMAT,
         "too long"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        itemi_head *head = (itemi_head *)state;
        item_error err = ITEM_ERROR_INIT;
        write_changed(head_path(state), cases[i].key, cases[i].value);
        item_status status = itemi_head_open(NULL, head_path(state), &head, &err);
        if (status != cases[i].status)
            fail_msg("%s = %s: status %d, %s", cases[i].key, cases[i].value, status, err.message);
        assert_null(head);
        assert_message(err, cases[i].message);
        assert_message(err, "head.safetensors");
    }
    itemi_head *head = NULL;
    write_changed(head_path(state), "unknown", "[1]"); /* later versions may say more */
    assert_int_equal(itemi_head_open(NULL, head_path(state), &head, NULL), ITEM_OK);
    itemi_head_free(head);
}

/* A head with one number of its network changed. */
static item_status open_with(void **state, size_t layer, float value, item_error *err)
{
    const itemi_head_facts facts = test_facts();
    itemi_head *head = test_head(NULL, &facts), *again = NULL;
    float *places[] = {head->mlp.mean, head->mlp.scale, head->mlp.weight[0], head->mlp.bias[0]};
    places[layer][0] = value;
    assert_int_equal(itemi_head_write(head, head_path(state), NULL), ITEM_OK);
    itemi_head_free(head);
    item_status status = itemi_head_open(NULL, head_path(state), &again, err);
    itemi_head_free(again);
    return status;
}

static void refuses_weights_that_are_no_numbers(void **state)
{
    const char *const names[] = {"`mean`", "`scale`", "`layers.0.weight`", "`layers.0.bias`"};
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 3; j++) {
            item_error err = ITEM_ERROR_INIT;
            assert_int_equal(open_with(state, i, bad[j], &err), ITEM_E_FORMAT);
            assert_message(err, names[i]);
            assert_message(err, "NaN or infinity");
        }
    }
    assert_int_equal(open_with(state, 0, 0.5f, NULL), ITEM_OK);
}

static void refuses_tensors_that_do_not_fit(void **state)
{
    const itemi_head_facts facts = test_facts();
    json_t *object = itemi_head_facts_dump(&facts);
    char *text = json_dumps(object, 0);
    const char *const meta[] = {"item_head", text}, *const other[] = {"format", "pt"};
    const float numbers[32] = {0};
    itemi_tensor good[5] = {
        {"mean", ITEMI_F32, 1, {7}, numbers, 28},
        {"scale", ITEMI_F32, 1, {7}, numbers, 28},
        {"layers.0.bias", ITEMI_F32, 1, {1}, numbers, 4},
        {"layers.0.weight", ITEMI_F32, 2, {1, 7}, numbers, 28},
        {"trained_pictures", ITEMI_U8, 2, {2, 16}, numbers, 32},
    };
    const struct {
        size_t count, which;
        itemi_tensor instead;
        const char *message;
    } cases[] = {
        {3,
         0,
         {"mean", ITEMI_F32, 1, {7}, numbers, 28},
         "`layers.0.weight` of the head is missing"},
        {4, 0, {"average", ITEMI_F32, 1, {7}, numbers, 28}, "`mean` of the head is missing"},
        {4, 0, {"mean", ITEMI_F32, 1, {6}, numbers, 24}, "`mean` is not float32"},
        {4, 0, {"mean", ITEMI_F16, 1, {7}, numbers, 14}, "`mean` is not float32"},
        {4, 2, {"layers.0.bias", ITEMI_F32, 2, {1, 1}, numbers, 4}, "`layers.0.bias` is not"},
        {4, 3, {"layers.0.weight", ITEMI_F32, 2, {2, 7}, numbers, 56}, "2 outputs"},
        {4, 3, {"layers.0.weight", ITEMI_F32, 2, {1, 8}, numbers, 32}, "wrong shape"},
        {4, 3, {"layers.0.weight", ITEMI_F32, 1, {7}, numbers, 28}, "wrong shape"},
        /* it takes no place in the file, and would ask for memory for 65535 units */
        {4, 3, {"layers.0.weight", ITEMI_F32, 2, {65535, 0}, NULL, 0}, "wrong shape"},
        {5, 4, {"trained_pictures", ITEMI_U8, 2, {4, 8}, numbers, 32}, "is not bytes"},
        {5, 4, {"trained_pictures", ITEMI_I8, 2, {2, 16}, numbers, 32}, "is not bytes"},
        {5, 4, {"trained_pictures", ITEMI_U8, 1, {32}, numbers, 32}, "is not bytes"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        itemi_tensor tensors[5];
        itemi_head *head = NULL;
        item_error err = ITEM_ERROR_INIT;
        memcpy(tensors, good, sizeof tensors);
        tensors[cases[i].which] = cases[i].instead;
        assert_int_equal(
            itemi_safetensors_write(head_path(state), tensors, cases[i].count, meta, 1, NULL),
            ITEM_OK);
        assert_int_equal(itemi_head_open(NULL, head_path(state), &head, &err), ITEM_E_FORMAT);
        assert_message(err, cases[i].message);
    }
    itemi_head *head = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_safetensors_write(head_path(state), good, 5, meta, 1, NULL), ITEM_OK);
    assert_int_equal(itemi_head_open(NULL, head_path(state), &head, NULL), ITEM_OK);
    itemi_head_free(head);
    assert_int_equal(itemi_safetensors_write(head_path(state), good, 4, other, 1, NULL), ITEM_OK);
    assert_int_equal(itemi_head_open(NULL, head_path(state), &head, &err), ITEM_E_FORMAT);
    assert_message(err, "this is no head");
    free(text);
    json_decref(object);
}

static void refuses_another_embedder(void **state)
{
    (void)state;
    const itemi_head_facts facts = test_facts();
    itemi_head *head = test_head(NULL, &facts);
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_head_fits(head, WIDTH, "dummy 1", NULL), ITEM_OK);
    assert_int_equal(itemi_head_fits(head, 0, NULL, NULL), ITEM_OK);
    assert_int_equal(itemi_head_fits(head, 512, "dummy 1", &err), ITEM_E_MISMATCH);
    assert_message(err, "vectors of 6 numbers, the embedder gives 512");
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(itemi_head_fits(head, WIDTH, "clip 2", &err), ITEM_E_MISMATCH);
    assert_message(err, "`dummy 1`, this one is `clip 2`");
    const float features[7] = {0};
    double score;
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(itemi_head_score(head, features, 6, &score, &err), ITEM_E_MISMATCH);
    assert_message(err, "7 features (`cosine/both/1`), not 6");
    const float none[7] = {0, NAN};
    assert_int_equal(itemi_head_score(head, none, 7, &score, NULL), ITEM_E_ARGUMENT);
    itemi_head_free(head);
}

static void every_allocation_may_fail(void **state)
{
    const uint8_t picture[ITEM_PICTURE_HASH] = {1};
    itemi_head_facts facts = test_facts();
    facts.trained_pictures = picture;
    facts.trained_count = 1;
    itemi_head *head = test_head(NULL, &facts), *again;
    assert_int_equal(itemi_head_write(head, head_path(state), NULL), ITEM_OK);
    itemi_head_free(head);
    item_status status = ITEM_E_MEMORY;
    long failing = 0;
    for (; status == ITEM_E_MEMORY; failing++) {
        test_mem t;
        test_mem_init(&t, failing);
        item_error err = ITEM_ERROR_INIT;
        status = itemi_head_open(&t.mem, head_path(state), &again, &err);
        assert_true((again != NULL) == (status == ITEM_OK));
        itemi_head_free(again);
        assert_int_equal(t.live, 0);
    }
    assert_int_equal(status, ITEM_OK);
    assert_true(failing > 4);

    status = ITEM_E_MEMORY;
    for (failing = 0; status == ITEM_E_MEMORY; failing++) {
        test_mem t;
        test_mem_init(&t, failing);
        again = test_head(&t.mem, &facts);
        status = again ? ITEM_OK : ITEM_E_MEMORY;
        itemi_head_free(again);
        assert_int_equal(t.live, 0);
    }
    assert_true(failing > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(thresholds_say_what_they_rest_on),
        cmocka_unit_test(rules_that_do_not_exist_stay_so),
        cmocka_unit_test(remembers_what_it_was_trained_on),
        cmocka_unit_test(refuses_facts_that_are_wrong),
        cmocka_unit_test(refuses_weights_that_are_no_numbers),
        cmocka_unit_test(refuses_tensors_that_do_not_fit),
        cmocka_unit_test(refuses_another_embedder),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
