/* SPDX-License-Identifier: Apache-2.0 */
/* Packs: what they tell, and everything that can be wrong with one. No engine is loaded. */
#include "packs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_refused(const char *folder, int32_t verify, item_status wanted, const char *part)
{
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    assert_error(item_pack_open(folder, verify, &pack, &err), wanted, &err, part);
    assert_null(pack);
    if (verify == 0)
        return;
    item_ctx *ctx = NULL;
    reset(&err);
    assert_error(item_ctx_open(folder, NULL, &ctx, &err), wanted, &err, part);
    assert_null(ctx);
}

/* The pack of `spec` is refused with a line that holds `part` and names the folder. */
static void assert_bad(const pack_spec *spec, item_status wanted, const char *part)
{
    char *folder = write_pack("bad", spec);
    assert_refused(folder, 1, wanted, part);
    assert_refused(folder, 1, wanted, "bad/");
    free(folder);
}

static void a_good_pack_tells_its_facts(void **state)
{
    (void)state;
    char *folder = write_pack("good", &(pack_spec){0});
    for (int32_t verify = 0; verify <= 2; verify++) {
        item_error err = ITEM_ERROR_INIT;
        item_pack *pack = NULL;
        assert_ok(item_pack_open(folder, verify, &pack, &err), &err);
        assert_string_equal(item_pack_text(pack, "name"), "fake");
        assert_string_equal(item_pack_text(pack, "version"), "7");
        assert_string_equal(item_pack_text(pack, "licence"), "none");
        assert_non_null(strstr(item_pack_text(pack, "path"), "/good"));
        assert_non_null(strstr(item_pack_text(pack, "card"), "/good/README.md"));
        assert_int_equal(strlen(item_pack_text(pack, "fingerprint")), 64);
        assert_string_equal(item_pack_text(pack, "what?"), "");
        assert_string_equal(item_pack_text(pack, NULL), "");
        const char *json = item_pack_json(pack);
        assert_non_null(strstr(json, "\"family\":\"fake\""));
        assert_non_null(strstr(json, "\"licence\":\"none\""));
        assert_non_null(strstr(json, "\"head\":null"));
        item_pack_free(pack);
    }
    assert_null(item_pack_json(NULL));
    assert_string_equal(item_pack_text(NULL, "name"), "");
    item_pack_free(NULL);
    free(folder);
}

static void a_head_of_the_pack_is_shown(void **state)
{
    (void)state;
    free(write_pack("headed", &(pack_spec){0}));
    head_spec spec = default_head(0);
    free(write_head("headed/head.safetensors", &spec));
    char *folder = write_pack("headed", &(pack_spec){.head = "head.safetensors"});
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    assert_ok(item_pack_open(folder, 2, &pack, &err), &err);
    assert_non_null(strstr(item_pack_json(pack), "\"file\":\"head.safetensors\""));
    assert_non_null(strstr(item_pack_json(pack), "\"layout\":\"cosine/both/1\""));
    item_pack_free(pack);
    /* it was made for the dummy embedder, not for this pack's */
    item_ctx *ctx = NULL;
    assert_error(item_ctx_open(folder, NULL, &ctx, &err), ITEM_E_MISMATCH, &err,
                 "head.safetensors");
    free(folder);
}

static void arguments_are_checked(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    char *folder = write_pack("good", &(pack_spec){0});
    assert_error(item_pack_open(folder, 3, &pack, &err), ITEM_E_ARGUMENT, &err, "verify");
    reset(&err);
    assert_error(item_pack_open(folder, 1, NULL, &err), ITEM_E_ARGUMENT, &err, NULL);
    reset(&err);
    char small[4], large[4096];
    assert_error(item_pack_default_path(small, sizeof small, &err), ITEM_E_ARGUMENT, &err, "fit");
    reset(&err);
    assert_error(item_pack_default_path(NULL, 0, &err), ITEM_E_ARGUMENT, &err, NULL);
    reset(&err);
    assert_ok(item_pack_default_path(large, sizeof large, &err), &err);
    assert_non_null(strstr(large, "small"));
    assert_refused("/no/such/pack", 1, ITEM_E_PACK, "/no/such/pack");
    assert_refused("/dev/null", 1, ITEM_E_PACK, "folder");
    free(folder);
}

