/* SPDX-License-Identifier: Apache-2.0 */
/* Packs that are made of published models and of other packs. */
#include "packs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static item_status create(const char *captioner, const char *detector, const char *embedder,
                          const char *path, item_error *err)
{
    item_pack_parts parts = ITEM_PACK_PARTS_INIT;
    parts.captioner = captioner;
    parts.detector = detector;
    parts.embedder = embedder;
    return item_pack_create(&parts, path, err);
}

static item_pack *open_whole(const char *path)
{
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    assert_ok(item_pack_open(path, 2, &pack, &err), &err);
    return pack;
}

static void assert_told(const item_pack *pack, const char *part)
{
    if (!strstr(item_pack_json(pack), part))
        fail_msg("%s is not in %s", part, item_pack_json(pack));
}

static struct stat facts_of(const char *folder, const char *name)
{
    struct stat facts;
    char *path = path_in(folder, name);
    assert_int_equal(stat(path, &facts), 0);
    free(path);
    return facts;
}

/* Nothing whose name begins as the pack's lies beside it. */
static void assert_nothing_left(const char *name)
{
    DIR *folder = opendir(temp_folder());
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        assert_int_not_equal(strncmp(entry->d_name, name, strlen(name)), 0);
    closedir(folder);
}

static char *make_clip(void)
{
    return write_folder(
        "clip",
        (const piece[]){
            CLIP_CONFIG, BYTE_PAIRS, WEIGHTS, {"README.md", "---\nlicense: mit\n---\n"}, {0}});
}

static void stages_of_any_origin_make_a_pack(void **state)
{
    (void)state;
    char *clip = make_clip(), *pack = write_pack("other", &(pack_spec){0});
    char *path = temp_path("mixed/"); /* a slash at the end is no other folder */
    item_error err = ITEM_ERROR_INIT;
    assert_ok(create(pack, pack, clip, path, &err), &err);
    item_pack *made = open_whole(path);
    assert_string_equal(item_pack_text(made, "name"), "mixed");
    assert_string_equal(item_pack_text(made, "licence"), "none; mit");
    assert_told(made, "\"family\":\"fake\"");
    assert_told(made, "\"number\":2.5"); /* what a stage is configured with goes along */
    assert_told(made, "\"family\":\"clip\",\"licence\":\"mit\"");
    assert_told(made, "\"file\":\"embedder/model.safetensors\"");
    assert_told(made, "\"kind\":\"published\",\"limit\":77");
    assert_told(made, "\"head\":null");
    item_pack_free(made);

    /* links, each file once: both stages of the pack have the same */
    assert_int_equal(facts_of(path, "embedder/model.safetensors").st_ino,
                     facts_of(clip, "model.safetensors").st_ino);
    assert_int_equal(facts_of(pack, "vocab.txt").st_nlink, 2);
    assert_int_equal(facts_of(path, "embedder/README.md").st_ino,
                     facts_of(clip, "README.md").st_ino);

    /* the terms go on to a pack that is made of this one */
    char *second = temp_path("again");
    assert_ok(create(path, NULL, path, second, &err), &err);
    assert_int_equal(facts_of(second, "embedder/README.md").st_ino,
                     facts_of(clip, "README.md").st_ino);
    free(second);

    item_ctx *ctx = NULL;
    assert_ok(item_ctx_open(path, NULL, &ctx, &err), &err);
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    assert_ok(item_ctx_get_info(ctx, &info, &err), &err);
    assert_true(info.has_captioner && info.has_detector && info.has_embedder);
    assert_int_equal(info.width, 24);
    assert_non_null(strstr(info.no_verdict, "mixed 1 has no head; item train makes one"));
    item_ctx_unref(ctx);
    free(path);
    free(pack);
    free(clip);
}

static void the_card_tells_what_is_known(void **state)
{
    (void)state;
    char *clip = make_clip(), *path = temp_path("carded");
    item_error err = ITEM_ERROR_INIT;
    item_pack_parts parts = ITEM_PACK_PARTS_INIT;
    parts.embedder = clip;
    parts.name = "line\nbreak";
    assert_ok(item_pack_create(&parts, path, &err), &err);
    item_pack *made = open_whole(path);
    char *card = read_text(item_pack_text(made, "card"));
    assert_non_null(strstr(card, "# line\\nbreak: model card\n"));
    assert_non_null(strstr(card, "- **embedder**\n  - family: clip\n"));
    assert_non_null(strstr(card, "  - licence: mit\n"));
    assert_non_null(strstr(card, "item train --pack"));
    assert_non_null(strstr(card, "<what this pack is meant for"));
    free(card);
    item_pack_free(made);
    free(path);
    free(clip);
}

static void a_pack_of_a_pack_is_the_same(void **state)
{
    (void)state;
    char *clip = make_clip(), *first = temp_path("first"), *second = temp_path("second");
    item_error err = ITEM_ERROR_INIT;
    assert_ok(create(NULL, NULL, clip, first, &err), &err);
    item_pack_parts parts = ITEM_PACK_PARTS_INIT;
    parts.embedder = first;
    parts.name = "first";
    parts.flags = ITEM_PACK_COPY;
    assert_ok(item_pack_create(&parts, second, &err), &err);
    assert_int_not_equal(facts_of(second, "embedder/model.safetensors").st_ino,
                         facts_of(first, "embedder/model.safetensors").st_ino);
    item_pack *a = open_whole(first), *b = open_whole(second);
    assert_string_equal(item_pack_text(a, "fingerprint"), item_pack_text(b, "fingerprint"));
    item_pack_free(a);
    item_pack_free(b);
    free(second);
    free(first);
    free(clip);
}

