/* SPDX-License-Identifier: Apache-2.0 */
/* The web page of an index: its fixed parts, and one picture of it. */
#ifndef ITEMI_INDEX_PAGE_H
#define ITEMI_INDEX_PAGE_H

#include "index/index.h"

/* What stands before and behind the pictures (page_style.c). */
extern const char itemi_page_style[], itemi_page_script[];

/* A picture of the page; thumbnail: a JPEG, or empty, and then `why` says so. */
void itemi_page_card(itemi_buf *page, const item_index_row *row, const itemi_buf *thumbnail,
                     const char *why);
void itemi_page_top(itemi_buf *page, const char *title);
void itemi_page_end(itemi_buf *page);

#endif
