/* SPDX-License-Identifier: Apache-2.0 */
/* item find: asks an index, and prints what it found in one of four ways. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "index.h"

static const char *verdict_of(const item_index_row *row)
{
    return row->verdict >= 0 && row->verdict <= ITEM_VERDICT_AI ? cli_verdicts[row->verdict] : "?";
}

static const char *state_of(const item_index_row *row)
{
    return row->state & ITEM_STATE_MISSING  ? "missing"
           : row->state & ITEM_STATE_FAILED ? "failed"
           : row->state & ITEM_STATE_STALE  ? "stale"
                                            : "answered";
}

/* RFC 4180: quoted where it must be, so that a spreadsheet reads the same text. */
static void print_field(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void print_csv(const item_index_row *row)
{
    char day[32] = "";
    const time_t taken = (time_t)row->taken;
    struct tm tm;
    if (gmtime_r(&taken, &tm))
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    print_field(row->path);
    printf(",%s,%s,", state_of(row), row->error ? "" : verdict_of(row));
    if (!isnan(row->probability))
        printf("%.9g", row->probability);
    putchar(',');
    print_field(row->reason);
    putchar(',');
    print_field(row->caption);
    printf(",%" PRIu32 ",%" PRIu32 ",%s,%" PRIu64 ",%s,", row->width, row->height, day, row->bytes,
           row->sha256);
    print_field(row->message);
    printf("\r\n");
}

static void print_row(const cli_args *args, const item_index_row *row)
{
    if (args->nul_names)
        fwrite(row->path, 1, strlen(row->path) + 1, stdout);
    else if (args->json)
        puts(row->json);
    else if (args->csv)
        print_csv(row);
    else if (row->error)
        cli_show_failure(row->path, row->message);
    else
        cli_show_row(verdict_of(row), row);
}

static void print_header(const cli_args *args)
{
    if (args->nul_names || args->json)
        return;
    if (args->csv)
        printf("path,state,verdict,probability,reason,caption,width,height,taken,bytes,sha256,"
               "error\r\n");
    else
        cli_show_check_header();
}

static int print_rows(const cli_args *args, item_index_rows *rows)
{
    item_error err = ITEM_ERROR_INIT;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    item_status status;
    bool headed = args->csv; /* a table without rows has its names all the same */
    if (headed)
        print_header(args);
    while ((status = item_index_next(rows, &row, &err)) == ITEM_OK && row.path &&
           cli_flush() == 0) {
        if (!headed)
            print_header(args);
        headed = true;
        print_row(args, &row);
    }
    if (status != ITEM_OK)
        cli_complain_error(args, &err);
    else if (!headed && args->folder && access(args->folder, F_OK) != 0)
        cli_complain(args, "nothing was found, and there is no folder %s", args->folder);
    return status == ITEM_OK ? CLI_OK : CLI_FAILED;
}

static int find(const cli_args *args, item_index *index)
{
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    if (!cli_read_query(args, &query))
        return CLI_USAGE;
    for (size_t i = 0; i < args->imports.count; i++) {
        if (!cli_import(args, args->imports.items[i], index))
            return CLI_FAILED;
    }
    if (item_index_find(index, &query, &rows, &err) != ITEM_OK)
        return cli_complain_error(args, &err);
    int code = print_rows(args, rows);
    item_index_rows_free(rows);
    return code;
}

static int run_find(const cli_args *args)
{
    if (!args->index) {
        cli_complain(args, "say which index: --index FILE");
        return CLI_USAGE;
    }
    if (args->rest.count > 0) {
        cli_complain(args, "unexpected argument %s", args->rest.items[0]);
        return CLI_USAGE;
    }
    if (args->json + args->csv + args->nul_names > 1) {
        cli_complain(args, "give one of --json, --csv and -0");
        return CLI_USAGE;
    }
    item_index *index = cli_open_index(args, args->imports.count ? ITEM_INDEX_CREATE : 0);
    int code = index ? find(args, index) : CLI_USAGE;
    item_index_free(index);
    return code;
}

const cli_command cli_find = {
    .name = "find",
    .takes = "--index FILE [OPTION]...",
    .options = "I+1=23456789l%&j;_",
    .line = "finds pictures in an index, by verdict, words, objects, date",
    .help =
        "All that is asked for must hold; without a question every picture is found. A word\n"
        "that ends in * stands for all that begin so. Dates are those of EXIF, else the files'.",
    .run = run_find,
};
