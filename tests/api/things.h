/* SPDX-License-Identifier: Apache-2.0 */
/* One of everything that public functions work on, for tests that call every function. */
#ifndef TEST_API_THINGS_H
#define TEST_API_THINGS_H

#include <dlfcn.h>
#include <item/index.h>
#include <item/provenance.h>
#include <item/sys/engine.h>
#include <item/train.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "packs.h"

/* What the calls work on: a context with a head, and a data set of it. */
static struct {
    char *file, *manifest, *bytes; /* a picture file, a list of some, the file's content */
    char *pack;
    size_t size;
    item_config *config;
    item_ctx *ctx;
    item_image *image;
    item_result *result;
    item_provenance *provenance;
    item_dataset *data, *photographs;
    item_row row;
    item_index *index;
    const item_engine_ops *engine;
} the;

static void make_pictures(void)
{
    the.manifest = temp_path("list.csv");
    FILE *list = fopen(the.manifest, "w");
    assert_non_null(list);
    fputs("path,label,source\n", list);
    for (uint32_t i = 0; i < 28; i++) { /* 14 photographs: enough to calibrate at all */
        char name[16];
        snprintf(name, sizeof name, "%u.png", i);
        free(write_picture(name, i, 120, 110));
        fprintf(list, "%s,%s,s%u\n", name, i % 2 ? "ai" : "real", i / 2 % 3);
    }
    assert_int_equal(fclose(list), 0);
    the.file = temp_path("0.png");
    struct stat facts;
    assert_int_equal(stat(the.file, &facts), 0);
    the.size = (size_t)facts.st_size;
    the.bytes = malloc(the.size);
    FILE *file = fopen(the.file, "rb");
    assert_true(the.bytes && file && fread(the.bytes, 1, the.size, file) == the.size);
    (void)fclose(file);
}

static int make_things(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    make_pictures();
    the.pack = write_pack("pack", &(pack_spec){0});
    head_spec head = default_head(1);
    char *path = write_head("head.safetensors", &head);
    item_config *config = make_config();
    set_option(config, "head", path);
    free(path);
    the.ctx = open_ctx(config);
    the.image = make_picture(1, 120, 110);
    assert_ok(item_check_image(the.ctx, the.image, NULL, &the.result, &err), &err);
    assert_ok(item_dataset_extract(the.ctx, the.manifest, NULL, &the.data, &err), &err);
    assert_ok(item_dataset_extract(the.ctx, the.manifest, NULL, &the.photographs, &err), &err);
    assert_ok(item_dataset_remove(the.photographs, "label", "ai", NULL, &err), &err);
    path = temp_path("index");
    assert_ok(item_index_open(path, ITEM_INDEX_CREATE, &the.index, &err), &err);
    free(path);
    static const char odd[] = "RIFF\0\0\0\0WEBPXMP \0\0\0"; /* broken XMP is an entry */
    assert_ok(item_provenance_from_memory(odd, sizeof odd, NULL, &the.provenance, &err), &err);
    the.row = (item_row)ITEM_ROW_INIT;
    assert_ok(item_dataset_get(the.data, 0, &the.row, &err), &err);

    assert_ok(item_config_new(&the.config, &err), &err);
    assert_ok(item_config_set_engine(the.config, NULL, FAKE_ENGINE, &err), &err);
    void *module = dlopen(FAKE_ENGINE, RTLD_NOW);
    assert_non_null(module);
    item_engine_entry_fn entry;
    void *symbol = dlsym(module, ITEM_ENGINE_ENTRY);
    memcpy(&entry, &symbol, sizeof entry);
    the.engine = entry();
    return 0;
}

static int free_things(void **state)
{
    (void)state;
    item_dataset_free(the.data);
    item_dataset_free(the.photographs);
    item_index_free(the.index);
    item_result_unref(the.result);
    item_provenance_free(the.provenance);
    item_image_unref(the.image);
    item_ctx_unref(the.ctx);
    item_config_unref(the.config);
    free(the.pack);
    free(the.file);
    free(the.manifest);
    free(the.bytes);
    return 0;
}

#endif
