/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation: figures within sources, generators, rivals, controls, what does not fit. */
#include "train_tests.h"

static const test_world world = {
    .seed = 1, .each = 40, .sources = 3, .strength = 2, .paired = true};

static const uint8_t trained_picture[ITEM_PICTURE_HASH] = {1, 50};

/* The score falls as picture and caption agree more: AI pictures agree less in this world. */
static void write_trained(const char *path, const char *embedder, float weight, const char *source)
{
    itemi_head_facts facts = test_facts();
    facts.trained_sources = json_pack("[s]", source);
    facts.trained_pictures = trained_picture;
    facts.trained_count = 1;
    itemi_head *head = NULL;
    itemi_mlp mlp = {.layers = 1, .width = {7, 1}};
    snprintf(facts.embedder, sizeof facts.embedder, "%s", embedder);
    facts.scope_limit = NAN;
    assert_true(itemi_mlp_reserve(NULL, &mlp));
    mlp.scale[0] = 1;
    mlp.weight[0][0] = weight;
    mlp.bias[0][0] = 3;
    assert_int_equal(itemi_head_make(NULL, &facts, &mlp, &head, NULL), ITEM_OK);
    assert_int_equal(itemi_head_write(head, path, NULL), ITEM_OK);
    itemi_head_free(head);
    itemi_mlp_free(&mlp);
    json_decref(facts.trained_sources);
}

static void write_head(const char *path, const char *embedder, float weight)
{
    write_trained(path, embedder, weight, "elsewhere");
}

