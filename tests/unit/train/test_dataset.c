/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets: rows in and out, files, what is refused. */
#include "train_tests.h"

static const test_world small = {.seed = 5, .each = 4, .sources = 3, .strength = 1, .paired = true};

static const char *data_path(void **state)
{
    return test_path(*state, "data.safetensors");
}

static void same_row(const item_dataset_info *info, const item_row *a, const item_row *b)
{
    assert_int_equal(a->label, b->label);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->objects, b->objects);
    assert_int_equal(a->picture_width, b->picture_width);
    assert_int_equal(a->picture_height, b->picture_height);
    assert_int_equal(a->file_bytes, b->file_bytes);
    assert_memory_equal(&a->caption_logprob, &b->caption_logprob, sizeof(double));
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->source, b->source);
    assert_string_equal(a->generator, b->generator);
    assert_string_equal(a->scene, b->scene);
    assert_memory_equal(a->image, b->image, WIDTH * sizeof(float));
    assert_memory_equal(a->text, b->text, WIDTH * sizeof(float));
    assert_int_equal(a->named, b->named);
    assert_memory_equal(&a->caption_prior, &b->caption_prior, sizeof(double));
    assert_string_equal(a->caption, b->caption);
    assert_int_equal(a->picture != NULL, b->picture != NULL);
    if (a->picture)
        assert_memory_equal(a->picture, b->picture, ITEM_PICTURE_HASH);
    if (a->named)
        assert_memory_equal(a->named_phrases, b->named_phrases, a->named * WIDTH * sizeof(float));
    if (a->objects) {
        assert_memory_equal(a->crops, b->crops, a->objects * WIDTH * sizeof(float));
        assert_memory_equal(a->phrases, b->phrases, a->objects * WIDTH * sizeof(float));
    }
    if (info->views)
        assert_memory_equal(a->views, b->views, info->views * WIDTH * sizeof(float));
    if (info->layers)
        assert_memory_equal(a->layers, b->layers, info->layers * sizeof(float));
}

static void same_data(const item_dataset *a, const item_dataset *b)
{
    item_dataset_info x = ITEM_DATASET_INFO_INIT, y = ITEM_DATASET_INFO_INIT;
    assert_int_equal(item_dataset_get_info(a, &x, NULL), ITEM_OK);
    assert_int_equal(item_dataset_get_info(b, &y, NULL), ITEM_OK);
    assert_int_equal(x.rows, y.rows);
    assert_int_equal(x.ai, y.ai);
    assert_int_equal(x.sources, y.sources);
    assert_int_equal(x.working_size, y.working_size);
    assert_string_equal(x.embedder, y.embedder);
    assert_string_equal(x.pipeline, y.pipeline);
    assert_string_equal(x.working_filter, y.working_filter);
    assert_int_equal(x.views, y.views);
    assert_int_equal(x.layers, y.layers);
    for (uint64_t i = 0; i < x.rows; i++) {
        item_row r = ITEM_ROW_INIT, s = ITEM_ROW_INIT;
        assert_int_equal(item_dataset_get(a, i, &r, NULL), ITEM_OK);
        assert_int_equal(item_dataset_get(b, i, &s, NULL), ITEM_OK);
        same_row(&x, &r, &s);
    }
}

#define VIEWS  3
#define LAYERS 5

/* With every column of format 2: row i has i phrases, and the first is known of by nothing else. */
static item_dataset *test_all_columns(void)
{
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_dataset *data = NULL;
    itemi_rng rng = {3, 1, 0};
    info.width = WIDTH;
    info.embedder = "dummy 1";
    info.views = VIEWS;
    info.layers = LAYERS;
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_OK);
    for (uint32_t i = 0; i < 5; i++) {
        float v[(2 + VIEWS + 4) * WIDTH], layers[LAYERS];
        const uint8_t picture[ITEM_PICTURE_HASH] = {(uint8_t)i, 7};
        item_row row = ITEM_ROW_INIT;
        for (size_t j = 0; j < 2 + VIEWS + i; j++)
            test_unit(&rng, NULL, 0, v + j * WIDTH);
        for (size_t j = 0; j < LAYERS; j++)
            layers[j] = (float)i * 10 + (float)j;
        row.image = v;
        row.text = v + WIDTH;
        row.views = v + 2 * WIDTH;
        row.named_phrases = v + (2 + VIEWS) * WIDTH;
        row.named = i;
        row.layers = layers;
        row.picture = i ? picture : NULL;
        row.caption_prior = i ? -2.5 * i : (double)NAN;
        row.caption = i ? "two dogs" : NULL;
        row.source = i % 2 ? "odd" : "even";
        assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    }
    return data;
}

