/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: files of a model as published, one after another with a NUL between them; the first byte
 * of each tells which, as in `files` below. Weights lie beside them, unless there is an index: then
 * shards do. The model is opened, its stage by an engine that reads what engines read, and a pack
 * is made of it.
 */
#include <item/pack.h>
#include <item/stages.h>
#include <item/sys/engine.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../temp.h"
#include "fuzz.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const struct {
    char mark;
    const char *name;
} files[] = {{'c', "config.json"},
             {'o', "open_clip_config.json"},
             {'p', "preprocessor_config.json"},
             {'t', "tokenizer.json"},
             {'T', "tokenizer_config.json"},
             {'s', "special_tokens_map.json"},
             {'a', "added_tokens.json"},
             {'g', "generation_config.json"},
             {'v', "vocab.json"},
             {'m', "merges.txt"},
             {'w', "vocab.txt"},
             {'i', "model.safetensors.index.json"},
             {'R', "README.md"},
             {'L', "LICENSE"}};
/* Links to a file of pack/; the shards are always there. */
static const char *const weights[] = {"model.safetensors", "open_clip_model.safetensors"};
static const char *const shards[] = {"a.safetensors", "b.safetensors"};

static char place[256], folder[300], made[300];

static void path_in(const char *name, char out[512])
{
    snprintf(out, 512, "%s/%s", folder, name);
}

static void link_weights(const char *name)
{
    char path[512];
    path_in(name, path);
    EXPECT(symlink(PACK_FILES "/weights.safetensors", path) == 0);
}

static void remove_place(void)
{
    (void)temp_remove(place);
}

static void make_place(void)
{
    EXPECT(temp_make("fuzz", place, sizeof place));
    (void)atexit(remove_place);
    snprintf(folder, sizeof folder, "%s/model", place);
    snprintf(made, sizeof made, "%s/pack", place);
}

/* ---- the folder ---- */

static void write_file(const char *name, const char *text, size_t size)
{
    char path[512];
    path_in(name, path);
    FILE *file = fopen(path, "wb");
    EXPECT(file != NULL);
    EXPECT(fwrite(text, 1, size, file) == size && fclose(file) == 0);
}

/* Writes the file that a part stands for; true where it is an index. */
static int write_part(const char *part, size_t size)
{
    for (size_t i = 0; i < COUNT(files) && size > 0; i++) {
        if (files[i].mark == part[0]) {
            write_file(files[i].name, part + 1, size - 1);
            return part[0] == 'i';
        }
    }
    return 0;
}

static void fill_folder(const uint8_t *data, size_t size)
{
    int indexed = 0;
    EXPECT(mkdir(folder, 0700) == 0);
    for (size_t at = 0, length; at < size; at += length + 1) {
        const char *part = (const char *)data + at;
        length = strnlen(part, size - at);
        indexed |= write_part(part, length);
    }
    for (size_t i = 0; i < COUNT(shards); i++)
        link_weights(shards[i]);
    for (size_t i = 0; i < COUNT(weights) && !indexed; i++)
        link_weights(weights[i]);
}

/* ---- the engine ---- */

static item_status setup(const item_engine_settings *settings, item_error *err)
{
    (void)settings;
    (void)err;
    return ITEM_OK;
}

static item_status info(int32_t measure, item_engine_info *out, item_error *err)
{
    (void)measure;
    (void)out;
    (void)err;
    return ITEM_OK;
}

static const char *precision(const char *asked)
{
    return strcmp(asked, "bf16") == 0 ? "bf16" : "fp32";
}

static void ask_json(const item_services *s)
{
    static const char *const roles[] = {"config", "preprocessor", "tokenizer_config"};
    static const char *const paths[] = {"vision_config.hidden_size",
                                        "text_config.vocab_size",
                                        "model_cfg.vision_cfg.layers",
                                        "size.0",
                                        "size.height",
                                        "image_mean.2",
                                        "crop_size",
                                        "hidden_act",
                                        "",
                                        ".",
                                        "a..b"};
    for (size_t r = 0; r < COUNT(roles); r++) {
        for (size_t p = 0; p < COUNT(paths); p++) {
            const char *text = s->json_text(s->host, roles[r], paths[p]);
            const double number = s->json_number(s->host, roles[r], paths[p]);
            if (text) {
                fuzz_text(text);
                EXPECT(isnan(number));
            }
        }
    }
}

static void ask_weights(const item_services *s)
{
    item_weights *file = NULL;
    item_error err = ITEM_ERROR_INIT;
    const char *name;
    item_status status = s->weights_open(s->host, "weights", &file, &err);
    fuzz_outcome(status, file, &err);
    for (size_t i = 0; file && (name = s->weights_name(file, i)); i++) {
        item_tensor_view view = {.struct_size = sizeof view};
        EXPECT(s->weights_tensor(file, name, &view, NULL) == ITEM_OK);
        (void)fuzz_touch(view.data, view.bytes);
        s->weights_done(file, name);
    }
    if (file)
        EXPECT(s->weights_key(file)[0] != '\0');
    s->weights_close(file);
}

