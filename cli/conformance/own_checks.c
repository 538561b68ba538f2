/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of what only one kind of backend has, and of tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

enum { NAME = 32, ID = 128, WIDTH = 8192 };

/* ---- tables ---- */

static bool is_plain(const char *text, size_t most, bool blanks)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (text[i] < (blanks ? ' ' : '!') || text[i] > '~' || text[i] == '\\')
            return false;
    return length >= 1 && length <= most;
}

static bool is_complete(const backend *b)
{
    const item_embedder_ops *embedder = &b->ops.embedder;
    if (b->stage == CAPTIONER)
        return b->ops.captioner.caption;
    if (b->stage == DETECTOR)
        return b->ops.detector.detect;
    if ((embedder->layers_width > 0) != (embedder->embed_layers != NULL) || embedder->reserved3)
        fail("layers_width is %u %s embed_layers, reserved3 is %u",
             (unsigned)embedder->layers_width, embedder->embed_layers ? "with" : "without",
             (unsigned)embedder->reserved3);
    if (embedder->width < 1 || embedder->width > WIDTH || embedder->reserved2)
        fail("width is %u, of 1 to %d, and reserved2 is %u, of 0", (unsigned)embedder->width, WIDTH,
             (unsigned)embedder->reserved2);
    return embedder->embed_images && embedder->embed_texts;
}

void check_table(bench *b)
{
    const table *t = &b->it.ops;
    if (t->start.version != ITEM_BACKEND_VERSION)
        fail("version is %u, not ITEM_BACKEND_VERSION", (unsigned)t->start.version);
    const uint32_t known =
        ITEM_BACKEND_SERIAL | (b->it.stage == DETECTOR ? ITEM_BACKEND_RAW_BOXES : 0);
    if (t->start.capabilities & ~known || t->start.reserved)
        fail("capabilities are 0x%x, reserved is %u", (unsigned)t->start.capabilities,
             (unsigned)t->start.reserved);
    bool named = b->it.owner != NULL; /* a pack's files name its stages */
    if (!named && (!t->start.name || !is_plain(t->start.name, NAME, false)))
        fail("name is not 1 to %d bytes of plain ASCII without a blank", NAME);
    if (!named && (!t->start.id || !is_plain(t->start.id, ID, true)))
        fail("id is not 1 to %d bytes of plain ASCII", ID);
    if (!is_complete(&b->it))
        fail("a required function is missing");

    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    backend other = {0};
    if (item_config_new(&config, &err) != ITEM_OK ||
        target_open(b->it.stage, target_settings(), &other, &err) != ITEM_OK) {
        fail("opening it again: %s", err.message);
    } else if (other.owner) { /* libitem has it already */
        target_close(&other);
    } else if (config_set(config, other.stage, &other.ops, other.self, &err) != ITEM_OK) {
        fail("%s", err.message);
        target_close(&other);
    }
    item_config_unref(config); /* closes the backend that it took */
}

void check_refused_settings(bench *b)
{
    static const char nonsense[] = "/nowhere/no such settings/of item-conformance";
    item_error err = ITEM_ERROR_INIT;
    backend other;
    if (!target_is_module()) {
        skip("only a module has settings");
        return;
    }
    item_status status = target_open(b->it.stage, nonsense, &other, &err);
    if (status == ITEM_OK) {
        target_close(&other);
        skip("it takes any settings");
    } else if (err.code == ITEM_OK || !err.message[0] || strchr(err.message, '\n')) {
        fail("it refused, and err has code %d and the line \"%s\"", (int)err.code, err.message);
    }
}

/* ---- captioner ---- */

void check_beams(bench *b)
{
    static const uint32_t numbers[][2] = {{1, 0}, {8, 0}, {0, 1}, {2, 5}, {0, 1000}};
    char why[WHY];
    const sample *input = &samples[CAPTIONS].items[0];
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        asking how = PLAIN;
        how.beams = numbers[i][0];
        how.max_tokens = numbers[i][1];
        answer caption;
        if (ask(&b->it, CAPTIONS, &input, 1, &how, &caption, why) != ITEM_OK)
            fail("beams %u, max_tokens %u: %s", (unsigned)how.beams, (unsigned)how.max_tokens, why);
        answers_free(&caption, 1);
    }
}