static void counts_its_rows(void **state)
{
    (void)state;
    item_dataset *data = test_pictures(&small);
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    assert_int_equal(item_dataset_get_info(data, &info, NULL), ITEM_OK);
    assert_int_equal(info.rows, 24);
    assert_int_equal(info.ai, 12);
    assert_int_equal(info.real, 12);
    assert_int_equal(info.sources, 3);
    assert_int_equal(info.width, WIDTH);
    assert_int_equal(info.failed, 0);
    assert_null(item_dataset_warning(data, 0));
    item_row row = ITEM_ROW_INIT;
    assert_int_equal(item_dataset_get(data, 24, &row, NULL), ITEM_E_ARGUMENT);
    item_dataset_free(data);
    item_dataset_free(NULL);
}

static void what_is_unknown_stays_so(void **state)
{
    (void)state;
    item_dataset *data = test_dataset();
    const float v[WIDTH] = {1};
    item_row row = ITEM_ROW_INIT, back = ITEM_ROW_INIT;
    row.image = row.text = v;
    row.flags = ITEM_ROW_CAPTION_LOOPING;
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    assert_int_equal(item_dataset_get(data, 0, &back, NULL), ITEM_OK);
    assert_string_equal(back.source, "");
    assert_string_equal(back.name, "");
    assert_true(isnan(back.caption_logprob));
    assert_int_equal(back.flags, ITEM_ROW_CAPTION_LOOPING);
    assert_null(back.crops);
    item_dataset_free(data);
}

