/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: one byte that chooses where the rest stands: a file as it is, or a part of a JPEG, PNG,
 * WebP or HEIF. Metadata, however broken, give a list.
 */
#include <item/provenance.h>

#include "../containers.h"
#include "fuzz.h"

#define NAME(text) (text), sizeof(text) - 1

/* A part that the input fills, behind what such a part begins with. */
static const struct {
    int kind;
    const char *part, *head;
    size_t head_size;
} places[] = {
    {IN_JPEG, "\xe1", NAME("http://ns.adobe.com/xap/1.0/\0")},
    {IN_JPEG, "\xe1", NAME("Exif\0\0")},
    {IN_JPEG, "\xeb", NAME("JP\0\1\0\0\0\1")},
    {IN_PNG, "iTXt", NAME("XML:com.adobe.xmp\0\0\0\0\0")},
    {IN_PNG, "iTXt", NAME("parameters\0")},
    {IN_PNG, "tEXt", NAME("")},
    {IN_PNG, "zTXt", NAME("Dream\0")},
    {IN_PNG, "caBX", NAME("")},
    {IN_WEBP, "XMP ", NAME("")},
    {IN_WEBP, "EXIF", NAME("")},
    {IN_WEBP, "C2PA", NAME("")},
    {IN_HEIF, "uuid", NAME("\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81")},
    {IN_HEIF, "meta", NAME("\0\0\0\0")},
};

#define PLACES (sizeof places / sizeof places[0])

static void read_entries(const item_provenance *list)
{
    EXPECT(item_provenance_count(list) <= 16);
    for (uint32_t i = 0; i < item_provenance_count(list); i++) {
        item_provenance_entry e = ITEM_PROVENANCE_ENTRY_INIT;
        EXPECT(item_provenance_get(list, i, &e, NULL) == ITEM_OK);
        EXPECT(e.kind >= ITEM_PROVENANCE_C2PA && e.kind <= ITEM_PROVENANCE_UNREADABLE);
        EXPECT(e.claim >= ITEM_CLAIM_NONE && e.claim <= ITEM_CLAIM_CAPTURE);
        fuzz_text(e.where);
        fuzz_text(e.name);
        fuzz_text(e.value);
        fuzz_text(e.text);
        EXPECT(strlen(e.value) <= 2100 && !strchr(e.text, '\n'));
    }
}

static void read_file(const uint8_t *data, size_t size, int must)
{
    item_error err = ITEM_ERROR_INIT;
    item_provenance *list = NULL;
    item_status status = item_provenance_from_memory(data, size, NULL, &list, &err);
    fuzz_outcome(status, list, &err);
    EXPECT(!must || status == ITEM_OK);
    read_entries(list);
    item_provenance_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const size_t place = data[0] % 16;
    data++;
    size--;
    if (place >= PLACES) {
        read_file(data, size, 0);
        return 0;
    }
    if (places[place].kind == IN_JPEG && size > 60000)
        size = 60000; /* a segment holds no more */
    container content = {0}, file = container_begin(places[place].kind);
    container_add(&content, places[place].head, places[place].head_size);
    container_add(&content, data, size);
    container_part(&file, places[place].part, content.data, content.size);
    read_file(file.data, file.size, 1);
    free(content.data);
    free(file.data);
    return 0;
}