static json_t *evaluate(const item_dataset *data, const char *head,
                        const item_eval_options *options, item_report **out)
{
    item_error err = ITEM_ERROR_INIT;
    item_report *report = NULL;
    if (item_evaluate(data, head, NULL, options, &report, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    json_t *root = json_loads(item_report_json(report), 0, NULL);
    assert_non_null(root);
    if (out)
        *out = report;
    else
        item_report_free(report);
    return root;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Long: one evaluation is dear, so all of its figures are looked at together. */
static void figures_are_those_of_each_source(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    item_dataset *data = test_pictures(&world);
    write_head(path, "dummy 1", -4);
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 100;
    item_report *report;
    json_t *root = evaluate(data, path, &options, &report);
    json_t *sources = json_object_get(root, "sources");
    assert_int_equal(json_array_size(sources), 3);
    double mean = 0;
    for (size_t s = 0; s < 3; s++) {
        const json_t *row = json_array_get(sources, s);
        double score[80];
        uint8_t label[80];
        size_t n = 0, called = 0;
        for (uint64_t i = 0; i < 240; i++) {
            item_row r = ITEM_ROW_INIT;
            assert_int_equal(item_dataset_get(data, i, &r, NULL), ITEM_OK);
            if (strcmp(r.source, json_string_value(json_object_get(row, "source"))) != 0)
                continue;
            double logit = -4 * (double)itemi_dot(r.image, r.text, WIDTH) + 3;
            score[n] = (logit + 0.5) / 2;
            label[n] = (uint8_t)r.label;
            called += !r.label && score[n] >= 1.5;
            n++;
        }
        assert_int_equal(n, 80);
        itemi_ranking ranking;
        assert_int_equal(itemi_rank(NULL, score, label, n, &ranking, NULL), ITEM_OK);
        assert_near(number(row, "auc"), itemi_auc(&ranking, NULL), 1e-4);
        assert_near(number(row, "ap"), itemi_average_precision(&ranking, NULL), 1e-3);
        assert_near(number(row, "false_positive_rate"), (double)called / 40, 1e-6);
        const json_t *interval = json_object_get(row, "auc_interval");
        double low = json_number_value(json_array_get(interval, 0));
        double high = json_number_value(json_array_get(interval, 1));
        assert_true(low < number(row, "auc") && number(row, "auc") < high);
        itemi_interval exact = itemi_binomial(called, 40, 0.95);
        interval = json_object_get(row, "false_positive_rate_interval");
        assert_near(json_number_value(json_array_get(interval, 1)), exact.high, 1e-6);
        itemi_ranking_free(&ranking);
        mean += number(row, "auc") / 3;
    }
    assert_near(item_report_number(report, "headline.auc"), mean, 1e-5);
    assert_near(item_report_number(report, "data.rows"), 240, 0);
    assert_near(item_report_number(report, "verdicts.promised"), 0.01, 0);
    assert_int_equal(json_array_size(json_object_get(root, "generators")), 3);
    assert_near(item_report_number(report, "verdicts.reasons.above_threshold") +
                    item_report_number(report, "verdicts.reasons.below_threshold") +
                    item_report_number(report, "verdicts.reasons.weak_evidence"),
                240, 0);
    assert_true(json_is_array(json_object_get(root, "warnings")));
    assert_int_equal(json_array_size(json_object_get(root, "warnings")), 0);
    assert_non_null(strstr(item_report_markdown(report),
                           "# Evaluation\n\n240 pictures: 120 AI, 120 photographs; 0 left out.\n"));
    assert_non_null(strstr(item_report_markdown(report), "| source 2 | 40 | 40 |"));
    assert_null(strstr(item_report_markdown(report), "nan"));
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_report_write_head(report, path, &err), ITEM_E_ARGUMENT);
    item_report_free(report);
    json_decref(root);
    item_dataset_free(data);
}

static void shuffled_captions_tell_nothing(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    item_dataset *data = test_pictures(&world);
    write_head(path, "dummy 1", -4);
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 100;
    const test_world other = {.seed = 9, .each = 30, .sources = 3, .strength = 2, .paired = true};
    item_dataset *known = test_pictures(&other);
    options.controls = known;
    json_t *root = evaluate(data, path, &options, NULL);
    json_t *controls = json_object_get(root, "controls");
    assert_int_equal(json_array_size(controls), 11); /* 1 shuffled, 5 plain, 5 trained */
    assert_true(number(json_object_get(root, "headline"), "auc") > 0.8);
    assert_near(number(json_array_get(controls, 0), "auc"), 0.5, 0.12);
    /* agreement itself, as a score: AI pictures have less of it */
    assert_true(number(json_array_get(controls, 1), "auc") < 0.2);
    json_decref(root);
    item_dataset_free(known);
    item_dataset_free(data);
}

static void rivals_are_compared_on_the_same_pictures(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    const char *rival = test_path(*state, "rival.safetensors");
    item_dataset *data = test_pictures(&world);
    write_head(path, "dummy 1", -4);
    write_head(rival, "dummy 1", 4);
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 200;
    options.rival = rival;
    item_report *report;
    json_t *root = evaluate(data, path, &options, &report);
    double head = item_report_number(report, "headline.auc");
    assert_near(item_report_number(report, "comparison.rival_figures.auc"), 1 - head, 1e-4);
    assert_near(item_report_number(report, "comparison.difference.auc"), 2 * head - 1, 1e-4);
    const json_t *interval = json_object_get(
        json_object_get(json_object_get(root, "comparison"), "difference"), "auc_interval");
    assert_true(json_number_value(json_array_get(interval, 0)) > 0); /* certainly better */
    json_decref(root);
    item_report_free(report);

    options.rival = path; /* against itself nothing differs, in any draw */
    root = evaluate(data, path, &options, NULL);
    interval = json_object_get(json_object_get(json_object_get(root, "comparison"), "difference"),
                               "auc_interval");
    assert_near(json_number_value(json_array_get(interval, 0)), 0, 0);
    assert_near(json_number_value(json_array_get(interval, 1)), 0, 0);
    json_decref(root);
    item_dataset_free(data);
}

/* Is a line of the report's warnings this one? */
static bool warns(const json_t *root, const char *line)
{
    size_t i;
    const json_t *warning;
    json_array_foreach(json_object_get(root, "warnings"), i, warning)
    {
        if (strcmp(json_string_value(warning), line) == 0)
            return true;
    }
    return false;
}

static void many_rivals_are_compared_by_source_too(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    const char *opposite = test_path(*state, "opposite.safetensors");
    const char *rivals[] = {path, opposite, NULL};
    item_dataset *data = test_pictures(&world);
    write_head(path, "dummy 1", -4);
    write_head(opposite, "dummy 1", 4);
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 100;
    options.rivals = rivals;
    options.rival_count = 2;
    item_report *report;
    json_t *root = evaluate(data, path, &options, &report);
    const json_t *all = json_object_get(root, "comparisons");
    assert_int_equal(json_array_size(all), 2);
    assert_true(json_equal(json_array_get(all, 0), json_object_get(root, "comparison")));
    const json_t *second = json_array_get(all, 1);
    assert_string_equal(json_string_value(json_object_get(second, "rival")), opposite);
    assert_int_equal(json_array_size(json_object_get(second, "difference_by_source")), 3);
    for (size_t s = 0; s < 3; s++) {
        double auc = number(json_array_get(json_object_get(root, "sources"), s), "auc");
        const json_t *rival = json_array_get(json_object_get(second, "rival_by_source"), s);
        const json_t *away = json_array_get(json_object_get(second, "difference_by_source"), s);
        assert_near(number(rival, "auc"), 1 - auc, 1e-5);
        assert_near(number(away, "auc"), 2 * auc - 1, 1e-5);
        assert_true(json_number_value(json_array_get(json_object_get(away, "auc_interval"), 0)) >
                    0);
    }
    assert_non_null(strstr(item_report_markdown(report), "| source 1 | 0."));
    item_report_free(report);
    json_decref(root);

    item_error err = ITEM_ERROR_INIT;
    options.rival_count = 3; /* the third is NULL */
    assert_int_equal(item_evaluate(data, path, NULL, &options, &report, &err), ITEM_E_ARGUMENT);
    assert_message(err, "rival 2 is NULL");
    options.rival_count = 65;
    assert_int_equal(item_evaluate(data, path, NULL, &options, &report, NULL), ITEM_E_ARGUMENT);
    item_dataset_free(data);
}

/* What every evaluation of a data set with the sources 0, 1, 2 says of them. */
static double auc_of(const json_t *root, size_t source)
{
    return number(json_array_get(json_object_get(root, "sources"), source), "auc");
}

static void known_sources_are_refused_or_kept_apart(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    const char *knows = test_path(*state, "knows.safetensors");
    item_dataset *data = test_pictures(&world);
    write_head(path, "dummy 1", -4);
    write_trained(knows, "dummy 1", -4, "source 1");
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 50;
    item_report *report = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_evaluate(data, knows, NULL, &options, &report, &err), ITEM_E_MISMATCH);
    assert_message(err, "same sources: `source 1`;");
    options.rival = knows; /* a rival's memory counts as much */
    assert_int_equal(item_evaluate(data, path, NULL, &options, &report, NULL), ITEM_E_MISMATCH);
    assert_null(report);

    options.known_sources = ITEM_KNOWN_KEEP;
    json_t *root = evaluate(data, path, &options, &report);
    assert_near(item_report_number(report, "headline.sources"), 2, 0);
    assert_near(item_report_number(report, "data.known_rows"), 80, 0);
    assert_near(item_report_number(report, "headline.auc"), (auc_of(root, 0) + auc_of(root, 2)) / 2,
                1e-5);
    assert_near(item_report_number(report, "comparison.difference.auc"), 0, 0);
    assert_non_null(strstr(item_report_markdown(report), "| source 1 (known) | 40 | 40 |"));
    assert_non_null(strstr(item_report_markdown(report), "| generator 1 (known) | 40 |"));
    const json_t *v = json_object_get(root, "verdicts");
    assert_near(number(json_object_get(v, "photographs_called"), "real") +
                    number(json_object_get(v, "photographs_called"), "unsure") +
                    number(json_object_get(v, "photographs_called"), "ai"),
                80, 0);
    double mean = item_report_number(report, "headline.auc");
    double wrong = item_report_number(report, "verdicts.wrong");
    json_decref(root);
    item_report_free(report);

    options.known_sources = ITEM_KNOWN_DROP;
    root = evaluate(data, path, &options, &report);
    assert_near(item_report_number(report, "data.rows"), 160, 0);
    assert_int_equal(json_array_size(json_object_get(root, "sources")), 2);
    assert_near(item_report_number(report, "headline.auc"), mean, 0);
    assert_near(item_report_number(report, "verdicts.wrong"), wrong, 0);
    assert_true(warns(root, "Left out, as a head was trained on these sources: `source 1` (80"
                            " pictures)."));
    json_decref(root);
    item_report_free(report);
    item_dataset_free(data);

    const test_world one = {
        .seed = 1, .each = 4, .sources = 1, .strength = 2, .paired = true, .first = 1};
    data = test_pictures(&one);
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_evaluate(data, path, NULL, &options, &report, &err), ITEM_E_MISMATCH);
    assert_message(err, "every source of the data set");
    options.known_sources = 3;
    assert_int_equal(item_evaluate(data, path, NULL, &options, &report, NULL), ITEM_E_ARGUMENT);
    item_dataset_free(data);
}

