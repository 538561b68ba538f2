/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a published CLIP of a middle size with random weights, without the reference. */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

#define VISION 768
#define TEXT   512

/*
 * Beside these the class's defaults: ViT-B/32. Of pictures only four patches are looked at, as
 * bf16 takes long where the processor does not multiply it. Ids are those of the tiny model's words.
 */
static const char config[] =
    "{\"model_type\": \"clip\", \"projection_dim\": 512,\n"
    " \"vision_config\": {\"num_hidden_layers\": 8, \"image_size\": 64},\n"
    " \"text_config\": {\"num_hidden_layers\": 4, \"vocab_size\": 602, \"bos_token_id\": 600,\n"
    "  \"eos_token_id\": 601}}\n";
static const char preprocessor[] = "{\"size\": 64, \"crop_size\": 64}\n";

/* Tensors are listed twice, in the same order: for the header, and for their numbers. */
typedef struct maker {
    FILE *header, *numbers; /* that of the pass; the other is NULL */
    uint64_t bytes;         /* of the numbers before */
    uint32_t random;
    int half;
} maker;

static void give_up(const char *what)
{
    perror(what);
    exit(2);
}

/* ---- numbers ---- */

static float next_random(maker *m) /* -1 to 1 */
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 17;
    m->random ^= m->random << 5;
    return (float)(int32_t)m->random * 0x1p-31f;
}

/* Of a number whose size is far from fp16's limits. */
static uint16_t to_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const int32_t exponent = (int32_t)(bits >> 23 & 0xff) - 112;
    const uint32_t sign = bits >> 16 & 0x8000;
    return (uint16_t)(exponent < 1 ? sign : sign | (uint32_t)exponent << 10 | (bits >> 13 & 0x3ff));
}

static void write_numbers(maker *m, size_t count, float middle, float scale)
{
    enum { AT_ONCE = 4096 };
    float row[AT_ONCE];
    uint16_t halves[AT_ONCE];
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < AT_ONCE ? count - done : AT_ONCE;
        for (size_t i = 0; i < n; i++) {
            row[i] = middle + scale * next_random(m);
            halves[i] = to_half(row[i]);
        }
        const void *data = m->half ? (const void *)halves : row;
        if (fwrite(data, m->half ? sizeof *halves : sizeof *row, n, m->numbers) != n)
            give_up("memory: weights");
    }
}

/* ---- tensors ---- */

/* `shape` ends with 0. Numbers are spread so that what goes in has the size of what comes out. */
static void put(maker *m, float middle, const int *shape, const char *format, ...)
{
    size_t count = 1;
    char name[128];
    va_list args;
    for (size_t i = 0; shape[i]; i++)
        count *= (size_t)shape[i];
    const float scale = shape[1] ? sqrtf(3.0f * (float)shape[0] / (float)count) : 0.1f;
    if (m->numbers)
        write_numbers(m, count, middle, scale);
    const uint64_t end = m->bytes + count * (m->half ? 2 : 4);
    if (m->header) {
        va_start(args, format);
        (void)vsnprintf(name, sizeof name, format, args);
        va_end(args);
        fprintf(m->header, "%s\"%s\": {\"dtype\": \"%s\", \"shape\": [", m->bytes ? ", " : "", name,
                m->half ? "F16" : "F32");
        for (size_t i = 0; shape[i]; i++)
            fprintf(m->header, "%s%d", i ? ", " : "", shape[i]);
        fprintf(m->header, "], \"data_offsets\": [%llu, %llu]}", (unsigned long long)m->bytes,
                (unsigned long long)end);
    }
    m->bytes = end;
}

static void put_linear(maker *m, const char *tower, int layer, const char *name, int out, int in)
{
    put(m, 0, (const int[]){out, in, 0}, "%s.encoder.layers.%d.%s.weight", tower, layer, name);
    put(m, 0, (const int[]){out, 0, 0}, "%s.encoder.layers.%d.%s.bias", tower, layer, name);
}

static void put_norm(maker *m, const char *name, int width)
{
    put(m, 1, (const int[]){width, 0, 0}, "%s.weight", name);
    put(m, 0, (const int[]){width, 0, 0}, "%s.bias", name);
}

