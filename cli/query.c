/* SPDX-License-Identifier: Apache-2.0 */
/* Options that say what to look for in an index. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "index.h"

const char *const cli_verdicts[] = {"none", "real", "unsure", "ai", NULL};

item_index *cli_open_index(const cli_args *args, uint32_t flags)
{
    item_error err = ITEM_ERROR_INIT;
    item_index *index = NULL;
    if (item_index_open(args->index, flags, &index, &err) != ITEM_OK)
        cli_complain_error(args, &err);
    return index;
}

/* Place of a word in a list that ends with NULL; -1: it is none of them. */
static int place_of(const char *word, const char *const *list)
{
    for (int i = 0; list[i]; i++) {
        if (strcmp(word, list[i]) == 0)
            return i;
    }
    return -1;
}

/* Bits of the words of a list, each a place in `names`. */
static bool read_words(const cli_args *args, const cli_list *words, const char *option,
                       const char *const *names, const char *all, uint32_t *bits)
{
    for (size_t i = 0; i < words->count; i++) {
        int place = place_of(words->items[i], names);
        if (place < 0) {
            cli_complain(args, "%s: %s is not %s", option, words->items[i], all);
            return false;
        }
        *bits |= 1u << place;
    }
    return true;
}

static bool read_lists(const cli_args *args, item_index_query *query)
{
    static const char *const claims[] = {"other", "ai", "ai_part", "capture", NULL};
    return read_words(args, &args->verdicts, "--verdict", cli_verdicts, "real, unsure, ai or none",
                      &query->verdicts) &&
           read_words(args, &args->origins, "--origin", claims, "ai, ai_part, capture or other",
                      &query->claims);
}

static bool read_order(const cli_args *args, item_index_query *query)
{
    static const char *const names[] = {"path", "probability", "date", NULL};
    int order = args->sort ? place_of(args->sort, names) : 0;
    if (order < 0)
        cli_complain(args, "--sort: %s is not path, probability or date", args->sort);
    query->order = order < 0 ? 0 : (uint32_t)order;
    return order >= 0;
}

/* A question that nothing can answer is a slip. */
static bool in_order(const cli_args *args, const item_index_query *query)
{
    if (!(query->least > query->most))
        return true;
    cli_complain(args, "--least is more than --most");
    return false;
}

static bool read_share(const cli_args *args, const char *name, const char *text, double *out)
{
    char *end = NULL;
    if (!text)
        return true;
    *out = strtod(text, &end);
    if (end != text && !*end && *out >= 0 && *out <= 1)
        return true;
    cli_complain(args, "%s: %s is no number from 0 to 1", name, text);
    return false;
}

/* "2024-07-31": the first second of that day. */
static bool read_day(const cli_args *args, const char *name, const char *text, int64_t *out)
{
    if (!text)
        return true;
    struct tm tm = {0}, given;
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    given = tm;
    *out = (int64_t)timegm(&tm);
    if (end && !*end && tm.tm_mday == given.tm_mday) /* not the 31st of June */
        return true;
    cli_complain(args, "%s: %s is no day such as 2024-07-31", name, text);
    return false;
}

bool cli_read_query(const cli_args *args, item_index_query *query)
{
    query->caption = args->caption;
    query->object = args->object;
    query->folder = args->folder;
    query->limit = args->limit;
    if (args->failed)
        query->states = ITEM_STATE_FAILED;
    if (args->missing)
        query->states = (args->failed ? ITEM_STATE_FAILED : 0) | ITEM_STATE_MISSING;
    return read_lists(args, query) && read_order(args, query) &&
           read_share(args, "--least", args->least, &query->least) &&
           read_share(args, "--most", args->most, &query->most) && in_order(args, query) &&
           read_day(args, "--since", args->since, &query->since) &&
           read_day(args, "--until", args->until, &query->until);
}
