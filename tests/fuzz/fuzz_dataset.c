/* SPDX-License-Identifier: Apache-2.0 */
/* Input: the file of a data set, read as it is and with the right length of the header. */
#include <item/train.h>
#include <string.h>

#include "fuzz.h"

static void check_row(const item_dataset *data, uint64_t index, const item_dataset_info *info)
{
    const size_t width = info->width;
    item_error err = ITEM_ERROR_INIT;
    item_row row = ITEM_ROW_INIT;
    EXPECT(item_dataset_get(data, index, &row, &err) == ITEM_OK);
    EXPECT(row.label <= ITEM_LABEL_AI);
    /* names of files and folders: any bytes */
    const char *const texts[] = {row.name, row.source, row.generator, row.scene, row.caption};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        fuzz_touch(texts[i], strlen(texts[i]));
    fuzz_touch(row.image, width * sizeof *row.image);
    fuzz_touch(row.text, width * sizeof *row.text);
    if (row.objects > 0) {
        fuzz_touch(row.crops, row.objects * width * sizeof *row.crops);
        fuzz_touch(row.phrases, row.objects * width * sizeof *row.phrases);
    }
    if (row.named > 0)
        fuzz_touch(row.named_phrases, row.named * width * sizeof *row.named_phrases);
    if (row.picture)
        fuzz_touch(row.picture, ITEM_PICTURE_HASH);
    if (info->views > 0)
        fuzz_touch(row.views, info->views * width * sizeof *row.views);
    if (info->layers > 0)
        fuzz_touch(row.layers, info->layers * sizeof *row.layers);
}

static void load(const uint8_t *bytes, size_t size)
{
    item_error err = ITEM_ERROR_INIT;
    item_dataset *data = NULL;
    item_status status = item_dataset_load(fuzz_file(bytes, size), &data, &err);
    fuzz_outcome(status, data, &err);
    if (status != ITEM_OK)
        return;
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    EXPECT(item_dataset_get_info(data, &info, &err) == ITEM_OK);
    EXPECT(info.ai + info.real == info.rows);
    fuzz_text(info.embedder);
    for (uint64_t i = 0; i < info.rows; i++)
        check_row(data, i, &info);
    EXPECT(item_dataset_remove(data, "source", "here", NULL, &err) == ITEM_OK);
    item_dataset_free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_headers(load, data, size);
    return 0;
}
