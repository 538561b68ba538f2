/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files that find out what a picture's file says of its origin. */
#ifndef ITEMI_PROVENANCE_H
#define ITEMI_PROVENANCE_H

#include "image/decode.h"

#define ITEMI_ENTRIES_MAX 16
#define ITEMI_VALUE_MAX   2000            /* bytes of a value that are kept */
#define ITEMI_TEXT_MAX    ((size_t)65536) /* bytes of a text that are looked at */
#define ITEMI_C2PA_NAME   200
#define ITEMI_XMP_MAX     (1u << 20)  /* XMP beyond that is not parsed */
#define ITEMI_STORE_MAX   (16u << 20) /* pieces of a manifest store beyond that are not joined */

/* One entry; texts are offsets into those of the list. */
typedef struct itemi_entry {
    int32_t kind, claim;
    size_t where, name, value, text;
} itemi_entry;

struct item_provenance {
    itemi_mem mem;
    uint32_t count;
    itemi_entry entries[ITEMI_ENTRIES_MAX];
    size_t size;
    char texts[];
};

/* A list that is being made. */
typedef struct itemi_findings {
    uint32_t count;
    itemi_entry entries[ITEMI_ENTRIES_MAX];
    itemi_buf texts; /* remembers that memory was short */
} itemi_findings;

/* Adds an entry; what is more than the list may have is left out. */
void itemi_findings_add(itemi_findings *f, int32_t kind, int32_t claim, const char *where,
                        const char *name, const char *value);
/* "XMP" or the like cannot be read, and why. */
void itemi_findings_unreadable(itemi_findings *f, const char *where, const char *why);

/* ---- rules: what tells an origin (origin_rules.c) ---- */

/* Whether a PNG text with this keyword is worth reading. */
bool itemi_tells_origin(const char *keyword);
/*
 * Adds an entry if `text`, found in the field `field` ("parameters", "UserComment", "CreatorTool")
 * of `container` ("PNG text", "EXIF", "XMP"), is one that a generator writes.
 */
void itemi_findings_judge(itemi_findings *f, const char *container, const char *field,
                          const char *text);
/* Where the source types of C2PA's actions stand: in the active manifest or one before it. */
#define ITEMI_C2PA_CREATED        "C2PA created"
#define ITEMI_C2PA_EDITED         "C2PA edited"
#define ITEMI_C2PA_PARENT_CREATED "C2PA parent created"
#define ITEMI_C2PA_PARENT_EDITED  "C2PA parent edited"

/* An IPTC digital source type. */
typedef struct itemi_source_type {
    char uri[ITEMI_VALUE_MAX]; /* as it stands, without blanks around it */
    const char *name;          /* its last part, or all of it */
    int32_t claim;             /* what it says of a whole picture */
} itemi_source_type;

void itemi_source_type_read(itemi_source_type *type, const char *text);
/* Adds one that stands at `where`, with what it claims there; without a name it is nothing. */
void itemi_findings_source_type(itemi_findings *f, int32_t claim, const char *where,
                                const itemi_source_type *type);

/* ---- readers of what a file holds ---- */

void itemi_findings_xmp(itemi_findings *f, const uint8_t *data, size_t size);
void itemi_findings_png_text(itemi_findings *f, const itemi_png_text *text);

/* A C2PA manifest store that stands at `where`: always an entry, and those of its source types. */
void itemi_findings_c2pa(itemi_findings *f, const char *where, const uint8_t *store, size_t size);

/* In builds with libheif: EXIF and XMP of a HEIC or AVIF, empty where there is none. */
void itemi_heif_blocks(itemi_decode *d, const uint8_t *bytes, size_t size, itemi_findings *f,
                       itemi_buf *exif, itemi_buf *xmp);

/* All of a file that was told to be of `kind`. Fails for want of memory alone. */
item_status itemi_provenance_list(itemi_decode *d, itemi_kind kind, const uint8_t *bytes,
                                  size_t size, item_provenance **out);
/* The same, with NULL for a list without entries. */
item_status itemi_provenance_read(itemi_decode *d, itemi_kind kind, const uint8_t *bytes,
                                  size_t size, item_provenance **out);

#endif