/* What a captioner makes of a prompt is its own matter; it may not stumble over it. */
void check_prompt(bench *b)
{
    char why[WHY];
    const sample *input = &samples[CAPTIONS].items[0];
    asking how = PLAIN;
    how.prompt = "a picture of";
    answer caption;
    if (ask(&b->it, CAPTIONS, &input, 1, &how, &caption, why) != ITEM_OK)
        fail("with the prompt \"%s\": %s", how.prompt, why);
    answers_free(&caption, 1);
}

/* ---- detector ---- */

static size_t boxes_found(const bench *b)
{
    size_t boxes = 0;
    for (size_t i = 0; i < samples[BOXES].count; i++)
        boxes += b->alone[BOXES][i].count / PER_BOX;
    return boxes;
}

static void ask_limited(const bench *b, const asking *how)
{
    char why[WHY];
    for (size_t i = 0; i < 2; i++) { /* the user's come first */
        const sample *input = &samples[BOXES].items[i];
        answer boxes;
        if (ask(&b->it, BOXES, &input, 1, how, &boxes, why) != ITEM_OK)
            fail("max_boxes %u, least_score %g%s: %s", (unsigned)how->max_boxes, how->least_score,
                 how->no_heads ? ", no heads" : "", why);
        if (how->least_score > 1 && boxes.count)
            fail("boxes were found with a score above 1");
        answers_free(&boxes, 1);
    }
}

/* What comes back is held against the limits by the rule of answers. */
void check_limits(bench *b)
{
    for (uint32_t most = 0; most < 3; most++)
        for (int i = 0; i < 3; i++) {
            asking how = PLAIN;
            how.max_boxes = most;
            how.least_score = i == 0 ? (double)NAN : i == 1 ? 0 : 0.5;
            how.no_heads = i == 1;
            ask_limited(b, &how);
        }
    if (b->known && boxes_found(b) == 0)
        skip("no box was found: give a --picture and a --phrase that it knows");
}

void check_no_phrases(bench *b)
{
    char why[WHY];
    asking none = PLAIN;
    none.no_phrases = true;
    const sample *inputs[2] = {&samples[BOXES].items[0], &samples[BOXES].items[1]};
    answer boxes[2];
    if (ask(&b->it, BOXES, inputs, 2, &none, boxes, why) != ITEM_OK)
        fail("%s", why);
    answers_free(boxes, 2);
}

void check_refusing_host(bench *b)
{
    char why[WHY];
    asking refusing = PLAIN;
    refusing.refuse_at = 1;
    if (!b->known || boxes_found(b) == 0) {
        skip("no box was found: give a --picture and a --phrase that it knows");
        return;
    }
    for (size_t i = 0; i < samples[BOXES].count; i++) {
        const sample *input = &samples[BOXES].items[i];
        bool found = b->alone[BOXES][i].count > 0;
        item_status status = ask(&b->it, BOXES, &input, 1, &refusing, NULL, why);
        if (status != (found ? ITEM_E_LIMIT : ITEM_OK))
            fail("picture %zu: %s", i, why);
    }
    (void)compare_with_alone(b, &b->it, BOXES, 0, 1, &(asking)PLAIN);
}

/* ---- embedder ---- */

static double differ(const bench *b, subject s, size_t i, size_t j)
{
    const answer *x = &b->alone[s][i], *y = &b->alone[s][j];
    return vectors_differ(x->numbers, y->numbers, x->count);
}

void check_differ(bench *b)
{
    static const double least = 1e-4;
    if (!b->known) {
        skip("there are no answers to compare: \"alone\" failed");
        return;
    }
    size_t n = samples[CAPTIONS].count; /* whole pictures: the last six are ours */
    if (!(differ(b, CROPS, n - 6, n - 5) > least))
        fail("two pictures of other colours have the same vector");
    if (!(differ(b, TEXTS, 0, 2) > least))
        fail("\"%s\" and \"%s\" have the same vector", samples[TEXTS].items[0].text,
             samples[TEXTS].items[2].text);
}
