/* SPDX-License-Identifier: Apache-2.0 */
/* Heads: written, read, refused; verdicts and their reasons; contributions. */
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
        {"real_share", "1.5", ITEM_E_FORMAT, "real_share"},
        {"working_filter", "\"cubic\"", ITEM_E_FORMAT, "working_filter"},
        {"size_max", "50", ITEM_E_FORMAT, "size_max"},
        {"size_min", "-1", ITEM_E_FORMAT, "size_min"},
        {"scope_limit", "-2", ITEM_E_FORMAT, "scope_limit"},
        {"callers_captions", "1", ITEM_E_FORMAT, "callers_captions"},
        {"trained_on", NULL, ITEM_E_FORMAT, "trained_on"},
        {"pipeline", NULL, ITEM_E_FORMAT, "pipeline"},
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
    itemi_tensor good[4] = {
        {"mean", ITEMI_F32, 1, {7}, numbers, 28},
        {"scale", ITEMI_F32, 1, {7}, numbers, 28},
        {"layers.0.bias", ITEMI_F32, 1, {1}, numbers, 4},
        {"layers.0.weight", ITEMI_F32, 2, {1, 7}, numbers, 28},
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
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        itemi_tensor tensors[4];
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

/* ---- verdicts ---- */

typedef struct verdict_case {
    float cosine; /* score = (4 x cosine + 0.5) / 2 */
    const char *threshold;
    int32_t verdict, reason;
} verdict_case;

static itemi_judgement judge(const itemi_head *head, const itemi_evidence *evidence,
                             const char *threshold)
{
    itemi_threshold t;
    itemi_judgement j;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_head_threshold(head, threshold, &t, &err), ITEM_OK);
    if (itemi_head_judge(head, evidence, &t, &j, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    return j;
}

static void thresholds_make_verdicts(void **state)
{
    (void)state;
    const itemi_head_facts facts = test_facts(); /* fpr1 1.5, fpr5 0.75, real below -1 */
    itemi_head *head = test_head(NULL, &facts);
    const verdict_case cases[] = {
        {0.625f, NULL, ITEM_VERDICT_AI, ITEM_REASON_ABOVE_THRESHOLD}, /* score 1.5 exactly */
        {0.62f, NULL, ITEM_VERDICT_UNSURE, ITEM_REASON_WEAK_EVIDENCE},
        {0.62f, "fpr5", ITEM_VERDICT_AI, ITEM_REASON_ABOVE_THRESHOLD},
        {-0.625f, NULL, ITEM_VERDICT_UNSURE, ITEM_REASON_WEAK_EVIDENCE}, /* -1 exactly */
        {-0.63f, NULL, ITEM_VERDICT_REAL, ITEM_REASON_BELOW_THRESHOLD},
        {0, "0.5", ITEM_VERDICT_AI, ITEM_REASON_ABOVE_THRESHOLD},
        {0, "0.6", ITEM_VERDICT_UNSURE, ITEM_REASON_WEAK_EVIDENCE},
        /* a threshold below the point for real: nothing is called real any more */
        {-0.9f, "0.2", ITEM_VERDICT_UNSURE, ITEM_REASON_WEAK_EVIDENCE},
        {-0.63f, "0.2", ITEM_VERDICT_AI, ITEM_REASON_ABOVE_THRESHOLD},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        const float features[7] = {cases[i].cosine, 0, 0, 0, 0, 0, 0};
        itemi_evidence evidence;
        itemi_evidence_init(&evidence, features, 7);
        itemi_judgement j = judge(head, &evidence, cases[i].threshold);
        assert_near(j.score, (4 * (double)cases[i].cosine + 0.5) / 2, 1e-6);
        assert_near(j.probability, itemi_sigmoid(j.score), 1e-12);
        if (j.verdict != cases[i].verdict || j.reason != cases[i].reason)
            fail_msg("case %zu: %s, %s", i, itemi_verdict_name(j.verdict),
                     itemi_reason_code(j.reason));
    }
    itemi_head_free(head);
}

static void thresholds_say_what_they_promise(void **state)
{
    (void)state;
    const itemi_head_facts facts = test_facts();
    itemi_head *head = test_head(NULL, &facts);
    itemi_threshold t;
    assert_int_equal(itemi_head_threshold(head, NULL, &t, NULL), ITEM_OK);
    assert_string_equal(t.name, "fpr1");
    assert_near(t.promised, 0.01, 0);
    assert_int_equal(itemi_head_threshold(head, "0.9", &t, NULL), ITEM_OK);
    assert_string_equal(t.name, "0.9");
    assert_true(isnan(t.promised));
    assert_near(t.score, log(9), 1e-12);
    const char *const bad[] = {"", "fpr2", "FPR1", "1", "0", "1.5", "-0.5", "nan", "0,5", "0.5x"};
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++) {
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(itemi_head_threshold(head, bad[i], &t, &err), ITEM_E_ARGUMENT);
        assert_message(err, "fpr1, fpr5 or a probability");
    }
    itemi_head_free(head);
}

static void obstacles_make_unsure(void **state)
{
    (void)state;
    itemi_head_facts facts = test_facts();
    itemi_head *head = test_head(NULL, &facts);
    const float high[7] = {0.9f, 1, 1, 0.9f, 0.9f, 0.9f, 0}, far[7] = {0.9f, 40, 0, 0, 0, 0, 0};
    itemi_evidence e;
    itemi_evidence_init(&e, high, 7);
    assert_int_equal(judge(head, &e, NULL).verdict, ITEM_VERDICT_AI);

    e.short_side = 99;
    assert_int_equal(judge(head, &e, NULL).reason, ITEM_REASON_SIZE);
    e.pipeline = "captioner a, detector c"; /* these features mean something else: told first */
    assert_int_equal(judge(head, &e, NULL).reason, ITEM_REASON_SETTINGS);
    e.pipeline = facts.pipeline;
    assert_int_equal(judge(head, &e, NULL).reason, ITEM_REASON_SIZE);
    e.short_side = 5001;
    e.caption_empty = true; /* the size comes first */
    assert_int_equal(judge(head, &e, NULL).reason, ITEM_REASON_SIZE);
    e.short_side = 100;
    assert_int_equal(judge(head, &e, NULL).reason, ITEM_REASON_CAPTION_UNRELIABLE);
    e.caption_empty = false;
    e.caption_looping = true;
    assert_int_equal(judge(head, &e, NULL).reason, ITEM_REASON_CAPTION_UNRELIABLE);
    e.caption_looping = false;
    e.caption_logprob = -3.1;
    itemi_judgement j = judge(head, &e, NULL);
    assert_int_equal(j.reason, ITEM_REASON_CAPTION_UNRELIABLE);
    assert_int_equal(j.verdict, ITEM_VERDICT_UNSURE);
    assert_true(j.probability > 0.8); /* still told */
    e.caption_logprob = -3;
    assert_int_equal(judge(head, &e, NULL).verdict, ITEM_VERDICT_AI);
    e.features = far;
    assert_int_equal(judge(head, &e, NULL).reason, ITEM_REASON_OUT_OF_SCOPE);
    itemi_head_free(head);

    facts.layout.scope = ITEMI_SCOPE_LOCAL;
    head = test_head(NULL, &facts);
    assert_non_null(head);
    const float nothing[6] = {0}, something[6] = {1, 1, 0.5f, 0.5f, 0.5f, 0};
    itemi_evidence_init(&e, nothing, 6);
    assert_int_equal(judge(head, &e, NULL).reason, ITEM_REASON_NO_OBJECTS);
    e.features = something;
    assert_int_equal(judge(head, &e, NULL).verdict, ITEM_VERDICT_AI);
    itemi_head_free(head);
}

static void prior_moves_the_probability_alone(void **state)
{
    (void)state;
    const itemi_head_facts facts = test_facts();
    itemi_head *head = test_head(NULL, &facts);
    const float features[7] = {0.7f, 0, 0, 0, 0, 0, 0};
    itemi_evidence e;
    itemi_evidence_init(&e, features, 7);
    itemi_judgement plain = judge(head, &e, NULL);
    e.prior = 0.001;
    itemi_judgement rare = judge(head, &e, NULL);
    assert_int_equal(plain.verdict, ITEM_VERDICT_AI);
    assert_int_equal(rare.verdict, ITEM_VERDICT_AI);
    assert_near(rare.score, plain.score, 0);
    double odds = plain.probability / (1 - plain.probability) * 0.001 / 0.999;
    assert_near(rare.probability, odds / (1 + odds), 1e-12);

    itemi_threshold t;
    itemi_judgement j;
    assert_int_equal(itemi_head_threshold(head, NULL, &t, NULL), ITEM_OK);
    const double bad[] = {0, 1, -1, INFINITY};
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++) {
        e.prior = bad[i];
        assert_int_equal(itemi_head_judge(head, &e, &t, &j, NULL), ITEM_E_ARGUMENT);
    }
    e.prior = NAN;
    e.callers_caption = true;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_head_judge(head, &e, &t, &j, &err), ITEM_E_MISMATCH);
    assert_message(err, "caption");
    itemi_head_free(head);
}

