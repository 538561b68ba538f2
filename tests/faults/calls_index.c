/* SPDX-License-Identifier: Apache-2.0 */
/* The calls on indexes of folders that are tried; see calls.h. */
#include "calls.h"

#include <stdio.h>

void remove_index(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", "-lock"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s%s", w.index, ends[i]);
        (void)remove(path);
    }
}

item_status call_index_open(item_error *err)
{
    return item_index_open(w.index, ITEM_INDEX_CREATE, &out.index, err);
}

void make_index(void)
{
    item_error err = ITEM_ERROR_INIT;
    remove_index();
    assert_ok(call_index_open(&err), &err);
}

item_status call_index_scan(item_error *err)
{
    const char *const paths[] = {w.pictures[0], w.broken, w.pictures[1]};
    return item_index_scan(out.index, w.ctx, paths, 3, NULL, NULL, err);
}

item_status call_index_import(item_error *err)
{
    static const char *const rows[] = {
        "{\"path\":\"/a.png\",\"bytes\":1,\"mtime_ns\":2,\"sha256\":null,\"answer\":{\"file\":\"\","
        "\"error\":{\"code\":\"ITEM_E_IO\",\"message\":\"/a.png: cannot be opened\"}}}",
        "{\"path\":\"/b.png\",\"bytes\":1,\"mtime_ns\":2,\"sha256\":\""
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"answer\":"
        "{\"file\":\"\",\"caption\":\"two dogs\",\"objects\":[{\"phrase\":\"dogs\"}],"
        "\"fingerprint\":\"f\",\"verdict\":\"unsure\",\"probability\":0.5}}"};
    return item_index_import(out.index, rows, 2, err);
}

void make_full_index(void)
{
    item_error err = ITEM_ERROR_INIT;
    make_index();
    assert_ok(call_index_scan(&err), &err);
}

/* Two questions in one; what comes is told by numbers, as its times differ. */
item_status call_index_find(item_error *err)
{
    item_index_rows *rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    query.states |= ITEM_STATE_FAILED;
    query.folder = temp_folder();
    size_t count = 0;
    item_status status = item_index_find(out.index, &query, &rows, err);
    while (status == ITEM_OK && (status = item_index_next(rows, &row, err)) == ITEM_OK &&
           row.path) {
        out.values[count++] = (float)row.bytes;
        out.values[count++] = (float)row.width;
    }
    item_index_rows_free(rows);
    query.caption = "a*";
    rows = NULL;
    if (status == ITEM_OK)
        status = item_index_find(out.index, &query, &rows, err);
    if (status == ITEM_OK)
        status = item_index_next(rows, &row, err);
    item_index_rows_free(rows);
    out.values[count++] = (float)(row.path != NULL);
    out.count = status == ITEM_OK ? count : 0;
    return status;
}
