/* SPDX-License-Identifier: Apache-2.0 */
/* A run over pictures in the background, with gThumb's own progress and cancel button.
 *
 * Everything here runs on the main thread but open_context() and check_one(), which touch neither
 * GTK nor gThumb. A picture at a time goes to a worker thread, so that its answer is shown as soon as
 * it is there; where nobody looks on, item_check_files() computes several together. */
#include "task.h"

#include "store.h"

typedef struct AiTask {
    GthTask parent;
    GPtrArray *files;    /* of GthFileData */
    guint next;          /* the one that is being checked */
    guint failed;        /* pictures that could not be checked */
    char *first_error;   /* of the first of them */
    item_cancel *cancel; /* this run's own */
} AiTask;

typedef struct AiTaskClass {
    GthTaskClass parent;
} AiTaskClass;

G_DEFINE_TYPE(AiTask, ai_task, GTH_TYPE_TASK)

/* Errors of a picture, with an item_status as code. What ends the run is a GTH_TASK_ERROR. */
G_DEFINE_QUARK(ai_check_picture, picture_error)

/* The context serves all runs, for ever. Opening it is quick: networks wait for the first picture.
 * A failure is not remembered, so that the next run works once the pack is where it should be. */
static item_ctx *open_context(item_error *err)
{
    static GMutex lock;
    static item_ctx *context;
    item_ctx *found;

    g_mutex_lock(&lock);
    if (!context)
        item_ctx_open(NULL, NULL, &context, err);
    found = context;
    g_mutex_unlock(&lock);
    return found;
}

/* Whether the next picture would fail in the same way. */
static gboolean ends_run(item_status status)
{
    return status == ITEM_E_NO_ENGINE || status == ITEM_E_PACK || status == ITEM_E_MEMORY ||
           status == ITEM_E_FORKED;
}

/* On a worker thread: checks the file that `path` names. */
static void check_one(GTask *job, gpointer source, gpointer path, GCancellable *unused)
{
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    item_ctx *context;
    (void)unused;

    if (!path) { /* on a camera or a server, and GVfs gives it no path here */
        g_task_return_new_error(job, picture_error_quark(), ITEM_E_IO,
                                "The file is not on this machine: copy it first.");
        return;
    }
    context = open_context(&err);
    options.cancel = ((AiTask *)source)->cancel;
    if (context && item_check_file(context, path, &options, &result, &err) == ITEM_OK)
        g_task_return_pointer(job, result, (GDestroyNotify)item_result_unref);
    else if (err.code == ITEM_E_CANCELLED)
        g_task_return_new_error(job, GTH_TASK_ERROR, GTH_TASK_ERROR_CANCELLED, "%s", err.message);
    else if (!context || ends_run(err.code))
        g_task_return_new_error(job, GTH_TASK_ERROR, GTH_TASK_ERROR_FAILED, "%s", err.message);
    else
        g_task_return_new_error(job, picture_error_quark(), err.code, "%s", err.message);
}

static void finish(AiTask *self, GError *error)
{
    g_debug("run ends: %u of %u done, %u failed%s%s", self->next, self->files->len, self->failed,
            error ? ": " : "", error ? error->message : "");
    gth_task_completed(GTH_TASK(self), error);
    g_clear_error(&error);
}

/* All pictures are done: says what failed, where something did. */
static void finish_all(AiTask *self)
{
    GError *error = NULL;
    if (self->failed)
        error = g_error_new(GTH_TASK_ERROR, GTH_TASK_ERROR_FAILED,
                            "%u of %u pictures could not be checked.\n%s", self->failed,
                            self->files->len, self->first_error);
    finish(self, error);
}

static void check_next(AiTask *self);

/* Back on the main thread, with the answer for a picture. */
static void checked(GObject *source, GAsyncResult *job, gpointer unused)
{
    AiTask *self = (AiTask *)source;
    GthFileData *file = g_ptr_array_index(self->files, self->next);
    GError *error = NULL;
    item_result *result = g_task_propagate_pointer(G_TASK(job), &error);
    (void)unused;

    if (error && error->domain == GTH_TASK_ERROR) {
        finish(self, error);
        return;
    }
    g_debug("checked %s: %s", g_file_info_get_display_name(file->info),
            error ? error->message : item_result_text(result, ITEM_TEXT_VERDICT));
    ai_store_put(file, result, error ? error->message : NULL);
    if (error && ++self->failed == 1)
        self->first_error = g_utf8_make_valid(error->message, -1);
    g_clear_error(&error);
    self->next++;
    check_next(self);
}

/* Whether the store has an answer for the file as it is; what failed is tried again. */
static gboolean is_known(GthFileData *file)
{
    const ai_answer *answer = ai_store_find(file);
    return answer && answer->result;
}

static void check_next(AiTask *self)
{
    GthFileData *file;
    GTask *job;

    while (self->next < self->files->len && is_known(g_ptr_array_index(self->files, self->next)))
        self->next++;
    if (self->next == self->files->len) {
        finish_all(self);
        return;
    }
    file = g_ptr_array_index(self->files, self->next);
    gth_task_progress(GTH_TASK(self), "Checking pictures", g_file_info_get_display_name(file->info),
                      FALSE, (double)self->next / self->files->len);
    job = g_task_new(self, NULL, checked, NULL); /* holds a reference to the run */
    g_task_set_task_data(job, g_file_get_path(file->file), g_free);
    g_task_run_in_thread(job, check_one);
    g_object_unref(job);
}

static void ai_task_exec(GthTask *task)
{
    g_debug("run begins");
    check_next((AiTask *)task);
}

/* The user pressed cancel: the picture that is being checked ends within 200 ms. */
static void ai_task_cancelled(GthTask *task)
{
    item_cancel_set(((AiTask *)task)->cancel);
}

static void ai_task_finalize(GObject *object)
{
    AiTask *self = (AiTask *)object;
    item_cancel_unref(self->cancel);
    g_ptr_array_unref(self->files);
    g_free(self->first_error);
    G_OBJECT_CLASS(ai_task_parent_class)->finalize(object);
}

static void ai_task_class_init(AiTaskClass *class)
{
    G_OBJECT_CLASS(class)->finalize = ai_task_finalize;
    GTH_TASK_CLASS(class)->exec = ai_task_exec;
    GTH_TASK_CLASS(class)->cancelled = ai_task_cancelled;
}

static void ai_task_init(AiTask *self)
{
    self->files = g_ptr_array_new_with_free_func(g_object_unref);
    item_cancel_new(&self->cancel, NULL); /* without memory the run cannot be cancelled, no more */
}

GthTask *ai_task_new(GList *files)
{
    AiTask *self = g_object_new(ai_task_get_type(), NULL);
    for (; files; files = files->next)
        g_ptr_array_add(self->files, gth_file_data_dup(files->data));
    return GTH_TASK(self);
}
