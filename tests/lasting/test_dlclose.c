/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program, or its plug-in, that loads libitem by itself and closes it again, several times: the
 * engine and its threads stay, libitem goes. Linked with neither; with the small pack where it is.
 */
#include <dlfcn.h>
#include <item/item.h>
#include <item/pack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIPPED 77
#define TIMES   5

/* The functions of libitem that are needed here, looked up by name. */
static struct {
    item_status (*open)(const char *, const item_config *, item_ctx **, item_error *);
    item_status (*check)(item_ctx *, const char *, const item_check_options *, item_result **,
                         item_error *);
    const char *(*text)(const item_result *, int32_t);
    void (*result_unref)(item_result *);
    void (*ctx_unref)(item_ctx *);
    item_status (*info)(const item_config *, int32_t, item_engine_info *, item_error *);
} api;

static int find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol); /* ISO C has no cast between the two */
    return symbol != NULL;
}

static int find_all(void *library)
{
    return find(library, "item_ctx_open", &api.open) &&
           find(library, "item_check_file", &api.check) &&
           find(library, "item_result_text", &api.text) &&
           find(library, "item_result_unref", &api.result_unref) &&
           find(library, "item_ctx_unref", &api.ctx_unref) &&
           find(library, "item_engine_get_info", &api.info);
}

/* The caption, in memory of the caller; NULL after a failure, with the reason. */
static char *caption(item_error *err)
{
    item_ctx *ctx = NULL;
    item_result *result = NULL;
    char *text = NULL;
    if (api.open(NULL, NULL, &ctx, err) == ITEM_OK &&
        api.check(ctx, PHOTOGRAPHS "/chelsea.jpg", NULL, &result, err) == ITEM_OK)
        text = strdup(api.text(result, ITEM_TEXT_CAPTION));
    api.result_unref(result);
    api.ctx_unref(ctx);
    return text;
}

static int use_once(char **first)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    void *library = dlopen(ITEM_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library || !find_all(library)) {
        printf("%s\n", dlerror());
        return EXIT_FAILURE;
    }
    if (api.info(NULL, 0, &info, &err) != ITEM_OK) {
        printf("skipped: %s\n", err.message);
        (void)dlclose(library);
        return SKIPPED;
    }
    char *text = caption(&err);
    const int good = text && (!*first || strcmp(text, *first) == 0);
    printf("%s\n", text ? text : err.message);
    if (!*first)
        *first = text;
    else
        free(text);
    return dlclose(library) == 0 && good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
    char *first = NULL;
    int code = EXIT_SUCCESS;
    for (int i = 0; i < TIMES && code == EXIT_SUCCESS; i++)
        code = use_once(&first);
    free(first);
    return code;
}
