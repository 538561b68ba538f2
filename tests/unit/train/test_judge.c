/* SPDX-License-Identifier: Apache-2.0 */
/* What heads say: verdicts and their reasons, contributions, names. */
#include "train_tests.h"

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
    e.caption_empty = true; /* it is no wonder that such a picture has no caption */
    assert_int_equal(judge(head, &e, NULL).reason, ITEM_REASON_OUT_OF_SCOPE);
    itemi_head_free(head);

    facts.layout.term[0].scope = ITEMI_SCOPE_LOCAL;
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
    const itemi_vectors vectors = {WIDTH, image, text, 2, crops, phrases, 0, NULL};
    const itemi_vectors empty = {WIDTH, image, text, 0, NULL, NULL, 0, NULL};
    double whole, each[2];
    assert_int_equal(itemi_head_contributions(head, &vectors, &whole, each, NULL), ITEM_OK);
    /* the weights are 4 for the cosine and 1 for the mean cosine, the temperature is 2 */
    double first = itemi_dot(crops, phrases, WIDTH);
    double second = itemi_dot(crops + WIDTH, phrases + WIDTH, WIDTH);
    assert_near(whole, 4 * itemi_dot(image, text, WIDTH) / 2, 1e-5);
    assert_near(each[0], ((first + second) / 2 - second) / 2, 1e-5);
    assert_near(each[1], ((first + second) / 2 - first) / 2, 1e-5);
    assert_int_equal(itemi_head_contributions(head, &empty, &whole, NULL, NULL), ITEM_OK);
    itemi_head_free(head);

    itemi_head_facts global = facts;
    global.layout.term[0].scope = ITEMI_SCOPE_GLOBAL;
    head = test_head(NULL, &global);
    assert_int_equal(itemi_head_contributions(head, &vectors, &whole, each, NULL), ITEM_OK);
    assert_true(isfinite(whole) && isnan(each[0]) && isnan(each[1]));
    itemi_head_free(head);
}

static void names_of_codes(void **state)
{
    (void)state;
    assert_string_equal(itemi_reason_code(ITEM_REASON_CAPTION_UNRELIABLE), "caption_unreliable");
    assert_string_equal(itemi_reason_code(99), "none");
    assert_string_equal(itemi_reason_code(-1), "none");
    for (int32_t r = 0; r <= ITEMI_REASON_LAST; r++)
        assert_int_equal(itemi_reason_line(r)[strlen(itemi_reason_line(r)) - 1], '.');
    assert_string_equal(itemi_verdict_name(ITEM_VERDICT_AI), "ai");
    assert_string_equal(itemi_verdict_name(4), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_make_verdicts),
        cmocka_unit_test(thresholds_say_what_they_promise),
        cmocka_unit_test(obstacles_make_unsure),
        cmocka_unit_test(prior_moves_the_probability_alone),
        cmocka_unit_test(contributions_are_what_is_missing),
        cmocka_unit_test(names_of_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
