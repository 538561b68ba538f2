/* SPDX-License-Identifier: Apache-2.0 */
/* A run over pictures in the background, with gThumb's own progress and cancel button. */
#ifndef AI_CHECK_TASK_H
#define AI_CHECK_TASK_H

#include <gthumb.h>

/** A task that checks pictures (a GList of GthFileData, not kept) and puts answers in the store. */
GthTask *ai_task_new(GList *files);

#endif
