/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cgo cannot say in Go: start values that are macros, and callbacks whose `const` it drops.
 * The functions below named itemGo... are Go's, exported by callbacks.go.
 */
#ifndef ITEM_GO_H
#define ITEM_GO_H

#include <item/index.h>
#include <item/item.h>
#include <item/provenance.h>
#include <item/train.h>

#define START(type, name, init)                                                                    \
    static inline type name(void)                                                                  \
    {                                                                                              \
        type start = init;                                                                         \
        return start;                                                                              \
    }

START(item_error, itemgo_error, ITEM_ERROR_INIT)
START(item_ctx_info, itemgo_ctx_info, ITEM_CTX_INFO_INIT)
START(item_engine_settings, itemgo_engine_settings, ITEM_ENGINE_SETTINGS_INIT)
START(item_engine_info, itemgo_engine_info, ITEM_ENGINE_INFO_INIT)
START(item_image_options, itemgo_image_options, ITEM_IMAGE_OPTIONS_INIT)
START(item_image_info, itemgo_image_info, ITEM_IMAGE_INFO_INIT)
START(item_check_options, itemgo_check_options, ITEM_CHECK_OPTIONS_INIT)
START(item_result_summary, itemgo_result_summary, ITEM_RESULT_SUMMARY_INIT)
START(item_object, itemgo_object, ITEM_OBJECT_INIT)
START(item_timings, itemgo_timings, ITEM_TIMINGS_INIT)
START(item_provenance_entry, itemgo_provenance_entry, ITEM_PROVENANCE_ENTRY_INIT)
START(item_dataset_info, itemgo_dataset_info, ITEM_DATASET_INFO_INIT)
START(item_extract_options, itemgo_extract_options, ITEM_EXTRACT_OPTIONS_INIT)
START(item_train_options, itemgo_train_options, ITEM_TRAIN_OPTIONS_INIT)
START(item_eval_options, itemgo_eval_options, ITEM_EVAL_OPTIONS_INIT)
START(item_scan_options, itemgo_scan_options, ITEM_SCAN_OPTIONS_INIT)
START(item_scan_counts, itemgo_scan_counts, ITEM_SCAN_COUNTS_INIT)
START(item_index_query, itemgo_index_query, ITEM_INDEX_QUERY_INIT)
START(item_index_row, itemgo_index_row, ITEM_INDEX_ROW_INIT)
START(item_page_options, itemgo_page_options, ITEM_PAGE_OPTIONS_INIT)

#undef START

extern void itemGoLog(void *user, int32_t level, char *text);
extern void itemGoProgress(void *user, uint64_t done, uint64_t total);
extern void itemGoTrouble(void *user, char *path, item_error *why);

static inline void itemgo_log(void *user, int32_t level, const char *text)
{
    itemGoLog(user, level, (char *)text); /* read, and no more */
}

static inline item_status itemgo_set_log(item_config *config, void *user, item_error *err)
{
    return item_config_set_log(config, itemgo_log, user, err);
}

static inline void itemgo_trouble(void *user, const char *path, const item_error *why)
{
    itemGoTrouble(user, (char *)path, (item_error *)why); /* as above */
}

static inline item_scan_trouble_fn itemgo_scan_trouble(void)
{
    return itemgo_trouble;
}

/* As a function pointer that Go can hold. */
static inline item_progress_fn itemgo_progress(void)
{
    return itemGoProgress;
}

#endif
