/* SPDX-License-Identifier: Apache-2.0 */
/* What a file says of its origin, as text that tests compare. */
#ifndef ITEM_TEST_IMAGE_LISTED_H
#define ITEM_TEST_IMAGE_LISTED_H

#include "support.h"

#include <item/provenance.h>

#include "../../containers.h"

#define BYTES(text) (text), sizeof(text) - 1

/* Each entry as a line "kind claim where|name|value". */
static inline char *entries_of(const item_provenance *list)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (uint32_t i = 0; i < item_provenance_count(list); i++) {
        item_provenance_entry e = ITEM_PROVENANCE_ENTRY_INIT;
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(item_provenance_get(list, i, &e, &err), ITEM_OK);
        assert_true(strlen(e.text) > 0 && !strchr(e.text, '\n'));
        fprintf(out, "%d %d %s|%s|%s\n", e.kind, e.claim, e.where, e.name, e.value);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

static inline void expect_file(const char *what, const container *file, const char *expected)
{
    item_error err = ITEM_ERROR_INIT;
    item_provenance *list = NULL;
    if (item_provenance_from_memory(file->data, file->size, NULL, &list, &err) != ITEM_OK)
        fail_msg("%s: %s", what, err.message);
    char *entries = entries_of(list);
    if (strcmp(entries, expected) != 0)
        fail_msg("%s:\n%snot\n%s", what, entries, expected);
    free(entries);
    item_provenance_free(list);
}

static inline void expect_golden(const char *name, const char *expected)
{
    bytes file = read_picture(name);
    const container as_is = {.data = file.data, .size = file.size};
    expect_file(name, &as_is, expected);
    free(file.data);
}

/* Whatever is in it, there is a list. */
static inline void read_anything(const container *file)
{
    item_provenance *list = NULL;
    assert_int_equal(item_provenance_from_memory(file->data, file->size, NULL, &list, NULL),
                     ITEM_OK);
    free(entries_of(list));
    item_provenance_free(list);
}

/* The same with any byte changed, from one on that does not tell what kind of file it is. */
static inline void read_changed(container *file, size_t from)
{
    for (size_t i = from; i < file->size; i++) {
        for (int change = 1; change < 256; change += 37) {
            file->data[i] ^= (uint8_t)change;
            read_anything(file);
            file->data[i] ^= (uint8_t)change;
        }
    }
}

/* A file with one part more than its head. */
static inline void expect_part(int kind, const char *name, const char *data, size_t size,
                               const char *expected)
{
    container file = container_begin(kind);
    container_part(&file, name, data, size);
    expect_file(data, &file, expected);
    free(file.data);
}

#endif