static void reads_what_it_saved(void **state)
{
    item_dataset *data = test_pictures(&small), *again = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_dataset_save(data, data_path(state), &err), ITEM_OK);
    if (item_dataset_load(data_path(state), &again, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    same_data(data, again);
    item_dataset_free(again);

    /* Without its first source, objects move up in the file. */
    uint64_t removed = 0;
    assert_int_equal(item_dataset_remove(data, "source", "source 0", &removed, NULL), ITEM_OK);
    assert_int_equal(removed, 8);
    assert_int_equal(item_dataset_save(data, data_path(state), &err), ITEM_OK);
    assert_int_equal(item_dataset_load(data_path(state), &again, &err), ITEM_OK);
    same_data(data, again);
    item_dataset_free(again);
    item_dataset_free(data);

    data = test_all_columns();
    assert_int_equal(item_dataset_save(data, data_path(state), &err), ITEM_OK);
    assert_int_equal(item_dataset_load(data_path(state), &again, &err), ITEM_OK);
    same_data(data, again);
    item_dataset_free(again);
    assert_int_equal(item_dataset_remove(data, "source", "odd", &removed, NULL), ITEM_OK);
    assert_int_equal(removed, 2);
    item_row row = ITEM_ROW_INIT;
    assert_int_equal(item_dataset_get(data, 2, &row, NULL), ITEM_OK);
    assert_int_equal(row.named, 4);
    assert_int_equal(row.picture[0], 4);
    assert_true(row.layers[1] == 41.0f);
    assert_int_equal(item_dataset_save(data, data_path(state), &err), ITEM_OK);
    assert_int_equal(item_dataset_load(data_path(state), &again, &err), ITEM_OK);
    same_data(data, again);
    item_dataset_free(again);
    item_dataset_free(data);

    data = test_dataset(); /* nothing is something, too */
    assert_int_equal(item_dataset_save(data, data_path(state), &err), ITEM_OK);
    assert_int_equal(item_dataset_load(data_path(state), &again, &err), ITEM_OK);
    same_data(data, again);
    item_dataset_free(again);
    item_dataset_free(data);
}

/* As 0.1 wrote it: one picture with an object, format 1, none of the newer tensors. */
static void write_format_1(const char *path, const char *format)
{
    const float unit[2 * WIDTH] = {[0] = 1, [WIDTH + 1] = 1};
    const uint8_t label = 1, flags = 0;
    const int32_t one = 1, side = 224;
    const int64_t bytes = 5000;
    const double logprob = -1.5;
    const char texts[] = "\0a.jpg";
    itemi_tensor t[] = {
        {"image", ITEMI_F32, 2, {1, WIDTH}, unit, WIDTH * sizeof(float)},
        {"text", ITEMI_F32, 2, {1, WIDTH}, unit + WIDTH, WIDTH * sizeof(float)},
        {"crops", ITEMI_F32, 2, {1, WIDTH}, unit, WIDTH * sizeof(float)},
        {"phrases", ITEMI_F32, 2, {1, WIDTH}, unit, WIDTH * sizeof(float)},
        {"label", ITEMI_U8, 1, {1}, &label, 1},
        {"flags", ITEMI_U8, 1, {1}, &flags, 1},
        {"objects", ITEMI_I32, 1, {1}, &one, 4},
        {"picture_width", ITEMI_I32, 1, {1}, &side, 4},
        {"picture_height", ITEMI_I32, 1, {1}, &side, 4},
        {"file_bytes", ITEMI_I64, 1, {1}, &bytes, 8},
        {"caption_logprob", ITEMI_F64, 1, {1}, &logprob, 8},
        {"name", ITEMI_I32, 1, {1}, &one, 4},
        {"source", ITEMI_I32, 1, {1}, &one, 4},
        {"generator", ITEMI_I32, 1, {1}, &one, 4},
        {"scene", ITEMI_I32, 1, {1}, &one, 4},
        {"texts", ITEMI_U8, 1, {sizeof texts}, texts, sizeof texts},
    };
    const char *const meta[] = {"item_dataset", format};
    assert_int_equal(itemi_safetensors_write(path, t, ITEMI_COUNT(t), meta, 1, NULL), ITEM_OK);
}

#define FACTS(format)                                                                              \
    "{\"format\": " format ", \"width\": 6, \"embedder\": \"dummy 1\", \"pipeline\": \"\", "       \
    "\"working_size\": 224, \"working_filter\": \"bicubic\", \"callers_captions\": false}"

_Static_assert(WIDTH == 6, "FACTS tells it");

static void reads_format_1(void **state)
{
    item_error err = ITEM_ERROR_INIT;
    item_dataset *data = NULL;
    item_row row = ITEM_ROW_INIT;
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    write_format_1(data_path(state), FACTS("1"));
    if (item_dataset_load(data_path(state), &data, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    assert_int_equal(item_dataset_get_info(data, &info, NULL), ITEM_OK);
    assert_int_equal(info.views + info.layers, 0);
    assert_int_equal(item_dataset_get(data, 0, &row, NULL), ITEM_OK);
    assert_string_equal(row.name, "a.jpg");
    assert_true(isnan(row.caption_prior));
    assert_null(row.picture);
    assert_int_equal(row.named, 0);
    assert_string_equal(row.caption, "");
    item_dataset_free(data);

    /* with the number of a newer format, the same is not whole */
    write_format_1(data_path(state), FACTS("2"));
    assert_int_equal(item_dataset_load(data_path(state), &data, &err), ITEM_E_FORMAT);
    assert_message(err, "tensor `picture` of the data set is missing");
    err = (item_error)ITEM_ERROR_INIT;
    write_format_1(data_path(state), FACTS("4"));
    assert_int_equal(item_dataset_load(data_path(state), &data, &err), ITEM_E_UNSUPPORTED);
    assert_message(err, "format 4");
}

/* A caller who was compiled with the header of 0.1 cannot say what it did not know. */
static void takes_rows_of_0_1(void **state)
{
    (void)state;
    item_dataset *data = test_dataset();
    const float unit[WIDTH] = {1};
    item_row row = ITEM_ROW_INIT, back = ITEM_ROW_INIT;
    row.struct_size = offsetof(item_row, named);
    row.image = row.text = unit;
    row.caption_prior = -3;
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
    assert_int_equal(item_dataset_get(data, 0, &back, NULL), ITEM_OK);
    assert_true(isnan(back.caption_prior));
    item_dataset_free(data);
}

/* Arrays move when they grow, and here they do between a row and its copy, several times. */
static void takes_rows_of_its_own(void **state)
{
    (void)state;
    item_dataset *grown[] = {test_all_columns(), test_pictures(&small)};
    item_dataset *first[] = {test_all_columns(), test_pictures(&small)};
    for (size_t i = 0; i < ITEMI_COUNT(grown); i++) {
        item_dataset_info info = ITEM_DATASET_INFO_INIT;
        item_row row = ITEM_ROW_INIT, wanted = ITEM_ROW_INIT;
        assert_int_equal(item_dataset_get_info(first[i], &info, NULL), ITEM_OK);
        for (uint64_t j = 0; j < 10 * info.rows; j++) {
            assert_int_equal(item_dataset_get(grown[i], j, &row, NULL), ITEM_OK);
            assert_int_equal(item_dataset_add(grown[i], &row, NULL), ITEM_OK);
        }
        for (uint64_t j = 0; j < 11 * info.rows; j++) {
            assert_int_equal(item_dataset_get(grown[i], j, &row, NULL), ITEM_OK);
            assert_int_equal(item_dataset_get(first[i], j % info.rows, &wanted, NULL), ITEM_OK);
            same_row(&info, &row, &wanted);
        }
        item_dataset_free(grown[i]);
        item_dataset_free(first[i]);
    }
}

static void refuses_rows_without_their_columns(void **state)
{
    (void)state;
    item_dataset *data = test_all_columns();
    item_row row = ITEM_ROW_INIT, good = ITEM_ROW_INIT;
    item_error err = ITEM_ERROR_INIT;
    const float odd[LAYERS] = {1, 2, INFINITY, 4, 5};
    assert_int_equal(item_dataset_get(data, 4, &good, NULL), ITEM_OK);
    row = good;
    row.views = NULL;
    assert_int_equal(item_dataset_add(data, &row, &err), ITEM_E_ARGUMENT);
    assert_message(err, "the vector of a view is missing");
    row = good;
    row.layers = NULL;
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_dataset_add(data, &row, &err), ITEM_E_ARGUMENT);
    assert_message(err, "inner layers are missing");
    row.layers = odd;
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_dataset_add(data, &row, &err), ITEM_E_ARGUMENT);
    assert_message(err, "inner layer is not finite");
    row = good;
    row.named_phrases = NULL;
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_dataset_add(data, &row, &err), ITEM_E_ARGUMENT);
    assert_message(err, "the vector of a named phrase is missing");
    row = good;
    row.caption_prior = INFINITY;
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_E_ARGUMENT);
    row = good;
    row.reserved = 1;
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_E_ARGUMENT);
    item_dataset_free(data);

    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    info.width = WIDTH;
    info.embedder = "dummy 1";
    info.views = ITEM_VIEWS_MAX + 1;
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_dataset_new(&info, &data, &err), ITEM_E_ARGUMENT);
    assert_message(err, "views are 0 to 15");
}

