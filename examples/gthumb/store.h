/* SPDX-License-Identifier: Apache-2.0 */
/* What libitem said of pictures: a small cache by file and time of change. Main thread only. */
#ifndef AI_CHECK_STORE_H
#define AI_CHECK_STORE_H

#include <gthumb.h>
#include <item/item.h>

/** One GObject for the whole program; its signal "changed" tells that there is a new answer. */
G_DECLARE_FINAL_TYPE(AiStore, ai_store, AI, STORE, GObject)

/** The answer for a picture: a result, or why there is none. */
typedef struct ai_answer {
    item_result *result; /* NULL where the picture could not be checked */
    char *error;         /* NULL where there is a result */
    gint64 modified;     /* the file's time of change, microseconds */
} ai_answer;

AiStore *ai_store_get(void);

/** Keeps an answer; takes the result, copies the error. */
void ai_store_put(GthFileData *file, item_result *result, const char *error);

/** The answer for this file as it is now, or NULL. Valid until the next ai_store_put(). */
const ai_answer *ai_store_find(GthFileData *file);

/** Colour of object `index` in the panel and over the picture, as "#rrggbb". */
const char *ai_colour(guint index);

#endif