static void put_tower(maker *m, const char *tower, int layers, int width)
{
    static const char *const projections[] = {"k_proj", "v_proj", "q_proj", "out_proj"};
    char name[128];
    for (int i = 0; i < layers; i++) {
        for (size_t p = 0; p < 4; p++) {
            snprintf(name, sizeof name, "self_attn.%s", projections[p]);
            put_linear(m, tower, i, name, width, width);
        }
        put_linear(m, tower, i, "mlp.fc1", 4 * width, width);
        put_linear(m, tower, i, "mlp.fc2", width, 4 * width);
        for (int n = 1; n <= 2; n++) {
            snprintf(name, sizeof name, "%s.encoder.layers.%d.layer_norm%d", tower, i, n);
            put_norm(m, name, width);
        }
    }
}

static void put_all(maker *m)
{
    put(m, 0, (const int[]){602, TEXT, 0}, "text_model.embeddings.token_embedding.weight");
    put(m, 0, (const int[]){77, TEXT, 0}, "text_model.embeddings.position_embedding.weight");
    put_tower(m, "text_model", 4, TEXT);
    put_norm(m, "text_model.final_layer_norm", TEXT);
    put(m, 0, (const int[]){VISION, 0, 0}, "vision_model.embeddings.class_embedding");
    put(m, 0, (const int[]){VISION, 3, 32, 32, 0},
        "vision_model.embeddings.patch_embedding.weight");
    put(m, 0, (const int[]){5, VISION, 0}, "vision_model.embeddings.position_embedding.weight");
    put_norm(m, "vision_model.pre_layrnorm", VISION);
    put_tower(m, "vision_model", 8, VISION);
    put_norm(m, "vision_model.post_layernorm", VISION);
    put(m, 0, (const int[]){512, VISION, 0}, "visual_projection.weight");
    put(m, 0, (const int[]){512, TEXT, 0}, "text_projection.weight");
    put(m, 0, (const int[]){1, 0, 0}, "logit_scale");
}

static char *make_header(int half, size_t *size)
{
    char *text = NULL;
    maker m = {.half = half};
    m.header = open_memstream(&text, size);
    if (!m.header)
        give_up("memory: header");
    fputc('{', m.header);
    put_all(&m);
    fputc('}', m.header);
    while (ftell(m.header) % 8 != 0)
        fputc(' ', m.header);
    if (fclose(m.header) != 0)
        give_up("memory: header");
    return text;
}

/* ---- the folder ---- */

static void path_in(const char *folder, const char *name, char out[4096])
{
    snprintf(out, 4096, "%s/%s", folder, name);
}

static void write_weights(const char *path, int half)
{
    size_t size;
    char *header = make_header(half, &size);
    maker m = {.random = 4711, .half = half, .numbers = fopen(path, "wb")};
    const uint64_t length = size;
    if (!m.numbers || fwrite(&length, sizeof length, 1, m.numbers) != 1 ||
        fwrite(header, size, 1, m.numbers) != 1)
        give_up(path);
    put_all(&m);
    if (fclose(m.numbers) != 0)
        give_up(path);
    free(header);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) == EOF || fclose(file) != 0)
        give_up(path);
}

/* Of the tiny model, and of this one. */
static const char *const linked[] = {"tokenizer.json", "tokenizer_config.json"};
static const char *const written[] = {"config.json", "preprocessor_config.json",
                                      "model.safetensors"};
static char folders[2][1024]; /* to be removed at the end, where they are this process's */
static int disowned;

static void remove_folders(void)
{
    char path[4096];
    for (size_t f = 0; f < 2 && folders[f][0] && !disowned; f++) {
        for (size_t i = 0; i < 3; i++) {
            path_in(folders[f], written[i], path);
            (void)remove(path);
        }
        for (size_t i = 0; i < 2; i++) {
            path_in(folders[f], linked[i], path);
            (void)remove(path);
        }
        (void)remove(folders[f]);
    }
}

void model_disown(void)
{
    disowned = 1;
}

static const char *make_folder(const char *place, const char *name)
{
    char *folder = folders[folders[0][0] != '\0'];
    snprintf(folder, sizeof folders[0], "%s/%s-XXXXXX", place, name);
    if (!mkdtemp(folder))
        give_up(folder);
    if (folder == folders[0])
        (void)atexit(remove_folders);
    return folder;
}

const char *model_make(const char *place, const char *tokens, int half)
{
    char path[4096], target[4096];
    const char *folder = make_folder(place, half ? "fp16" : "fp32");
    for (size_t i = 0; i < 2; i++) {
        path_in(folder, linked[i], path);
        path_in(tokens, linked[i], target);
        if (symlink(target, path) != 0)
            give_up(path);
    }
    path_in(folder, written[0], path);
    write_text(path, config);
    path_in(folder, written[1], path);
    write_text(path, preprocessor);
    path_in(folder, written[2], path);
    write_weights(path, half);
    return folder;
}