static void removes_by_column(void **state)
{
    (void)state;
    item_dataset *data = test_pictures(&small);
    uint64_t removed;
    assert_int_equal(item_dataset_remove(data, "label", "ai", &removed, NULL), ITEM_OK);
    assert_int_equal(removed, 12);
    assert_int_equal(item_dataset_remove(data, "label", "ai", &removed, NULL), ITEM_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(item_dataset_remove(data, "scene", "scene 1 0", &removed, NULL), ITEM_OK);
    assert_int_equal(removed, 2);
    assert_int_equal(item_dataset_remove(data, "name", "2/0/3.jpg", &removed, NULL), ITEM_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(item_dataset_remove(data, "generator", "photo", NULL, NULL), ITEM_OK);
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    assert_int_equal(item_dataset_get_info(data, &info, NULL), ITEM_OK);
    assert_int_equal(info.rows, 0);
    assert_int_equal(item_dataset_remove(data, "colour", "red", NULL, NULL), ITEM_E_ARGUMENT);
    item_dataset_free(data);
}

static void refuses_bad_rows(void **state)
{
    (void)state;
    item_dataset *data = test_dataset();
    const float unit[WIDTH] = {1}, twice[WIDTH] = {2}, none[WIDTH] = {NAN};
    item_row good = ITEM_ROW_INIT, bad[8];
    good.image = good.text = unit;
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++)
        bad[i] = good;
    bad[0].label = 2;
    bad[1].flags = 8;
    bad[2].image = NULL;
    bad[3].text = twice;
    bad[4].image = none;
    bad[5].objects = 1; /* without vectors */
    bad[6].caption_logprob = -INFINITY;
    bad[7].objects = 1u << 20;
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++) {
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(item_dataset_add(data, &bad[i], &err), ITEM_E_ARGUMENT);
        assert_message(err, "data set: ");
    }
    assert_int_equal(item_dataset_add(data, &good, NULL), ITEM_OK);
    assert_int_equal(item_dataset_add(NULL, &good, NULL), ITEM_E_ARGUMENT);
    item_dataset_free(data);

    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    info.embedder = "x";
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_E_ARGUMENT); /* no width */
    assert_null(data);
    info.width = 4;
    info.working_filter = "nearest";
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_E_ARGUMENT);
    info.working_filter = NULL;
    info.embedder = NULL;
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_E_ARGUMENT);
    info.embedder = "caf\xe9"; /* not UTF-8: training would fail at its end */
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_E_ARGUMENT);
    info.embedder = "caf\xc3\xa9";
    info.pipeline = "\xff";
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_E_ARGUMENT);
}

