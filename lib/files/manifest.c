/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of pictures with labels, from a CSV file. */
#include "files/files_private.h"

#define MOST_BYTES (UINT64_C(1) << 30)

/* One block holds a row's texts, the path first, so a row is one allocation. */
item_status itemi_manifest_add(itemi_manifest *manifest, size_t *capacity,
                               const itemi_row_text *row, item_error *err)
{
    if (manifest->count == *capacity) {
        size_t more = *capacity ? 2 * *capacity : 64;
        itemi_manifest_row *rows =
            itemi_resize_array(manifest->mem, manifest->rows, more, sizeof *rows);
        if (!rows)
            return itemi_fail_memory(err, "listing pictures");
        manifest->rows = rows;
        *capacity = more;
    }

    itemi_manifest_row *to = &manifest->rows[manifest->count];
    const char *from[] = {row->path,   row->label, row->generator,
                          row->source, row->split, row->prompt};
    char **texts[] = {&to->path, &to->label, &to->generator, &to->source, &to->split, &to->prompt};
    size_t total = 0;
    for (size_t i = 0; i < ITEMI_COUNT(from); i++) {
        from[i] = from[i] ? from[i] : "";
        total += strlen(from[i]) + 1;
    }
    char *block = itemi_alloc(manifest->mem, total);
    if (!block)
        return itemi_fail_memory(err, "listing pictures");
    for (size_t i = 0; i < ITEMI_COUNT(from); i++) {
        size_t size = strlen(from[i]) + 1;
        *texts[i] = memcpy(block, from[i], size);
        block += size;
    }
    manifest->count++;
    return ITEM_OK;
}

void itemi_manifest_free(itemi_manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++)
        itemi_free(manifest->mem, manifest->rows[i].path);
    itemi_free(manifest->mem, manifest->rows);
    memset(manifest, 0, sizeof *manifest);
}

enum { PATH, LABEL, GENERATOR, SOURCE, SPLIT, PROMPT, COLUMNS };

static const char *const column_names[COLUMNS] = {
    [PATH] = "path",     [LABEL] = "label", [GENERATOR] = "generator",
    [SOURCE] = "source", [SPLIT] = "split", [PROMPT] = "prompt",
};

typedef struct reader {
    itemi_csv csv;
    size_t columns;         /* in the header */
    size_t column[COLUMNS]; /* field of each known name */
    bool has[COLUMNS];
    char *folder; /* of the manifest, with its "/"; "" for the current one */
} reader;

static item_status read_names(reader *r, item_error *err)
{
    const itemi_csv *csv = &r->csv;
    r->columns = csv->fields;
    for (size_t i = 0; i < csv->fields; i++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            if (strcmp(itemi_csv_field(csv, i), column_names[c]) != 0)
                continue;
            if (r->has[c])
                return itemi_fail(err, ITEM_E_FORMAT, "%s: line %zu: column \"%s\" comes twice",
                                  csv->name, csv->record, column_names[c]);
            r->has[c] = true;
            r->column[c] = i;
        }
    }
    for (size_t c = PATH; c <= LABEL; c++) {
        if (!r->has[c])
            return itemi_fail(err, ITEM_E_FORMAT,
                              "%s: the first line names no column \"%s\" (path,label"
                              "[,generator,source,split,prompt])",
                              csv->name, column_names[c]);
    }
    return ITEM_OK;
}

static item_status check_row(const reader *r, const char *path, const char *label, item_error *err)
{
    const itemi_csv *csv = &r->csv;
    if (csv->fields != r->columns)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: line %zu: has %zu fields, the first line %zu",
                          csv->name, csv->record, csv->fields, r->columns);
    if (!*path)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: line %zu: the path is empty", csv->name,
                          csv->record);
    if (strcmp(label, "ai") != 0 && strcmp(label, "real") != 0)
        return itemi_fail(err, ITEM_E_FORMAT,
                          "%s: line %zu: label \"%s\" is neither \"ai\" nor \"real\"", csv->name,
                          csv->record, label);
    return ITEM_OK;
}

static item_status read_row(const reader *r, itemi_manifest *manifest, size_t *capacity,
                            item_error *err)
{
    const char *text[COLUMNS] = {"", "", "", "", "", ""};
    for (size_t c = 0; c < COLUMNS; c++) {
        if (r->has[c] && r->column[c] < r->csv.fields)
            text[c] = itemi_csv_field(&r->csv, r->column[c]);
    }
    item_status status = check_row(r, text[PATH], text[LABEL], err);
    if (status != ITEM_OK)
        return status;
    char *path = itemi_path_put(manifest->mem, text[PATH][0] == '/' ? "" : r->folder, text[PATH]);
    if (!path)
        return itemi_fail_memory(err, "listing pictures");
    itemi_row_text row = {path,         text[LABEL], text[GENERATOR],
                          text[SOURCE], text[SPLIT], text[PROMPT]};
    status = itemi_manifest_add(manifest, capacity, &row, err);
    itemi_free(manifest->mem, path);
    return status;
}

static item_status read_rows(reader *r, itemi_manifest *manifest, item_error *err)
{
    size_t capacity = 0;
    item_status status = itemi_csv_next(&r->csv, err);
    if (status != ITEM_OK)
        return status;
    status = read_names(r, err);
    while (status == ITEM_OK) {
        status = itemi_csv_next(&r->csv, err);
        if (status != ITEM_OK || r->csv.fields == 0)
            break;
        status = read_row(r, manifest, &capacity, err);
    }
    return status;
}

item_status itemi_manifest_load(const itemi_mem *mem, const char *path, itemi_manifest *out,
                                item_error *err)
{
    itemi_file file;
    *out = (itemi_manifest){.mem = mem};
    item_status status = itemi_file_open(mem, path, MOST_BYTES, false, &file, err);
    if (status != ITEM_OK)
        return status;

    const char *text = (const char *)file.data, *slash = strrchr(path, '/');
    size_t mark = file.size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    reader r = {.csv = {.name = path, .at = text + mark, .end = text + file.size, .line = 1}};
    itemi_buf_init(&r.csv.text, mem);
    r.folder = itemi_strndup(mem, path, slash ? (size_t)(slash - path) + 1 : 0);
    status = r.folder ? read_rows(&r, out, err) : itemi_fail_memory(err, "listing pictures");

    itemi_free(mem, r.folder);
    itemi_buf_free(&r.csv.text);
    itemi_file_close(&file);
    if (status != ITEM_OK)
        itemi_manifest_free(out);
    return status;
}
