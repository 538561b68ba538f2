/* SPDX-License-Identifier: Apache-2.0 */
/* CSV records as RFC 4180 has them, with LF allowed as line end, blank lines and a BOM skipped. */
#include "files/files_private.h"

#define RECORD_MAX (1 << 20) /* bytes of a record's fields */

static item_status broken(const itemi_csv *csv, const char *what, item_error *err)
{
    return itemi_fail(err, ITEM_E_FORMAT, "%s: line %zu: %s", csv->name, csv->line, what);
}

/* Adds what stands between `run` and the place to the field. */
static item_status keep(itemi_csv *csv, const char *run, item_error *err)
{
    size_t length = (size_t)(csv->at - run);
    if (csv->text.length + length > RECORD_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: line %zu: a record of more than %d bytes",
                          csv->name, csv->record, RECORD_MAX);
    itemi_buf_add(&csv->text, run, length);
    return ITEM_OK;
}

static item_status read_quoted(itemi_csv *csv, item_error *err)
{
    const char *run = ++csv->at; /* what is not copied yet */
    for (; csv->at < csv->end; csv->at++) {
        if (*csv->at == '\0')
            return broken(csv, "holds a NUL byte", err);
        if (*csv->at == '\n')
            csv->line++;
        if (*csv->at != '"')
            continue;
        item_status status = keep(csv, run, err);
        if (status != ITEM_OK)
            return status;
        bool doubled = csv->at + 1 < csv->end && csv->at[1] == '"';
        csv->at++;
        if (!doubled)
            return ITEM_OK;
        run = csv->at; /* the second quote is text */
    }
    csv->line = csv->record; /* the file's end would say little */
    return broken(csv, "a quote of this record is never closed", err);
}

static item_status read_plain(itemi_csv *csv, item_error *err)
{
    const char *run = csv->at;
    for (; csv->at < csv->end && !strchr(",\r\n", *csv->at); csv->at++) {
        if (*csv->at == '"')
            return broken(csv, "a quote inside a field that does not begin with one", err);
    }
    /* strchr() stops at NUL as well */
    if (csv->at < csv->end && *csv->at == '\0')
        return broken(csv, "holds a NUL byte", err);
    return keep(csv, run, err);
}

/* Steps over what ends a field; sets `more` when another one follows in this record. */
static item_status end_field(itemi_csv *csv, bool *more, item_error *err)
{
    *more = false;
    if (csv->at == csv->end)
        return ITEM_OK;
    if (*csv->at == ',') {
        *more = true;
        csv->at++;
        return ITEM_OK;
    }
    if (*csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n'))
        csv->at++;
    if (csv->at == csv->end)
        return ITEM_OK;
    if (*csv->at != '\n')
        return broken(csv, "a field ends in neither comma nor line end", err);
    csv->at++;
    csv->line++;
    return ITEM_OK;
}

static item_status read_record(itemi_csv *csv, item_error *err)
{
    bool more = true;
    while (more) {
        if (csv->fields == ITEMI_CSV_FIELDS)
            return broken(csv, "has too many fields", err);
        csv->start[csv->fields++] = csv->text.length;
        bool quoted = csv->at < csv->end && *csv->at == '"';
        item_status status = quoted ? read_quoted(csv, err) : read_plain(csv, err);
        if (status == ITEM_OK)
            status = end_field(csv, &more, err);
        if (status != ITEM_OK)
            return status;
        itemi_buf_add(&csv->text, "", 1);
    }
    return csv->text.failed ? itemi_fail_memory(err, "reading CSV") : ITEM_OK;
}

item_status itemi_csv_next(itemi_csv *csv, item_error *err)
{
    do {
        csv->fields = 0;
        csv->text.length = 0;
        csv->record = csv->line;
        if (csv->at == csv->end)
            return ITEM_OK;
        item_status status = read_record(csv, err);
        if (status != ITEM_OK)
            return status;
    } while (csv->fields == 1 && csv->text.length == 1); /* a blank line */
    return ITEM_OK;
}

const char *itemi_csv_field(const itemi_csv *csv, size_t i)
{
    return csv->text.data + csv->start[i];
}
