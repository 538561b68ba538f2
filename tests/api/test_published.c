/* SPDX-License-Identifier: Apache-2.0 */
/* Folders as models are published in: what is found in them, and all that may be missing. */
#include "packs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void assert_refused(char *folder, item_status wanted, const char *part)
{
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    assert_error(item_pack_open(folder, 1, &pack, &err), wanted, &err, part);
    assert_non_null(strstr(err.message, strrchr(folder, '/'))); /* names the folder */
    assert_null(pack);
    item_ctx *ctx = NULL;
    reset(&err);
    assert_error(item_ctx_open(folder, NULL, &ctx, &err), wanted, &err, part);
    assert_null(ctx);
}

static void assert_bad(const piece *pieces, item_status wanted, const char *part)
{
    char *folder = write_folder("bad", pieces);
    assert_refused(folder, wanted, part);
    free(folder);
}

static item_pack *open_folder(const char *folder, int32_t verify)
{
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    assert_ok(item_pack_open(folder, verify, &pack, &err), &err);
    return pack;
}

/* The JSON of the folder holds each of the texts up to NULL. */
static void assert_tells(const piece *pieces, const char *const *parts)
{
    char *folder = write_folder("good", pieces);
    item_pack *pack = open_folder(folder, 1);
    for (; *parts; parts++) {
        if (!strstr(item_pack_json(pack), *parts))
            fail_msg("%s is not in %s", *parts, item_pack_json(pack));
    }
    item_pack_free(pack);
    free(folder);
}

static item_ctx_info info_of(item_ctx *ctx)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    assert_ok(item_ctx_get_info(ctx, &info, &err), &err);
    return info;
}

static void a_folder_is_a_pack_of_one_stage(void **state)
{
    (void)state;
    char *folder = write_folder("clip", (const piece[]){CLIP_CONFIG, BYTE_PAIRS, WEIGHTS, {0}});
    item_pack *pack = open_folder(folder, 1);
    assert_non_null(strstr(item_pack_text(pack, "name"), "-clip"));
    assert_string_equal(item_pack_text(pack, "version"), "as published");
    assert_string_equal(item_pack_text(pack, "licence"), "");
    assert_int_equal(strlen(item_pack_text(pack, "fingerprint")), 64);
    assert_non_null(strstr(item_pack_json(pack), "\"head\":null"));
    item_pack_free(pack);

    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    assert_ok(item_ctx_open(folder, NULL, &ctx, &err), &err);
    item_ctx_info info = info_of(ctx);
    assert_int_equal(info.width, 24); /* before any network is opened */
    assert_true(info.has_embedder && !info.has_captioner && !info.has_detector && !info.has_head);
    assert_non_null(strstr(info.no_verdict, "item train"));
    item_ctx_unref(ctx);
    free(folder);
}

