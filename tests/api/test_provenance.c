/* SPDX-License-Identifier: Apache-2.0 */
/* What a file says of its origin stands beside an answer, and changes nothing of it. */
#include "support.h"

#include <item/provenance.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../containers.h"

#define BYTES(text) (text), sizeof(text) - 1
#define IHDR_END    33 /* signature and first chunk of a PNG */

#define XMP                                                                                        \
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description"            \
    " xmlns:e='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'"                                       \
    " e:DigitalSourceType='http://cv.iptc.org/newscodes/digitalsourcetype/"                        \
    "trainedAlgorithmicMedia'/></rdf:RDF>"

static struct {
    char *plain, *told; /* the same pixels, without and with metadata */
    uint8_t *bytes;     /* of the latter */
    size_t size;
    item_ctx *ctx; /* with a head */
} the;

/* The picture with chunks behind its header: a source type, a text of ComfyUI, broken EXIF. */
static void write_told(void)
{
    char plain[100000];
    FILE *file = fopen(the.plain, "rb");
    assert_non_null(file);
    const size_t size = fread(plain, 1, sizeof plain, file);
    assert_int_equal(fclose(file), 0);
    assert_true(size > IHDR_END && size < sizeof plain);
    container told = {.kind = IN_PNG};
    container_add(&told, plain, IHDR_END);
    container_part(&told, "iTXt", BYTES("XML:com.adobe.xmp\0\0\0\0\0" XMP));
    container_part(&told, "tEXt", BYTES("prompt\0{\"1\": {\"class_type\": \"KSampler\"}}"));
    container_part(&told, "eXIf", BYTES("no EXIF"));
    container_add(&told, plain + IHDR_END, size - IHDR_END);
    the.bytes = told.data;
    the.size = told.size;
    the.told = temp_path("told.png");
    write_file(the.told, the.bytes, the.size);
}

static int make_things(void **state)
{
    (void)state;
    the.plain = write_picture("plain.png", 3, 120, 90);
    write_told();
    head_spec head = default_head(1);
    char *path = write_head("head.safetensors", &head);
    item_config *config = make_config();
    set_option(config, "head", path);
    free(path);
    the.ctx = open_ctx(config);
    return 0;
}

static int free_things(void **state)
{
    (void)state;
    item_ctx_unref(the.ctx);
    free(the.plain);
    free(the.told);
    free(the.bytes);
    return 0;
}

static item_result *check(const char *path)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_check_file(the.ctx, path, NULL, &result, &err), &err);
    return result;
}

/* The three entries that the told picture has. */
static void expect_told(const item_result *result)
{
    static const struct {
        int32_t kind, claim;
        const char *name;
    } expected[] = {
        {ITEM_PROVENANCE_SOURCE_TYPE, ITEM_CLAIM_AI, "trainedAlgorithmicMedia"},
        {ITEM_PROVENANCE_GENERATOR, ITEM_CLAIM_AI, "ComfyUI"},
        {ITEM_PROVENANCE_UNREADABLE, ITEM_CLAIM_NONE, ""},
    };
    const item_provenance *list = item_result_provenance(result);
    assert_int_equal(item_provenance_count(list), 3);
    for (uint32_t i = 0; i < 3; i++) {
        item_provenance_entry entry = ITEM_PROVENANCE_ENTRY_INIT;
        item_error err = ITEM_ERROR_INIT;
        assert_ok(item_provenance_get(list, i, &entry, &err), &err);
        assert_int_equal(entry.kind, expected[i].kind);
        assert_int_equal(entry.claim, expected[i].claim);
        assert_string_equal(entry.name, expected[i].name);
    }
}

static void same_values(const item_result *a, const item_result *b, int32_t which)
{
    size_t n = 0, m = 0;
    const float *one = item_result_values(a, which, 0, &n);
    const float *other = item_result_values(b, which, 0, &m);
    assert_true(one && other && n == m);
    assert_memory_equal(one, other, n * sizeof *one);
}

