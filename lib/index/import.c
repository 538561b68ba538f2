/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that other machines gave, brought into an index. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "index/write.h"

/* A line, read. Texts are borrowed from `line`. */
typedef struct row {
    json_t *line, *answer;
    const json_t *error; /* of the answer; NULL: there is none */
    int32_t code;
    bool hashed;
    uint8_t hash[ITEMI_SHA256_BYTES];
    itemi_written file;
} row;

static item_status refuse(const char *why, item_error *err)
{
    return itemi_fail(err, ITEM_E_FORMAT, "a row to import has no %s", why);
}

/* ---- reading ---- */

static bool read_hash(const char *hex, uint8_t out[ITEMI_SHA256_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (!hex || strlen(hex) != ITEMI_SHA256_HEX - 1)
        return false;
    for (size_t i = 0; i < ITEMI_SHA256_BYTES; i++) {
        const char *high = strchr(digits, hex[2 * i]), *low = strchr(digits, hex[2 * i + 1]);
        if (!high || !low)
            return false;
        out[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

static double number_at(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    return json_is_number(number) ? json_number_value(number) : (double)NAN;
}

/* Place of a text in a list that ends with NULL, or 0. */
static int32_t place_of(const char *text, const char *const *list)
{
    for (int32_t i = 0; list[i]; i++) {
        if (strcmp(text, list[i]) == 0)
            return i;
    }
    return 0;
}

/* The status of a name; one that a later libitem has is a failure all the same. */
static int32_t code_of(const char *name)
{
    for (int32_t code = ITEM_E_ARGUMENT; code <= ITEM_E_INTERNAL; code++) {
        if (strcmp(item_status_name(code), name) == 0)
            return code;
    }
    return ITEM_E_INTERNAL;
}

static item_status read_file(row *r, item_error *err)
{
    const json_t *bytes = json_object_get(r->line, "bytes");
    const json_t *mtime = json_object_get(r->line, "mtime_ns");
    const char *path = itemi_text_at(r->line, "path");
    if (*path != '/')
        return refuse("absolute \"path\"", err);
    if (!json_is_integer(bytes) || !json_is_integer(mtime) || json_integer_value(bytes) < 0)
        return refuse("\"bytes\" and \"mtime_ns\"", err);
    r->file = (itemi_written){.path = path,
                              .bytes = json_integer_value(bytes),
                              .mtime = json_integer_value(mtime),
                              .read = itemi_index_now(),
                              .hash = r->hashed ? r->hash : NULL,
                              .error = r->code,
                              .message = itemi_text_at(r->error, "message")};
    return ITEM_OK;
}

static item_status read_row(row *r, const char *text, item_error *err)
{
    item_status status = itemi_json_parse(text, strlen(text), "a row to import", &r->line, err);
    if (status != ITEM_OK)
        return status;
    r->answer = json_object_get(r->line, "answer");
    if (!json_is_object(r->answer))
        return refuse("\"answer\"", err);
    r->error = json_object_get(r->answer, "error");
    if (!json_is_object(r->error))
        r->error = NULL;
    r->code = r->error ? code_of(itemi_text_at(r->error, "code")) : ITEM_OK;
    r->hashed = read_hash(itemi_text_at(r->line, "sha256"), r->hash);
    if (!r->hashed && (!r->error || itemi_fails_by_bytes(r->code)))
        return refuse("\"sha256\"", err);
    const double probability = number_at(r->answer, "probability");
    if (probability < 0 || probability > 1)
        return refuse("\"probability\" from 0 to 1", err);
    if (!r->error && !*itemi_text_at(r->answer, "fingerprint"))
        return refuse("\"fingerprint\" in its answer", err);
    return read_file(r, err);
}

/* ---- writing ---- */

/* Phrases of the objects, a line each. */
static void list_objects(itemi_buf *buf, const json_t *objects)
{
    itemi_buf_puts(buf, "");
    for (size_t i = 0; i < json_array_size(objects); i++)
        itemi_buf_printf(buf, "%s%s", i ? "\n" : "",
                         itemi_text_at(json_array_get(objects, i), "phrase"));
}

static uint32_t claims_of(const json_t *provenance)
{
    static const char *const claims[] = {"", "ai", "ai_part", "capture", NULL};
    uint32_t bits = 0;
    for (size_t i = 0; i < json_array_size(provenance); i++)
        bits |= 1u << place_of(itemi_text_at(json_array_get(provenance, i), "claim"), claims);
    return bits;
}

static uint32_t size_at(const json_t *answer, const char *key)
{
    const json_int_t size = json_integer_value(json_object_get(answer, key));
    return size < 0 || size > UINT32_MAX ? 0 : (uint32_t)size;
}

static itemi_content content_of(const row *r, const char *json, const char *objects)
{
    static const char *const verdicts[] = {"none", "real", "unsure", "ai", NULL};
    const json_t *taken = json_object_get(r->line, "taken");
    return (itemi_content){
        .hash = r->hash,
        .fingerprint = itemi_text_at(r->answer, "fingerprint"),
        .error = r->code,
        .message = itemi_text_at(r->error, "message"),
        .json = r->error ? "" : json,
        .verdict = place_of(itemi_text_at(r->answer, "verdict"), verdicts),
        .reason = itemi_text_at(json_object_get(r->answer, "reason"), "code"),
        .probability = number_at(r->answer, "probability"),
        .width = size_at(r->answer, "width"),
        .height = size_at(r->answer, "height"),
        .taken = json_is_integer(taken) ? json_integer_value(taken) : INT64_MIN,
        .caption = itemi_text_at(r->answer, "caption"),
        .objects = objects,
        .claims = claims_of(json_object_get(r->answer, "provenance")),
    };
}

static item_status write_content(const row *r, const itemi_writer *writer, item_error *err)
{
    itemi_buf objects;
    itemi_buf_init(&objects, NULL);
    list_objects(&objects, json_object_get(r->answer, "objects"));
    /* as answers are kept: first an empty name, as the name is the file's */
    json_t *nameless = json_pack("{s:s}", "file", "");
    const bool made = nameless && json_object_update_missing(nameless, r->answer) == 0;
    char *json = made ? itemi_json_print(NULL, json_incref(nameless)) : NULL;
    json_decref(nameless);
    item_status status;
    if (json && !objects.failed) {
        const itemi_content content = content_of(r, json, objects.data);
        status = itemi_write_content(writer, &content, err);
    } else {
        status = itemi_fail_memory(err, "importing");
    }
    itemi_free(NULL, json);
    itemi_buf_free(&objects);
    return status;
}

/* Until the first scan, what is imported says which answers are not stale. */
static item_status set_fingerprint(const itemi_writer *writer, const char *fingerprint,
                                   item_error *err)
{
    sqlite3_stmt *query = NULL;
    const bool done = itemi_database_prepare(writer->base,
                                             "UPDATE setting SET value = ?1"
                                             " WHERE name = 'fingerprint' AND value = ''",
                                             &query) &&
                      sqlite3_bind_text(query, 1, fingerprint, -1, SQLITE_STATIC) == SQLITE_OK &&
                      sqlite3_step(query) == SQLITE_DONE;
    item_status status = done ? ITEM_OK : itemi_database_fail(writer->base, err);
    sqlite3_finalize(query);
    return status;
}

static item_status import_row(const itemi_writer *writer, const char *text, bool *settled,
                              item_error *err)
{
    row r = {0};
    item_status status = read_row(&r, text, err);
    if (status == ITEM_OK && (!r.error || itemi_fails_by_bytes(r.code)))
        status = write_content(&r, writer, err);
    if (status == ITEM_OK)
        status = itemi_write_file(writer, &r.file, err);
    if (status == ITEM_OK && !*settled && !r.error) {
        status = set_fingerprint(writer, itemi_text_at(r.answer, "fingerprint"), err);
        *settled = true;
    }
    json_decref(r.line);
    return status;
}

/* Which of the rows is wrong: a caller has many. */
static item_status name_row(size_t i, const item_error *why, item_error *err)
{
    return itemi_fail(err, why->code, "row %zu: %s", i + 1, why->message);
}

static item_status import_rows(const itemi_writer *writer, const char *const *rows, size_t n,
                               item_error *err)
{
    bool settled = false;
    for (size_t i = 0; i < n; i++) {
        item_error why = ITEM_ERROR_INIT;
        if (!rows[i])
            return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_import: row %zu is NULL", i + 1);
        if (import_row(writer, rows[i], &settled, &why) != ITEM_OK)
            return name_row(i, &why, err);
    }
    return ITEM_OK;
}

item_status item_index_import(item_index *index, const char *const *rows, size_t n, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!index || (!rows && n))
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_import: %s is NULL",
                          index ? "rows" : "index");
    if (!index->writable)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_index_import: the index was opened without ITEM_INDEX_CREATE");
    item_status status = itemi_index_check(index, err);
    if (status != ITEM_OK)
        return status;
    itemi_writer writer;
    status = itemi_writer_open(&writer, &index->base, err);
    if (status == ITEM_OK)
        status = itemi_database_begin(&index->base, err);
    if (status == ITEM_OK)
        status = itemi_database_end(&index->base, import_rows(&writer, rows, n, err), err);
    itemi_writer_close(&writer);
    return status;
}