/* Changes some bytes of a file that was saved, or cuts it. */
static void refuses_broken_files(void **state)
{
    item_dataset *data = test_pictures(&small), *again = NULL;
    const char *path = data_path(state);
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_dataset_save(data, path, NULL), ITEM_OK);
    item_dataset_free(data);

    itemi_file file;
    assert_int_equal(itemi_file_open(NULL, path, 0, false, &file, NULL), ITEM_OK);
    itemi_rng rng = {9, 9, 0};
    size_t refused = 0;
    for (size_t i = 0; i < 400; i++) {
        uint8_t *copy = malloc(file.size);
        memcpy(copy, file.data, file.size);
        size_t length = file.size;
        for (size_t j = 0; j < 3; j++)
            copy[itemi_rng_below(&rng, i % 2 ? 2500 : file.size)] ^=
                (uint8_t)(1u << itemi_rng_below(&rng, 8));
        if (i % 7 == 0)
            length = itemi_rng_below(&rng, length);
        test_write(path, copy, length);
        free(copy);
        err = (item_error)ITEM_ERROR_INIT;
        item_status status = item_dataset_load(path, &again, &err);
        assert_true(status == ITEM_OK || status == ITEM_E_FORMAT || status == ITEM_E_UNSUPPORTED);
        assert_true((status == ITEM_OK) == (again != NULL));
        refused += status != ITEM_OK;
        item_dataset_free(again);
    }
    assert_true(refused > 200);
    itemi_file_close(&file);

    const itemi_head_facts facts = test_facts();
    itemi_head *head = test_head(NULL, &facts);
    assert_int_equal(itemi_head_write(head, path, NULL), ITEM_OK);
    itemi_head_free(head);
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_dataset_load(path, &again, &err), ITEM_E_FORMAT);
    assert_message(err, "this is no data set");
}

/* One number of a tensor that is none; and a file that ends early. Both are told with the file. */
static void refuses_numbers_that_are_none(void **state)
{
    static const char *const tensors[] = {"image", "text", "named", "views", "layers"};
    item_dataset *data = test_all_columns(), *again = NULL;
    const char *path = data_path(state);
    for (size_t i = 0; i < ITEMI_COUNT(tensors); i++) {
        item_error err = ITEM_ERROR_INIT;
        itemi_safetensors *st = NULL;
        assert_int_equal(item_dataset_save(data, path, NULL), ITEM_OK);
        assert_int_equal(itemi_safetensors_open(NULL, path, false, &st, NULL), ITEM_OK);
        const itemi_file *file = itemi_safetensors_file(st);
        const float none = NAN;
        uint8_t *copy = malloc(file->size);
        memcpy(copy, file->data, file->size);
        memcpy(copy + ((const uint8_t *)itemi_safetensors_find(st, tensors[i])->data - file->data) +
                   sizeof none,
               &none, sizeof none);
        test_write(path, copy, file->size);
        assert_int_equal(item_dataset_load(path, &again, &err), ITEM_E_FORMAT);
        assert_null(again);
        assert_message(err, path);
        assert_message(err,
                       strcmp(tensors[i], "layers") == 0 ? "not finite" : "not of unit length");
        err = (item_error)ITEM_ERROR_INIT;
        test_write(path, copy, file->size - 1 - i * 100);
        assert_int_equal(item_dataset_load(path, &again, &err), ITEM_E_FORMAT);
        assert_message(err, path);
        free(copy);
        itemi_safetensors_close(st);
    }
    item_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_its_rows),
        cmocka_unit_test(what_is_unknown_stays_so),
        cmocka_unit_test(reads_what_it_saved),
        cmocka_unit_test(removes_by_column),
        cmocka_unit_test(refuses_bad_rows),
        cmocka_unit_test(refuses_broken_files),
        cmocka_unit_test(reads_format_1),
        cmocka_unit_test(takes_rows_of_0_1),
        cmocka_unit_test(takes_rows_of_its_own),
        cmocka_unit_test(refuses_rows_without_their_columns),
        cmocka_unit_test(refuses_numbers_that_are_none),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