static void known_pictures_are_always_refused(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    const test_world met = {
        .seed = 1, .each = 4, .sources = 1, .strength = 2, .paired = true, .first = 50};
    item_dataset *data = test_pictures(&met), *same = test_pictures(&met);
    item_row row = ITEM_ROW_INIT;
    assert_int_equal(item_dataset_get(same, 3, &row, NULL), ITEM_OK);
    row.picture = trained_picture;
    row.name = "met before.jpg";
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    item_dataset_free(same);
    write_head(path, "dummy 1", -4);
    for (uint32_t policy = ITEM_KNOWN_REFUSE; policy <= ITEM_KNOWN_DROP; policy++) {
        item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
        item_report *report = NULL;
        item_error err = ITEM_ERROR_INIT;
        options.known_sources = policy;
        assert_int_equal(item_evaluate(data, path, NULL, &options, &report, &err), ITEM_E_MISMATCH);
        assert_message(err, "was trained on 1 of these pictures, the first is met before.jpg");
        assert_null(report);
    }
    item_dataset_free(data);
}

/* Heads of 0.1 and data sets of format 1 remember too little for a refusal: the report says so. */
static void what_cannot_be_known_is_said(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    item_dataset *data = test_pictures(&world), *same = test_pictures(&world);
    item_row row = ITEM_ROW_INIT;
    itemi_head_facts facts = test_facts();
    itemi_head *head = test_head(NULL, &facts);
    assert_int_equal(itemi_head_write(head, path, NULL), ITEM_OK);
    itemi_head_free(head);
    assert_int_equal(item_dataset_get(same, 0, &row, NULL), ITEM_OK);
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    row.source = NULL;
    row.picture = NULL;
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    item_dataset_free(same);
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 10;
    json_t *root = evaluate(data, path, &options, NULL);
    assert_int_equal(json_array_size(json_object_get(root, "warnings")), 5);
    assert_true(warns(root, "In 4 of 4 sources more photographs are called `ai` than promised, and"
                            " chance does not explain it."));
    assert_true(warns(root, "The head does not say what it was trained on: whether it knows these"
                            " pictures or their sources is not known."));
    assert_true(warns(root, "1 of 242 pictures name no source: whether a head was trained on it is"
                            " not known."));
    assert_true(warns(root, "1 of 242 pictures have no hash: whether a head was trained on them is"
                            " not known."));
    assert_true(warns(root, "1 of 242 pictures repeat others, and are counted again."));
    json_decref(root);
    item_dataset_free(data);
}

