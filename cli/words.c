/* SPDX-License-Identifier: Apache-2.0 */
/* item tokenize and item phrases: texts only, no engine is loaded. */
#include <stdlib.h>

#include "cli.h"

typedef struct text_job {
    cli_run *run;
    item_ctx *ctx; /* tokenize alone */
} text_job;

static void fail_text(cli_run *run, const char *text, const item_error *err)
{
    if (run->args->json) {
        cli_print_failure(run, "text", text, err);
        return;
    }
    run->failed++;
    cli_complain(run->args, "%s", err->message);
}

static bool tokenize_one(void *user, const char *text)
{
    text_job *job = user;
    item_error err = ITEM_ERROR_INIT;
    int32_t *ids = NULL;
    size_t count = 0;
    item_status status = item_tokenize(job->ctx, text, NULL, 0, &count, &err);
    if (status == ITEM_OK && count > 0) {
        ids = cli_resize(NULL, count, sizeof(*ids));
        status = item_tokenize(job->ctx, text, ids, count, &count, &err);
    }
    if (status != ITEM_OK) {
        fail_text(job->run, text, &err);
    } else if (job->run->args->json) {
        cli_print_json(job->run, json_pack("{s:o, s:o}", "text", cli_json_text(text), "tokens",
                                           cli_json_ids(ids, count)));
    } else {
        for (size_t i = 0; i < count; i++)
            printf("%s%d", i > 0 ? " " : "", ids[i]);
        putchar('\n');
        cli_flush();
    }
    free(ids);
    return cli_run_goes_on();
}

static void print_phrases_json(cli_run *run, const char *text, const item_phrases *phrases)
{
    json_t *list = json_array();
    const char *phrase = NULL;
    uint32_t start = 0, end = 0;
    for (uint32_t i = 0; (phrase = item_phrases_get(phrases, i, &start, &end)); i++)
        json_array_append_new(list, json_pack("{s:o, s:i, s:i}", "phrase", cli_json_text(phrase),
                                              "start", (int)start, "end", (int)end));
    cli_print_json(run, json_pack("{s:o, s:o}", "text", cli_json_text(text), "phrases", list));
}

static bool phrases_one(void *user, const char *text)
{
    text_job *job = user;
    item_error err = ITEM_ERROR_INIT;
    item_phrases *phrases = NULL;
    if (item_phrases_find(text, &phrases, &err) != ITEM_OK) {
        fail_text(job->run, text, &err);
    } else if (job->run->args->json) {
        print_phrases_json(job->run, text, phrases);
    } else {
        const char *phrase = NULL;
        for (uint32_t i = 0; (phrase = item_phrases_get(phrases, i, NULL, NULL)); i++) {
            char *clean = cli_escaped(phrase);
            puts(clean);
            free(clean);
        }
        cli_flush();
    }
    item_phrases_free(phrases);
    return cli_run_goes_on();
}

static int run_texts(const cli_args *args, item_ctx *ctx, bool (*each)(void *, const char *))
{
    cli_run run;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    text_job job = {&run, ctx};
    run.failed += !cli_each_text(args, each, &job);
    return cli_run_end(&run);
}

static bool has_texts(const cli_args *args)
{
    if (args->rest.count == 0)
        cli_complain(args, "give a text, or - for lines of standard input");
    return args->rest.count > 0;
}

static int run_tokenize(const cli_args *args)
{
    item_error err = ITEM_ERROR_INIT;
    if (!has_texts(args))
        return CLI_USAGE;
    /* word lists are small; hashing the networks beside them would take most of the time */
    if (item_config_set(args->config, "verify", "none", &err) != ITEM_OK)
        return cli_complain_error(args, &err);
    item_ctx *ctx = cli_open_context(args);
    int code = ctx ? run_texts(args, ctx, tokenize_one) : CLI_USAGE;
    item_ctx_unref(ctx);
    return code;
}

static int run_phrases(const cli_args *args)
{
    return has_texts(args) ? run_texts(args, NULL, phrases_one) : CLI_USAGE;
}

const cli_command cli_tokenize = {
    .name = "tokenize",
    .takes = "[OPTION]... TEXT...|-",
    .options = "pmj0v",
    .line = "gives the token ids that the model reads",
    .help = "Special tokens are included, and what is beyond the model's limit is cut.",
    .run = run_tokenize,
};

const cli_command cli_phrases = {
    .name = "phrases",
    .takes = "[OPTION]... TEXT...|-",
    .options = "j0",
    .line = "finds the noun phrases of a text",
    .help =
        "Only what a picture can show; start and end in the JSON are bytes of the first mention.",
    .run = run_phrases,
};
