/* SPDX-License-Identifier: Apache-2.0 */
/* Handles of reports: the JSON, what is read from it, and the head of a training. */
#include <math.h>
#include <string.h>

#include "core/json_make.h"
#include "train/eval.h"
#include "train/html.h"

struct item_report {
    json_t *root;
    char *json, *markdown, *html;
    itemi_head *head; /* of a training, or NULL */
};

item_status itemi_report_make(json_t *root, itemi_head *head, item_report **out, item_error *err)
{
    if (root && !json_object_get(root, "warnings")) /* readers need not ask whether there are any */
        itemi_json_put(&root, "warnings", json_array());
    item_report *report = root ? itemi_alloc_zero(NULL, 1, sizeof *report) : NULL;
    if (!report) {
        json_decref(root);
        itemi_head_free(head);
        return itemi_fail_memory(err, "writing a report");
    }
    report->root = root;
    report->head = head;
    report->json = itemi_json_dump(NULL, root, ITEMI_DIGITS_REPORT);
    bool calibrated = json_object_get(root, "confidence") != NULL;
    report->markdown = calibrated ? itemi_calibration_render(root) : itemi_report_render(root);
    report->html = report->markdown ? itemi_report_page(root, report->markdown) : NULL;
    if (!report->json || !report->html) {
        item_report_free(report);
        return itemi_fail_memory(err, "writing a report");
    }
    *out = report;
    return ITEM_OK;
}

void item_report_free(item_report *report)
{
    if (!report)
        return;
    json_decref(report->root);
    itemi_free(NULL, report->json);
    itemi_free(NULL, report->markdown);
    itemi_free(NULL, report->html);
    itemi_head_free(report->head);
    itemi_free(NULL, report);
}

const char *item_report_json(const item_report *report)
{
    return report ? report->json : NULL;
}

const char *item_report_markdown(const item_report *report)
{
    return report ? report->markdown : NULL;
}

const char *item_report_html(const item_report *report)
{
    return report ? report->html : NULL;
}

double item_report_number(const item_report *report, const char *path)
{
    char key[64];
    const json_t *value = report ? report->root : NULL;
    while (value && path && *path) {
        size_t length = strcspn(path, ".");
        if (length >= sizeof key)
            return NAN;
        memcpy(key, path, length);
        key[length] = '\0';
        value = json_object_get(value, key);
        path += length + (path[length] == '.');
    }
    if (json_is_boolean(value))
        return json_is_true(value) ? 1 : 0;
    return json_is_number(value) ? json_number_value(value) : NAN;
}

item_status item_report_write_head(const item_report *report, const char *path, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!report || !path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_report_write_head: report or path is NULL");
    if (!report->head)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_report_write_head: an evaluation makes no head");
    return itemi_head_write(report->head, path, err);
}
