/* SPDX-License-Identifier: Apache-2.0 */
/* The facts of a head as JSON: one object, one entry of the file's metadata. */
#include <math.h>
#include <string.h>

#include "core/head_private.h"
#include "core/json_make.h"

#define VECTOR_WIDTH_MAX 8192 /* as a backend may have */
#define RATE_LEAST       1e-6 /* of a promise: nobody has the photographs that a smaller one needs */

/* ---- writing ---- */

static json_t *dump_promise(const itemi_promise *p)
{
    bool sure = p->confidence > 0;
    return json_pack("{s:o, s:f, s:I, s:I, s:o, s:o}", "score", itemi_json_number(p->score), "rate",
                     p->rate, "real", (json_int_t)p->real, "above", (json_int_t)p->above,
                     "confidence", sure ? json_real(p->confidence) : json_null(), "allowed",
                     sure ? json_integer((json_int_t)p->allowed) : json_null());
}

json_t *itemi_head_facts_dump(const itemi_head_facts *f)
{
    return json_pack(
        "{s:i, s:s, s:I, s:I, s:s, s:s, s:I, s:s, s:I, s:I, s:f, s:f, s:{s:o, s:o, s:s, s:s}, s:o, "
        "s:f,"
        " s:I,"
        " s:o, s:f, s:o, s:f, s:o, s:f, s:b, s:s, s:o, s:s}",
        "format", ITEMI_HEAD_FORMAT, "layout", f->layout_name, "vector_width",
        (json_int_t)f->vector_width, "layers_width", (json_int_t)f->layers_width, "embedder",
        f->embedder, "pipeline", f->pipeline, "working_size", (json_int_t)f->working_size,
        "working_filter", f->working_filter, "size_min", (json_int_t)f->size_min, "size_max",
        (json_int_t)f->size_max, "temperature", f->temperature, "bias", f->bias, "thresholds",
        "fpr1", dump_promise(&f->fpr1), "fpr5", dump_promise(&f->fpr5), "rule", f->threshold_rule,
        "calibrated_on", f->calibrated_on, "real_below", itemi_json_number(f->real_below),
        "real_share", f->real_share, "ai", (json_int_t)f->ai, "scope_limit",
        itemi_json_number(f->scope_limit), "scope_quantile", f->scope_quantile, "plain_limit",
        itemi_json_number(f->plain_limit), "plain_quantile", f->plain_quantile, "caption_least",
        itemi_json_number(f->caption_least), "caption_quantile", f->caption_quantile,
        "callers_captions", f->callers_captions, "trained_on", f->trained_on ? f->trained_on : "",
        "trained_sources", f->trained_sources ? json_deep_copy(f->trained_sources) : json_array(),
        "library", f->library);
}

char *itemi_head_facts_json(const itemi_head *head)
{
    json_t *object = itemi_head_facts_dump(&head->facts);
    char *text = itemi_json_dump(head->mem, object, ITEMI_DIGITS_EXACT);
    json_decref(object);
    return text;
}

/* ---- reading: the first thing that is wrong is told, the rest is left alone ---- */

typedef struct reader {
    const char *name; /* of the file */
    item_status status;
    item_error *err;
} reader;

static json_t *member(reader *r, const json_t *object, const char *key, json_type type,
                      const char *kind)
{
    json_t *value = json_object_get(object, key);
    bool number = type == JSON_REAL && json_is_number(value);
    if (value && (json_typeof(value) == type || number))
        return value;
    if (r->status == ITEM_OK)
        r->status = itemi_fail(r->err, ITEM_E_FORMAT, "%s: `%s` of the head %s", r->name, key,
                               value ? kind : "is missing");
    return NULL;
}

static double get_number(reader *r, const json_t *object, const char *key)
{
    return json_number_value(member(r, object, key, JSON_REAL, "is no number"));
}

/* A number, or what null stands for. */
static double get_optional(reader *r, const json_t *object, const char *key, double null)
{
    return json_is_null(json_object_get(object, key)) ? null : get_number(r, object, key);
}

static uint64_t get_count(reader *r, const json_t *object, const char *key, uint64_t most)
{
    json_t *value = member(r, object, key, JSON_INTEGER, "is no whole number");
    json_int_t number = json_integer_value(value);
    if (value && (number < 0 || (uint64_t)number > most) && r->status == ITEM_OK)
        r->status =
            itemi_fail(r->err, ITEM_E_FORMAT, "%s: `%s` of the head is out of range", r->name, key);
    return r->status == ITEM_OK ? (uint64_t)number : 0;
}

