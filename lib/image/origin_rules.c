/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What generators of pictures write into their files, and what the IPTC's source types claim. The
 * source of each rule stands in docs/provenance.md.
 */
#include <ctype.h>
#include <string.h>

#include "image/provenance.h"

typedef enum test { ANY, IS, BEGINS, HAS, WEB_UI, JOB } test;

typedef struct rule {
    const char *field;
    test test;
    const char *needle; /* of IS, BEGINS, HAS */
    const char *name;
    int32_t claim;
} rule;

#define AI   ITEM_CLAIM_AI
#define PART ITEM_CLAIM_AI_PART

/* The first that fits counts. */
static const rule rules[] = {
    {"parameters", HAS, "\"sui_image_params\"", "SwarmUI", AI},
    {"parameters", WEB_UI, NULL, "Stable Diffusion web UI", AI},
    {"prompt", HAS, "\"class_type\"", "ComfyUI", AI},
    {"workflow", HAS, "\"nodes\"", "ComfyUI", AI},
    {"invokeai_metadata", ANY, NULL, "InvokeAI", AI},
    {"invokeai_graph", ANY, NULL, "InvokeAI", AI},
    {"invokeai_workflow", ANY, NULL, "InvokeAI", AI},
    {"sd-metadata", ANY, NULL, "InvokeAI", AI},
    {"Dream", ANY, NULL, "InvokeAI", AI},
    {"fooocus_scheme", ANY, NULL, "Fooocus", AI},
    {"Software", IS, "NovelAI", "NovelAI", AI},
    {"Software", BEGINS, "Fooocus v", "Fooocus", AI},
    {"Description", JOB, NULL, "Midjourney", AI},
    {"ImageDescription", JOB, NULL, "Midjourney", AI},
    {"description", JOB, NULL, "Midjourney", AI},
    {"UserComment", HAS, "\"sui_image_params\"", "SwarmUI", AI},
    {"UserComment", WEB_UI, NULL, "Stable Diffusion web UI", AI},
    {"Model", BEGINS, "prompt:{", "ComfyUI", AI},
    {"Make", BEGINS, "workflow:{", "ComfyUI", AI},
    {"ImageDescription", BEGINS, "Workflow:{", "ComfyUI", AI},
    {"Credit", IS, "Made with Google AI", "Google AI", AI},
    {"Credit", IS, "Edited with Google AI", "Google AI", PART},
};

/* "Steps: 20" behind a prompt, which may say "Steps: " too; and a number that stands beside it. */
static bool is_web_ui(const char *text)
{
    static const char steps[] = "Steps: ";
    for (const char *at = text; (at = strstr(at, steps)) != NULL;) {
        at += sizeof steps - 1;
        if (isdigit((unsigned char)*at))
            return strstr(at, "Sampler: ") || strstr(at, "CFG scale: ") || strstr(at, "Seed: ");
    }
    return false;
}

/* A UUID. */
static bool is_uuid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; form[i]; i++) {
        if (form[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

/* "Job ID: " and a UUID. */
static bool is_job(const char *text)
{
    static const char mark[] = "Job ID: ";
    for (const char *at = text; (at = strstr(at, mark)) != NULL;) {
        at += sizeof mark - 1;
        if (is_uuid(at))
            return true;
    }
    return false;
}

static bool holds(const rule *r, const char *text)
{
    switch (r->test) {
    case ANY:
        return true;
    case IS:
        return strcmp(text, r->needle) == 0;
    case BEGINS:
        return strncmp(text, r->needle, strlen(r->needle)) == 0;
    case HAS:
        return strstr(text, r->needle) != NULL;
    case WEB_UI:
        return is_web_ui(text);
    case JOB:
        break;
    }
    return is_job(text);
}

bool itemi_tells_origin(const char *keyword)
{
    for (size_t i = 0; i < ITEMI_COUNT(rules); i++) {
        if (strcmp(rules[i].field, keyword) == 0)
            return true;
    }
    return false;
}

/* The same text in two languages tells nothing more. */
static bool is_known(const itemi_findings *f, int32_t claim, const char *where, const char *name)
{
    for (uint32_t i = 0; !f->texts.failed && i < f->count; i++) {
        if (f->entries[i].claim == claim &&
            strcmp(f->texts.data + f->entries[i].where, where) == 0 &&
            strcmp(f->texts.data + f->entries[i].name, name) == 0)
            return true;
    }
    return false;
}

void itemi_findings_judge(itemi_findings *f, const char *container, const char *field,
                          const char *text)
{
    for (size_t i = 0; i < ITEMI_COUNT(rules); i++) {
        const rule *r = &rules[i];
        if (strcmp(r->field, field) != 0 || !holds(r, text))
            continue;
        char where[64];
        itemi_format(where, sizeof where, "%s %s", container, field);
        if (!is_known(f, r->claim, where, r->name))
            itemi_findings_add(f, ITEM_PROVENANCE_GENERATOR, r->claim, where, r->name, text);
        return;
    }
}

static int32_t claim_of(const char *name)
{
    static const struct {
        const char *name;
        int32_t claim;
    } types[] = {
        {"trainedAlgorithmicMedia", AI},
        {"compositeWithTrainedAlgorithmicMedia", PART},
        {"compositeSynthetic", PART},
        {"digitalCapture", ITEM_CLAIM_CAPTURE},
        {"computationalCapture", ITEM_CLAIM_CAPTURE},
        {"negativeFilm", ITEM_CLAIM_CAPTURE},
        {"positiveFilm", ITEM_CLAIM_CAPTURE},
        {"print", ITEM_CLAIM_CAPTURE},
    };
    for (size_t i = 0; i < ITEMI_COUNT(types); i++) {
        if (strcmp(name, types[i].name) == 0)
            return types[i].claim;
    }
    return ITEM_CLAIM_NONE;
}

void itemi_source_type_read(itemi_source_type *type, const char *text)
{
    static const char blanks[] = " \t\r\n";
    text += strspn(text, blanks);
    size_t length = strnlen(text, sizeof type->uri - 1);
    while (length && strchr(blanks, text[length - 1]))
        length--;
    memcpy(type->uri, text, length);
    type->uri[length] = '\0';
    type->name = type->uri;
    for (const char *c = type->uri; *c; c++) {
        if (*c == '/' && c[1])
            type->name = c + 1;
    }
    type->claim = claim_of(type->name);
}

void itemi_findings_source_type(itemi_findings *f, int32_t claim, const char *where,
                                const itemi_source_type *type)
{
    if (*type->uri && !is_known(f, claim, where, type->name))
        itemi_findings_add(f, ITEM_PROVENANCE_SOURCE_TYPE, claim, where, type->name, type->uri);
}
