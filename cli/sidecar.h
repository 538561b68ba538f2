/* SPDX-License-Identifier: Apache-2.0 */
/* The XMP sidecar of a picture: which file it is, its text with our properties, writing it whole. */
#ifndef CLI_SIDECAR_H
#define CLI_SIDECAR_H

#include <sys/stat.h>

#include "cli.h"

/* The namespace of the properties: a host that can be nobody's. */
#define CLI_XMP_NAMESPACE "https://libitem.invalid/xmp/1.0/"
#define CLI_XMP_PREFIX    "item"

/* A property of ours; one without a value is taken out. */
typedef struct cli_property {
    const char *name;
    const char *value; /* "": none */
} cli_property;

typedef struct cli_sidecar {
    char *path;
    const char *name; /* its last part, for messages */
    char *text;       /* "" where there is no file yet */
    size_t length;
    bool exists;
    struct stat met; /* as it was read */
} cli_sidecar;

/*
 * Finds and reads the sidecar of a picture: PICTURE.xmp, or, where only that one is there, the
 * picture's name with .xmp in the place of its ending. A file that is not to be written to fails.
 * Released by cli_sidecar_free() in any case.
 */
item_status cli_sidecar_read(cli_sidecar *sidecar, const char *picture, item_error *err);
void cli_sidecar_free(cli_sidecar *sidecar);

/*
 * Puts `text` in the sidecar's place: beside it first, onto the disk, then renamed, so that at any
 * moment the old or the new one is there whole. Mode and, where it can be, owner stay; a new one
 * gets `mode`.
 */
item_status cli_sidecar_write(const cli_sidecar *sidecar, const char *text, size_t length,
                              mode_t mode, item_error *err);

/* Fills `err`: "NAME of the sidecar: reason"; returns `code`. */
item_status cli_sidecar_fail(const cli_sidecar *sidecar, item_status code, item_error *err,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Whether this program was built with Exempi; without it the function below always fails. */
bool cli_xmp_is_there(void);
/*
 * The text of the sidecar with the properties set and all else kept; `date` is set with them and
 * makes no difference by itself. `*out` is NULL where nothing changes; else the caller's, free().
 */
item_status cli_xmp_merge(const cli_sidecar *sidecar, const cli_property *properties, size_t n,
                          const char *date, char **out, item_error *err);

#endif
