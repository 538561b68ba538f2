/* SPDX-License-Identifier: Apache-2.0 */
/* gThumb extension that checks pictures with libitem: what gThumb calls, and the menu entries.
 *
 * task.c runs the checks, store.c keeps the answers, panel.c and boxes.c show them. */
#include <gthumb.h>

#include "boxes.h"
#include "panel.h"
#include "task.h"

/* A message in the window's own bar, which does not get in the way of work. */
static void show_error(GthBrowser *browser, const char *text)
{
    GtkWidget *bar = gth_browser_get_infobar(browser);

    gth_info_bar_set_icon_name(GTH_INFO_BAR(bar), "dialog-error-symbolic", GTK_ICON_SIZE_DIALOG);
    gth_info_bar_set_primary_text(GTH_INFO_BAR(bar), "AI check");
    gth_info_bar_set_secondary_text(GTH_INFO_BAR(bar), text);
    gtk_info_bar_set_message_type(GTK_INFO_BAR(bar), GTK_MESSAGE_ERROR);
    _gtk_info_bar_clear_action_area(GTK_INFO_BAR(bar));
    gtk_info_bar_add_button(GTK_INFO_BAR(bar), "_Close", GTK_RESPONSE_CLOSE);
    gtk_widget_show(bar);
}

/* gThumb would show an error in a dialog as well: hence GTH_TASK_FLAGS_IGNORE_ERROR below. */
static void run_ended(GthTask *task, GError *error, gpointer window)
{
    (void)task;
    if (error && !g_error_matches(error, GTH_TASK_ERROR, GTH_TASK_ERROR_CANCELLED))
        show_error(window, error->message);
}

/* "Check" in a window: the selected pictures, or the one that is shown. */
static void check_selected(GSimpleAction *action, GVariant *parameter, gpointer window)
{
    GthBrowser *browser = window;
    GthFileData *current = gth_browser_get_current_file(browser);
    GList *items = gth_file_selection_get_selected(
        GTH_FILE_SELECTION(gth_browser_get_file_list_view(browser)));
    GList *files =
        gth_file_list_get_files(GTH_FILE_LIST(gth_browser_get_file_list(browser)), items);
    (void)action, (void)parameter;

    if (!files && current)
        files = g_list_prepend(NULL, g_object_ref(current));
    if (files) {
        GthTask *task = ai_task_new(files);
        g_signal_connect_object(task, "completed", G_CALLBACK(run_ended), browser, 0);
        gth_browser_exec_task(browser, task, GTH_TASK_FLAGS_IGNORE_ERROR);
        g_object_unref(task);
    }
    g_list_free_full(files, g_object_unref);
    g_list_free_full(items, (GDestroyNotify)gtk_tree_path_free);
}

static void show_boxes(GSimpleAction *action, GVariant *state, gpointer window)
{
    GtkWidget *viewer = gth_browser_get_viewer_widget(window);
    g_simple_action_set_state(action, state);
    if (viewer)
        gtk_widget_queue_draw(viewer);
}

/* gThumb made a window. */
static void browser_made(GthBrowser *browser)
{
    static const GActionEntry actions[] = {
        {.name = "ai-check", .activate = check_selected},
        {.name = "ai-boxes", .state = "true", .change_state = show_boxes},
    };
    static const GthMenuEntry check[] = {{"Check for _AI", "win.ai-check", NULL, NULL}};
    static const GthMenuEntry both[] = {{"Check for _AI", "win.ai-check", NULL, NULL},
                                        {"Show AI Check's _Boxes", "win.ai-boxes", NULL, NULL}};
    /* Of the extension list_tools, which may be off; its header is not installed. */
    GthMenuManager *tools = gth_browser_get_menu_manager(browser, "tools.tools2");

    g_action_map_add_action_entries(G_ACTION_MAP(browser), actions, G_N_ELEMENTS(actions), browser);
    gth_window_enable_action(GTH_WINDOW(browser), "ai-check", FALSE); /* nothing is selected yet */
    gth_menu_manager_append_entries(
        gth_browser_get_menu_manager(browser, GTH_BROWSER_MENU_MANAGER_FILE_LIST_OTHER_ACTIONS),
        check, G_N_ELEMENTS(check));
    gth_menu_manager_append_entries(
        gth_browser_get_menu_manager(browser, GTH_BROWSER_MENU_MANAGER_FILE_OTHER_ACTIONS), both,
        G_N_ELEMENTS(both));
    if (tools)
        gth_menu_manager_append_entries(tools, check, G_N_ELEMENTS(check));
}

static void selection_changed(GthBrowser *browser, int selected)
{
    gth_window_enable_action(GTH_WINDOW(browser), "ai-check", selected > 0);
}

/* The four functions that gThumb looks up in an extension. */

G_MODULE_EXPORT void gthumb_extension_activate(void)
{
    /* Idle threads of libitem's engine give the processor back at once. */
    g_setenv("OMP_WAIT_POLICY", "passive", FALSE);
    gth_main_register_type("file-properties", ai_panel_get_type());
    gth_hook_add_callback("gth-browser-construct", 20, G_CALLBACK(browser_made), NULL);
    gth_hook_add_callback("gth-browser-selection-changed", 20, G_CALLBACK(selection_changed), NULL);
    gth_hook_add_callback("gth-browser-activate-viewer-page", 20, G_CALLBACK(ai_boxes_attach),
                          NULL);
}

/* gThumb takes an extension out when it starts again. */
G_MODULE_EXPORT void gthumb_extension_deactivate(void)
{
}

G_MODULE_EXPORT gboolean gthumb_extension_is_configurable(void)
{
    return FALSE;
}

G_MODULE_EXPORT void gthumb_extension_configure(GtkWindow *parent)
{
    (void)parent;
}
