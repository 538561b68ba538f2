/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled pictures or their vectors as input, reports as output: for the callers of train.h. */
#ifndef CLI_DATA_H
#define CLI_DATA_H

#include <item/train.h>

#include "cli.h"

typedef item_status (*cli_loader)(cli_run *run, item_ctx *ctx, item_dataset **out, item_error *err);
typedef item_status (*cli_job)(cli_run *run, item_ctx *ctx, item_dataset *data, item_error *err);

bool cli_is_dataset(const char *path); /* vectors of an earlier run, told by the file's name */
/* One manifest, folder or file of vectors was named; says so where not. */
bool cli_has_one_source(const cli_args *args);
/* Hours of work end in this file: what can be known of it is said before. NULL is no file. */
bool cli_may_be_written(const cli_args *args, const char *path);
/* A cli_loader: the labelled pictures or their vectors that has_one_source() found. */
item_status cli_load_labelled(cli_run *run, item_ctx *ctx, item_dataset **out, item_error *err);
/*
 * Loads what was named, keeps the vectors if that is asked for, and does the job with it; the exit code. A pack is opened (wanted) where
 * pictures must be looked at, or where its head is asked for.
 */
int cli_with_data(const cli_args *args, bool wanted, cli_loader load, cli_job do_job);
/* Writes a file anew; says why not. */
bool cli_write_text(const cli_args *args, const char *path, const char *text);
void cli_print_report(const cli_run *run, const item_report *report);
/* Prints a report, which is also known where its head cannot be written, and writes the head. */
item_status cli_write_head(const cli_run *run, const item_report *report, item_error *err);

#endif