static void ask_tokens(const item_services *s)
{
    item_tokens *tokens = NULL;
    item_error err = ITEM_ERROR_INIT;
    int32_t ids[16];
    char text[256];
    size_t count = 0, needed;
    item_status status = s->tokens_open(s->host, "tokenizer", &tokens, &err);
    fuzz_outcome(status, tokens, &err);
    if (tokens && s->tokens_encode(tokens, "a dog", 16, ids, 16, &count, NULL) == ITEM_OK) {
        EXPECT(count <= 16);
        for (size_t i = 0; i < count; i++)
            EXPECT(ids[i] >= 0 && ids[i] < s->tokens_size(tokens));
        (void)s->tokens_decode(tokens, ids, count, text, sizeof text, &needed, NULL);
    }
    s->tokens_close(tokens);
}

static item_status look(const item_services *s, item_error *err)
{
    ask_json(s);
    ask_weights(s);
    ask_tokens(s);
    (void)s->config_number(s->host, "width");
    err->code = ITEM_E_UNSUPPORTED;
    snprintf(err->message, sizeof err->message, "seen");
    return ITEM_E_UNSUPPORTED;
}

#define OPEN(name, table)                                                                          \
    static item_status name(const item_services *s, const char *family, table *ops, void **self,   \
                            item_error *err)                                                       \
    {                                                                                              \
        (void)family;                                                                              \
        (void)ops;                                                                                 \
        (void)self;                                                                                \
        return look(s, err);                                                                       \
    }
OPEN(open_captioner, item_captioner_ops)
OPEN(open_detector, item_detector_ops)
OPEN(open_embedder, item_embedder_ops)

static const item_engine_ops engine = {.struct_size = sizeof engine,
                                       .version = ITEM_ENGINE_VERSION,
                                       .name = "fuzz",
                                       .id = "fuzz 1",
                                       .setup = setup,
                                       .info = info,
                                       .open_captioner = open_captioner,
                                       .open_detector = open_detector,
                                       .open_embedder = open_embedder,
                                       .precision = precision};

/* ---- what a program does with it ---- */

static item_ctx *open_context(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    EXPECT(item_config_new(&config, &err) == ITEM_OK);
    EXPECT(item_config_set_engine(config, &engine, NULL, &err) == ITEM_OK);
    item_status status = item_ctx_open(folder, config, &ctx, &err);
    fuzz_outcome(status, ctx, &err);
    item_config_unref(config);
    return ctx;
}

/* Each opens the stage, which the engine refuses. */
static void use_stage(item_ctx *ctx, const item_ctx_info *facts)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *const images[1] = {NULL};
    item_result *results[1];
    const char *query = "a dog";
    int32_t ids[8];
    size_t count;
    item_status status = ITEM_OK;
    if (facts->has_captioner)
        status = item_caption_images(ctx, images, 0, NULL, results, &err);
    else if (facts->has_detector)
        status = item_detect_images(ctx, images, 0, &query, 1, NULL, results, &err);
    else if (facts->has_embedder)
        status = item_embed_texts(ctx, &query, 0, NULL, NULL, facts->width, &err);
    fuzz_outcome(status, NULL, &err);
    err = (item_error)ITEM_ERROR_INIT;
    EXPECT(item_tokenize(ctx, query, ids, 8, &count, &err) == err.code);
}

/* A pack of it opens, with all that it says of its files. */
static void make_pack(const item_ctx_info *facts)
{
    item_error err = ITEM_ERROR_INIT;
    item_pack_parts parts = ITEM_PACK_PARTS_INIT;
    item_pack *pack = NULL;
    parts.captioner = facts->has_captioner ? folder : NULL;
    parts.detector = facts->has_detector ? folder : NULL;
    parts.embedder = facts->has_embedder ? folder : NULL;
    item_status status = item_pack_create(&parts, made, &err);
    fuzz_outcome(status, status == ITEM_OK ? made : NULL, &err);
    if (status != ITEM_OK)
        return;
    status = item_pack_open(made, 2, &pack, &err); /* all hashes */
    fuzz_outcome(status, pack, &err);
    EXPECT(pack != NULL);
    fuzz_text(item_pack_text(pack, "licence"));
    fuzz_text(item_pack_json(pack));
    item_pack_free(pack);
    EXPECT(temp_remove(made) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    item_ctx_info facts = ITEM_CTX_INFO_INIT;
    if (!place[0])
        make_place();
    fill_folder(data, size);
    item_ctx *ctx = open_context();
    if (ctx) {
        EXPECT(item_ctx_get_info(ctx, &facts, NULL) == ITEM_OK);
        fuzz_text(facts.pack);
        use_stage(ctx, &facts);
        make_pack(&facts);
    }
    item_ctx_unref(ctx);
    EXPECT(temp_remove(folder) == 0);
    return 0;
}
