/* SPDX-License-Identifier: Apache-2.0 */
/* What commands on an index share. */
#ifndef CLI_INDEX_H
#define CLI_INDEX_H

#include <item/index.h>

#include "cli.h"

/* Words of ITEM_VERDICT_...; NULL ends them. */
extern const char *const cli_verdicts[];

/* Opens args->index; says why not and returns NULL. */
item_index *cli_open_index(const cli_args *args, uint32_t flags);
/* Reads the options of a query; says what is wrong and returns false. */
bool cli_read_query(const cli_args *args, item_index_query *query);
/* Brings in the lines of a file, or of standard input ("-"); says what is wrong and returns false. */
bool cli_import(const cli_args *args, const char *name, item_index *index);
/* What an index has of a picture, for people. */
void cli_show_row(const char *verdict, const item_index_row *row);

#endif
