/* SPDX-License-Identifier: Apache-2.0 */
/* Results as JSON: the keys of docs/json.md. Texts and numbers are written here alone. */
#include <math.h>
#include <string.h>

#include "core/json_make.h"
#include "core/result.h"

#define DIGITS 9 /* significant ones: enough to tell any two float32 apart */

json_t *itemi_json_text(const char *text)
{
    if (!text)
        return json_string("");
    size_t left = strlen(text);
    if (itemi_utf8_valid(text, left) == left)
        return json_stringn(text, left);
    itemi_buf buf;
    itemi_buf_init(&buf, NULL);
    while (left) {
        size_t good = itemi_utf8_valid(text, left);
        itemi_buf_add(&buf, text, good);
        text += good;
        left -= good;
        if (left) {
            itemi_buf_puts(&buf, "\xef\xbf\xbd");
            text++;
            left--;
        }
    }
    json_t *string = buf.failed ? NULL : json_stringn(buf.data, buf.length);
    itemi_buf_free(&buf);
    return string;
}

json_t *itemi_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

char *itemi_json_print(const itemi_mem *mem, json_t *object)
{
    char *text = itemi_json_dump(mem, object, DIGITS);
    json_decref(object);
    return text;
}

static json_t *text_of(const item_result *result, int32_t which)
{
    return itemi_json_text(item_result_text(result, which));
}

/* null where there is no such text */
static json_t *text_or_null(const item_result *result, int32_t which)
{
    const char *text = item_result_text(result, which);
    return *text ? itemi_json_text(text) : json_null();
}

static json_t *object_json(const itemi_object *o)
{
    return json_pack("{s:o, s:[f, f, f, f], s:o, s:o, s:o}", "phrase", itemi_json_text(o->phrase),
                     "box", o->box[0], o->box[1], o->box[2], o->box[3], "score",
                     itemi_json_number(o->score), "similarity", itemi_json_number(o->similarity),
                     "contribution", itemi_json_number(o->contribution));
}

static json_t *objects_json(const item_result *result)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < result->summary.objects; i++) {
        if (json_array_append_new(list, object_json(&result->objects[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *warnings_json(const item_result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < result->warnings.count; i++) {
        if (json_array_append_new(list, itemi_json_text(result->warnings.items[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *entry_json(const item_provenance_entry *e)
{
    static const char *const kinds[] = {"", "c2pa", "source_type", "generator", "unreadable"};
    static const char *const claims[] = {"", "ai", "ai_part", "capture"};
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:s}", "kind", kinds[e->kind], "claim",
                     e->claim ? json_string(claims[e->claim]) : json_null(), "where", e->where,
                     "name", *e->name ? json_string(e->name) : json_null(), "value",
                     *e->value ? json_string(e->value) : json_null(), "text", e->text);
}

static json_t *provenance_json(const item_result *result)
{
    json_t *list = json_array();
    const uint32_t count = item_provenance_count(result->provenance);
    for (uint32_t i = 0; list && i < count; i++) {
        item_provenance_entry entry = ITEM_PROVENANCE_ENTRY_INIT;
        if (item_provenance_get(result->provenance, i, &entry, NULL) != ITEM_OK ||
            json_array_append_new(list, entry_json(&entry)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *timings_json(const item_timings *t)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "decode", t->decode, "resize",
                     t->resize, "caption", t->caption, "phrases", t->phrases, "detect", t->detect,
                     "embed", t->embed, "judge", t->judge, "total", t->total);
}

/* null without a verdict */
static json_t *threshold_json(const item_result *result)
{
    const item_result_summary *s = &result->summary;
    if (!*item_result_text(result, ITEM_TEXT_THRESHOLD))
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "name", text_of(result, ITEM_TEXT_THRESHOLD), "score",
                     itemi_json_number(s->threshold), "promised_fpr",
                     itemi_json_number(s->promised_fpr), "real_below",
                     itemi_json_number(s->real_below));
}

static json_t *failed_json(const item_result *result)
{
    return json_pack("{s:o, s:{s:s, s:o}}", "file", text_of(result, ITEM_TEXT_FILE), "error",
                     "code", item_status_name(result->error.code), "message",
                     itemi_json_text(result->error.message));
}

/* Adds the members of `more` to `object`; NULL when either is. */
static json_t *with(json_t *object, json_t *more)
{
    bool joined = object && more && json_object_update(object, more) == 0;
    json_decref(more);
    if (joined)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *seen_json(const item_result *result)
{
    const item_result_summary *s = &result->summary;
    return json_pack("{s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "file",
                     text_of(result, ITEM_TEXT_FILE), "width", (json_int_t)s->width, "height",
                     (json_int_t)s->height, "caption", text_of(result, ITEM_TEXT_CAPTION),
                     "caption_source", text_or_null(result, ITEM_TEXT_CAPTION_SOURCE),
                     "model_caption", text_of(result, ITEM_TEXT_MODEL_CAPTION), "caption_logprob",
                     itemi_json_number(s->caption_logprob), "caption_margin",
                     itemi_json_number(s->caption_margin), "similarity",
                     itemi_json_number(s->similarity), "contribution",
                     itemi_json_number(s->contribution), "objects", objects_json(result));
}

static json_t *judged_json(const item_result *result)
{
    const item_result_summary *s = &result->summary;
    return json_pack("{s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o}", "probability",
                     itemi_json_number(s->probability), "score", itemi_json_number(s->score),
                     "verdict", text_of(result, ITEM_TEXT_VERDICT), "reason", "code",
                     text_of(result, ITEM_TEXT_REASON), "text",
                     text_of(result, ITEM_TEXT_REASON_LINE), "threshold", threshold_json(result),
                     "layout", text_or_null(result, ITEM_TEXT_LAYOUT));
}

static json_t *origin_json(const item_result *result)
{
    return json_pack("{s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:s, s:o, s:o, s:o}", "timings_ms",
                     timings_json(&result->timings), "pack", text_or_null(result, ITEM_TEXT_PACK),
                     "precision", text_or_null(result, ITEM_TEXT_PRECISION), "backends",
                     "captioner", text_or_null(result, ITEM_TEXT_CAPTIONER), "detector",
                     text_or_null(result, ITEM_TEXT_DETECTOR), "embedder",
                     text_or_null(result, ITEM_TEXT_EMBEDDER), "version", item_version(),
                     "fingerprint", text_or_null(result, ITEM_TEXT_FINGERPRINT), "warnings",
                     warnings_json(result), "provenance", provenance_json(result));
}

static json_t *result_json(const item_result *result)
{
    if (result->error.code != ITEM_OK)
        return failed_json(result);
    return with(with(seen_json(result), judged_json(result)), origin_json(result));
}

const char *item_result_json(const item_result *result)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!result)
        return NULL;
    char *known = atomic_load_explicit(&result->json, memory_order_acquire);
    if (known)
        return known;
    char *made = itemi_json_print(&result->mem, result_json(result));
    if (!made)
        return NULL;
    /* Results do not change, but for this: two threads may make the text, one of them keeps it. */
    _Atomic(char *) *slot = (_Atomic(char *) *)(uintptr_t)&result->json;
    if (atomic_compare_exchange_strong(slot, &known, made))
        return made;
    itemi_free(&result->mem, made);
    return known;
}
