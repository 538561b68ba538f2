/* SPDX-License-Identifier: Apache-2.0 */
/* item tag: verdicts and captions into XMP sidecars beside the pictures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sidecar.h"

#define PROPERTIES 8

static mode_t new_mode; /* of a sidecar that was not there: what the user's umask leaves */

/* Texts of a result that it does not hold itself. */
typedef struct texts {
    char date[32], probability[16];
} texts;

/* What a result says, as properties, the date first; they live as long as result and texts. */
static void fill(cli_property out[PROPERTIES], const item_result *result, texts *t)
{
    double p = item_result_probability(result);
    time_t now = time(NULL);
    snprintf(t->probability, sizeof(t->probability), "%.4f", p);
    strftime(t->date, sizeof(t->date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    out[0] = (cli_property){"date", t->date};
    out[1] = (cli_property){"verdict", item_result_text(result, ITEM_TEXT_VERDICT)};
    out[2] = (cli_property){"probability", isnan(p) ? "" : t->probability};
    out[3] = (cli_property){"reason", item_result_text(result, ITEM_TEXT_REASON)};
    out[4] = (cli_property){"caption", item_result_text(result, ITEM_TEXT_CAPTION)};
    out[5] = (cli_property){"fingerprint", item_result_text(result, ITEM_TEXT_FINGERPRINT)};
    out[6] = (cli_property){"pack", item_result_text(result, ITEM_TEXT_PACK)};
    out[7] = (cli_property){"version", item_version()};
}

static void print_tag(cli_run *run, const char *file, const cli_sidecar *sidecar, const char *state,
                      const cli_property *properties)
{
    const bool all = run->args->dry_run;
    cli_run_hide_progress(run);
    if (!run->args->json) {
        cli_print_escaped("%-11s %-7s %s", state, properties[1].value, sidecar->path);
        for (size_t i = 1; all && i < PROPERTIES; i++)
            if (*properties[i].value)
                cli_print_escaped("    " CLI_XMP_PREFIX ":%s %s", properties[i].name,
                                  properties[i].value);
        cli_flush();
        return;
    }
    json_t *values = json_object();
    for (size_t i = 1; i < PROPERTIES; i++)
        if (*properties[i].value)
            json_object_set_new(values, properties[i].name, cli_json_text(properties[i].value));
    cli_print_json(run,
                   json_pack("{s:o, s:o, s:s, s:o}", "file", cli_json_text(file), "sidecar",
                             cli_json_text(sidecar->path), "state", state, "properties", values));
}

static item_status write_tag(cli_run *run, const char *file, cli_sidecar *sidecar,
                             const cli_property *properties, item_error *err)
{
    char *text = NULL;
    item_status status = cli_sidecar_read(sidecar, file, err);
    if (status == ITEM_OK)
        status = cli_xmp_merge(sidecar, properties, PROPERTIES, &text, err);
    if (status == ITEM_OK && text && !run->args->dry_run)
        status = cli_sidecar_write(sidecar, text, strlen(text), new_mode, err);
    if (status == ITEM_OK)
        print_tag(run, file, sidecar,
                  !text                ? "unchanged"
                  : run->args->dry_run ? "would write"
                                       : "written",
                  properties);
    free(text);
    return status;
}

static void tag_one(cli_run *run, const item_result *result, const char *file)
{
    item_error err = ITEM_ERROR_INIT;
    run->done++;
    item_status status = item_result_status(result, &err);
    if (status == ITEM_OK) {
        cli_sidecar sidecar;
        cli_property properties[PROPERTIES];
        texts own;
        fill(properties, result, &own);
        status = write_tag(run, file, &sidecar, properties, &err);
        cli_sidecar_free(&sidecar);
    }
    if (status != ITEM_OK)
        cli_print_failure(run, "file", file, &err);
}

static int run_tag(const cli_args *args)
{
    if (!cli_xmp_is_there()) {
        cli_complain(args, "this item was built without Exempi, which writes sidecars: install "
                           "libexempi-dev and build with -Dexempi=enabled");
        return CLI_USAGE;
    }
    const mode_t mask = umask(0); /* there is no other way to ask; no other thread runs yet */
    umask(mask);
    new_mode = 0666 & ~mask;
    return cli_check_each(args, NULL, tag_one);
}

const cli_command cli_tag = {
    .name = "tag",
    .takes = "[OPTION]... FILE|FOLDER|-...",
    .options = "#ptHPoJBbrdTaUj0v",
    .line = "checks pictures, and writes verdict and caption into XMP sidecars",
    .help = "Beside a.jpg that is a.jpg.xmp, or a.xmp where only that one is there already. What "
            "other\n"
            "programs and people wrote there stays; a picture's file is never written to. A guess\n"
            "is no knowledge: nothing is written that says of a picture that AI made it.",
    .run = run_tag,
};
