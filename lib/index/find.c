/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to an index: a query becomes one statement, whose rows are read one by one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index/index.h"

/* Columns of a row, in the order of `columns`. */
enum {
    PATH,
    HASH,
    BYTES,
    MODIFIED,
    TAKEN,
    WIDTH,
    HEIGHT,
    VERDICT,
    ERROR,
    MESSAGE,
    PROBABILITY,
    CAPTION,
    REASON,
    JSON,
    MISSING,
    STALE,
    CLAIMS
};

static const char columns[] =
    "SELECT path, hex(hash), bytes, mtime / 1000000000, coalesce(taken, mtime / 1000000000) AS day,"
    " width, height, coalesce(verdict, 0), coalesce(nullif(file.error, 0), content.error),"
    " iif(file.error, file.message, content.message), probability, caption, reason, json, missing,"
    " fingerprint <> (SELECT value FROM setting WHERE name = 'fingerprint'), claims"
    " FROM file LEFT JOIN content ON content.id = content"
    " WHERE (content IS NOT NULL OR file.error <> 0)"; /* other files are no pictures */

struct item_index_rows {
    item_index *index;
    sqlite3_stmt *query;
    itemi_buf json, message;
    char hash[ITEMI_SHA256_HEX];
    bool ended;
};

/* ---- the statement ---- */

typedef struct builder {
    const item_index_query *query;
    itemi_buf sql;
} builder;

static void add(builder *b, const char *condition)
{
    itemi_buf_printf(&b->sql, " AND (%s)", condition);
}

static void add_states(builder *b)
{
    static const char answered[] =
        "missing = 0 AND file.error = 0 AND content.error = 0 AND fingerprint = "
        "(SELECT value FROM setting WHERE name = 'fingerprint')";
    static const char stale[] =
        "missing = 0 AND file.error = 0 AND content.error = 0 AND fingerprint <> "
        "(SELECT value FROM setting WHERE name = 'fingerprint')";
    static const char failed[] = "missing = 0 AND (file.error <> 0 OR content.error <> 0)";
    const uint32_t states = b->query->states;
    itemi_buf_puts(&b->sql, " AND (0");
    if (states & ITEM_STATE_ANSWERED)
        itemi_buf_printf(&b->sql, " OR (%s)", answered);
    if (states & ITEM_STATE_STALE)
        itemi_buf_printf(&b->sql, " OR (%s)", stale);
    if (states & ITEM_STATE_FAILED)
        itemi_buf_printf(&b->sql, " OR (%s)", failed);
    if (states & ITEM_STATE_MISSING)
        itemi_buf_puts(&b->sql, " OR missing <> 0");
    itemi_buf_puts(&b->sql, ")");
}

static void add_order(builder *b)
{
    static const char *const orders[] = {
        [ITEM_ORDER_PATH] = " ORDER BY path",
        [ITEM_ORDER_PROBABILITY] = " ORDER BY probability DESC NULLS LAST, path",
        [ITEM_ORDER_DATE] = " ORDER BY day DESC, path",
    };
    itemi_buf_puts(&b->sql, orders[b->query->order]);
    if (b->query->limit)
        itemi_buf_puts(&b->sql, " LIMIT :limit");
}

static void build(builder *b)
{
    const item_index_query *q = b->query;
    itemi_buf_init(&b->sql, NULL);
    itemi_buf_puts(&b->sql, columns);
    add_states(b);
    if (q->verdicts)
        add(b, ":verdicts & (1 << verdict)");
    if (q->claims)
        add(b, "claims & :claims");
    if (!isnan(q->least))
        add(b, "probability >= :least");
    if (!isnan(q->most))
        add(b, "probability <= :most");
    if (q->caption || q->object)
        add(b, "content.id IN (SELECT rowid FROM words WHERE words MATCH :words)");
    if (q->folder)
        add(b, "path = :folder OR (path >= :from AND path < :to)");
    if (q->since != INT64_MIN)
        add(b, "day >= :since");
    if (q->until != INT64_MAX)
        add(b, "day < :until");
    add_order(b);
}

/* ---- words ---- */