/* Verdict, score, features, vectors, texts and fingerprint are equal, bit for bit. */
static void nothing_else_changes(void **state)
{
    (void)state;
    item_result *plain = check(the.plain), *told = check(the.told);
    assert_null(item_result_provenance(plain));
    expect_told(told);
    item_result_summary a = summary_of(plain), b = summary_of(told);
    assert_int_not_equal(a.verdict, ITEM_VERDICT_NONE);
    assert_memory_equal(&a, &b, sizeof a);
    same_values(plain, told, ITEM_VALUES_FEATURES);
    same_values(plain, told, ITEM_VALUES_IMAGE_VECTOR);
    for (int32_t i = ITEM_TEXT_CAPTION; i <= ITEM_TEXT_EMBEDDER; i++)
        assert_string_equal(item_result_text(plain, i), item_result_text(told, i));
    assert_true(strlen(item_result_text(told, ITEM_TEXT_FINGERPRINT)) == 64);
    assert_null(item_result_warning(told, 0));
    item_result_unref(plain);
    item_result_unref(told);
}

static void in_the_json(void **state)
{
    (void)state;
    item_result *plain = check(the.plain), *told = check(the.told);
    const char *text = item_result_json(plain);
    assert_non_null(strstr(text, "\"provenance\":[]}"));
    text = strstr(item_result_json(told), "\"provenance\":");
    assert_non_null(text);
    assert_string_equal(
        text,
        "\"provenance\":["
        "{\"kind\":\"source_type\",\"claim\":\"ai\",\"where\":\"XMP DigitalSourceType\","
        "\"name\":\"trainedAlgorithmicMedia\",\"value\":\"http://cv.iptc.org/newscodes/"
        "digitalsourcetype/trainedAlgorithmicMedia\",\"text\":\"digital source type "
        "trainedAlgorithmicMedia\"},"
        "{\"kind\":\"generator\",\"claim\":\"ai\",\"where\":\"PNG text prompt\",\"name\":"
        "\"ComfyUI\",\"value\":\"{\\\"1\\\": {\\\"class_type\\\": \\\"KSampler\\\"}}\",\"text\":"
        "\"data as ComfyUI writes them\"},"
        "{\"kind\":\"unreadable\",\"claim\":null,\"where\":\"EXIF\",\"name\":null,\"value\":"
        "\"EXIF: its header is broken\",\"text\":\"metadata that cannot be read: EXIF: its header "
        "is "
        "broken\"}]}");
    item_result_unref(plain);
    item_result_unref(told);
}

/* Pictures that the caller has read bring it along, and results keep it when all else is gone. */
static void of_pictures_of_the_caller(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_image *images[3] = {NULL, make_picture(1, 60, 50), NULL};
    item_result *results[3] = {NULL};
    assert_ok(item_image_from_memory(the.bytes, the.size, NULL, &images[0], &err), &err);
    assert_ok(item_image_from_file(the.plain, NULL, &images[2], &err), &err);
    item_ctx *ctx = make_ctx();
    assert_ok(item_check_images(ctx, images, 3, NULL, results, &err), &err);
    item_result *caption = NULL;
    assert_ok(item_caption_image(ctx, images[0], NULL, &caption, &err), &err);
    item_ctx_unref(ctx);
    for (size_t i = 0; i < 3; i++)
        item_image_unref(images[i]);
    expect_told(results[0]);
    expect_told(caption);
    assert_null(item_result_provenance(results[1]));
    assert_null(item_result_provenance(results[2]));
    assert_null(item_result_provenance(NULL));
    for (size_t i = 0; i < 3; i++)
        item_result_unref(results[i]);
    item_result_unref(caption);
}

static void of_a_failed_file(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    char *path = temp_path("cut.png");
    write_file(path, the.bytes, the.size / 2);
    const char *paths[] = {path};
    assert_ok(item_check_files(the.ctx, paths, 1, NULL, &result, &err), &err);
    assert_int_equal(item_result_status(result, NULL), ITEM_E_FORMAT);
    assert_null(item_result_provenance(result));
    item_result_unref(result);

    item_provenance *list = NULL; /* asked for itself, what is there is told */
    assert_ok(item_provenance_from_file(path, NULL, &list, &err), &err);
    assert_int_equal(item_provenance_count(list), 3);
    item_provenance_free(list);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_else_changes),
        cmocka_unit_test(in_the_json),
        cmocka_unit_test(of_pictures_of_the_caller),
        cmocka_unit_test(of_a_failed_file),
    };
    return cmocka_run_group_tests(tests, make_things, free_things);
}
