/* SPDX-License-Identifier: Apache-2.0 */
/* From pictures to a head and back, through the public functions alone. */
#include "support.h"

#include <item/train.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PICTURES 24 /* of each source and label */

static void make_folder(const char *name)
{
    char *path = temp_path(name);
    (void)mkdir(path, 0700);
    free(path);
}

/* ai/ and real/ with three sources each, small pictures; and a manifest of the same files. */
static int make_pictures(void **state)
{
    (void)state;
    char *path = temp_path("set/manifest.csv");
    make_folder("set");
    FILE *manifest = fopen(path, "w");
    free(path);
    fputs("path,label,generator,source,split,prompt\n", manifest);
    for (uint32_t label = 0; label < 2; label++) {
        char name[64];
        snprintf(name, sizeof name, "set/%s", label ? "ai" : "real");
        make_folder(name);
        for (uint32_t source = 0; source < 3; source++) {
            snprintf(name, sizeof name, "set/%s/s%u", label ? "ai" : "real", source);
            make_folder(name);
            for (uint32_t i = 0; i < PICTURES; i++) {
                snprintf(name, sizeof name, "set/%s/s%u/%u.png", label ? "ai" : "real", source, i);
                free(write_picture(name, 1000 * label + 100 * source + i, 40 + i, 36));
                fprintf(manifest, "%s,%s,%s,s%u,%s,\n", name + 4, label ? "ai" : "real",
                        label ? "maker" : "photo", source, source == 2 ? "dev" : "train");
            }
        }
    }
    return fclose(manifest);
}

static item_dataset *extract(item_ctx *ctx, const char *name, const char *split)
{
    item_error err = ITEM_ERROR_INIT;
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    item_dataset *data = NULL;
    char *path = temp_path(name);
    options.split = split;
    assert_ok(item_dataset_extract(ctx, path, &options, &data, &err), &err);
    free(path);
    return data;
}

static item_dataset_info info_of(const item_dataset *data)
{
    item_error err = ITEM_ERROR_INIT;
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    assert_ok(item_dataset_get_info(data, &info, &err), &err);
    return info;
}

static void folders_and_manifests_say_the_same(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_dataset *folder = extract(ctx, "set", NULL),
                 *listed = extract(ctx, "set/manifest.csv", NULL);
    item_dataset_info a = info_of(folder), b = info_of(listed);
    assert_int_equal(a.rows, 6 * PICTURES);
    assert_int_equal(b.rows, 6 * PICTURES);
    assert_int_equal(a.ai, 3 * PICTURES);
    assert_int_equal(a.sources, 3);
    assert_int_equal(b.sources, 3);
    assert_int_equal(a.working_size, 224);
    assert_true(strlen(a.embedder) > 3);

    item_row row = ITEM_ROW_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_dataset_get(listed, 5, &row, &err), &err);
    assert_string_equal(row.source, "s0");
    assert_string_equal(row.generator, "photo");
    assert_int_equal(row.picture_height, 36);
    assert_true(row.file_bytes > 1000);

    /* The vectors are those that a check of the file gives. */
    item_result *result = NULL;
    assert_ok(item_check_file(ctx, row.name, NULL, &result, &err), &err);
    size_t width = 0;
    const float *image = item_result_values(result, ITEM_VALUES_IMAGE_VECTOR, 0, &width);
    assert_int_equal(width, a.width);
    assert_memory_equal(row.image, image, width * sizeof *image);
    const float *text = item_result_values(result, ITEM_VALUES_TEXT_VECTOR, 0, NULL);
    assert_memory_equal(row.text, text, width * sizeof *text);
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    assert_ok(item_result_get_summary(result, &summary, &err), &err);
    assert_int_equal(row.objects, summary.objects);
    for (uint32_t i = 0; i < row.objects; i++) {
        const float *crop = item_result_values(result, ITEM_VALUES_CROP_VECTOR, i, NULL);
        assert_memory_equal(row.crops + i * width, crop, width * sizeof *crop);
    }
    item_result_unref(result);
    item_dataset_free(folder);
    item_dataset_free(listed);
    item_ctx_unref(ctx);
}