/* A word as a string of the search's language: nothing in it has a meaning but a last `*`. */
static void add_word(itemi_buf *out, const char *column, const char *word, size_t length)
{
    const bool prefix = length > 1 && word[length - 1] == '*';
    itemi_buf_printf(out, "%s%s : \"", out->length ? " AND " : "", column);
    for (size_t i = 0; i < length - prefix; i++)
        itemi_buf_add(out, word[i] == '"' ? "\"\"" : &word[i], word[i] == '"' ? 2 : 1);
    itemi_buf_puts(out, prefix ? "\"*" : "\"");
}

/* Signs alone, such as "&", are no word to the search, and would find nothing. */
static bool is_word(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = word[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c & 0x80)
            return true;
    }
    return false;
}

static item_status add_words(itemi_buf *out, const char *column, const char *words, item_error *err)
{
    static const char blanks[] = " \t\n\r\f\v";
    if (!words)
        return ITEM_OK;
    if (itemi_utf8_valid(words, strlen(words)) != strlen(words))
        return itemi_fail(err, ITEM_E_FORMAT, "item_index_find: %s is no UTF-8", column);
    const size_t before = out->length;
    for (const char *at = words + strspn(words, blanks); *at; at += strspn(at, blanks)) {
        size_t length = strcspn(at, blanks);
        if (is_word(at, length))
            add_word(out, column, at, length);
        at += length;
    }
    if (out->length == before && !out->failed)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_find: %s has no words", column);
    return ITEM_OK;
}

/* ---- values ---- */

static void bind_number(sqlite3_stmt *query, const char *name, int64_t value)
{
    int at = sqlite3_bind_parameter_index(query, name);
    if (at)
        sqlite3_bind_int64(query, at, value);
}

static void bind_double(sqlite3_stmt *query, const char *name, double value)
{
    int at = sqlite3_bind_parameter_index(query, name);
    if (at)
        sqlite3_bind_double(query, at, value);
}

static bool bind_bytes(sqlite3_stmt *query, const char *name, const char *text, size_t length)
{
    int at = sqlite3_bind_parameter_index(query, name);
    return sqlite3_bind_blob64(query, at, text, length, SQLITE_TRANSIENT) == SQLITE_OK;
}

/* As scans keep names: absolute, without links; a folder that is gone is looked for as it is given. */
static item_status bind_folder(sqlite3_stmt *query, const char *folder, item_error *err)
{
    itemi_buf from, to;
    char *real = realpath(folder, NULL);
    const char *path = real ? real : folder;
    itemi_scan_below(&from, &to, path);
    bool bound = !from.failed && !to.failed && bind_bytes(query, ":folder", path, strlen(path)) &&
                 bind_bytes(query, ":from", from.data, from.length) &&
                 bind_bytes(query, ":to", to.data, to.length);
    item_status status = bound ? ITEM_OK : itemi_fail_memory(err, "asking an index");
    itemi_buf_free(&from);
    itemi_buf_free(&to);
    free(real);
    return status;
}

static item_status bind_words(sqlite3_stmt *query, const item_index_query *q, item_error *err)
{
    itemi_buf words;
    itemi_buf_init(&words, NULL);
    item_status status = add_words(&words, "caption", q->caption, err);
    if (status == ITEM_OK)
        status = add_words(&words, "objects", q->object, err);
    int at = sqlite3_bind_parameter_index(query, ":words");
    if (status == ITEM_OK &&
        (words.failed || (at && sqlite3_bind_text(query, at, words.data, (int)words.length,
                                                  SQLITE_TRANSIENT) != SQLITE_OK)))
        status = itemi_fail_memory(err, "asking an index");
    itemi_buf_free(&words);
    return status;
}

static item_status bind(sqlite3_stmt *query, const item_index_query *q, item_error *err)
{
    bind_number(query, ":verdicts", q->verdicts);
    bind_number(query, ":claims", q->claims);
    bind_double(query, ":least", q->least);
    bind_double(query, ":most", q->most);
    bind_number(query, ":since", q->since);
    bind_number(query, ":until", q->until);
    bind_number(query, ":limit", q->limit > INT64_MAX ? INT64_MAX : (int64_t)q->limit);
    item_status status = bind_words(query, q, err);
    if (status == ITEM_OK && q->folder)
        status = bind_folder(query, q->folder, err);
    return status;
}

