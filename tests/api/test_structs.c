/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs of callers that were compiled with an older or a newer header, through every public
 * function that takes one. tools/check_symbols.py sees to it that no function is forgotten here.
 */
#include "things.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BEYOND       16 /* bytes that a newer header has and this library does not know */
#define FILLED       0xaa

/* ---- structs that a function reads ---- */

/* A call with `in`; a failure leaves NULL where the handle would be, `release` takes what comes. */
#define READS_IN(name, type, release, call)                                                        \
    static item_status name(const void *in, item_error *err)                                       \
    {                                                                                              \
        type *out = (type *)&the; /* no handle: must be overwritten */                             \
        item_status status = (call);                                                               \
        assert_true((status == ITEM_OK) == (out != NULL));                                         \
        release(out);                                                                              \
        return status;                                                                             \
    }

#define IMAGE_IN(name, call)  READS_IN(name, item_image, item_image_unref, call)
#define ORIGIN_IN(name, call) READS_IN(name, item_provenance, item_provenance_free, call)
#define RESULT_IN(name, call) READS_IN(name, item_result, item_result_unref, call)
#define DATA_IN(name, call)   READS_IN(name, item_dataset, item_dataset_free, call)
#define REPORT_IN(name, call) READS_IN(name, item_report, item_report_free, call)

static const uint8_t pixel[3];
static const char *const text = "a dog";
static float vector[32], layers[6];
static double score;

IMAGE_IN(image_from_file, item_image_from_file(the.file, in, &out, err))
IMAGE_IN(image_from_memory, item_image_from_memory(the.bytes, the.size, in, &out, err))
IMAGE_IN(image_from_pixels, item_image_from_pixels(pixel, ITEM_PIXELS_RGB, 1, 1, 3, in, &out, err))
ORIGIN_IN(provenance_from_file, item_provenance_from_file(the.file, in, &out, err))
ORIGIN_IN(provenance_from_memory, item_provenance_from_memory(the.bytes, the.size, in, &out, err))
RESULT_IN(check_image, item_check_image(the.ctx, the.image, in, &out, err))
RESULT_IN(check_file, item_check_file(the.ctx, the.file, in, &out, err))
RESULT_IN(check_images, item_check_images(the.ctx, &the.image, 1, in, &out, err))
RESULT_IN(check_files, item_check_files(the.ctx, (const char *[]){the.file}, 1, in, &out, err))
RESULT_IN(caption_image, item_caption_image(the.ctx, the.image, in, &out, err))
RESULT_IN(detect_image, item_detect_image(the.ctx, the.image, &text, 1, in, &out, err))
RESULT_IN(caption_images, item_caption_images(the.ctx, &the.image, 1, in, &out, err))
RESULT_IN(detect_images, item_detect_images(the.ctx, &the.image, 1, &text, 1, in, &out, err))
DATA_IN(dataset_new, item_dataset_new(in, &out, err))
DATA_IN(dataset_extract, item_dataset_extract(the.ctx, the.manifest, in, &out, err))
DATA_IN(dataset_extract_files,
        item_dataset_extract_files(the.ctx, (const char *[]){the.file}, 1, 0, in, &out, err))
REPORT_IN(train, item_train(the.data, in, &out, err))
REPORT_IN(calibrate, item_calibrate(the.photographs, NULL, the.ctx, in, &out, err))
READS_IN(index_find, item_index_rows, item_index_rows_free,
         item_index_find(the.index, in, &out, err))
REPORT_IN(evaluate, item_evaluate(the.data, NULL, the.ctx, in, &out, err))

/* A call that gives no handle. */
static const char *page_file(void)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/page.html", temp_folder());
    return path;
}

#define PLAIN_IN(name, call)                                                                       \
    static item_status name(const void *in, item_error *err)                                       \
    {                                                                                              \
        return call;                                                                               \
    }

