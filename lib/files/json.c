/* SPDX-License-Identifier: Apache-2.0 */
/* JSON files as jansson's values. */
#include "files/files_private.h"

/* Far above any pack's item.json; a file beyond is not one. */
#define MOST_BYTES (UINT64_C(64) << 20)

item_status itemi_json_load(const itemi_mem *mem, const char *path, json_t **out, item_error *err)
{
    itemi_file file;
    *out = NULL;
    item_status status = itemi_file_open(mem, path, MOST_BYTES, false, &file, err);
    if (status != ITEM_OK)
        return status;
    status = itemi_json_parse((const char *)file.data, file.size, path, out, err);
    itemi_file_close(&file);
    return status;
}