/* ---- asking ---- */

static item_status check_query(const item_index_query *q, item_error *err)
{
    const uint32_t states =
        ITEM_STATE_ANSWERED | ITEM_STATE_STALE | ITEM_STATE_FAILED | ITEM_STATE_MISSING;
    if (q->states == 0 || q->states & ~states)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_query: states are %#x",
                          (unsigned)q->states);
    if (q->verdicts & ~0xfu)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_query: verdicts are %#x",
                          (unsigned)q->verdicts);
    if (q->reserved)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_query: reserved must be 0");
    if (q->order > ITEM_ORDER_DATE)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_query: order is %u",
                          (unsigned)q->order);
    if (q->folder && !*q->folder)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_query: folder is empty");
    return ITEM_OK;
}

static item_status ask(item_index_rows *rows, const item_index_query *q, item_error *err)
{
    const itemi_database *base = &rows->index->base;
    builder b = {.query = q};
    build(&b);
    item_status status = ITEM_OK;
    if (b.sql.failed)
        status = itemi_fail_memory(err, "asking an index");
    else if (!itemi_database_prepare(base, b.sql.data, &rows->query))
        status = itemi_database_fail(base, err);
    itemi_buf_free(&b.sql);
    return status == ITEM_OK ? bind(rows->query, q, err) : status;
}

item_status item_index_find(item_index *index, const item_index_query *query, item_index_rows **out,
                            item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!index || !out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_find: %s is NULL",
                          out ? "index" : "out");
    *out = NULL;
    static const item_index_query every = ITEM_INDEX_QUERY_INIT;
    item_index_query q;
    item_status status = itemi_index_check(index, err);
    if (status == ITEM_OK)
        status = itemi_struct_in(&q, sizeof q, sizeof q, query ? query : &every, "item_index_query",
                                 err);
    if (status == ITEM_OK)
        status = check_query(&q, err);
    if (status != ITEM_OK)
        return status;
    item_index_rows *rows = itemi_alloc_zero(NULL, 1, sizeof *rows);
    if (!rows)
        return itemi_fail_memory(err, "asking an index");
    rows->index = index;
    itemi_buf_init(&rows->json, NULL);
    itemi_buf_init(&rows->message, NULL);
    status = ask(rows, &q, err);
    if (status == ITEM_OK)
        *out = rows;
    else
        item_index_rows_free(rows);
    return status;
}

void item_index_rows_free(item_index_rows *rows)
{
    if (!rows || rows->index->pid != getpid()) /* as item_index_free() */
        return;
    sqlite3_finalize(rows->query);
    itemi_buf_free(&rows->json);
    itemi_buf_free(&rows->message);
    itemi_free(NULL, rows);
}

/* ---- rows ---- */

static const char *text(const item_index_rows *rows, int column)
{
    const char *t = (const char *)sqlite3_column_text(rows->query, column);
    return t ? t : "";
}

static void set_hash(item_index_rows *rows)
{
    const char *hex = text(rows, HASH);
    size_t i = 0;
    for (; hex[i] && i < sizeof rows->hash - 1; i++)
        rows->hash[i] = hex[i] >= 'A' ? (char)(hex[i] - 'A' + 'a') : hex[i];
    rows->hash[i] = '\0';
}

static uint32_t state_of(const item_index_rows *rows)
{
    uint32_t state = sqlite3_column_int(rows->query, MISSING) ? ITEM_STATE_MISSING : 0;
    if (sqlite3_column_int(rows->query, ERROR) != ITEM_OK)
        return state | ITEM_STATE_FAILED;
    return state |
           (sqlite3_column_int(rows->query, STALE) ? ITEM_STATE_STALE : ITEM_STATE_ANSWERED);
}

static void set_message(item_index_rows *rows, const char *path)
{
    const char *message = text(rows, MESSAGE);
    itemi_buf_free(&rows->message);
    itemi_buf_init(&rows->message, NULL);
    const bool named = strncmp(message, path, strlen(path)) == 0 || !*message;
    itemi_buf_printf(&rows->message, "%s%s%s", named ? "" : path, named ? "" : ": ", message);
}

