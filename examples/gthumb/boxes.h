/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes of the objects, drawn over the picture in the viewer. */
#ifndef AI_CHECK_BOXES_H
#define AI_CHECK_BOXES_H

#include <gthumb.h>

/** Makes the window's viewer draw boxes; called whenever gThumb has made a new viewer. */
void ai_boxes_attach(GthBrowser *browser);

#endif
