/* SPDX-License-Identifier: Apache-2.0 */
/* Services for other files of a stage: their bytes, and values of its configurations. */
#include <math.h>
#include <string.h>

#include "core/published.h"
#include "core/services.h"

/* With the lock held. */
static item_status load_bytes(itemi_host *h, const itemi_pack_file *file, const itemi_bytes **out,
                              item_error *err)
{
    for (const itemi_bytes *b = h->bytes; b; b = b->next) {
        if (strcmp(b->role, file->role) == 0) {
            *out = b;
            return ITEM_OK;
        }
    }
    itemi_bytes *b = itemi_alloc_zero(&h->ctx->mem, 1, sizeof *b);
    if (!b)
        return itemi_fail_memory(err, "reading a file of a pack");
    item_status status = itemi_file_open(&h->ctx->mem, file->path, 0,
                                         h->ctx->settings.map_files != 0, &b->file, err);
    if (status == ITEM_OK)
        status = itemi_pack_file_same(file, &b->file, err);
    if (status != ITEM_OK) {
        itemi_file_close(&b->file);
        itemi_free(&h->ctx->mem, b);
        return status;
    }
    b->role = file->role;
    b->next = h->bytes;
    h->bytes = b;
    *out = b;
    return ITEM_OK;
}

static item_status host_file_bytes(void *user, const char *role, const char **data, size_t *size,
                                   item_error *err)
{
    itemi_host *h = user;
    const itemi_pack_file *file;
    item_status status = itemi_host_role(h, role, &file, err);
    if (status != ITEM_OK)
        return status;
    const itemi_bytes *found = NULL;
    pthread_mutex_lock(&h->lock);
    status = load_bytes(h, file, &found, err);
    pthread_mutex_unlock(&h->lock);
    if (status != ITEM_OK)
        return status;
    *data = (const char *)found->file.data;
    *size = found->file.size;
    return ITEM_OK;
}

/* ---- configurations ---- */

static const char *const document_roles[ITEMI_DOCUMENTS] = {"config", "preprocessor",
                                                            "tokenizer_config"};

static void unwrap(json_t **root)
{
    json_t *inner = json_object_get(*root, ITEMI_IMAGE_PROCESSOR);
    if (!json_is_object(inner))
        return;
    json_incref(inner);
    json_decref(*root);
    *root = inner;
}

item_status itemi_host_read_documents(itemi_host *h, item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; i < ITEMI_DOCUMENTS && status == ITEM_OK; i++) {
        const itemi_pack_file *file = itemi_pack_role(h->entry, document_roles[i]);
        itemi_document *document = &h->documents[i];
        document->role = document_roles[i];
        if (file)
            status = itemi_json_load(&h->ctx->mem, file->path, &document->root, err);
        if (strcmp(document->role, "preprocessor") == 0)
            unwrap(&document->root);
    }
    return status;
}

/* The member or place of a value that a path begins with; moves behind it. */
static const json_t *step(const json_t *value, const char **path)
{
    size_t length = strcspn(*path, ".");
    const char *name = *path;
    *path += length + ((*path)[length] == '.');
    if (json_is_object(value))
        return json_object_getn(value, name, length);
    size_t place = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9' || place > 1000)
            return NULL;
        place = place * 10 + (size_t)(name[i] - '0');
    }
    return length > 0 ? json_array_get(value, place) : NULL;
}

static const json_t *find_value(const itemi_host *h, const char *role, const char *path)
{
    const json_t *value = NULL;
    for (size_t i = 0; i < ITEMI_DOCUMENTS; i++) {
        if (strcmp(h->documents[i].role, role) == 0)
            value = h->documents[i].root;
    }
    while (value && *path)
        value = step(value, &path);
    return value;
}

static const char *host_json_text(void *user, const char *role, const char *path)
{
    return json_string_value(find_value(user, role, path));
}

static double host_json_number(void *user, const char *role, const char *path)
{
    const json_t *value = find_value(user, role, path);
    if (json_is_boolean(value))
        return json_is_true(value);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* ---- */

void itemi_host_files(item_services *services)
{
    services->file_bytes = host_file_bytes;
    services->json_text = host_json_text;
    services->json_number = host_json_number;
}

void itemi_host_free_files(itemi_host *h)
{
    while (h->bytes) {
        itemi_bytes *next = h->bytes->next;
        itemi_file_close(&h->bytes->file);
        itemi_free(&h->ctx->mem, h->bytes);
        h->bytes = next;
    }
    for (size_t i = 0; i < ITEMI_DOCUMENTS; i++)
        json_decref(h->documents[i].root);
}