static void contributions_are_what_is_missing(void **state)
{
    (void)state;
    const itemi_head_facts facts = test_facts();
    itemi_head *head = test_head(NULL, &facts);
    itemi_rng rng = {3, 3, 0};
    float image[WIDTH], text[WIDTH], crops[2 * WIDTH], phrases[2 * WIDTH];
    test_unit(&rng, NULL, 0, image);
    test_unit(&rng, image, 2, text);
    for (size_t i = 0; i < 2; i++) {
        test_unit(&rng, NULL, 0, crops + i * WIDTH);
        test_unit(&rng, crops + i * WIDTH, i ? 3 : -3, phrases + i * WIDTH);
    }
    double whole, each[2];
    assert_int_equal(
        itemi_head_contributions(head, image, text, 2, crops, phrases, &whole, each, NULL),
        ITEM_OK);
    /* the weights are 4 for the cosine and 1 for the mean cosine, the temperature is 2 */
    double first = itemi_dot(crops, phrases, WIDTH);
    double second = itemi_dot(crops + WIDTH, phrases + WIDTH, WIDTH);
    assert_near(whole, 4 * itemi_dot(image, text, WIDTH) / 2, 1e-5);
    assert_near(each[0], ((first + second) / 2 - second) / 2, 1e-5);
    assert_near(each[1], ((first + second) / 2 - first) / 2, 1e-5);
    assert_int_equal(itemi_head_contributions(head, image, text, 0, NULL, NULL, &whole, NULL, NULL),
                     ITEM_OK);
    itemi_head_free(head);

    itemi_head_facts global = facts;
    global.layout.scope = ITEMI_SCOPE_GLOBAL;
    head = test_head(NULL, &global);
    assert_int_equal(
        itemi_head_contributions(head, image, text, 2, crops, phrases, &whole, each, NULL),
        ITEM_OK);
    assert_true(isfinite(whole) && isnan(each[0]) && isnan(each[1]));
    itemi_head_free(head);
}

