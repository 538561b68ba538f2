/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of stages: the same for the same files, another for anything that changes answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/core.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void identity_of(const char *family, const char *first, const char *second, uint32_t width,
                        char out[256])
{
    itemi_pack_file files[] = {{.role = "image", .sha256 = first},
                               {.role = "text", .sha256 = second}};
    itemi_pack_stage stage = {.family = family, .files = files, .count = 2};
    assert_int_equal(itemi_identity_pack(&stage, width, out, NULL), ITEM_OK);
}

static void of_packs(void **state)
{
    (void)state;
    char base[256], other[256];
    identity_of("clip", A, B, 256, base);
    assert_true(strncmp(base, "clip/256 sha256:", 16) == 0);
    assert_int_equal(strlen(base), 16 + 64);
    identity_of("clip", A, B, 256, other);
    assert_string_equal(base, other);
    identity_of("clip", B, A, 256, other);
    assert_string_not_equal(base, other);
    identity_of("clap", A, B, 256, other);
    assert_string_not_equal(base, other);
    identity_of("clip", A, B, 128, other);
    assert_string_not_equal(base, other);

    /* the order in which item.json names the roles says nothing */
    itemi_pack_file files[] = {{.role = "text", .sha256 = B}, {.role = "image", .sha256 = A}};
    itemi_pack_stage stage = {.family = "clip", .files = files, .count = 2};
    assert_int_equal(itemi_identity_pack(&stage, 256, other, NULL), ITEM_OK);
    assert_string_equal(base, other);
}

