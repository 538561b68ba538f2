/* SPDX-License-Identifier: Apache-2.0 */
/* item doctor: what this machine computes with, how fast, and what to do about it. */
#include <string.h>

#include "cli.h"

static void fact(const char *name, const char *value)
{
    cli_print_escaped("%-10s %s", name, value && *value ? value : "unknown");
}

static void print_engine(const item_engine_info *info)
{
    cli_print_escaped("%-10s %s %s, %s", "engine", info->name, info->version, info->path);
    fact("BLAS", info->blas);
    printf("%-10s %.0f GFLOP/s in fp32\n", "rate", info->gflops);
    printf("%-10s %u for each of %u lane%s\n", "threads", info->threads, info->lanes,
           info->lanes == 1 ? "" : "s");
    fact("processor", info->cpu);
    fact("features", info->cpu_features);
    printf("%-10s %s\n", "bf16", info->cpu_bf16 ? "native" : "not native: auto means fp32");
    if (info->blas_is_slow)
        puts("           The reference BLAS runs, many times slower than it need be. Mend it:\n"
             "           sudo apt install libopenblas0-openmp");
}

/* Files of a few bytes: what is not read is refused by its kind, the others as broken. */
static void doctor_pictures(void)
{
    static const struct {
        const char *name, *bytes;
        size_t size;
    } kinds[] = {
        {"WebP", "RIFF\0\0\0\0WEBP", 12},
        {"HEIC",
         "\0\0\0\x10"
         "ftypheic\0\0\0\0",
         16},
        {"AVIF",
         "\0\0\0\x10"
         "ftypavif\0\0\0\0",
         16},
    };
    printf("%-10s JPEG, PNG", "pictures");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        item_error err = ITEM_ERROR_INIT;
        item_image *image = NULL;
        if (item_image_from_memory(kinds[i].bytes, kinds[i].size, NULL, &image, &err) !=
            ITEM_E_UNSUPPORTED)
            printf(", %s", kinds[i].name);
        item_image_unref(image);
    }
    putchar('\n');
}

static bool doctor_engine(const cli_args *args)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    if (item_engine_get_info(args->config, 1, &info, &err) != ITEM_OK) {
        fact("engine", err.message);
        puts("           Without an engine no network runs; words, pictures and heads do.");
        return false;
    }
    print_engine(&info);
    return !info.blas_is_slow;
}

static bool doctor_pack(const cli_args *args)
{
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    if (item_pack_open(args->pack, 2, &pack, &err) != ITEM_OK) {
        fact("pack", err.message);
        return false;
    }
    cli_print_escaped("%-10s %s %s, %s", "pack", item_pack_text(pack, "name"),
                      item_pack_text(pack, "version"), item_pack_text(pack, "path"));
    fact("state", cli_pack_state(pack));
    cli_show_head(pack);
    item_pack_free(pack);
    return true;
}

static int run_doctor(const cli_args *args)
{
    if (args->rest.count > 0) {
        cli_complain(args, "unexpected argument %s; see item doctor --help", args->rest.items[0]);
        return CLI_USAGE;
    }
    fact("libitem", item_version());
    doctor_pictures();
    bool engine = doctor_engine(args);
    bool pack = doctor_pack(args);
    return engine && pack ? CLI_OK : CLI_FAILED;
}

const cli_command cli_doctor = {
    .name = "doctor",
    .takes = "[OPTION]...",
    .options = "pdv",
    .line = "tells what computes here, how fast, and what is missing",
    .help = "",
    .run = run_doctor,
};
