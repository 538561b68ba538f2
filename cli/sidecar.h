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

/* ---- the text of a sidecar that is there (outline.c) ---- */

/* What is to be left out of a text. */
typedef struct cli_cut {
    size_t from, to;
} cli_cut;

/* Where properties of ours stand in a sidecar, and where new ones go. */
typedef struct cli_outline {
    const cli_sidecar *sidecar;
    cli_cut *cuts; /* in their order */
    size_t count;
    cli_cut packet, end; /* first and last tag of rdf:RDF; they are one in <rdf:RDF .../> */
    cli_cut about;       /* what the packet is about, with its quotes; nothing: not said */
    bool declares_rdf;   /* by the prefix "rdf" */
} cli_outline;

/* Refuses what is no XMP packet in UTF-8, and what would take Exempi long. */
item_status cli_outline_read(cli_outline *outline, const cli_sidecar *sidecar,
                             const cli_property *ours, size_t n, item_error *err);
/* The sidecar's text, byte for byte, without our properties and with an element that holds them. */
char *cli_outline_with(const cli_outline *outline, const char *element);
void cli_outline_free(cli_outline *outline);

/* ---- by Exempi (xmp.c) ---- */

/* Whether this program was built with Exempi; without it the function below always fails. */
bool cli_xmp_is_there(void);
/*
 * The text of the sidecar with the properties set and all else kept. The first one is the date, which
 * makes no difference by itself. `*out` is NULL where nothing changes; else the caller's, free().
 */
item_status cli_xmp_merge(const cli_sidecar *sidecar, const cli_property *properties, size_t n,
                          char **out, item_error *err);

#endif
