/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: item.json of a pack. The other files lie beside it in a folder of this process: those of
 * pack/, and links, one of which leads out of it.
 */
#include <item/pack.h>
#include <item/stages.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../temp.h"
#include "fuzz.h"

#define MANIFEST "item.json"

static const char *const copied[] = {"head.safetensors", "vocab.txt", "weights.safetensors"};
static char folder[256];

static void path_of(const char *name, char out[512])
{
    snprintf(out, 512, "%s/%s", folder, name);
}

static void write_file(const char *name, const void *data, size_t size)
{
    char path[512];
    path_of(name, path);
    FILE *file = fopen(path, "wb");
    EXPECT(file != NULL);
    EXPECT(fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void copy_file(const char *name)
{
    char path[512], data[8192];
    snprintf(path, sizeof path, "%s/%s", PACK_FILES, name);
    FILE *file = fopen(path, "rb");
    EXPECT(file != NULL);
    size_t size = fread(data, 1, sizeof data, file);
    EXPECT(size > 0 && size < sizeof data);
    fclose(file);
    write_file(name, data, size);
}

static void link_to(const char *target, const char *name)
{
    char path[512];
    path_of(name, path);
    EXPECT(symlink(target, path) == 0);
}

static void remove_folder(void)
{
    (void)temp_remove(folder);
}

static void make_folder(void)
{
    char path[512];
    EXPECT(temp_make("fuzz", folder, sizeof folder));
    for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++)
        copy_file(copied[i]);
    link_to("vocab.txt", "link");
    link_to("/etc/passwd", "outside");
    path_of("folder", path);
    EXPECT(mkdir(path, 0700) == 0);
    (void)atexit(remove_folder);
}

static void check_pack(const item_pack *pack)
{
    static const char *const keys[] = {"path", "name", "version", "licence", "card", "fingerprint"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        fuzz_text(item_pack_text(pack, keys[i]));
    fuzz_text(item_pack_json(pack));
    json_t *object = json_loads(item_pack_json(pack), JSON_REJECT_DUPLICATES, NULL);
    EXPECT(json_is_object(object));
    json_decref(object);
}

/* What a context reads of a pack before any network is opened. */
static void open_context(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    item_status status = item_ctx_open(folder, NULL, &ctx, &err);
    fuzz_outcome(status, ctx, &err);
    if (status != ITEM_OK)
        return;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    EXPECT(item_ctx_get_info(ctx, &info, &err) == ITEM_OK);
    fuzz_text(info.pack);
    fuzz_text(info.layout);
    int32_t ids[8];
    size_t count;
    status = item_tokenize(ctx, "a dog by a car", ids, 8, &count, &err);
    EXPECT(err.code == status);
    item_ctx_unref(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int made;
    if (!made)
        make_folder();
    made = 1;
    write_file(MANIFEST, data, size);
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    item_status status = item_pack_open(folder, (int32_t)(size % 3), &pack, &err);
    fuzz_outcome(status, pack, &err);
    if (status == ITEM_OK)
        check_pack(pack);
    item_pack_free(pack);
    if (status == ITEM_OK)
        open_context();
    return 0;
}