PLAIN_IN(embed_images, item_embed_images(the.ctx, &the.image, 1, in, vector, 32, err))
PLAIN_IN(embed_texts, item_embed_texts(the.ctx, &text, 1, in, vector, 32, err))
PLAIN_IN(score_captions, item_score_captions(the.ctx, &the.image, &text, 1, in, &score, err))
PLAIN_IN(embed_layers, item_embed_layers(the.ctx, &the.image, 1, in, vector, 32, layers, 6, err))
PLAIN_IN(index_scan,
         item_index_scan(the.index, the.ctx, (const char *[]){the.file}, 1, in, NULL, err))
PLAIN_IN(index_page, item_index_write_html(the.index, NULL, in, page_file(), err))
PLAIN_IN(config_set_allocator, item_config_set_allocator(the.config, in, err))
PLAIN_IN(engine_setup, item_engine_setup(the.config, in, err))
PLAIN_IN(set_captioner, item_config_set_captioner(the.config, in, NULL, err))
PLAIN_IN(set_detector, item_config_set_detector(the.config, in, NULL, err))
PLAIN_IN(set_embedder, item_config_set_embedder(the.config, in, NULL, err))

static item_status image_allocator(const void *in, item_error *err)
{
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.allocator = in;
    return image_from_pixels(&options, err);
}

static item_status dataset_add(const void *in, item_error *err)
{
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_dataset *data = NULL;
    assert_ok(item_dataset_get_info(the.data, &info, err), err);
    assert_ok(item_dataset_new(&info, &data, err), err);
    item_status status = item_dataset_add(data, in, err);
    item_dataset_free(data);
    return status;
}

/* A pack is made once under a name. */
static item_status pack_create(const void *in, item_error *err)
{
    static unsigned made;
    char name[32];
    snprintf(name, sizeof name, "made-%u", made++);
    char *path = temp_path(name);
    item_status status = item_pack_create(in, path, err);
    free(path);
    return status;
}

/* A table is looked at when the engine is needed. */
static item_status set_engine(const void *in, item_error *err)
{
    item_config *config = NULL;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    assert_ok(item_config_new(&config, err), err);
    assert_ok(item_config_set_engine(config, in, NULL, err), err);
    const item_engine_ops *found;
    item_status status = item_engine_get_info(config, 0, &info, err);
    assert_int_equal(item_engine_find(config, &found, NULL), status);
    assert_ptr_equal(found, status == ITEM_OK ? in : NULL);
    item_config_unref(config);
    return status;
}

typedef struct reader {
    item_status (*call)(const void *in, item_error *err);
    const char *function, *word; /* word: that every refusal names */
    const void *valid;
    size_t size, least; /* least: that is taken; of structs the size in release 0.1 */
    size_t reserved[3]; /* members that must be 0; 0: none */
    int table;          /* 1: of functions, whose unknown members are ignored */
    item_status refused;
} reader;

/* A copy that ends where `bytes` end, so that a sanitizer sees what is read beyond. */
static unsigned char *copy_of(const void *from, size_t size, size_t bytes, uint32_t said)
{
    unsigned char *copy = calloc(1, bytes);
    assert_non_null(copy);
    memcpy(copy, from, size < bytes ? size : bytes);
    memcpy(copy, &said, sizeof said);
    return copy;
}

static void expect(const reader *r, const char *what, const void *in, int accepted)
{
    item_error err = ITEM_ERROR_INIT;
    item_status status = r->call(in, &err);
    if (status != (accepted ? ITEM_OK : r->refused))
        fail_msg("%s, %s: %s (%s)", r->function, what, item_status_name(status), err.message);
    if (!accepted && !strstr(err.message, r->word))
        fail_msg("%s, %s: `%s` does not name %s", r->function, what, err.message, r->word);
}

static void expect_size(const reader *r, const char *what, size_t bytes, uint32_t said,
                        int accepted)
{
    unsigned char *in = copy_of(r->valid, r->size, bytes, said);
    expect(r, what, in, accepted);
    free(in);
}