static void splits_choose_rows(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_dataset *data = extract(ctx, "set/manifest.csv", "dev");
    assert_int_equal(info_of(data).rows, 2 * PICTURES);
    assert_int_equal(info_of(data).sources, 1);
    item_dataset_free(data);

    item_error err = ITEM_ERROR_INIT;
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    options.split = "test";
    char *path = temp_path("set/manifest.csv");
    assert_error(item_dataset_extract(ctx, path, &options, &data, &err), ITEM_E_ARGUMENT, &err,
                 "no pictures of the split test");
    assert_null(data);
    free(path);
    path = temp_path("nothing");
    reset(&err);
    assert_error(item_dataset_extract(ctx, path, NULL, &data, &err), ITEM_E_IO, &err, "nothing");
    free(path);
    item_ctx_unref(ctx);
}

static void failed_pictures_are_named(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_error err = ITEM_ERROR_INIT;
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    item_dataset *data = NULL;
    char *list = temp_path("set/some.csv"), *broken = temp_path("set/broken.png");
    write_text(list,
               "path,label\nreal/s0/0.png,real\nbroken.png,ai\ngone.png,ai\nai/s0/0.png,ai\n");
    write_text(broken, "no picture");
    assert_ok(item_dataset_extract(ctx, list, NULL, &data, &err), &err);
    assert_int_equal(info_of(data).rows, 2);
    assert_int_equal(info_of(data).failed, 2);
    assert_non_null(strstr(item_dataset_warning(data, 0), "broken.png"));
    assert_non_null(strstr(item_dataset_warning(data, 1), "gone.png"));
    assert_null(item_dataset_warning(data, 2));
    item_dataset_free(data);

    options.max_failures = 1;
    assert_error(item_dataset_extract(ctx, list, &options, &data, &err), ITEM_E_LIMIT, &err,
                 "gone.png");
    assert_null(data);
    write_text(list, "path,label\nreal/s0/0.png,photo\n");
    reset(&err);
    assert_error(item_dataset_extract(ctx, list, NULL, &data, &err), ITEM_E_FORMAT, &err, "photo");
    free(list);
    free(broken);
    item_ctx_unref(ctx);
}

/* Files of one label, the source of each the folder in which it lies; what is broken is named. */
static void files_of_one_label(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_error err = ITEM_ERROR_INIT;
    item_dataset *data = NULL;
    char *good = temp_path("set/real/s1/2.png"), *broken = temp_path("set/torn.png");
    char *other = temp_path("set/ai/s2/0.png");
    write_text(broken, "no picture");
    const char *const paths[] = {good, broken, other};
    assert_ok(item_dataset_extract_files(ctx, paths, 3, ITEM_LABEL_REAL, NULL, &data, &err), &err);
    assert_int_equal(info_of(data).rows, 2);
    assert_int_equal(info_of(data).real, 2);
    assert_non_null(strstr(item_dataset_warning(data, 0), "torn.png"));
    item_row row = ITEM_ROW_INIT;
    assert_ok(item_dataset_get(data, 0, &row, &err), &err);
    assert_string_equal(row.name, good);
    assert_string_equal(row.source, "s1");
    item_dataset_free(data);

    const char *const empty[] = {good, ""};
    assert_error(item_dataset_extract_files(ctx, empty, 2, 0, NULL, &data, &err), ITEM_E_ARGUMENT,
                 &err, "file name 1 is empty");
    assert_null(data);
    reset(&err);
    assert_error(item_dataset_extract_files(ctx, paths, 0, 0, NULL, &data, &err), ITEM_E_ARGUMENT,
                 &err, "are needed");
    reset(&err);
    assert_error(item_dataset_extract_files(ctx, paths, 1, 2, NULL, &data, &err), ITEM_E_ARGUMENT,
                 &err, "a label");
    free(good);
    free(broken);
    free(other);
    item_ctx_unref(ctx);
}

typedef struct watcher {
    uint64_t last, total;
    item_cancel *cancel;
} watcher;

static void watch(void *user, uint64_t done, uint64_t total)
{
    watcher *w = user;
    assert_true(done > w->last && done <= total);
    w->last = done;
    w->total = total;
    item_cancel_set(w->cancel);
}

