/* SPDX-License-Identifier: Apache-2.0 */
/* The section of the side panel: verdict, reason, caption and objects of the current picture. */
#include "panel.h"

#include <math.h>

#include "store.h"

struct _AiPanel {
    GtkBox parent;
    GtkWidget *text;
    GtkWidget *check;  /* a button, while there is no answer */
    GthFileData *file; /* NULL where nothing is shown */
};

static void implement_view(GthPropertyViewInterface *view);

G_DEFINE_TYPE_WITH_CODE(AiPanel, ai_panel, GTK_TYPE_BOX,
                        G_IMPLEMENT_INTERFACE(GTH_TYPE_PROPERTY_VIEW, implement_view))

static const char *verdict_words(int32_t verdict)
{
    switch (verdict) {
    case ITEM_VERDICT_REAL:
        return "Photograph";
    case ITEM_VERDICT_AI:
        return "AI-generated";
    case ITEM_VERDICT_UNSURE:
        return "Unsure";
    default: /* a verdict of a later release, too */
        return "No verdict";
    }
}

static void append(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Appends with the arguments escaped for markup. */
static void append(GString *text, const char *format, ...)
{
    va_list arguments;
    char *piece;

    va_start(arguments, format);
    piece = g_markup_vprintf_escaped(format, arguments);
    va_end(arguments);
    g_string_append(text, piece);
    g_free(piece);
}

static void append_objects(GString *text, const item_result *result, guint count)
{
    item_object object = ITEM_OBJECT_INIT;

    append(text, count ? "\n<b>Objects</b>" : "\n<b>Objects</b>\nnone of the caption was found");
    for (guint i = 0; i < count; i++) {
        if (item_result_get_object(result, i, &object, NULL) == ITEM_OK)
            append(text, "\n<span color=\"%s\">\u25a0</span> %s (%.0f %%)", ai_colour(i),
                   object.phrase, 100 * object.score);
    }
}

static char *describe(const item_result *result)
{
    GString *text = g_string_new(NULL);
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;

    item_result_get_summary(result, &summary, NULL);
    append(text, "<big><b>%s</b></big>", verdict_words(summary.verdict));
    if (!isnan(summary.probability))
        append(text, "\nProbability of AI: %.0f %%", 100 * summary.probability);
    append(text, "\n%s\n", item_result_text(result, ITEM_TEXT_REASON_LINE));
    append(text, "\n<b>Caption</b>\n%s\n", item_result_text(result, ITEM_TEXT_CAPTION));
    append_objects(text, result, summary.objects);
    for (guint i = 0; item_result_warning(result, i); i++)
        append(text, "\n\n<i>%s</i>", item_result_warning(result, i));
    return g_string_free(text, FALSE);
}

/* Also called when an answer came, of whatever picture. */
static void show(AiPanel *self)
{
    const ai_answer *answer = self->file ? ai_store_find(self->file) : NULL;
    char *text;

    if (answer && answer->result)
        text = describe(answer->result);
    else if (answer)
        text = g_markup_printf_escaped("<b>Could not be checked</b>\n%s", answer->error);
    else
        text = g_strdup("Not checked yet.");
    gtk_label_set_markup(GTK_LABEL(self->text), text);
    gtk_widget_set_visible(self->check, !answer || !answer->result);
    g_free(text);
}

static void ai_panel_set_file(GthPropertyView *view, GthFileData *file)
{
    AiPanel *self = AI_PANEL(view);
    g_set_object(&self->file, file);
    show(self);
}

static gboolean ai_panel_can_view(GthPropertyView *view, GthFileData *file)
{
    const char *type = gth_file_data_get_mime_type(file);
    (void)view;
    return type && g_str_has_prefix(type, "image/");
}

static const char *ai_panel_name(GthPropertyView *view)
{
    (void)view;
    return "AI check";
}

static const char *ai_panel_icon(GthPropertyView *view)
{
    (void)view;
    return "dialog-question-symbolic";
}

static void implement_view(GthPropertyViewInterface *view)
{
    view->get_name = ai_panel_name;
    view->get_icon = ai_panel_icon;
    view->can_view = ai_panel_can_view;
    view->set_file = ai_panel_set_file;
}

static void ai_panel_finalize(GObject *object)
{
    g_clear_object(&AI_PANEL(object)->file);
    G_OBJECT_CLASS(ai_panel_parent_class)->finalize(object);
}

static void ai_panel_class_init(AiPanelClass *class)
{
    G_OBJECT_CLASS(class)->finalize = ai_panel_finalize;
}

static void ai_panel_init(AiPanel *self)
{
    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 6);
    gtk_container_set_border_width(GTK_CONTAINER(self), 6);
    self->text = gtk_label_new(NULL);
    g_object_set(self->text, "wrap", TRUE, "xalign", 0.0, "selectable", TRUE, "max-width-chars", 30,
                 NULL);
    self->check = gtk_button_new_with_label("Check");
    gtk_widget_set_halign(self->check, GTK_ALIGN_START);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(self->check), "win.ai-check");
    gtk_box_pack_start(GTK_BOX(self), self->text, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(self), self->check, FALSE, FALSE, 0);
    gtk_widget_show_all(GTK_WIDGET(self));
    g_signal_connect_object(ai_store_get(), "changed", G_CALLBACK(show), self, G_CONNECT_SWAPPED);
}
