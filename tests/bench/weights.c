/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the weights of an embedder take, by the kernel's own account (smaps_rollup), in two
 * processes that have it open at once: `bench-weights MODEL [fp32|bf16]`. Ends with 1 where one
 * holds more than the weights in the precision that runs and 50 MB (fp32), or 1.3 times of it.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <item/item.h>

typedef struct account {
    double resident, shared_out, anonymous; /* MB: Rss, Pss, Anonymous */
} account;

static void die(const item_error *err)
{
    fprintf(stderr, "bench-weights: %s\n", err->message);
    exit(2);
}

static account read_account(void)
{
    account a = {0, 0, 0};
    char line[256];
    double kb;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "Rss: %lf", &kb) == 1)
            a.resident = kb * 1024 / 1e6;
        else if (sscanf(line, "Pss: %lf", &kb) == 1)
            a.shared_out = kb * 1024 / 1e6;
        else if (sscanf(line, "Anonymous: %lf", &kb) == 1)
            a.anonymous = kb * 1024 / 1e6;
    }
    if (file)
        fclose(file);
    return a;
}

/* MB of *.safetensors and *.bin. */
static double weights_of(const char *model)
{
    double sum = 0;
    DIR *dir = opendir(model);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[4096];
        struct stat facts;
        const char *dot = strrchr(entry->d_name, '.');
        snprintf(path, sizeof path, "%s/%s", model, entry->d_name);
        if (dot && (strcmp(dot, ".bin") == 0 || strcmp(dot, ".safetensors") == 0) &&
            stat(path, &facts) == 0)
            sum += (double)facts.st_size / 1e6;
    }
    if (dir)
        closedir(dir);
    return sum;
}

static item_ctx *open_model(const char *model, const char *precision)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    if (item_config_new(&config, &err) != ITEM_OK ||
        item_config_set(config, "precision", precision, &err) != ITEM_OK ||
        item_ctx_open(model, config, &ctx, &err) != ITEM_OK)
        die(&err);
    item_config_unref(config);
    return ctx;
}

/* Both towers once, so that all weights are read. */
static void use_model(item_ctx *ctx)
{
    enum { EDGE = 300 };
    static uint8_t pixels[EDGE * EDGE * 3];
    static float vector[8192];
    const char *text = "a dog";
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    if (item_ctx_get_info(ctx, &info, &err) != ITEM_OK ||
        item_image_from_pixels(pixels, ITEM_PIXELS_RGB, EDGE, EDGE, 3 * EDGE, NULL, &image, &err) !=
            ITEM_OK ||
        item_embed_images(ctx, &image, 1, NULL, vector, info.width, &err) != ITEM_OK ||
        item_embed_texts(ctx, &text, 1, NULL, vector, info.width, &err) != ITEM_OK)
        die(&err);
    item_image_unref(image);
}

/* Writes two accounts to `out`: with the engine, and with the model while both have it open. */
static void child(const char *model, const char *precision, int out, int both)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info engine = ITEM_ENGINE_INFO_INIT;
    account accounts[2];
    char go;
    if (item_engine_get_info(NULL, 0, &engine, &err) != ITEM_OK)
        die(&err);
    accounts[0] = read_account();
    item_ctx *ctx = open_model(model, precision);
    use_model(ctx);
    if (write(out, "r", 1) != 1 || read(both, &go, 1) != 1)
        _exit(2);
    accounts[1] = read_account();
    _exit(write(out, accounts, sizeof accounts) == sizeof accounts ? 0 : 2);
}

static void read_all(int from, void *data, size_t size)
{
    if (read(from, data, size) != (ssize_t)size) {
        fprintf(stderr, "bench-weights: a process failed\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench-weights MODEL [fp32|bf16]\n");
        return 2;
    }
    const char *precision = argc > 2 ? argv[2] : "fp32";
    int full = strcmp(precision, "fp32") == 0, out[2][2], both[2];
    char ready[2];
    account a[2][2];
    for (int i = 0; i < 2; i++) {
        if (pipe(out[i]) != 0 || (i == 0 && pipe(both) != 0))
            return 2;
        if (fork() == 0)
            child(argv[1], precision, out[i][1], both[0]);
        close(out[i][1]);
    }
    for (int i = 0; i < 2; i++)
        read_all(out[i][0], ready + i, 1);
    if (write(both[1], ready, 2) != 2)
        return 2;
    for (int i = 0; i < 2; i++)
        read_all(out[i][0], a[i], sizeof a[i]);
    while (wait(NULL) > 0)
        ;

    double file = weights_of(argv[1]), limit = full ? file + 50 : 1.3 * file / 2, most = 0;
    printf("%s, %s, weights files %.0f MB; MB above the engine alone:\n", argv[1], precision, file);
    for (int i = 0; i < 2; i++) {
        double resident = a[i][1].resident - a[i][0].resident;
        printf("  process %d: resident %.0f, of it its own memory %.0f, its share %.0f\n", i + 1,
               resident, a[i][1].anonymous - a[i][0].anonymous,
               a[i][1].shared_out - a[i][0].shared_out);
        most = resident > most ? resident : most;
    }
    printf("  limit: %.0f resident: %s\n", limit, most <= limit ? "kept" : "broken");
    return most > limit;
}
