/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of one backend, in their order. Its tables are called as libitem calls them. */
#include <math.h>
#include <string.h>

#include "conformance.h"

#define EACH_SUBJECT(b, s)                                                                         \
    for (subject s = CAPTIONS; s < SUBJECTS; s++)                                                  \
        if (subject_of((b)->it.stage, s))

static const asking plain = PLAIN;

static bool lacks_answers(const bench *b)
{
    if (!b->known)
        skip("there are no answers to compare with: \"alone\" failed");
    return !b->known;
}

/* ---- the same answer, however it is asked for ---- */

static void alone(bench *b)
{
    char why[WHY];
    b->known = true;
    EACH_SUBJECT(b, s)
    for (size_t i = 0; i < samples[s].count; i++) {
        const sample *input = &samples[s].items[i];
        if (ask(&b->it, s, &input, 1, &plain, &b->alone[s][i], why) != ITEM_OK) {
            fail("%s %zu: %s", subject_word(s), i, why);
            b->known = false;
        }
    }
}

static void again(bench *b)
{
    if (lacks_answers(b))
        return;
    EACH_SUBJECT(b, s)
    for (size_t i = samples[s].count; i-- > 0;)
        (void)compare_with_alone(b, &b->it, s, i, 1, &plain);
}

/* Two, three, and all of them twice in one call. */
static void batch(bench *b)
{
    if (lacks_answers(b))
        return;
    EACH_SUBJECT(b, s)
    {
        size_t n = samples[s].count;
        (void)compare_with_alone(b, &b->it, s, n - 1, 2, &plain);
        (void)compare_with_alone(b, &b->it, s, 1, 3, &plain);
        (void)compare_with_alone(b, &b->it, s, 2, 2 * n, &plain);
    }
}

static void sizes(bench *b)
{
    if (lacks_answers(b))
        return;
    asking newer = PLAIN;
    newer.newer = true;
    EACH_SUBJECT(b, s)
    (void)compare_with_alone(b, &b->it, s, 0, samples[s].count, &newer);
}

/* ---- nothing is kept ---- */

static void *take_block(void *user, size_t size)
{
    return arena_take(user, size);
}

static void *resize_block(void *user, void *block, size_t size)
{
    void *at = arena_take(user, size); /* what the library asks for is copied by it */
    if (block)
        memmove(at, block, size);
    return at;
}

static void leave_block(void *user, void *block)
{
    (void)user;
    (void)block;
}

/* The same address holds one picture after another. */
static void reuse_pictures(bench *b, subject s, arena *lent)
{
    char why[WHY];
    arena *pixels = arena_new();
    const item_allocator allocator = {
        sizeof allocator, 0, take_block, resize_block, leave_block, pixels,
    };
    answer fresh[4] = {{0}}, here;
    for (uint32_t i = 0; i < 8 && !has_failed(); i++) {
        item_image *image = i < 4 ? make_picture(20 + i, 120, 90, NULL)
                                  : make_picture(20 + i % 4, 120, 90, &allocator);
        sample input = {.image = image,
                        .box = {0, 0, 120, 90},
                        .phrases = samples[BOXES].items[0].phrases,
                        .count = samples[BOXES].items[0].count};
        const sample *one = &input;
        asking how = PLAIN;
        how.memory = i < 4 ? NULL : lent;
        lent->used = 0;
        if (ask(&b->it, s, &one, 1, &how, i < 4 ? &fresh[i] : &here, why) != ITEM_OK)
            fail("%s", why);
        else if (i >= 4 && !answers_same(s, &fresh[i % 4], &here, why))
            fail("a picture in memory that held another one before: %s", why);
        if (i >= 4)
            answers_free(&here, 1);
        item_image_unref(image);
        pixels->used = 0;
    }
    answers_free(fresh, 4);
}

static void borrowed(bench *b)
{
    if (lacks_answers(b))
        return;
    arenas_hide();
    arena *lent = arena_new();
    asking reuse = PLAIN;
    reuse.memory = lent;
    EACH_SUBJECT(b, s)
    {
        for (size_t i = 0; i < samples[s].count && !has_failed(); i++) {
            lent->used = 0;
            (void)compare_with_alone(b, &b->it, s, i, 1, &reuse);
        }
        if (s != TEXTS && !has_failed())
            reuse_pictures(b, s, lent);
    }
}

/* ---- opening and closing ---- */

