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

/* "Steps: 20", and one of the numbers that stand beside it. */
static bool is_web_ui(const char *text)
{
    static const char steps[] = "Steps: ";
    const char *at = strstr(text, steps);
    if (!at || !isdigit((unsigned char)at[sizeof steps - 1]))
        return false;
    return strstr(at, "Sampler: ") || strstr(at, "CFG scale: ") || strstr(at, "Seed: ");
}

/* "Job ID: " and a UUID. */
static bool is_job(const char *text)
{
    static const char mark[] = "Job ID: ", form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    const char *at = strstr(text, mark);
    if (!at)
        return false;
    at += sizeof mark - 1;
    for (size_t i = 0; form[i]; i++) {
        if (form[i] == '-' ? at[i] != '-' : !isxdigit((unsigned char)at[i]))
            return false;
    }
    return true;
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

void itemi_findings_judge(itemi_findings *f, const char *container, const char *field,
                          const char *text)
{
    for (size_t i = 0; i < ITEMI_COUNT(rules); i++) {
        const rule *r = &rules[i];
        if (strcmp(r->field, field) != 0 || !holds(r, text))
            continue;
        char where[64];
        itemi_format(where, sizeof where, "%s %s", container, field);
        itemi_findings_add(f, ITEM_PROVENANCE_GENERATOR, r->claim, where, r->name, text);
        return;
    }
}

void itemi_findings_source_type(itemi_findings *f, const char *value)
{
    static const struct {
        const char *name;
        int32_t claim;
    } types[] = {
        {"trainedAlgorithmicMedia", AI},        {"compositeWithTrainedAlgorithmicMedia", PART},
        {"digitalCapture", ITEM_CLAIM_CAPTURE}, {"computationalCapture", ITEM_CLAIM_CAPTURE},
        {"negativeFilm", ITEM_CLAIM_CAPTURE},   {"positiveFilm", ITEM_CLAIM_CAPTURE},
        {"print", ITEM_CLAIM_CAPTURE},
    };
    static const char blanks[] = " \t\r\n";
    value += strspn(value, blanks);
    const size_t length = strlen(value);
    char uri[200], *name = uri;
    if (length == 0 || length >= sizeof uri)
        return;
    memcpy(uri, value, length + 1);
    for (size_t end = length; end && strchr(blanks, uri[end - 1]); end--)
        uri[end - 1] = '\0';
    for (char *c = uri; *c; c++) {
        if (*c == '/' && c[1])
            name = c + 1;
    }
    int32_t claim = ITEM_CLAIM_NONE;
    for (size_t i = 0; i < ITEMI_COUNT(types); i++) {
        if (strcmp(name, types[i].name) == 0)
            claim = types[i].claim;
    }
    itemi_findings_add(f, ITEM_PROVENANCE_SOURCE_TYPE, claim, "XMP DigitalSourceType", name, uri);
}