static void links_become_files(void **state)
{
    (void)state;
    char *folder = write_folder("linked", (const piece[]){CLIP_CONFIG, BYTE_PAIRS, {0}});
    char *blob = temp_path("a-blob"), *link = path_in(folder, "model.safetensors");
    write_text(blob, "weights");
    assert_int_equal(symlink(blob, link), 0);
    char *path = temp_path("resolved");
    item_error err = ITEM_ERROR_INIT;
    assert_ok(create(NULL, NULL, folder, path, &err), &err);
    assert_int_equal(facts_of(path, "embedder/model.safetensors").st_ino,
                     facts_of(temp_folder(), "a-blob").st_ino);
    item_pack_free(open_whole(path));
    free(path);
    free(link);
    free(blob);
    free(folder);
}

/* A head that was trained with the folder fits the pack that is made of it. */
static void a_head_must_be_of_this_embedder(void **state)
{
    (void)state;
    char *clip = make_clip(), *path = temp_path("headed");
    char *other = write_head("other.safetensors", &(head_spec){.width = 24, .embedder = "none"});
    item_error err = ITEM_ERROR_INIT;
    item_pack_parts parts = ITEM_PACK_PARTS_INIT;
    parts.embedder = clip;
    parts.head = other;
    assert_error(item_pack_create(&parts, path, &err), ITEM_E_MISMATCH, &err, "other.safetensors");
    assert_nothing_left("headed");

    char identity[256];
    const char *at = strstr(err.message, "clip/24 sha256:");
    assert_non_null(at);
    snprintf(identity, sizeof identity, "%.*s", (int)strcspn(at, "`"), at);
    head_spec spec = default_head(1);
    spec.width = 24;
    spec.embedder = identity;
    char *own = write_head("own.safetensors", &spec);
    parts.head = own;
    reset(&err);
    assert_ok(item_pack_create(&parts, path, &err), &err);
    item_pack *made = open_whole(path);
    assert_told(made, "\"head\":{\"file\":\"head.safetensors\"");
    item_pack_free(made);

    item_config *config = NULL;
    item_ctx *ctx = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    set_option(config, "head", own);
    assert_ok(item_ctx_open(clip, config, &ctx, &err), &err); /* and the folder itself */
    item_ctx_unref(ctx);
    item_config_unref(config);
    free(own);
    free(other);
    free(path);
    free(clip);
}

static void assert_refused(const item_pack_parts *parts, const char *path, item_status wanted,
                           const char *part)
{
    item_error err = ITEM_ERROR_INIT;
    assert_error(item_pack_create(parts, path, &err), wanted, &err, part);
}

static void what_cannot_be_made_leaves_nothing(void **state)
{
    (void)state;
    char *clip = make_clip(), *path = temp_path("refused"), *deep = temp_path("no/such/folder");
    item_pack_parts parts = ITEM_PACK_PARTS_INIT;
    assert_refused(&parts, path, ITEM_E_ARGUMENT, "one stage or more");
    parts.embedder = clip;
    assert_refused(&parts, NULL, ITEM_E_ARGUMENT, "path is NULL");
    assert_refused(&parts, "", ITEM_E_ARGUMENT, "path");
    assert_refused(&parts, clip, ITEM_E_IO, "is there already");
    assert_refused(&parts, deep, ITEM_E_IO, "No such file");
    parts.flags = 2;
    assert_refused(&parts, path, ITEM_E_ARGUMENT, "flag");
    parts.flags = 0;
    parts.captioner = clip;
    assert_refused(&parts, path, ITEM_E_PACK, "has no captioner");
    parts.captioner = "/no/such/pack";
    assert_refused(&parts, path, ITEM_E_PACK, "/no/such/pack");
    parts.captioner = NULL;
    parts.head = "/no/such/head";
    assert_refused(&parts, path, ITEM_E_IO, "/no/such/head");
    assert_nothing_left("refused");

    item_error err = ITEM_ERROR_INIT;
    parts.head = NULL;
    assert_ok(item_cancel_new(&parts.cancel, &err), &err);
    item_cancel_set(parts.cancel);
    assert_refused(&parts, path, ITEM_E_CANCELLED, NULL);
    assert_nothing_left("refused");
    item_cancel_unref(parts.cancel);
    free(deep);
    free(path);
    free(clip);
}

static void a_changed_pack_is_no_source(void **state)
{
    (void)state;
    static const char wrong[] = "0000000000000000000000000000000000000000000000000000000000000000";
    char *pack = write_pack("changed", &(pack_spec){.sha256 = wrong}), *path = temp_path("unmade");
    item_error err = ITEM_ERROR_INIT;
    assert_error(create(NULL, pack, NULL, path, &err), ITEM_E_PACK, &err, "the file was changed");
    assert_nothing_left("unmade");
    free(path);
    free(pack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_of_any_origin_make_a_pack),
        cmocka_unit_test(the_card_tells_what_is_known),
        cmocka_unit_test(a_pack_of_a_pack_is_the_same),
        cmocka_unit_test(links_become_files),
        cmocka_unit_test(a_head_must_be_of_this_embedder),
        cmocka_unit_test(what_cannot_be_made_leaves_nothing),
        cmocka_unit_test(a_changed_pack_is_no_source),
    };
    return cmocka_run_group_tests_name("api: making packs", tests, NULL, NULL);
}
