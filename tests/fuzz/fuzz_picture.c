/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a picture file. PNG is read as it is and with the right checksums. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"

static void decode(const uint8_t *data, size_t size, uint32_t flags)
{
    const item_image_options limits = {.struct_size = sizeof limits,
                                       .flags = flags,
                                       .max_pixels = 1 << 16,
                                       .max_file_bytes = 1 << 20,
                                       .max_decode_bytes = 16 << 20,
                                       .max_scans = 8};
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    item_status status = item_image_from_memory(data, size, &limits, &image, &err);
    fuzz_outcome(status, image, &err);
    if (status != ITEM_OK)
        return;
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    EXPECT(item_image_get_info(image, &info, &err) == ITEM_OK);
    EXPECT(info.width >= 1 && info.height >= 1);
    EXPECT((uint64_t)info.width * info.height <= limits.max_pixels);
    EXPECT(info.orientation >= 1 && info.orientation <= 8);
    EXPECT(info.channels >= 1 && info.channels <= 4);
    EXPECT(flags || !info.truncated);
    if (info.warning)
        fuzz_text(info.warning);
    fuzz_touch(item_image_pixels(image), (size_t)info.width * info.height * 3);
    item_image_unref(image);
}

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Writes the checksum of each chunk that is whole. */
static void mend_checksums(uint8_t *png, size_t size)
{
    for (size_t at = 8; size - at >= 12;) {
        uint32_t length = big_endian(png + at);
        if (length > size - at - 12)
            return;
        uint32_t sum = (uint32_t)crc32(0, png + at + 4, length + 4);
        uint8_t *end = png + at + 8 + length;
        for (unsigned i = 0; i < 4; i++)
            end[i] = (uint8_t)(sum >> (24 - 8 * i));
        at += length + 12;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(data, size, 0);
    decode(data, size, ITEM_IMAGE_ACCEPT_TRUNCATED);
    if (size < 8 || memcmp(data, "\x89PNG\r\n\x1a\n", 8) != 0)
        return 0;
    uint8_t *copy = malloc(size);
    EXPECT(copy != NULL);
    memcpy(copy, data, size);
    mend_checksums(copy, size);
    decode(copy, size, ITEM_IMAGE_ACCEPT_TRUNCATED);
    free(copy);
    return 0;
}