static void tells_progress_and_can_be_cancelled(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_error err = ITEM_ERROR_INIT;
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    item_dataset *data = NULL;
    char *path = temp_path("set");
    watcher w = {0, 0, NULL};
    options.progress = watch;
    options.progress_user = &w;
    assert_ok(item_dataset_extract(ctx, path, &options, &data, &err), &err);
    assert_int_equal(w.last, 6 * PICTURES);
    assert_int_equal(w.total, 6 * PICTURES);
    item_dataset_free(data);

    assert_ok(item_cancel_new(&w.cancel, &err), &err);
    w.last = 0;
    options.cancel = w.cancel;
    assert_error(item_dataset_extract(ctx, path, &options, &data, &err), ITEM_E_CANCELLED, &err,
                 NULL);
    assert_true(w.last < 6 * PICTURES);
    assert_null(data);
    item_cancel_unref(w.cancel);
    free(path);
    item_ctx_unref(ctx);
}

/* What a check says of every row, against the counts of an evaluation. */
static void compare_verdicts(item_ctx *ctx, const item_dataset *data, const item_report *report)
{
    static const char *const paths[2][4] = {
        {"", "verdicts.photographs_called.real", "verdicts.photographs_called.unsure",
         "verdicts.photographs_called.ai"},
        {"", "verdicts.ai_called.real", "verdicts.ai_called.unsure", "verdicts.ai_called.ai"}};
    unsigned counted[2][4] = {{0}};
    for (uint64_t i = 0; i < info_of(data).rows; i++) {
        item_error err = ITEM_ERROR_INIT;
        item_row row = ITEM_ROW_INIT;
        item_result *result = NULL;
        assert_ok(item_dataset_get(data, i, &row, &err), &err);
        assert_ok(item_check_file(ctx, row.name, NULL, &result, &err), &err);
        counted[row.label][item_result_verdict(result)]++;
        item_result_unref(result);
    }
    for (int label = 0; label < 2; label++) {
        for (int verdict = ITEM_VERDICT_REAL; verdict <= ITEM_VERDICT_AI; verdict++)
            assert_int_equal((int)item_report_number(report, paths[label][verdict]),
                             counted[label][verdict]);
    }
}

static void a_trained_head_answers_as_evaluated(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = make_ctx();
    item_dataset *train = extract(ctx, "set/manifest.csv", "train");
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    item_report *report = NULL, *evaluated = NULL, *again = NULL;
    options.epochs = 5;
    options.draws = 20;
    options.controls = 0;
    assert_ok(item_train(train, &options, &report, &err), &err);
    char *path = temp_path("trained.safetensors");
    assert_ok(item_report_write_head(report, path, &err), &err);
    item_dataset_free(train);
    item_report_free(report);

    item_config *config = make_config();
    set_option(config, "head", path);
    set_option(config, "threshold", "fpr5");
    item_ctx *judge = open_ctx(config);
    item_dataset *dev = extract(judge, "set/manifest.csv", "dev");
    item_eval_options eval = ITEM_EVAL_OPTIONS_INIT;
    eval.draws = 20;
    eval.threshold = "fpr5";
    assert_ok(item_evaluate(dev, NULL, judge, &eval, &evaluated, &err), &err);
    assert_ok(item_evaluate(dev, path, NULL, &eval, &again, &err), &err);
    assert_string_equal(item_report_json(evaluated), item_report_json(again));
    compare_verdicts(judge, dev, evaluated);
    item_report_free(evaluated);

    assert_error(item_evaluate(dev, NULL, ctx, &eval, &evaluated, &err), ITEM_E_UNSUPPORTED, &err,
                 "there is nothing to evaluate: no head was given");
    assert_null(evaluated);
    item_report_free(again);
    item_dataset_free(dev);
    item_ctx_unref(judge);
    item_ctx_unref(ctx);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_and_manifests_say_the_same),
        cmocka_unit_test(splits_choose_rows),
        cmocka_unit_test(failed_pictures_are_named),
        cmocka_unit_test(files_of_one_label),
        cmocka_unit_test(tells_progress_and_can_be_cancelled),
        cmocka_unit_test(a_trained_head_answers_as_evaluated),
    };
    return cmocka_run_group_tests(tests, make_pictures, NULL);
}