static void read_one(const reader *r)
{
    uint32_t size = (uint32_t)r->size, least = (uint32_t)r->least;
    expect_size(r, "as it is", size, size, 1);
    expect_size(r, "the oldest", least, least, 1);
    expect_size(r, "older than any", least - 8, least - 8, 0);
    expect_size(r, "its size alone", sizeof size, sizeof size, 0);
    expect_size(r, "no size", size, 0, 0);
    expect_size(r, "newer, not used", size + BEYOND, size + BEYOND, 1);
    if (!r->table)
        expect_size(r, "never initialised", size, 0xeeeeeeee, 0);
    for (size_t i = 0; i < BEYOND; i++) {
        unsigned char *in = copy_of(r->valid, size, size + BEYOND, size + BEYOND);
        in[size + i] = 1;
        expect(r, "newer, used", in, r->table);
        free(in);
    }
    for (size_t i = 0; i < COUNT(r->reserved) && r->reserved[i]; i++) {
        unsigned char *in = copy_of(r->valid, size, size, size);
        in[r->reserved[i]] = 1;
        expect(r, "a reserved member", in, 0);
        free(in);
    }
}

static void *host_allocate(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void *host_resize(void *user, void *block, size_t size)
{
    (void)user;
    return realloc(block, size);
}

static void host_release(void *user, void *block)
{
    (void)user;
    free(block);
}

#define SIZES(type, last)                  sizeof(type), offsetof(type, last) + sizeof(((type *)0)->last)
#define READS(function, type, last, valid) function, #function, #type, valid, SIZES(type, last)
#define TABLE(function, type, required, valid, word)                                               \
    function, #function, word, valid, SIZES(type, required)

/* One table: long, and nothing in it but the functions. */
static void every_function_that_reads(void **state)
{
    (void)state;
    const item_status bad = ITEM_E_ARGUMENT;
    const item_image_options image = ITEM_IMAGE_OPTIONS_INIT;
    const item_check_options check = ITEM_CHECK_OPTIONS_INIT;
    const item_allocator host = {sizeof host, 0, host_allocate, host_resize, host_release, NULL};
    const item_engine_settings settings = ITEM_ENGINE_SETTINGS_INIT;
    const item_extract_options extract = ITEM_EXTRACT_OPTIONS_INIT;
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_train_options training = ITEM_TRAIN_OPTIONS_INIT;
    item_eval_options evaluation = ITEM_EVAL_OPTIONS_INIT;
    item_calibrate_options calibration = ITEM_CALIBRATE_OPTIONS_INIT;
    const item_scan_options scan = ITEM_SCAN_OPTIONS_INIT;
    const item_index_query query = ITEM_INDEX_QUERY_INIT;
    const item_page_options page = ITEM_PAGE_OPTIONS_INIT;
    item_pack_parts parts = ITEM_PACK_PARTS_INIT;
    parts.embedder = the.pack;
    assert_int_equal(item_dataset_get_info(the.data, &info, NULL), ITEM_OK);
    calibration.confidence = 0.5;
    training.epochs = 2;
    training.controls = 0;
    training.draws = evaluation.draws = 10;
    const reader readers[] = {
        {READS(image_from_file, item_image_options, cancel, &image),
         {offsetof(item_image_options, reserved)},
         0,
         bad},
        {READS(image_from_memory, item_image_options, cancel, &image), {0}, 0, bad},
        {READS(provenance_from_file, item_image_options, cancel, &image), {0}, 0, bad},
        {READS(provenance_from_memory, item_image_options, cancel, &image), {0}, 0, bad},
        {READS(image_from_pixels, item_image_options, cancel, &image), {0}, 0, bad},
        {READS(image_allocator, item_allocator, user, &host),
         {offsetof(item_allocator, reserved)},
         0,
         bad},
        {READS(config_set_allocator, item_allocator, user, &host),
         {offsetof(item_allocator, reserved)},
         0,
         bad},
        {READS(engine_setup, item_engine_settings, reserved, &settings),
         {offsetof(item_engine_settings, reserved)},
         0,
         bad},
        {READS(check_image, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(check_file, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(check_images, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(check_files, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(caption_image, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(detect_image, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(caption_images, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(detect_images, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(embed_images, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(embed_texts, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(score_captions, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(embed_layers, item_check_options, progress_user, &check), {0}, 0, bad},
        {READS(dataset_new, item_dataset_info, pipeline, &info), {0}, 0, bad},
        {READS(dataset_add, item_row, scene, &the.row), {0}, 0, bad},
        {READS(dataset_extract, item_extract_options, progress_user, &extract), {0}, 0, bad},
        {READS(dataset_extract_files, item_extract_options, progress_user, &extract), {0}, 0, bad},
        {READS(train, item_train_options, progress_user, &training),
         {offsetof(item_train_options, reserved)},
         0,
         bad},
        {READS(calibrate, item_calibrate_options, pictures, &calibration),
         {offsetof(item_calibrate_options, reserved)},
         0,
         bad},
        {READS(evaluate, item_eval_options, cancel, &evaluation),
         {offsetof(item_eval_options, reserved)},
         0,
         bad},
        {READS(index_scan, item_scan_options, user, &scan), {0}, 0, bad},
        {READS(index_find, item_index_query, reserved, &query),
         {offsetof(item_index_query, reserved)},
         0,
         bad},
        {READS(index_page, item_page_options, progress_user, &page), {0}, 0, bad},
        {READS(pack_create, item_pack_parts, cancel, &parts), {0}, 0, bad},
        {TABLE(set_captioner, item_captioner_ops, caption, item_dummy_captioner(), "captioner"),
         {offsetof(item_captioner_ops, reserved)},
         1,
         bad},
        {TABLE(set_detector, item_detector_ops, detect, item_dummy_detector(), "detector"),
         {offsetof(item_detector_ops, reserved)},
         1,
         bad},
        {TABLE(set_embedder, item_embedder_ops, embed_texts, item_dummy_embedder(), "embedder"),
         {offsetof(item_embedder_ops, reserved), offsetof(item_embedder_ops, reserved2),
          offsetof(item_embedder_ops, reserved3)},
         1,
         bad},
        {TABLE(set_engine, item_engine_ops, precision, the.engine, "engine"),
         {0},
         1,
         ITEM_E_BACKEND},
    };
    for (size_t i = 0; i < COUNT(readers); i++)
        read_one(&readers[i]);
}

/* ---- structs that a function fills ---- */

#define FILLS(name, call)                                                                          \
    static item_status name(void *out, item_error *err)                                            \
    {                                                                                              \
        return call;                                                                               \
    }

FILLS(fill_ctx_info, item_ctx_get_info(the.ctx, out, err))
FILLS(fill_image_options, item_ctx_get_image_options(the.ctx, out, err))
FILLS(fill_engine_info, item_engine_get_info(the.config, 0, out, err))
FILLS(fill_image_info, item_image_get_info(the.image, out, err))
FILLS(fill_summary, item_result_get_summary(the.result, out, err))
FILLS(fill_object, item_result_get_object(the.result, 0, out, err))
FILLS(fill_timings, item_result_get_timings(the.result, out, err))
FILLS(fill_entry, item_provenance_get(the.provenance, 0, out, err))
FILLS(fill_row, item_dataset_get(the.data, 0, out, err))
FILLS(fill_dataset_info, item_dataset_get_info(the.data, out, err))

static item_status fill_judgement(void *out, item_error *err)
{
    size_t n = 0;
    const float *features = item_result_values(the.result, ITEM_VALUES_FEATURES, 0, &n);
    return item_head_apply(the.ctx, features, n, out, err);
}

typedef struct writer {
    item_status (*call)(void *out, item_error *err);
    const char *type;
    size_t size, least; /* least: the size in release 0.1 */
} writer;

/* Fills a struct of `bytes` bytes that says it has `said`; it ends there. */
static unsigned char *filled(const writer *w, size_t bytes, uint32_t said, item_status wanted)
{
    item_error err = ITEM_ERROR_INIT;
    unsigned char *out = malloc(bytes);
    assert_non_null(out);
    memset(out, FILLED, bytes);
    memcpy(out, &said, sizeof said);
    item_status status = w->call(out, &err);
    if (status != wanted)
        fail_msg("%s, struct_size %u: %s (%s)", w->type, (unsigned)said, item_status_name(status),
                 err.message);
    if (memcmp(out, &said, sizeof said) != 0)
        fail_msg("%s changes struct_size", w->type);
    if (status != ITEM_OK && !strstr(err.message, w->type))
        fail_msg("%s: `%s` does not name %s", w->type, err.message, w->type);
    return out;
}

static void fill_one(const writer *w)
{
    const uint32_t size = (uint32_t)w->size, least = (uint32_t)w->least, head = sizeof size;
    unsigned char *as_is = filled(w, size, size, ITEM_OK);
    unsigned char *newer = filled(w, size + BEYOND, size + BEYOND, ITEM_OK);
    unsigned char *older = filled(w, least, least, ITEM_OK);
    assert_memory_equal(as_is + head, newer + head, size - head);
    assert_memory_equal(as_is + head, older + head, least - head);
    for (size_t i = 0; i < BEYOND; i++)
        assert_int_equal(newer[size + i], FILLED); /* not known, not written */
    free(as_is);
    free(newer);
    free(older);
    const uint32_t too_small[] = {least - 8, head, 0};
    for (size_t i = 0; i < COUNT(too_small); i++) {
        size_t bytes = too_small[i] > head ? too_small[i] : head;
        unsigned char *out = filled(w, bytes, too_small[i], ITEM_E_ARGUMENT);
        for (size_t j = head; j < bytes; j++)
            assert_int_equal(out[j], FILLED);
        free(out);
    }
    assert_int_equal(w->call(NULL, NULL), ITEM_E_ARGUMENT);
}

#define WRITES(function, type, last) function, #type, SIZES(type, last)

static void every_function_that_fills(void **state)
{
    (void)state;
    const writer writers[] = {
        {WRITES(fill_ctx_info, item_ctx_info, no_verdict)},
        {WRITES(fill_image_options, item_image_options, cancel)},
        {WRITES(fill_engine_info, item_engine_info, reserved)},
        {WRITES(fill_image_info, item_image_info, warning)},
        {WRITES(fill_summary, item_result_summary, height)},
        {WRITES(fill_object, item_object, contribution)},
        {WRITES(fill_timings, item_timings, total)},
        {WRITES(fill_entry, item_provenance_entry, text)},
        {WRITES(fill_judgement, item_result_summary, height)},
        {WRITES(fill_row, item_row, scene)},
        {WRITES(fill_dataset_info, item_dataset_info, pipeline)},
    };
    for (size_t i = 0; i < COUNT(writers); i++)
        fill_one(&writers[i]);
}

/* Its texts live until the next row: bytes of two calls cannot be compared. */
static void index_rows(void **state)
{
    (void)state;
    struct {
        item_index_row row;
        unsigned char beyond[BEYOND];
    } newer;
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    memset(&newer, FILLED, sizeof newer);
    newer.row.struct_size = sizeof newer;
    assert_ok(item_index_scan(the.index, the.ctx, (const char *[]){the.file}, 1, NULL, NULL, &err),
              &err);
    assert_ok(item_index_find(the.index, NULL, &rows, &err), &err);
    assert_ok(item_index_next(rows, &newer.row, &err), &err);
    assert_string_equal(newer.row.path, the.file);
    assert_int_equal(newer.row.struct_size, sizeof newer);
    for (size_t i = 0; i < BEYOND; i++)
        assert_int_equal(newer.beyond[i], FILLED);
    newer.row.struct_size = sizeof newer.row - 8;
    assert_error(item_index_next(rows, &newer.row, &err), ITEM_E_ARGUMENT, &err, "item_index_row");
    item_index_rows_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_that_reads),
        cmocka_unit_test(every_function_that_fills),
        cmocka_unit_test(index_rows),
    };
    return cmocka_run_group_tests_name("api: structs", tests, make_things, free_things);
}
