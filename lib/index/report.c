/* SPDX-License-Identifier: Apache-2.0 */
/* An index, or what a query finds in it, as one web page that holds all that it shows. */
#include "index/page.h"

#define EDGE 240 /* longest side of a thumbnail, pixels */

typedef struct report {
    item_index *index;
    item_page_options options;
    itemi_buf page;
    uint64_t done, total;
} report;

/* Leaves the thumbnail empty, and the reason in `why`, where the file cannot be read. */
static item_status read_picture(const report *r, const item_index_row *row, itemi_buf *thumbnail,
                                item_error *why, item_error *err)
{
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    item_image *image = NULL;
    struct stat facts;
    if (stat(row->path, &facts) == 0 &&
        ((uint64_t)facts.st_size != row->bytes || (int64_t)facts.st_mtim.tv_sec != row->modified)) {
        itemi_fail(why, ITEM_E_IO, "the file has changed since it was checked");
        return ITEM_OK;
    }
    options.cancel = r->options.cancel;
    options.flags = ITEM_IMAGE_ACCEPT_TRUNCATED;
    item_status status = item_image_from_file(row->path, &options, &image, why);
    if (status == ITEM_OK)
        status = itemi_image_thumbnail(image, EDGE, thumbnail, why);
    item_image_unref(image);
    return status == ITEM_E_CANCELLED || status == ITEM_E_MEMORY ? itemi_fail_as(err, why)
                                                                 : ITEM_OK;
}

static item_status add_row(report *r, const item_index_row *row, item_error *err)
{
    itemi_buf thumbnail;
    item_error why = ITEM_ERROR_INIT;
    itemi_buf_init(&thumbnail, NULL);
    item_status status = read_picture(r, row, &thumbnail, &why, err);
    if (status == ITEM_OK)
        itemi_page_card(&r->page, row, &thumbnail, why.message);
    itemi_buf_free(&thumbnail);
    if (status == ITEM_OK && r->page.failed)
        status = itemi_fail_memory(err, "making a page");
    r->done++;
    if (status == ITEM_OK && r->options.progress)
        r->options.progress(r->options.progress_user, r->done, r->total);
    return status;
}

/* Calls `each`, or only counts, for every row of the query. */
static item_status each_row(report *r, const item_index_query *query, bool count, item_error *err)
{
    item_index_rows *rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    item_status status = item_index_find(r->index, query, &rows, err);
    while (status == ITEM_OK && (status = item_index_next(rows, &row, err)) == ITEM_OK &&
           row.path) {
        if (count)
            r->total++;
        else
            status = add_row(r, &row, err);
    }
    item_index_rows_free(rows);
    return status;
}

static item_status write_page(report *r, const item_index_query *query, const char *path,
                              item_error *err)
{
    item_status status = each_row(r, query, true, err);
    itemi_page_top(&r->page, r->options.title ? r->options.title : "Pictures");
    if (status == ITEM_OK)
        status = each_row(r, query, false, err);
    itemi_page_end(&r->page);
    if (status == ITEM_OK && r->page.failed)
        status = itemi_fail_memory(err, "making a page");
    return status == ITEM_OK ? itemi_file_write(path, r->page.data, r->page.length, err) : status;
}

item_status item_index_write_html(item_index *index, const item_index_query *query,
                                  const item_page_options *options, const char *path,
                                  item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    static const item_page_options none = ITEM_PAGE_OPTIONS_INIT;
    if (!index || !path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_write_html: %s is NULL",
                          index ? "path" : "index");
    struct stat facts;
    if (stat(path, &facts) == 0 && itemi_index_owns(index, path, &facts))
        return itemi_fail(err, ITEM_E_ARGUMENT, "%s: is the index itself", path);
    report r = {.index = index};
    item_status status = itemi_struct_in(&r.options, sizeof r.options, sizeof r.options,
                                         options ? options : &none, "item_page_options", err);
    if (status != ITEM_OK)
        return status;
    itemi_buf_init(&r.page, NULL);
    status = write_page(&r, query, path, err);
    itemi_buf_free(&r.page);
    return status;
}