static void of_registered_backends(void **state)
{
    (void)state;
    char text[256], long_id[400], other[256];
    itemi_stage *stage = NULL;
    item_embedder_ops ops = *item_dummy_embedder();
    memset(long_id, 'x', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    assert_int_equal(itemi_stage_new(NULL, ITEMI_EMBEDDER, &ops, NULL, &stage, NULL), ITEM_OK);
    assert_int_equal(itemi_identity_stage(stage, text, NULL), ITEM_OK);
    assert_string_equal(text, "dummy/32 1");
    itemi_stage_unref(stage);

    ops.id = long_id; /* told by its hash: cutting it would make two of them equal */
    assert_int_equal(itemi_stage_new(NULL, ITEMI_EMBEDDER, &ops, NULL, &stage, NULL), ITEM_OK);
    assert_int_equal(itemi_identity_stage(stage, text, NULL), ITEM_OK);
    itemi_stage_unref(stage);
    assert_int_equal(strlen(text), strlen("dummy/32 ") + 64);
    long_id[sizeof long_id - 2] = 'y';
    assert_int_equal(itemi_stage_new(NULL, ITEMI_EMBEDDER, &ops, NULL, &stage, NULL), ITEM_OK);
    assert_int_equal(itemi_identity_stage(stage, other, NULL), ITEM_OK);
    itemi_stage_unref(stage);
    assert_string_not_equal(text, other);
}

/* Of a stage of a pack with this "config", NULL for none. */
static void identity_with(const char *config, char out[256])
{
    itemi_pack_file file = {.role = "weights", .sha256 = A};
    json_t *object = config ? json_loads(config, 0, NULL) : NULL;
    itemi_pack_stage stage = {.family = "f", .files = &file, .count = 1, .config = object};
    assert_int_equal(itemi_identity_pack(&stage, 0, out, NULL), ITEM_OK);
    json_decref(object);
}

static void of_configs(void **state)
{
    (void)state;
    static const char *const different[] = {NULL, "{\"beams\": 3}", "{\"beams\": 4}",
                                            "{\"weights\": \"" A "\"}",
                                            "{\"beams\": 3, \"length_penalty\": 0.7}"};
    char seen[ITEMI_COUNT(different)][256], other[256];
    for (size_t i = 0; i < ITEMI_COUNT(different); i++) {
        identity_with(different[i], seen[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
    }
    identity_with("{\"length_penalty\": 0.7, \"beams\": 3}", other);
    assert_string_equal(other, seen[4]); /* the order of keys says nothing */
    identity_with("{}", other);
    assert_string_equal(other, seen[0]);
    identity_with("{\"width\": 256}", other); /* told beside the hash */
    assert_string_equal(other, seen[0]);
}

static void identity_as(const char *name, const char *id, char out[256])
{
    itemi_stage *stage = NULL;
    item_embedder_ops ops = *item_dummy_embedder();
    ops.name = name;
    ops.id = id;
    assert_int_equal(itemi_stage_new(NULL, ITEMI_EMBEDDER, &ops, NULL, &stage, NULL), ITEM_OK);
    assert_int_equal(itemi_identity_stage(stage, out, NULL), ITEM_OK);
    itemi_stage_unref(stage);
}

static void names_cannot_hide_an_id(void **state)
{
    (void)state;
    char wild[65], one[256], two[256];
    memset(wild, '\x01', 64); /* each is shown as four characters */
    wild[64] = '\0';
    identity_as(wild, "1", one);
    identity_as(wild, "2", two);
    assert_string_not_equal(one, two);
    identity_as("mine", "a\nb", one);
    identity_as("mine", "a\\nb", two);
    assert_string_not_equal(one, two);
    identity_as("a/32 b", "c", one);
    identity_as("a", "b/32 c", two);
    assert_string_not_equal(one, two);
}

static void where_things_lie(void **state)
{
    (void)state;
    char path[PATH_MAX], small[8];
    bool from_environment = false;
    assert_int_equal(itemi_origin_engine(path, sizeof path, &from_environment, NULL), ITEM_OK);
    assert_non_null(strstr(path, "libitem-torch.so"));
    assert_int_equal(itemi_origin_engine(small, sizeof small, &from_environment, NULL),
                     ITEM_E_ARGUMENT);
    assert_int_equal(itemi_origin_pack(path, sizeof path, NULL), ITEM_OK);
    assert_true(strlen(itemi_processor_class()) > 3);
}

static void of_pipelines(void **state)
{
    (void)state;
    json_t *config = json_pack("{s:i}", "beams", 3);
    item_pack pack = {.path = NULL};
    pack.stage[ITEMI_CAPTIONER].config = config;
    item_ctx ctx = {.pack = &pack, .settings = {.detector_score = 0.25}};
    ctx.slot[ITEMI_CAPTIONER].possible = true;
    strcpy(ctx.slot[ITEMI_CAPTIONER].identity, "words 1");
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    ctx.settings.max_objects = ITEMI_OBJECTS_UNSET;
    char whole[ITEMI_PIPELINE_MAX], same[ITEMI_PIPELINE_MAX], other[ITEMI_PIPELINE_MAX];
    itemi_pipeline_name(&ctx, &options, whole);
    assert_string_equal(whole, "captioner words 1, detector none, beams 3, max_objects 8,"
                               " detector_score 0.25");
    ctx.settings.beams = 3; /* as the pack has it anyway */
    itemi_pipeline_name(&ctx, &options, same);
    assert_string_equal(whole, same);
    ctx.settings.beams = 0;
    ctx.slot[ITEMI_CAPTIONER].registered = true; /* the pack's value does not count for it */
    options.max_objects = 5;
    itemi_pipeline_name(&ctx, &options, other);

    char *line = itemi_pipeline_difference(NULL, whole, other, true);
    assert_string_equal(line, "the head was calibrated with beams 3, max_objects 8;"
                              " this picture was looked at with beams default, max_objects 5");
    itemi_free(NULL, line);
    line = itemi_pipeline_difference(NULL, whole, other, false);
    assert_string_equal(line, "the head was calibrated with beams 3;"
                              " this picture was looked at with beams default");
    itemi_free(NULL, line);

    options.sample = 0.5; /* the call's draws count, then the context's */
    options.sample_seed = UINT64_MAX;
    itemi_pipeline_name(&ctx, &options, same);
    assert_non_null(strstr(same, ", sample 0.5 seed 18446744073709551615"));
    options.sample = 0;
    ctx.settings.sample_seed = 7;
    itemi_pipeline_name(&ctx, &options, same);
    assert_string_equal(same, other); /* a seed of nothing */
    ctx.settings.sample = 2;
    itemi_pipeline_name(&ctx, &options, same);
    line = itemi_pipeline_difference(NULL, other, same, true);
    assert_string_equal(line, "the head was calibrated with ;"
                              " this picture was looked at with sample 2 seed 7");
    itemi_free(NULL, line);
    line = itemi_pipeline_difference(NULL, "another", "", true);
    assert_string_equal(line,
                        "the head was calibrated with another; this picture was looked at with ");
    itemi_free(NULL, line);
    json_decref(config);
}

static void how_objects_are_found_counts_where_objects_do(void **state)
{
    (void)state;
    const char *whole = "captioner a, detector b, beams 3, max_objects 8, detector_score 0.25";
    const char *objects = "captioner a, detector c, beams 3, max_objects 0, detector_score 0.5";
    const char *words = "captioner d, detector b, beams 3, max_objects 8, detector_score 0.25";
    assert_true(itemi_pipeline_same(whole, whole, true));
    assert_false(itemi_pipeline_same(whole, objects, true));
    assert_true(itemi_pipeline_same(whole, objects, false));
    assert_false(itemi_pipeline_same(whole, words, false));
    assert_false(itemi_pipeline_same(whole, "captioner a", true));
    assert_false(itemi_pipeline_same("", whole, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_objects_are_found_counts_where_objects_do),
        cmocka_unit_test(of_packs),
        cmocka_unit_test(of_pipelines),
        cmocka_unit_test(of_registered_backends),
        cmocka_unit_test(of_configs),
        cmocka_unit_test(names_cannot_hide_an_id),
        cmocka_unit_test(where_things_lie),
    };
    return cmocka_run_group_tests_name("core: identities", tests, NULL, NULL);
}