static void same_seed_same_report(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    item_dataset *data = test_pictures(&world);
    write_head(path, "dummy 1", -4);
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 50;
    item_report *a, *b;
    json_decref(evaluate(data, path, &options, &a));
    json_decref(evaluate(data, path, &options, &b));
    assert_string_equal(item_report_json(a), item_report_json(b));
    assert_string_equal(item_report_markdown(a), item_report_markdown(b));
    item_report_free(a);
    item_report_free(b);
    item_dataset_free(data);
}

static void odd_names_do_no_harm(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    item_dataset *data = test_pictures(&world);
    const float v[WIDTH] = {1};
    item_row row = ITEM_ROW_INIT;
    row.image = row.text = v;
    row.source = "bad \xff | <b>name\n";
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    row.source = "\\<b>`<i>![p](//h/p)"; /* its backslash must not undo another, nor be a link */
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    write_trained(path, "dummy 1", -4, row.source);
    row.source = NULL;
    row.label = 1;
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 10;
    options.known_sources = ITEM_KNOWN_KEEP; /* with a warning that names it */
    item_report *report;
    json_t *root = evaluate(data, path, &options, &report);
    assert_int_equal(json_array_size(json_object_get(root, "sources")), 6);
    assert_non_null(
        strstr(item_report_markdown(report), "| bad \xef\xbf\xbd   \\<b>name  | 1 | 0 |"));
    assert_non_null(strstr(item_report_markdown(report), "| (not named) | 0 | 1 | - |"));
    assert_non_null(
        strstr(item_report_markdown(report), "| \\\\\\<b>`\\<i>!\\[p](//h/p) (known) |"));
    for (const char *at = item_report_markdown(report); (at = strpbrk(at, "<[")); at++)
        assert_int_equal(at[-1], '\\');
    json_decref(root);
    item_report_free(report);
    item_dataset_free(data);
}