static void opened_again(bench *b)
{
    if (lacks_answers(b))
        return;
    for (int i = 0; i < 3 && !has_failed(); i++) {
        item_error err = ITEM_ERROR_INIT;
        backend other;
        if (target_open(b->it.stage, target_settings(), &other, &err) != ITEM_OK) {
            fail("opening it again: %s", err.message);
            return;
        }
        EACH_SUBJECT(b, s)
        (void)compare_with_alone(b, &other, s, 0, i ? 1 : 2, &plain);
        target_close(&other);
    }
    EACH_SUBJECT(b, s)
    (void)compare_with_alone(b, &b->it, s, 0, 1, &plain);
}

/*
 * ---- rules that every call so far had to keep ----
 * They are told before the backend meets a context, which would refuse what breaks them.
 */

static void tell(const bench *b, rule_id rule)
{
    const char *what = first_breach(b->it.stage, rule);
    if (what)
        fail("%s", what);
}

static void rule_answers(bench *b)
{
    tell(b, ANSWERS);
}

/* The first check of a stage and this one look at the pixels: a picture must not change either. */
static void rule_writes(bench *b)
{
    if (samples_sum() != b->pixels)
        breach(b->it.stage, WRITES, "the pixels of a picture were changed");
    tell(b, WRITES);
}

static void rule_host(bench *b)
{
    tell(b, HOST);
}

static void rule_errors(bench *b)
{
    tell(b, ERRORS);
}

static void rule_thread(bench *b)
{
    tell(b, THREAD);
}

const check stage_checks[] = {
    {"table", "the table is complete, and libitem takes it", check_table, FOR_ALL},
    {"alone", "each input of every kind and size gets an answer", alone, FOR_ALL},
    {"again", "the same input gets the same answer, whatever came before", again, FOR_ALL},
    {"batch", "an input gets the same answer in a batch as alone", batch, FOR_ALL},
    {"differ", "unlike inputs get unlike vectors, like ones like vectors", check_differ,
     FOR(EMBEDDER)},
    {"beams", "any number of beams and words gives a caption", check_beams, FOR(CAPTIONER)},
    {"prompt", "a caption may be given its beginning", check_prompt, FOR(CAPTIONER)},
    {"draws", "the same seed draws the same caption, alone and in a batch", check_draws,
     FOR(CAPTIONER)},
    {"scores", "texts are scored as they are said, alone and in a batch", check_scores,
     FOR(CAPTIONER)},
    {"layers", "inner layers come with the same vectors, alone and in a batch", check_layers,
     FOR(EMBEDDER)},
    {"limits", "max_boxes and least_score hold, heads may be missing", check_limits, FOR(DETECTOR)},
    {"no phrases", "a picture without phrases gets no boxes", check_no_phrases, FOR(DETECTOR)},
    {"refused box", "when add() refuses a box, detect ends with its status", check_refusing_host,
     FOR(DETECTOR)},
    {"sizes", "larger structs of a newer host change nothing", sizes, FOR_ALL},
    {"borrowed", "no pointer is kept: the same address may hold another input", borrowed, FOR_ALL},
    {"threads", "four threads at once get what one gets", check_threads, FOR_ALL},
    {"two", "two that were opened work side by side", check_two, FOR_ALL},
    {"cancelled", "a call that is cancelled from its start ends so", check_cancel_at_once, FOR_ALL},
    {"cancel", "a cancel ends a running call, and the next one works", check_cancel_later, FOR_ALL},
    {"opened again", "opening and closing others changes nothing", opened_again, FOR_ALL},
    {"settings", "settings that are refused are refused with a reason", check_refused_settings,
     FOR_ALL},
    {"answers", "all answers were whole, finite and within their range", rule_answers, FOR_ALL},
    {"writes", "nothing but the answers was written to", rule_writes, FOR_ALL},
    {"host", "the host's functions were called when and where they may", rule_host, FOR_ALL},
    {"errors", "each failure gave a status and one line", rule_errors, FOR_ALL},
    {"thread state", "locale, signals, rounding and denormals stayed", rule_thread, FOR_ALL},
    {"older and newer", "tables of an earlier and of a later release work", check_other_tables,
     FOR_ALL},
    {"fingerprint", "a context's fingerprint tells one id from another", check_fingerprint,
     FOR_ALL},
};

const size_t stage_check_count = sizeof stage_checks / sizeof stage_checks[0];