/* "no such pack" is said of nothing else. */
static void what_keeps_a_pack_from_opening_is_told(void **state)
{
    (void)state;
    char *loop = temp_path("loop");
    assert_int_equal(symlink("loop", loop), 0);
    assert_refused("/no/such/pack", 1, ITEM_E_PACK, "no such pack");
    assert_refused("/dev/null/pack", 1, ITEM_E_PACK, "/dev/null/pack: the pack cannot be opened");
    assert_refused("/dev/null/pack", 1, ITEM_E_PACK, "Not a directory");
    assert_refused(loop, 1, ITEM_E_PACK, "symbolic links");
    char *folder = write_pack("good", &(pack_spec){.weights_name = "loop"});
    char *inside = temp_path("good/loop");
    assert_int_equal(symlink("loop", inside), 0);
    assert_refused(folder, 0, ITEM_E_PACK, "symbolic links");
    assert_int_equal(unlink(inside), 0);
    assert_refused(folder, 0, ITEM_E_PACK, "is not there");
    free(inside);
    inside = temp_path("good/item.json");
    assert_int_equal(unlink(inside), 0);
    assert_refused(folder, 1, ITEM_E_PACK, "/good: is no pack: it has no item.json");
    free(inside);
    free(folder);
    free(loop);
}

#define SHRINKING 12000000

/* Another process cuts the file and makes it whole again, without end. */
static pid_t start_shrinking(const char *path)
{
    pid_t child = fork();
    while (child == 0) {
        if (truncate(path, SHRINKING) != 0 || truncate(path, 0) != 0)
            _exit(1);
    }
    return child;
}

