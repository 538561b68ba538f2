/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes of the objects, drawn over the picture in the viewer. */
#include "boxes.h"

#include <math.h>

#include "store.h"

#define LINE 3.0 /* pixels of the screen */

/* The picture that is on the screen may not be the one that was checked: the next one is still
 * loading, or it was cropped. Its shape tells; gThumb shows pictures upright, as libitem sees them. */
static gboolean same_shape(const cairo_rectangle_int_t *area, const item_result_summary *summary)
{
    double shown = (double)area->width / area->height;
    double checked = (double)summary->width / summary->height;
    return fabs(shown / checked - 1) < 0.02;
}

static void paint_name(GtkWidget *viewer, cairo_t *cr, double x, double y, const char *name,
                       const GdkRGBA *colour)
{
    PangoLayout *layout = gtk_widget_create_pango_layout(viewer, name);
    int width, height;

    pango_layout_get_pixel_size(layout, &width, &height);
    gdk_cairo_set_source_rgba(cr, colour);
    cairo_rectangle(cr, x, y, width + 8, height);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_move_to(cr, x + 4, y);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
}

/* Draws an object's box and name; `zoom` are pixels of the screen for one of the picture. */
static void paint_object(GtkWidget *viewer, cairo_t *cr, const item_object *object,
                         const char *colour, const double zoom[2])
{
    const double x = object->box[0] * zoom[0], y = object->box[1] * zoom[1];
    GdkRGBA rgba;

    gdk_rgba_parse(&rgba, colour);
    gdk_cairo_set_source_rgba(cr, &rgba);
    cairo_set_line_width(cr, LINE);
    cairo_rectangle(cr, x, y, object->box[2] * zoom[0] - x, object->box[3] * zoom[1] - y);
    cairo_stroke(cr);
    paint_name(viewer, cr, x, y, object->phrase, &rgba);
}

/* Called by gThumb when it has drawn the picture; `cr` has the coordinates of what is seen of it, and
 * `image_area` those of the whole, of which `visible_area` is seen. */
static void paint(GthImageViewer *viewer, cairo_t *cr, gpointer window)
{
    GthBrowser *browser = window;
    GthFileData *file = gth_browser_get_current_file(browser);
    const ai_answer *answer = file ? ai_store_find(file) : NULL;
    const cairo_rectangle_int_t *area = &viewer->image_area;
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    item_object object = ITEM_OBJECT_INIT;

    if (!answer || !answer->result || gth_browser_get_file_modified(browser) ||
        !gth_window_get_action_state(GTH_WINDOW(browser), "ai-boxes") ||
        item_result_get_summary(answer->result, &summary, NULL) != ITEM_OK ||
        !same_shape(area, &summary))
        return;
    const double zoom[] = {(double)area->width / summary.width,
                           (double)area->height / summary.height};
    cairo_translate(cr, area->x - viewer->visible_area.x, area->y - viewer->visible_area.y);
    for (guint i = 0; i < summary.objects; i++) {
        if (item_result_get_object(answer->result, i, &object, NULL) == ITEM_OK)
            paint_object(GTK_WIDGET(viewer), cr, &object, ai_colour(i), zoom);
    }
}

/* gThumb hands out the widget that the viewer lies in. */
static void find_viewer(GtkWidget *widget, gpointer found)
{
    if (GTH_IS_IMAGE_VIEWER(widget))
        *(GtkWidget **)found = widget;
    else if (GTK_IS_CONTAINER(widget))
        gtk_container_forall(GTK_CONTAINER(widget), find_viewer, found);
}

void ai_boxes_attach(GthBrowser *browser)
{
    GtkWidget *viewer = NULL;
    GtkWidget *widget = gth_browser_get_viewer_widget(browser);

    if (widget)
        find_viewer(widget, &viewer);
    if (!viewer) /* it shows a film */
        return;
    gth_image_viewer_add_painter(GTH_IMAGE_VIEWER(viewer), paint, browser);
    g_signal_connect_object(ai_store_get(), "changed", G_CALLBACK(gtk_widget_queue_draw), viewer,
                            G_CONNECT_SWAPPED);
}
