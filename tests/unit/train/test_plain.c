/* SPDX-License-Identifier: Apache-2.0 */
/* The rule on plain statistics: learnt, kept in the head's file, asked. */
#include "train_tests.h"

#define EACH 120

/* Photographs whose statistics are normal around what their source is like. */
static void set_plain(itemi_rng *rng, size_t source, float out[ITEM_PLAIN_NUMBERS])
{
    for (size_t i = 0; i < ITEM_PLAIN_NUMBERS; i++)
        out[i] = (float)(test_normal(rng) + (i == source ? 0.5 : 0));
}

/* A world of three sources; with statistics or without. */
static item_dataset *pictures(bool with)
{
    const test_world world = {.seed = 5, .each = EACH, .sources = 3, .strength = 2, .paired = true};
    item_dataset *from = test_pictures(&world), *data = test_dataset();
    itemi_rng rng = {5, 1, 0};
    for (size_t i = 0; i < 6 * EACH; i++) {
        float plain[ITEM_PLAIN_NUMBERS];
        item_row row = ITEM_ROW_INIT;
        assert_int_equal(item_dataset_get(from, i, &row, NULL), ITEM_OK);
        assert_null(row.plain);
        set_plain(&rng, i / (2 * EACH), plain);
        row.plain = with ? plain : NULL;
        assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    }
    item_dataset_free(from);
    return data;
}

static itemi_head *train(void **state, const item_dataset *data, double scope_quantile)
{
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    item_report *report = NULL;
    itemi_head *head = NULL;
    const char *path = test_path(*state, "plain.safetensors");
    options.layout = "cosine/global/1";
    options.epochs = 2;
    options.draws = 10;
    options.controls = 0;
    options.scope_quantile = scope_quantile;
    assert_int_equal(item_train(data, &options, &report, NULL), ITEM_OK);
    assert_int_equal(item_report_write_head(report, path, NULL), ITEM_OK);
    assert_int_equal(itemi_head_open(NULL, path, &head, NULL), ITEM_OK);
    item_report_free(report);
    return head;
}

static int32_t reason(const itemi_head *head, const float *plain)
{
    const float feature = 0.5f;
    itemi_evidence e;
    itemi_judgement j = {0};
    const itemi_threshold threshold = {"0.5", 0, NAN};
    itemi_evidence_init(&e, &feature, 1);
    e.plain = plain;
    assert_int_equal(itemi_head_judge(head, &e, &threshold, &j, NULL), ITEM_OK);
    return j.reason;
}

static void is_learnt_and_asked(void **state)
{
    item_dataset *data = pictures(true);
    itemi_head *head = train(state, data, 0.999);
    const itemi_head_facts *f = itemi_head_get_facts(head);
    assert_near(f->plain_quantile, 0.99, 0);
    /* of seven normal numbers 99 % lie within 1.62; sources differ a little */
    assert_true(f->plain_limit > 1.4 && f->plain_limit < 2.2);

    itemi_rng rng = {6, 1, 0};
    size_t strange = 0;
    for (size_t i = 0; i < 1000; i++) {
        float plain[ITEM_PLAIN_NUMBERS];
        set_plain(&rng, i % 3, plain);
        strange += reason(head, plain) == ITEM_REASON_OUT_OF_SCOPE;
    }
    assert_true(strange < 30);
    float odd[ITEM_PLAIN_NUMBERS] = {0};
    odd[4] = 9;
    assert_int_equal(reason(head, odd), ITEM_REASON_OUT_OF_SCOPE);
    odd[4] = NAN; /* not known: the rule is silent */
    assert_int_not_equal(reason(head, odd), ITEM_REASON_OUT_OF_SCOPE);
    assert_int_not_equal(reason(head, NULL), ITEM_REASON_OUT_OF_SCOPE);
    itemi_head_free(head);
    item_dataset_free(data);
}

/* Where statistics are not known, or no such rule is wanted, there is none. */
static void need_not_be_there(void **state)
{
    item_dataset *data = pictures(false);
    itemi_head *head = train(state, data, 0.999);
    const float odd[ITEM_PLAIN_NUMBERS] = {9, 9, 9};
    assert_true(isnan(itemi_head_get_facts(head)->plain_limit));
    assert_int_not_equal(reason(head, odd), ITEM_REASON_OUT_OF_SCOPE);
    itemi_head_free(head);
    item_dataset_free(data);
    data = pictures(true);
    head = train(state, data, 0);
    assert_true(isnan(itemi_head_get_facts(head)->plain_limit));
    itemi_head_free(head);
    item_dataset_free(data);
}

/* The file of a data set keeps them, and what is not known stays so. */
static void are_kept_in_data_sets(void **state)
{
    const char *path = test_path(*state, "plain-data.safetensors");
    item_dataset *data = pictures(true), *again = NULL;
    item_row a = ITEM_ROW_INIT, b = ITEM_ROW_INIT;
    assert_int_equal(item_dataset_save(data, path, NULL), ITEM_OK);
    assert_int_equal(item_dataset_load(path, &again, NULL), ITEM_OK);
    assert_int_equal(item_dataset_get(data, 7, &a, NULL), ITEM_OK);
    assert_int_equal(item_dataset_get(again, 7, &b, NULL), ITEM_OK);
    assert_memory_equal(a.plain, b.plain, sizeof(float) * ITEM_PLAIN_NUMBERS);
    item_dataset_free(again);

    float endless[ITEM_PLAIN_NUMBERS] = {0, INFINITY};
    item_error err = ITEM_ERROR_INIT;
    a.plain = endless;
    assert_int_equal(item_dataset_add(data, &a, &err), ITEM_E_ARGUMENT);
    assert_message(err, "plain statistic");
    item_dataset_free(data);
}

/* A head that names the rule must have its numbers. */
static void must_be_whole(void **state)
{
    itemi_head_facts facts = test_facts();
    facts.plain_limit = 2;
    for (size_t i = 0; i < ITEMI_PLAIN_NUMBERS; i++)
        facts.plain.scale[i] = facts.plain.inverse[i * (ITEMI_PLAIN_NUMBERS + 1)] = 1;
    itemi_head *head = test_head(NULL, &facts), *again = NULL;
    const char *path = test_path(*state, "whole.safetensors");
    assert_int_equal(itemi_head_write(head, path, NULL), ITEM_OK);
    assert_int_equal(itemi_head_open(NULL, path, &again, NULL), ITEM_OK);
    assert_memory_equal(&itemi_head_get_facts(again)->plain, &facts.plain, sizeof facts.plain);
    itemi_head_free(again);
    itemi_head_free(head);

    itemi_file file;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_file_open(NULL, path, 0, false, &file, NULL), ITEM_OK);
    char *bytes = malloc(file.size);
    memcpy(bytes, file.data, file.size);
    size_t at = 0, name = strlen("plain.inverse");
    while (at + name < file.size && memcmp(bytes + at, "plain.inverse", name) != 0)
        at++;
    assert_true(at + name < file.size);
    bytes[at] = 'q';
    assert_int_equal(itemi_head_parse(NULL, bytes, file.size, "x", &again, &err), ITEM_E_FORMAT);
    assert_message(err, "`plain.inverse`");
    free(bytes);
    itemi_file_close(&file);

    facts.plain_limit = -1;
    assert_null(test_head(NULL, &facts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_learnt_and_asked),
        cmocka_unit_test(need_not_be_there),
        cmocka_unit_test(are_kept_in_data_sets),
        cmocka_unit_test(must_be_whole),
    };
    return cmocka_run_group_tests_name("plain", tests, test_dir_make, test_dir_remove);
}