static void get_text(reader *r, const json_t *object, const char *key, char *out, size_t room)
{
    json_t *value = member(r, object, key, JSON_STRING, "is no text");
    size_t length = json_string_length(value);
    if (value && length >= room && r->status == ITEM_OK)
        r->status =
            itemi_fail(r->err, ITEM_E_FORMAT, "%s: `%s` of the head is too long", r->name, key);
    if (value && length < room)
        memcpy(out, json_string_value(value), length + 1);
}

/* Whether a member stands there that heads of 0.1 do not have. */
static bool says(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return value && !json_is_null(value);
}

static itemi_promise get_promise(reader *r, const json_t *thresholds, const char *key)
{
    const json_t *object = member(r, thresholds, key, JSON_OBJECT, "is no object");
    bool sure = says(object, "confidence");
    return (itemi_promise){.score = get_optional(r, object, "score", HUGE_VAL),
                           .rate = get_number(r, object, "rate"),
                           .real = get_count(r, object, "real", UINT32_MAX),
                           .above = get_count(r, object, "above", UINT32_MAX),
                           .confidence = sure ? get_number(r, object, "confidence") : 0,
                           .allowed = sure ? get_count(r, object, "allowed", UINT32_MAX) : 0};
}

static void get_facts(reader *r, const json_t *object, itemi_head_facts *f)
{
    get_text(r, object, "layout", f->layout_name, sizeof f->layout_name);
    f->vector_width = (size_t)get_count(r, object, "vector_width", VECTOR_WIDTH_MAX);
    if (says(object, "layers_width"))
        f->layers_width = (size_t)get_count(r, object, "layers_width", ITEMI_LAYERS_MAX);
    get_text(r, object, "embedder", f->embedder, sizeof f->embedder);
    get_text(r, object, "pipeline", f->pipeline, sizeof f->pipeline);
    f->working_size = (uint32_t)get_count(r, object, "working_size", 65535);
    get_text(r, object, "working_filter", f->working_filter, sizeof f->working_filter);
    f->size_min = (uint32_t)get_count(r, object, "size_min", UINT32_MAX);
    f->size_max = (uint32_t)get_count(r, object, "size_max", UINT32_MAX);
    f->temperature = get_number(r, object, "temperature");
    f->bias = get_number(r, object, "bias");
    const json_t *thresholds = member(r, object, "thresholds", JSON_OBJECT, "is no object");
    f->fpr1 = get_promise(r, thresholds, "fpr1");
    f->fpr5 = get_promise(r, thresholds, "fpr5");
    if (says(thresholds, "rule"))
        get_text(r, thresholds, "rule", f->threshold_rule, sizeof f->threshold_rule);
    if (says(thresholds, "calibrated_on"))
        get_text(r, thresholds, "calibrated_on", f->calibrated_on, sizeof f->calibrated_on);
    f->real_below = get_optional(r, object, "real_below", -HUGE_VAL);
    f->real_share = get_number(r, object, "real_share");
    f->ai = get_count(r, object, "ai", UINT32_MAX);
    f->scope_limit = get_optional(r, object, "scope_limit", NAN);
    f->scope_quantile = get_number(r, object, "scope_quantile");
    bool plain = says(object, "plain_limit");
    f->plain_limit = plain ? get_number(r, object, "plain_limit") : (double)NAN;
    f->plain_quantile = plain ? get_number(r, object, "plain_quantile") : 0.99;
    f->caption_least = get_optional(r, object, "caption_least", NAN);
    f->caption_quantile = get_number(r, object, "caption_quantile");
    const json_t *captions = json_object_get(object, "callers_captions");
    f->callers_captions = json_is_true(captions);
    if (!json_is_boolean(captions) && r->status == ITEM_OK)
        r->status = itemi_fail(r->err, ITEM_E_FORMAT,
                               "%s: `callers_captions` of the head is not true or false", r->name);
    get_text(r, object, "library", f->library, sizeof f->library);
}

