/* SPDX-License-Identifier: Apache-2.0 */
/* Writes packs for the fake engine. */
#include "packs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\ndog\ncar\nby\nbright\ndark\n";

char *path_in(const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    assert_non_null(path);
    snprintf(path, room, "%s/%s", folder, name);
    return path;
}

static void write_weights(const char *path)
{
    const char *header = "{\"__metadata__\":{\"kind\":\"fake\"},\"scale\":{\"dtype\":\"F32\","
                         "\"shape\":[1],\"data_offsets\":[0,4]}}";
    char bytes[256];
    uint64_t length = strlen(header);
    float scale = 1.5f;
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    memcpy(bytes + 8 + length, &scale, 4);
    write_file(path, bytes, 12 + (size_t)length);
}

/* An entry of a file: {"file": ..., "bytes": ..., "sha256": ...}. */
static void entry(char *out, size_t room, const char *folder, const char *name,
                  const pack_spec *spec)
{
    char *path = path_in(folder, name);
    char hex[65];
    uint64_t bytes;
    char number[24];
    sha256_of(path, hex, &bytes);
    free(path);
    snprintf(number, sizeof number, "%llu", (unsigned long long)bytes);
    snprintf(out, room, "{\"file\": \"%s\", \"bytes\": %s, \"sha256\": \"%s\"}",
             spec && spec->weights_name ? spec->weights_name : name,
             spec && spec->bytes ? spec->bytes : number, spec && spec->sha256 ? spec->sha256 : hex);
}

static void stage(char *out, size_t room, const char *name, const pack_spec *spec,
                  const char *weights, const char *words)
{
    int embedder = strcmp(name, "embedder") == 0;
    char misbehave[64] = "";
    if (spec->misbehave)
        snprintf(misbehave, sizeof misbehave, ", \"misbehave\": \"%s\"", spec->misbehave);
    char least[64] = "";
    if (embedder && spec->least_similarity)
        snprintf(least, sizeof least, ", \"least_similarity\": %s", spec->least_similarity);
    snprintf(out, room,
             "\"%s\": {\"family\": \"%s\", \"licence\": \"none\", \"source\": \"here\", "
             "\"files\": {\"weights\": %s, \"vocab\": %s}, "
             "\"config\": {\"number\": 2.5, \"text\": \"words\", \"width\": %s%s}%s%s}",
             name, spec->family ? spec->family : "fake", weights, words,
             spec->width ? spec->width : "3", misbehave,
             embedder ? ", \"tokenizer\": {\"kind\": \"wordpiece\", \"file\": \"vocab\", "
                        "\"limit\": 6}"
                      : "",
             least);
}

static void write_manifest(const char *folder, const pack_spec *spec)
{
    char weights[1100], words[512], head[600] = "", stages[8000], text[11000];
    entry(weights, sizeof weights, folder, "weights.safetensors", spec);
    if (spec->sharded) {
        char shard[512], index[512];
        entry(shard, sizeof shard, folder, "weights.safetensors", NULL);
        entry(index, sizeof index, folder, "weights.index.json", spec);
        snprintf(weights, sizeof weights, "%s, \"weights.safetensors\": %s", index, shard);
    }
    entry(words, sizeof words, folder, "vocab.txt", NULL);
    if (spec->head) {
        char inner[512];
        entry(inner, sizeof inner, folder, spec->head, NULL);
        snprintf(head, sizeof head, ", \"head\": %s", inner);
    }
    char one[3][2500];
    stage(one[0], sizeof one[0], "captioner", spec, weights, words);
    stage(one[1], sizeof one[1], "detector", spec, weights, words);
    stage(one[2], sizeof one[2], "embedder", spec, weights, words);
    snprintf(stages, sizeof stages, "{%s, %s, %s}", one[0], one[1], one[2]);
    snprintf(text, sizeof text,
             "{\"schema\": %s, \"name\": \"fake\", \"version\": \"7\", \"licence\": \"none\", "
             "\"card\": \"README.md\", \"stages\": %s%s%s}",
             spec->schema ? spec->schema : "1", spec->stages ? spec->stages : stages, head,
             spec->extra ? spec->extra : "");
    char *path = path_in(folder, "item.json");
    write_text(path, text);
    free(path);
}

char *write_pack(const char *name, const pack_spec *spec)
{
    char *folder = temp_path(name);
    (void)mkdir(folder, 0700);
    char *path = path_in(folder, "weights.safetensors");
    write_weights(path);
    free(path);
    path = path_in(folder, "weights.index.json");
    write_text(path, "{\"weight_map\": {\"scale\": \"weights.safetensors\"}}");
    free(path);
    path = path_in(folder, "vocab.txt");
    write_text(path, vocab);
    free(path);
    write_manifest(folder, spec);
    return folder;
}

void write_one_tensor(const char *path, size_t size)
{
    uint8_t bytes[128] = {120};
    char header[120];
    const size_t count = size - sizeof bytes;
    memset(bytes + 8, ' ', sizeof header);
    snprintf(header, sizeof header,
             "{\"a\":{\"dtype\":\"U8\",\"shape\":[%zu],\"data_offsets\":[0,%zu]}}", count, count);
    memcpy(bytes + 8, header, strlen(header));
    write_file(path, bytes, sizeof bytes);
    assert_int_equal(truncate(path, (off_t)size), 0);
}

char *write_folder(const char *name, const piece *pieces)
{
    static unsigned made;
    char unique[64];
    snprintf(unique, sizeof unique, "%u-%s", made++, name);
    char *folder = temp_path(unique);
    assert_int_equal(mkdir(folder, 0700), 0);
    for (; pieces->name; pieces++) {
        char *path = path_in(folder, pieces->name);
        write_text(path, pieces->text);
        free(path);
    }
    return folder;
}
