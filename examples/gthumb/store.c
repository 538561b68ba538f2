/* SPDX-License-Identifier: Apache-2.0 */
/* What libitem said of pictures: a small cache by file and time of change. */
#include "store.h"

#define MOST_ANSWERS 500 /* a result has about 20 KB with the small pack */

struct _AiStore {
    GObject parent;
    GHashTable *answers; /* URI to ai_answer */
    GQueue order;        /* the table's keys, oldest first */
};

G_DEFINE_TYPE(AiStore, ai_store, G_TYPE_OBJECT)

static void answer_free(gpointer data)
{
    ai_answer *answer = data;
    item_result_unref(answer->result);
    g_free(answer->error);
    g_free(answer);
}

static void ai_store_class_init(AiStoreClass *class)
{
    g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                 G_TYPE_NONE, 0);
}

static void ai_store_init(AiStore *self)
{
    self->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, answer_free);
    g_queue_init(&self->order);
}

AiStore *ai_store_get(void)
{
    static AiStore *store; /* lives as long as the program, as the extension does */
    if (!store)
        store = g_object_new(ai_store_get_type(), NULL);
    return store;
}

static gint64 modified(GthFileData *file)
{
    guint64 seconds = g_file_info_get_attribute_uint64(file->info, G_FILE_ATTRIBUTE_TIME_MODIFIED);
    return (gint64)seconds * G_USEC_PER_SEC +
           g_file_info_get_attribute_uint32(file->info, G_FILE_ATTRIBUTE_TIME_MODIFIED_USEC);
}

void ai_store_put(GthFileData *file, item_result *result, const char *error)
{
    AiStore *store = ai_store_get();
    ai_answer *answer = g_new0(ai_answer, 1);
    char *uri = g_file_get_uri(file->file);

    answer->result = result;
    answer->error = error ? g_utf8_make_valid(error, -1) : NULL; /* it may name any file */
    answer->modified = modified(file);
    if (g_hash_table_contains(store->answers, uri)) {
        g_hash_table_insert(store->answers, uri, answer); /* keeps the old key, frees the new */
    } else {
        g_hash_table_insert(store->answers, uri, answer);
        g_queue_push_tail(&store->order, uri);
        if (store->order.length > MOST_ANSWERS)
            g_hash_table_remove(store->answers, g_queue_pop_head(&store->order));
    }
    g_signal_emit_by_name(store, "changed");
}

const ai_answer *ai_store_find(GthFileData *file)
{
    char *uri = g_file_get_uri(file->file);
    const ai_answer *answer = g_hash_table_lookup(ai_store_get()->answers, uri);
    g_free(uri);
    return answer && answer->modified == modified(file) ? answer : NULL;
}

const char *ai_colour(guint index)
{
    static const char *const colours[] = {"#ffd500", "#00d5ff", "#ff5ec8", "#7dff5e"};
    return colours[index % G_N_ELEMENTS(colours)];
}