static void every_allocation_may_fail(void **state)
{
    const itemi_head_facts facts = test_facts();
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

static void names_of_codes(void **state)
{
    (void)state;
    assert_string_equal(itemi_reason_code(ITEM_REASON_CAPTION_UNRELIABLE), "caption_unreliable");
    assert_string_equal(itemi_reason_code(99), "none");
    assert_string_equal(itemi_reason_code(-1), "none");
    for (int32_t r = 0; r <= ITEM_REASON_SETTINGS; r++)
        assert_int_equal(itemi_reason_line(r)[strlen(itemi_reason_line(r)) - 1], '.');
    assert_string_equal(itemi_verdict_name(ITEM_VERDICT_AI), "ai");
    assert_string_equal(itemi_verdict_name(4), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(rules_that_do_not_exist_stay_so),
        cmocka_unit_test(refuses_facts_that_are_wrong),
        cmocka_unit_test(refuses_weights_that_are_no_numbers),
        cmocka_unit_test(refuses_tensors_that_do_not_fit),
        cmocka_unit_test(refuses_another_embedder),
        cmocka_unit_test(thresholds_make_verdicts),
        cmocka_unit_test(thresholds_say_what_they_promise),
        cmocka_unit_test(obstacles_make_unsure),
        cmocka_unit_test(prior_moves_the_probability_alone),
        cmocka_unit_test(contributions_are_what_is_missing),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(names_of_codes),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