/* The answer with the name of this file: that of the bytes begins with an empty one. */
static bool set_json(item_index_rows *rows, const char *path, int32_t error)
{
    static const char nameless[] = "{\"file\":\"\"";
    itemi_buf_free(&rows->json);
    itemi_buf_init(&rows->json, NULL);
    json_t *name = itemi_json_text(path);
    char *quoted = name ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
    json_decref(name);
    if (!quoted)
        return false;
    const char *json = text(rows, JSON);
    if (error != ITEM_OK) {
        json_t *message = itemi_json_text(rows->message.data);
        char *said = message ? json_dumps(message, JSON_ENCODE_ANY) : NULL;
        json_decref(message);
        itemi_buf_printf(&rows->json, "{\"file\":%s,\"error\":{\"code\":\"%s\",\"message\":%s}}",
                         quoted, item_status_name(error), said ? said : "\"\"");
        rows->json.failed |= !said;
        free(said);
    } else if (strncmp(json, nameless, sizeof nameless - 1) == 0) {
        itemi_buf_printf(&rows->json, "{\"file\":%s%s", quoted, json + sizeof nameless - 1);
    } else {
        itemi_buf_puts(&rows->json, json);
    }
    free(quoted);
    return !rows->json.failed;
}

static item_status fill(item_index_rows *rows, item_index_row *row, item_error *err)
{
    sqlite3_stmt *query = rows->query;
    /* bytes of a name, NUL-terminated by SQLite as text alone */
    row->path = (const char *)sqlite3_column_text(query, PATH);
    if (!row->path && sqlite3_errcode(rows->index->base.db) != SQLITE_NOMEM)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the index is damaged (%s): %s",
                          rows->index->path, "a file without a name", "delete it and scan again");
    if (!row->path)
        return itemi_fail_memory(err, "reading an index");
    row->state = state_of(rows);
    set_hash(rows);
    row->sha256 = rows->hash;
    row->bytes = (uint64_t)sqlite3_column_int64(query, BYTES);
    row->modified = sqlite3_column_int64(query, MODIFIED);
    row->taken = sqlite3_column_int64(query, TAKEN);
    row->width = (uint32_t)sqlite3_column_int64(query, WIDTH);
    row->height = (uint32_t)sqlite3_column_int64(query, HEIGHT);
    row->claims = (uint32_t)sqlite3_column_int64(query, CLAIMS);
    row->verdict = sqlite3_column_int(query, VERDICT);
    row->error = sqlite3_column_int(query, ERROR);
    row->probability = sqlite3_column_type(query, PROBABILITY) == SQLITE_NULL
                           ? (double)NAN
                           : sqlite3_column_double(query, PROBABILITY);
    row->caption = text(rows, CAPTION);
    row->reason = text(rows, REASON);
    set_message(rows, row->path);
    const bool made = !rows->message.failed && set_json(rows, row->path, row->error);
    /* a text that SQLite had no memory for looks like one that is not there */
    if (!made || sqlite3_errcode(rows->index->base.db) == SQLITE_NOMEM)
        return itemi_fail_memory(err, "reading an index");
    row->message = rows->message.data;
    row->json = rows->json.data;
    return ITEM_OK;
}

item_status item_index_next(item_index_rows *rows, item_index_row *row, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!rows)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_next: rows is NULL");
    item_index_row ours = ITEM_INDEX_ROW_INIT;
    item_status status = itemi_index_check(rows->index, err);
    if (status == ITEM_OK && !rows->ended) {
        const int code = sqlite3_step(rows->query);
        rows->ended = code != SQLITE_ROW;
        if (code == SQLITE_ROW)
            status = fill(rows, &ours, err);
        else if (code != SQLITE_DONE)
            status = itemi_database_fail(&rows->index->base, err);
    }
    if (status != ITEM_OK)
        return status;
    return itemi_struct_out(row, sizeof ours, &ours, sizeof ours, "item_index_row", err);
}