/* Heads of 0.1 do not name them. */
static json_t *get_sources(reader *r, const json_t *object)
{
    if (!says(object, "trained_sources"))
        return NULL;
    size_t i;
    json_t *source, *all = member(r, object, "trained_sources", JSON_ARRAY, "is no array");
    json_array_foreach(all, i, source)
    {
        if (!json_is_string(source) && r->status == ITEM_OK)
            r->status =
                itemi_fail(r->err, ITEM_E_FORMAT,
                           "%s: `trained_sources` of the head holds what is no text", r->name);
    }
    return json_incref(all);
}

/* A newer format may change anything, so it is looked at before all else. */
static item_status check_format(const json_t *object, const char *name, item_error *err)
{
    const json_t *format = json_object_get(object, "format");
    if (!json_is_integer(format) || json_integer_value(format) < 1)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the head does not name its format", name);
    if (json_integer_value(format) > ITEMI_HEAD_FORMAT)
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "%s: the head has format %lld, this libitem %s reads up to %d", name,
                          (long long)json_integer_value(format), item_version(), ITEMI_HEAD_FORMAT);
    return ITEM_OK;
}

item_status itemi_head_facts_read(const itemi_mem *mem, const char *text, const char *name,
                                  itemi_head_facts *facts, char **trained_on, item_error *err)
{
    json_t *object = NULL;
    *facts = (itemi_head_facts){.trained_on = "", .threshold_rule = ITEMI_RULE_POOLED};
    *trained_on = NULL;
    item_status status = itemi_json_parse(text, strlen(text), name, &object, err);
    if (status == ITEM_OK)
        status = check_format(object, name, err);
    if (status == ITEM_OK) {
        reader r = {name, ITEM_OK, err};
        get_facts(&r, object, facts);
        facts->trained_sources = get_sources(&r, object);
        json_t *trained = member(&r, object, "trained_on", JSON_STRING, "is no text");
        status = r.status;
        if (status == ITEM_OK) {
            *trained_on = itemi_strdup(mem, json_string_value(trained));
            facts->trained_on = *trained_on;
            if (!*trained_on)
                status = itemi_fail_memory(err, "reading a head");
        }
    }
    json_decref(object);
    return status;
}

/* ---- what must hold ---- */

static bool share(double x)
{
    return x > 0 && x < 1;
}

static bool promise_holds(const itemi_promise *p)
{
    bool none = isinf(p->score) && p->score > 0;
    bool sure = p->confidence == 0 || (share(p->confidence) && p->above <= p->allowed);
    bool rate = p->rate >= RATE_LEAST && p->rate < 1;
    return (none || isfinite(p->score)) && rate && p->above <= p->real && sure;
}

/* NaN: there is no such rule. */
static bool rule_holds(double value)
{
    return isnan(value) || isfinite(value);
}

item_status itemi_head_facts_check(const itemi_head_facts *f, const char *name, item_error *err)
{
    static const char *const filters[] = {"bilinear", "bicubic", "lanczos"};
    bool known_filter = false;
    for (size_t i = 0; i < ITEMI_COUNT(filters); i++)
        known_filter |= strcmp(f->working_filter, filters[i]) == 0;

    const char *wrong = NULL;
    if (!known_filter)
        wrong = "working_filter";
    else if (f->vector_width < 1 || f->vector_width > VECTOR_WIDTH_MAX)
        wrong = "vector_width";
    else if (f->size_max != 0 && f->size_max < f->size_min)
        wrong = "size_max";
    else if (!(isfinite(f->temperature) && f->temperature > 0))
        wrong = "temperature";
    else if (!isfinite(f->bias))
        wrong = "bias";
    else if (!promise_holds(&f->fpr1))
        wrong = "fpr1";
    else if (!promise_holds(&f->fpr5))
        wrong = "fpr5";
    else if (isnan(f->real_below) || (isinf(f->real_below) && f->real_below > 0))
        wrong = "real_below";
    else if (!share(f->real_share))
        wrong = "real_share";
    else if (!rule_holds(f->scope_limit) || f->scope_limit < 0 || !share(f->scope_quantile))
        wrong = "scope_limit";
    else if (!rule_holds(f->plain_limit) || f->plain_limit < 0 || !share(f->plain_quantile))
        wrong = "plain_limit";
    else if (!rule_holds(f->caption_least) || !share(f->caption_quantile))
        wrong = "caption_least";
    if (wrong)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: `%s` of the head is out of range", name, wrong);
    return ITEM_OK;
}