/* Sentences about one source, one photograph, and nothing that was decided. */
static void few_things_are_told_as_few(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    const test_world one = {.seed = 1, .each = 1, .sources = 1, .strength = 2, .paired = true};
    item_dataset *data = test_pictures(&one);
    itemi_head_facts facts = test_facts();
    facts.size_min = 4000; /* every picture is smaller, so all are unsure */
    itemi_head *head = test_head(NULL, &facts);
    assert_int_equal(itemi_head_write(head, path, NULL), ITEM_OK);
    itemi_head_free(head);
    item_report *report;
    json_decref(evaluate(data, path, NULL, &report));
    const char *text = item_report_markdown(report);
    assert_non_null(strstr(text, "2 pictures: 1 AI, 1 photograph; 0 left out."));
    assert_non_null(strstr(text, "Of the one source that has both labels:"));
    assert_non_null(strstr(text, "All pictures of these sources are `unsure`."));
    assert_null(strstr(text, " - are right"));
    item_report_free(report);
    item_dataset_free(data);
}

static void refuses_what_does_not_fit(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    item_dataset *data = test_pictures(&world);
    item_report *report = NULL;
    item_error err = ITEM_ERROR_INIT;
    write_head(path, "clip", -4);
    assert_int_equal(item_evaluate(data, path, NULL, NULL, &report, &err), ITEM_E_MISMATCH);
    assert_message(err, "`clip`, this one is `dummy 1`");
    assert_null(report);
    item_dataset_free(data);

    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    info.width = WIDTH;
    info.working_size = 160;
    info.embedder = "clip";
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_OK);
    const float v[WIDTH] = {1};
    item_row row = ITEM_ROW_INIT;
    row.image = row.text = v;
    assert_int_equal(item_evaluate(data, path, NULL, NULL, &report, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_evaluate(data, path, NULL, NULL, &report, &err), ITEM_E_MISMATCH);
    assert_message(err, "224 pixels (bicubic), the data set holds 160 (lanczos)");
    assert_int_equal(item_evaluate(data, NULL, NULL, NULL, &report, NULL), ITEM_E_ARGUMENT);

    item_eval_options bad[5] = {ITEM_EVAL_OPTIONS_INIT, ITEM_EVAL_OPTIONS_INIT,
                                ITEM_EVAL_OPTIONS_INIT, ITEM_EVAL_OPTIONS_INIT,
                                ITEM_EVAL_OPTIONS_INIT};
    bad[0].draws = 0;
    bad[1].bins = 0;
    bad[2].level = 1;
    bad[3].threshold = "fpr9";
    bad[4].reserved = 1;
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++)
        assert_int_equal(item_evaluate(data, path, NULL, &bad[i], &report, NULL), ITEM_E_ARGUMENT);
    item_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_each_source),
        cmocka_unit_test(shuffled_captions_tell_nothing),
        cmocka_unit_test(rivals_are_compared_on_the_same_pictures),
        cmocka_unit_test(many_rivals_are_compared_by_source_too),
        cmocka_unit_test(known_sources_are_refused_or_kept_apart),
        cmocka_unit_test(known_pictures_are_always_refused),
        cmocka_unit_test(what_cannot_be_known_is_said),
        cmocka_unit_test(same_seed_same_report),
        cmocka_unit_test(odd_names_do_no_harm),
        cmocka_unit_test(few_things_are_told_as_few),
        cmocka_unit_test(refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
