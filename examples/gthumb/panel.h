/* SPDX-License-Identifier: Apache-2.0 */
/* The section of the side panel: verdict, reason, caption and objects of the current picture. */
#ifndef AI_CHECK_PANEL_H
#define AI_CHECK_PANEL_H

#include <gthumb.h>

/** A GthPropertyView: gThumb makes one for each side panel. */
G_DECLARE_FINAL_TYPE(AiPanel, ai_panel, AI, PANEL, GtkBox)

#endif