/* Hashing a mapped file that shrinks would kill this process. */
static void files_may_shrink_while_they_are_hashed(void **state)
{
    (void)state;
    char *folder = write_pack("shrinking", &(pack_spec){.bytes = "12000000"});
    char *path = temp_path("shrinking/weights.safetensors");
    item_config *config = NULL;
    assert_int_equal(item_config_new(&config, NULL), ITEM_OK);
    set_option(config, "map_files", "0");
    pid_t child = start_shrinking(path);
    assert_true(child > 0);
    for (int i = 0; i < 200; i++) {
        item_ctx *ctx = NULL;
        item_pack *pack = NULL;
        assert_int_equal(item_ctx_open(folder, config, &ctx, NULL), ITEM_E_PACK);
        assert_int_equal(item_pack_open(folder, 2, &pack, NULL), ITEM_E_PACK);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    item_config_unref(config);
    free(path);
    free(folder);
}

static void manifests_are_checked(void **state)
{
    (void)state;
    static const struct {
        pack_spec spec;
        const char *part;
    } cases[] = {
        {{.schema = "2"}, "schema 2"},
        {{.schema = "0"}, "schema"},
        {{.schema = "\"1\""}, "schema"},
        {{.stages = "{\"painter\": {}}"}, "painter"},
        {{.stages = "[]"}, "stages"},
        {{.stages = "{\"captioner\": 1}"}, "captioner"},
        {{.stages = "{\"captioner\": {\"family\": \"fake\"}}"}, "files"},
        {{.stages = "{\"captioner\": {\"files\": {}}}"}, "family"},
        {{.width = "9000"}, "width"},
        {{.bytes = "-1"}, "bytes"},
        {{.bytes = "\"12\""}, "bytes"},
        {{.sha256 = "abc"}, "sha256"},
        {{.weights_name = ""}, "file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *folder = write_pack("bad", &cases[i].spec);
        item_error err = ITEM_ERROR_INIT;
        item_ctx *ctx = NULL;
        assert_error(item_ctx_open(folder, NULL, &ctx, &err), ITEM_E_PACK, &err, cases[i].part);
        assert_non_null(strstr(err.message, "/bad"));
        free(folder);
    }
    assert_bad(&(pack_spec){.extra = ", \"name\": \"twice\""}, ITEM_E_FORMAT, "duplicate");
    assert_bad(&(pack_spec){.extra = "]"}, ITEM_E_FORMAT, "line");
}

static void files_are_checked(void **state)
{
    (void)state;
    static const char wrong[] = "0000000000000000000000000000000000000000000000000000000000000000";
    assert_bad(&(pack_spec){.sha256 = wrong}, ITEM_E_PACK, "SHA-256");
    assert_bad(&(pack_spec){.bytes = "17"}, ITEM_E_PACK, "17");
    assert_bad(&(pack_spec){.weights_name = "gone.safetensors"}, ITEM_E_PACK, "gone.safetensors");
    assert_bad(&(pack_spec){.weights_name = "../bad/weights.safetensors"}, ITEM_E_PACK, "..");
    assert_bad(&(pack_spec){.weights_name = "/etc/passwd"}, ITEM_E_PACK, "relative");
    assert_bad(&(pack_spec){.weights_name = "."}, ITEM_E_PACK, NULL);

    /* without verifying, a wrong hash is not seen; sizes always are */
    char *folder = write_pack("bad", &(pack_spec){.sha256 = wrong});
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    assert_ok(item_pack_open(folder, 0, &pack, &err), &err);
    item_pack_free(pack);
    free(folder);
    folder = write_pack("bad", &(pack_spec){.bytes = "17"});
    assert_refused(folder, 0, ITEM_E_PACK, "17");
    free(folder);
}

static void links_may_not_lead_out(void **state)
{
    (void)state;
    char *folder = write_pack("linked", &(pack_spec){0});
    char *outside = temp_path("outside.safetensors"), *inside = temp_path("linked/inside");
    char *name = temp_path("linked/weights.safetensors");
    char *bytes = read_text(name);
    uint64_t size;
    char hex[65];
    sha256_of(name, hex, &size);
    write_file(outside, bytes, (size_t)size);
    write_file(inside, bytes, (size_t)size);
    free(bytes);

    assert_int_equal(unlink(name), 0);
    assert_int_equal(symlink(outside, name), 0);
    assert_refused(folder, 1, ITEM_E_PACK, "leads out");
    assert_int_equal(unlink(name), 0);
    assert_int_equal(symlink("inside", name), 0);
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    assert_ok(item_pack_open(folder, 2, &pack, &err), &err);
    item_pack_free(pack);
    free(name);
    free(inside);
    free(outside);
    free(folder);
}

static void the_tokenizer_needs_no_engine(void **state)
{
    (void)state;
    char *folder = write_pack("good", &(pack_spec){0});
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    assert_ok(item_ctx_open(folder, NULL, &ctx, &err), &err);
    int32_t ids[8];
    size_t count = 0;
    assert_ok(item_tokenize(ctx, "A dog, a car", ids, 8, &count, &err), &err);
    const int32_t wanted[] = {2, 4, 5, 1, 4, 3}; /* the limit of the pack is 6 */
    assert_int_equal(count, 6);
    assert_memory_equal(ids, wanted, sizeof wanted);
    assert_ok(item_tokenize(ctx, "a dog", NULL, 0, &count, &err), &err);
    assert_int_equal(count, 4);
    assert_error(item_tokenize(ctx, "\xff", ids, 8, &count, &err), ITEM_E_FORMAT, &err, NULL);
    reset(&err);
    assert_error(item_tokenize(ctx, NULL, ids, 8, &count, &err), ITEM_E_ARGUMENT, &err, NULL);
    reset(&err);
    assert_error(item_tokenize(ctx, "a", NULL, 8, &count, &err), ITEM_E_ARGUMENT, &err, NULL);
    item_ctx_unref(ctx);
    ctx = make_ctx();
    reset(&err);
    assert_error(item_tokenize(ctx, "a", ids, 8, &count, &err), ITEM_E_UNSUPPORTED, &err, "pack");
    item_ctx_unref(ctx);
    free(folder);
}

static void count_lines(void *user, int32_t level, const char *text)
{
    if (level == ITEM_LOG_WARNING && strstr(text, "colour"))
        ++*(int *)user;
}

static void unknown_keys_are_logged(void **state)
{
    (void)state;
    char *folder = write_pack("good", &(pack_spec){.extra = ", \"colour\": \"red\""});
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    int lines = 0;
    assert_ok(item_config_new(&config, &err), &err);
    assert_ok(item_config_set_log(config, count_lines, &lines, &err), &err);
    item_ctx *ctx = NULL;
    assert_ok(item_ctx_open(folder, config, &ctx, &err), &err);
    assert_int_equal(lines, 1);
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    assert_ok(item_ctx_get_info(ctx, &info, &err), &err);
    assert_string_equal(info.pack, "fake 7");
    assert_int_equal(info.width, 3);
    assert_true(info.has_captioner && info.has_detector && info.has_embedder && !info.has_head);
    assert_non_null(strstr(info.no_verdict, "fake 7"));
    assert_string_equal(info.layout, "");
    assert_int_equal(info.working_size, 224);
    item_ctx_unref(ctx);
    item_config_unref(config);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_pack_tells_its_facts),
        cmocka_unit_test(a_head_of_the_pack_is_shown),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(what_keeps_a_pack_from_opening_is_told),
        cmocka_unit_test(files_may_shrink_while_they_are_hashed),
        cmocka_unit_test(manifests_are_checked),
        cmocka_unit_test(files_are_checked),
        cmocka_unit_test(links_may_not_lead_out),
        cmocka_unit_test(the_tokenizer_needs_no_engine),
        cmocka_unit_test(unknown_keys_are_logged),
    };
    return cmocka_run_group_tests_name("api: packs", tests, NULL, NULL);
}
