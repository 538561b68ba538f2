/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a published model's JSON files, checked one by one. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "blocks.h"

#define PATH_SIZE 96
#define WIDTH_MAX 16384

void itx_facts_open(itx_facts *f, const item_services *s, item_error *err)
{
    *f = (itx_facts){.s = s, .role = "config", .section = "", .err = err};
}

item_status itx_facts_fail(itx_facts *f, const char *format, ...)
{
    char text[256];
    va_list args;
    if (f->status != ITEM_OK)
        return f->status;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    f->status = itx_fail(f->err, ITEM_E_PACK, "the model's \"%s\": %s", f->role, text);
    return f->status;
}

static const char *path_of(const itx_facts *f, const char *key, char path[PATH_SIZE])
{
    (void)snprintf(path, PATH_SIZE, "%s%s%s", f->section, f->section[0] ? "." : "", key);
    return path;
}

void itx_facts_section(itx_facts *f, const char *section)
{
    f->section = section;
}

/* The host tells what lies in a section, not that there is one. */
void itx_facts_section_of(itx_facts *f, const char *first, const char *second)
{
    static const char *const keys[] = {
        "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "hidden_act",  "layer_norm_eps",    "image_size",        "patch_size",
        "vocab_size",  "eos_token_id",      "projection_dim",    "max_position_embeddings",
    };
    f->section = first;
    for (size_t i = 0; i < ITX_COUNT(keys); i++) {
        if (itx_fact_there(f, keys[i]))
            return;
    }
    f->section = second;
}

static double look(const itx_facts *f, const char *key)
{
    char path[PATH_SIZE];
    return f->s->json_number(f->s->host, f->role, path_of(f, key, path));
}

const char *itx_fact_text(const itx_facts *f, const char *key)
{
    char path[PATH_SIZE];
    return f->s->json_text(f->s->host, f->role, path_of(f, key, path));
}

bool itx_fact_there(const itx_facts *f, const char *key)
{
    return !isnan(look(f, key)) || itx_fact_text(f, key);
}

double itx_fact_number(itx_facts *f, const char *key, double fallback, double least, double most)
{
    const double value = look(f, key);
    const bool text = isnan(value) && itx_fact_text(f, key);
    if (isnan(value) && !text)
        return fallback;
    if (value >= least && value <= most)
        return value;
    char path[PATH_SIZE];
    (void)itx_facts_fail(f, "%s is %s", path_of(f, key, path), text ? "no number" : "out of range");
    return fallback;
}

int64_t itx_fact_count(itx_facts *f, const char *key, int64_t fallback, int64_t most)
{
    const double value = itx_fact_number(f, key, (double)fallback, 1.0, (double)most);
    if (value == floor(value))
        return (int64_t)value;
    char path[PATH_SIZE];
    (void)itx_facts_fail(f, "%s is no whole number", path_of(f, key, path));
    return fallback;
}

bool itx_fact_flag(itx_facts *f, const char *key, bool fallback)
{
    return itx_fact_number(f, key, fallback, 0.0, 1.0) != 0.0;
}

/* "quick_gelu", "gelu"; others are an error that names them. */
static itx_act read_act(itx_facts *f, const char *key, const char *fallback)
{
    static const struct {
        const char *name;
        itx_act act;
    } known[] = {{"quick_gelu", ITX_QUICK_GELU}, {"gelu", ITX_GELU}, {"gelu_python", ITX_GELU}};
    char path[PATH_SIZE];
    const char *name = f->s->json_text(f->s->host, f->role, path_of(f, key, path));
    for (size_t i = 0; i < ITX_COUNT(known); i++) {
        if (strcmp(name ? name : fallback, known[i].name) == 0)
            return known[i].act;
    }
    (void)itx_facts_fail(f, "%s: the activation \"%.48s\" is not one of quick_gelu, gelu", path,
                         name ? name : fallback);
    return ITX_NONE;
}

itx_tower_facts itx_tower_read(itx_facts *f, const itx_tower_facts *defaults)
{
    itx_tower_facts t = *defaults;
    t.width = itx_fact_count(f, "hidden_size", t.width, WIDTH_MAX);
    t.wide = itx_fact_count(f, "intermediate_size", t.wide, 8 * WIDTH_MAX);
    t.depth = itx_fact_count(f, "num_hidden_layers", t.depth, 256);
    t.heads = itx_fact_count(f, "num_attention_heads", t.heads, ITX_HEADS);
    t.eps = itx_fact_number(f, "layer_norm_eps", t.eps, 0.0, 1.0);
    t.act = read_act(f, "hidden_act", t.act == ITX_GELU ? "gelu" : "quick_gelu");
    if (t.width % t.heads != 0)
        (void)itx_facts_fail(f, "%d heads do not divide a width of %d", (int)t.heads, (int)t.width);
    return t;
}