static void each_family_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *config, *parts[4];
    } cases[] = {
        {"{\"model_type\": \"clip\"}", {"{\"embedder\":", "\"limit\":77", "\"width\":512"}},
        {"{\"model_type\": \"clip\", \"text_config\": {\"max_position_embeddings\": 9}}",
         {"\"limit\":9"}},
        {"{\"model_type\": \"clip\", \"text_config\": {\"max_position_embeddings\": 9}, "
         "\"text_config_dict\": {\"max_position_embeddings\": 7}}",
         {"\"limit\":7"}},
        {"{\"model_type\": \"owlvit\"}", {"{\"detector\":", "\"limit\":16"}},
        {"{\"model_type\": \"owlv2\", \"_name_or_path\": \"who/what\"}",
         {"\"family\":\"owlv2\"", "\"source\":\"who/what\""}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_tells((const piece[]){{"config.json", cases[i].config}, BYTE_PAIRS, WEIGHTS, {0}},
                     cases[i].parts);
    assert_tells((const piece[]){{"config.json", "{\"model_type\": \"chinese_clip\"}"},
                                 {"vocab.txt", "[PAD]\n"},
                                 WEIGHTS,
                                 {0}},
                 (const char *const[]){"{\"embedder\":", "\"limit\":512", "\"width\":512",
                                       "\"vocab\":{\"file\":\"vocab.txt\"", NULL});
    assert_tells((const piece[]){{"config.json", "{\"model_type\": \"blip\"}"},
                                 {"vocab.txt", "[PAD]\n"},
                                 {"pytorch_model.bin", "weights"},
                                 {0}},
                 (const char *const[]){"{\"captioner\":", "\"limit\":512",
                                       "\"vocab\":{\"file\":\"vocab.txt\"", "pytorch_model.bin",
                                       NULL});
}

#define OPEN_CLIP_CONFIG                                                                           \
    {                                                                                              \
        "open_clip_config.json",                                                                   \
            "{\"model_cfg\": {\"embed_dim\": 48, \"text_cfg\": {\"context_length\": 10}}}"         \
    }

static void folders_of_open_clip_are_told_apart(void **state)
{
    (void)state;
    const piece own = {"open_clip_pytorch_model.bin", "weights"};
    const char *const is_open[] = {"\"family\":\"open_clip\"",
                                   "\"limit\":10",
                                   "\"width\":48",
                                   "\"config\":{\"file\":\"open_clip_config.json\"",
                                   "open_clip_pytorch_model.bin",
                                   NULL};
    assert_tells((const piece[]){OPEN_CLIP_CONFIG, BYTE_PAIRS, own, {0}}, is_open);
    /* a config.json of another program */
    assert_tells((const piece[]){OPEN_CLIP_CONFIG,
                                 {"config.json", "{\"architecture\": \"vit\"}"},
                                 BYTE_PAIRS,
                                 own,
                                 WEIGHTS,
                                 {0}},
                 is_open);
    /* both forms are published: Hugging Face's is taken, unless its weights were left out */
    assert_tells((const piece[]){OPEN_CLIP_CONFIG, CLIP_CONFIG, BYTE_PAIRS, own, {0}}, is_open);
    assert_tells(
        (const piece[]){OPEN_CLIP_CONFIG, CLIP_CONFIG, BYTE_PAIRS, own, WEIGHTS, {0}},
        (const char *const[]){"\"family\":\"clip\"", "\"width\":24", "model.safetensors", NULL});
    assert_bad((const piece[]){{"open_clip_config.json", "{}"}, BYTE_PAIRS, own, {0}}, ITEM_E_PACK,
               "embed_dim");
}

static void files_have_an_order_of_preference(void **state)
{
    (void)state;
    const piece bin = {"pytorch_model.bin", "weights"}, tokenizer = {"tokenizer.json", "{}"};
    const piece index = {"model.safetensors.index.json",
                         "{\"weight_map\": {\"a\": \"m-1.safetensors\"}}"};
    const piece shard = {"m-1.safetensors", "weights"};
    assert_tells((const piece[]){CLIP_CONFIG, BYTE_PAIRS, bin, index, shard, WEIGHTS, {0}},
                 (const char *const[]){"\"weights\":{\"file\":\"model.safetensors\"", NULL});
    assert_tells((const piece[]){CLIP_CONFIG, BYTE_PAIRS, bin, index, shard, {0}},
                 (const char *const[]){"\"weights\":{\"file\":\"model.safetensors.index.json\"",
                                       "\"m-1.safetensors\":{\"file\":\"m-1.safetensors\"", NULL});
    assert_tells((const piece[]){CLIP_CONFIG,
                                 BYTE_PAIRS,
                                 bin,
                                 tokenizer,
                                 {"preprocessor_config.json", "{}"},
                                 {"processor_config.json", "{\"processor_class\": \"x\"}"},
                                 {"tokenizer_config.json", "{}"},
                                 {0}},
                 (const char *const[]){"\"tokenizer\":{\"file\":\"tokenizer.json\"",
                                       "\"preprocessor\":{", "\"tokenizer_config\":{", NULL});
}

static void shards_stay_in_the_folder(void **state)
{
    (void)state;
    static const struct {
        const char *index, *part;
    } cases[] = {
        {"{}", "weight_map"},
        {"{\"weight_map\": {}}", "weight_map"},
        {"{\"weight_map\": {\"a\": 1}}", "names \"\""},
        {"{\"weight_map\": {\"a\": \"m-1.safetensors\", \"b\": \"m-2.safetensors\"}}",
         "m-2.safetensors: is named by model.safetensors.index.json and is not there"},
        {"{\"weight_map\": {\"a\": \"../m-1.safetensors\"}}", "\"../m-1.safetensors\""},
        {"{\"weight_map\": {\"a\": \"/etc/m.safetensors\"}}", "no .safetensors file of this"},
        {"{\"weight_map\": {\"a\": \"config.json\"}}", "\"config.json\""},
        {"{\"weight_map\": {\"a\": \"m-1.bin\"}}", "\"m-1.bin\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_bad((const piece[]){CLIP_CONFIG,
                                   BYTE_PAIRS,
                                   {"m-1.safetensors", "weights"},
                                   {"model.safetensors.index.json", cases[i].index},
                                   {0}},
                   ITEM_E_PACK, cases[i].part);
    assert_bad(
        (const piece[]){
            CLIP_CONFIG, BYTE_PAIRS, {"model.safetensors.index.json", "{\"weight_map\": "}, {0}},
        ITEM_E_FORMAT, "model.safetensors.index.json");
}

static void shards_are_counted(void **state)
{
    (void)state;
    char *folder = write_folder("shards", (const piece[]){CLIP_CONFIG, BYTE_PAIRS, {0}});
    char text[8192] = "{\"weight_map\": {",
         *index = path_in(folder, "pytorch_model.bin.index.json");
    for (unsigned i = 0; i < 130; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.bin", i);
        char *path = path_in(folder, name);
        write_text(path, "weights");
        free(path);
        snprintf(text + strlen(text), 64, "%s\"%u\": \"%s\"", i ? ", " : "", i, name);
    }
    strcat(text, "}}");
    write_text(index, text);
    assert_refused(folder, ITEM_E_LIMIT, "more than 128 files");
    free(index);
    free(folder);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    const piece blip = {"config.json", "{\"model_type\": \"blip\"}"};
    assert_bad((const piece[]){{"README.md", "a model"}, WEIGHTS, {0}}, ITEM_E_PACK,
               "is no pack: it has no item.json, nor is it a model as published");
    assert_bad((const piece[]){{"config.json", "{\"model_type\": \"git\"}"}, WEIGHTS, {0}},
               ITEM_E_UNSUPPORTED,
               "\"git\" is not known; there are blip, chinese_clip, clip, owlv2, owlvit, and "
               "open_clip");
    assert_bad((const piece[]){{"config.json", "{\"model_type\": 1}"}, {0}}, ITEM_E_PACK,
               "config.json: has no text \"model_type\"");
    assert_bad((const piece[]){{"config.json", "{\"model_type\": "}, {0}}, ITEM_E_FORMAT,
               "config.json: line 1");
    assert_bad((const piece[]){CLIP_CONFIG, BYTE_PAIRS, {0}}, ITEM_E_PACK,
               "has no weights: none of model.safetensors, ");
    assert_bad((const piece[]){CLIP_CONFIG, WEIGHTS, {"vocab.json", "{}"}, {0}}, ITEM_E_PACK,
               "neither tokenizer.json nor vocab.json with merges.txt");
    assert_bad((const piece[]){blip, WEIGHTS, BYTE_PAIRS, {0}}, ITEM_E_PACK,
               "neither tokenizer.json nor vocab.txt");
    assert_bad((const piece[]){{"config.json", "{\"model_type\": \"clip\", \"projection_dim\": 0}"},
                               BYTE_PAIRS,
                               WEIGHTS,
                               {0}},
               ITEM_E_PACK, "projection_dim is not a number from 1 to 8192");
    assert_bad((const piece[]){{"config.json", "{\"model_type\": \"clip\", \"text_config\": "
                                               "{\"max_position_embeddings\": \"77\"}}"},
                               BYTE_PAIRS,
                               WEIGHTS,
                               {0}},
               ITEM_E_PACK, "max_position_embeddings");
}

/* The caches of downloads hold links to files that lie elsewhere under other names. */
static void links_may_lead_out(void **state)
{
    (void)state;
    char *folder = write_folder("linked", (const piece[]){CLIP_CONFIG, BYTE_PAIRS, {0}});
    char *blob = temp_path("blob"), *link = path_in(folder, "model.safetensors");
    assert_int_equal(symlink(blob, link), 0);
    assert_refused(folder, ITEM_E_PACK, "model.safetensors: cannot be read"); /* leads nowhere */
    write_one_tensor(blob, 1000);
    item_pack_free(open_folder(folder, 2));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(mkdir(link, 0700), 0);
    assert_refused(folder, ITEM_E_PACK, "not a regular file");
    free(link);
    free(blob);
    free(folder);
}

static void a_snapshot_is_named_by_its_model(void **state)
{
    (void)state;
    char *cache = write_folder("models--who--what", (const piece[]){{0}});
    char *snapshots = path_in(cache, "snapshots"), *folder = path_in(snapshots, "0a1b2c");
    assert_int_equal(mkdir(snapshots, 0700) | mkdir(folder, 0700), 0);
    for (const piece *p = (const piece[]){CLIP_CONFIG, BYTE_PAIRS, WEIGHTS, {0}}; p->name; p++) {
        char *path = path_in(folder, p->name);
        write_text(path, p->text);
        free(path);
    }
    item_pack *pack = open_folder(folder, 0);
    assert_non_null(strstr(item_pack_text(pack, "name"), "-models--who--what"));
    item_pack_free(pack);
    free(folder);
    free(snapshots);
    free(cache);
}

static void the_licence_is_looked_for(void **state)
{
    (void)state;
    static const struct {
        piece piece;
        const char *licence;
    } cases[] = {
        {{"README.md", "---\nlanguage: en\nlicense: \"mit\"\r\n---\n"}, "mit"},
        {{"README.md", "license: mit\n"}, ""}, /* no head of a card */
        {{"README.md", "---\n---\nlicense: mit\n"}, ""},
        {{"README.md", "---\nlicense:\xff\n---"}, "\\\\xff"},
        {{"README.md", ""}, ""},
        {{"LICENSE", "\n   Apache License\n Version 2.0\n"}, "Apache License"},
        {{"LICENSE.txt", "BSD 3-Clause"}, "BSD 3-Clause"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char told[64];
        snprintf(told, sizeof told, "\"family\":\"clip\",\"licence\":\"%s\"", cases[i].licence);
        assert_tells((const piece[]){CLIP_CONFIG, BYTE_PAIRS, WEIGHTS, cases[i].piece, {0}},
                     (const char *const[]){told, NULL});
    }
}

#define LARGE 16000000

static char *fingerprint_of(const char *folder, int32_t verify)
{
    item_pack *pack = open_folder(folder, verify);
    char *copy = strdup(item_pack_text(pack, "fingerprint"));
    assert_non_null(copy);
    item_pack_free(pack);
    return copy;
}

/* Large files are named by where and when they lie, unless their hash is asked for. */
static void large_files_are_hashed_on_request(void **state)
{
    (void)state;
    char *folder = write_folder("large", (const piece[]){CLIP_CONFIG, BYTE_PAIRS, WEIGHTS, {0}});
    char *path = path_in(folder, "model.safetensors");
    write_one_tensor(path, LARGE);
    const char *quick = "\"bytes\":16000000,\"sha256\":null";
    item_pack *pack = open_folder(folder, 1);
    assert_non_null(strstr(item_pack_json(pack), quick));
    item_pack_free(pack);
    pack = open_folder(folder, 2);
    assert_null(strstr(item_pack_json(pack), quick));
    item_pack_free(pack);

    char *small = fingerprint_of(folder, 1), *all = fingerprint_of(folder, 2);
    const struct timespec times[] = {{0, UTIME_OMIT}, {1, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    char *small_later = fingerprint_of(folder, 1), *all_later = fingerprint_of(folder, 2);
    assert_string_not_equal(small, small_later);
    assert_string_equal(all, all_later);
    free(small);
    free(all);
    free(small_later);
    free(all_later);
    free(path);
    free(folder);
}

/* No hash is stated of a publisher's files: what verifying can tell is whether weights are some. */
static void verifying_reads_the_weights(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    char *folder = write_folder("broken", (const piece[]){CLIP_CONFIG, BYTE_PAIRS, WEIGHTS, {0}});
    item_pack_free(open_folder(folder, 1));
    assert_error(item_pack_open(folder, 2, &pack, &err), ITEM_E_FORMAT, &err, "model.safetensors");
    assert_null(pack);
    free(folder);
}

/* A head belongs to one embedder, which time stamps do not tell. */
static void a_head_knows_a_published_embedder_by_its_hash(void **state)
{
    (void)state;
    char *folder = write_folder("large", (const piece[]){CLIP_CONFIG, BYTE_PAIRS, WEIGHTS, {0}});
    char *path = path_in(folder, "model.safetensors");
    assert_int_equal(truncate(path, LARGE), 0);
    char *other = write_head("other.safetensors", &(head_spec){.width = 24, .embedder = "none"});
    char identity[2][256];
    for (int i = 0; i < 2; i++) {
        const struct timespec times[] = {{0, UTIME_OMIT}, {i, 0}};
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        item_config *config = NULL;
        item_error err = ITEM_ERROR_INIT;
        assert_ok(item_config_new(&config, &err), &err);
        set_option(config, "head", other);
        item_ctx *ctx = NULL;
        assert_error(item_ctx_open(folder, config, &ctx, &err), ITEM_E_MISMATCH, &err, "clip/24 ");
        const char *found = strstr(err.message, "clip/24 ");
        assert_non_null(found);
        snprintf(identity[i], sizeof identity[i], "%.40s", found);
        item_config_unref(config);
    }
    assert_string_equal(identity[0], identity[1]);
    free(other);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_a_pack_of_one_stage),
        cmocka_unit_test(each_family_is_found),
        cmocka_unit_test(folders_of_open_clip_are_told_apart),
        cmocka_unit_test(files_have_an_order_of_preference),
        cmocka_unit_test(shards_stay_in_the_folder),
        cmocka_unit_test(shards_are_counted),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(links_may_lead_out),
        cmocka_unit_test(a_snapshot_is_named_by_its_model),
        cmocka_unit_test(the_licence_is_looked_for),
        cmocka_unit_test(large_files_are_hashed_on_request),
        cmocka_unit_test(verifying_reads_the_weights),
        cmocka_unit_test(a_head_knows_a_published_embedder_by_its_hash),
    };
    return cmocka_run_group_tests_name("api: published models", tests, NULL, NULL);
}
