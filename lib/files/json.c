/* SPDX-License-Identifier: Apache-2.0 */
/* JSON by jansson, with file, line and column in each error. */
#include "files/files_private.h"

/* Far above any pack's item.json; a file beyond is not one. */
#define MOST_BYTES (UINT64_C(64) << 20)

item_status itemi_json_parse(const char *text, size_t length, const char *name, json_t **out,
                             item_error *err)
{
    json_error_t why;
    *out = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    if (*out)
        return ITEM_OK;
    if (json_error_code(&why) == json_error_out_of_memory)
        return itemi_fail(err, ITEM_E_MEMORY, "%s: out of memory while reading JSON", name);
    return itemi_fail(err, ITEM_E_FORMAT, "%s: line %d, column %d: %s", name, why.line, why.column,
                      why.text);
}

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
