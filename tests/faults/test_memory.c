/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory ends at every place, once through the host's allocator and once through malloc itself,
 * where the codecs, jansson and libcrypto meet it too. Each call answers as ever or fails with
 * ITEM_E_MEMORY; nothing is left, and the next call succeeds, from another thread.
 */
#include "calls.h"
#include "outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const phase configs[] = {
    {"config new", NULL, call_config_new, 0, NULL},
    {"config set", make_config_of_dummies, call_config_set, 0, NULL},
    {"config engine", make_config_of_dummies, call_config_engine, 0, NULL},
    {"config captioner", make_config_of_dummies, call_config_captioner, 0, NULL},
    {"config detector", make_config_of_dummies, call_config_detector, 0, NULL},
    {"config embedder", make_config_of_dummies, call_config_embedder, 0, NULL},
    {"cancel new", NULL, call_cancel_new, 0, NULL},
};

static const phase packs[] = {
    {"pack open, all verified", NULL, call_pack_open, 0, NULL},
    {"published model open", NULL, call_published_open, 0, NULL},
    {"pack made", remove_made, call_pack_create, 9, NULL},
    {"context of dummies", make_config_of_dummies, call_ctx_dummies, 0, NULL},
    {"context of a pack", make_config_of_pack, call_ctx_pack, 0, NULL},
    {"first check opens stages", make_ctx_of_pack, call_first_check, 0, NULL},
    {"first tokens", make_ctx_of_pack, call_first_tokens, 0, NULL},
};

static const phase answers[] = {
    {"check", NULL, call_check_image, 0, NULL},
    {"check by a pack", NULL, call_check_pack, 0, NULL},
    {"check a caller's caption", NULL, call_check_caption, 0, NULL},
    {"check a file", NULL, call_check_file, 0, NULL},
    {"check three files", NULL, call_check_files, 0, NULL},
    {"check with warnings", make_other_settings, call_check_warned, 0, NULL},
    {"context with a cache", make_config_of_cache, call_ctx_cache, 5, NULL},
    {"check, nothing in the cache", make_ctx_of_empty_cache, call_check_recalled, 7, NULL},
    {"check, all in the cache", make_ctx_of_full_cache, call_check_recalled, 3, NULL},
    {"caption", NULL, call_caption, 0, NULL},
    {"caption by draws", NULL, call_caption_drawn, 0, NULL},
    {"score captions", NULL, call_score, 0, NULL},
    {"detect", NULL, call_detect, 0, NULL},
    {"embed pictures", NULL, call_embed_images, 0, NULL},
    {"embed layers", NULL, call_embed_layers, 0, NULL},
    {"embed texts", NULL, call_embed_texts, 0, NULL},
    {"tokens", NULL, call_tokens, 0, NULL},
    {"apply a head", NULL, call_apply, 0, NULL},
    {"phrases", NULL, call_phrases, 0, NULL},
    {"misalign", NULL, call_misalign, 0, NULL},
    {"result as JSON", make_result, call_result_json, 0, NULL},
    {"failure as JSON", make_failed_result, call_result_json, 0, NULL},
};

static const phase indexes[] = {
    {"index opened", remove_index, call_index_open, 53, NULL},
    {"index of a scan", make_index, call_index_scan, 97, NULL},
    {"index of an import", make_index, call_index_import, 5, NULL},
    {"index asked", make_full_index, call_index_find, 47, NULL},
};

static const phase trainings[] = {
    {"extract a folder", NULL, call_extract_folder, 5, NULL},
    {"extract a list", NULL, call_extract_list, 5, NULL},
    {"data set load", NULL, call_data_load, 0, NULL},
    {"data set save", NULL, call_data_save, 0, NULL},
    {"data set new", NULL, call_data_new, 0, NULL},
    {"data set add", make_data, call_data_add, 0, NULL},
    {"data set remove", make_data, call_data_remove, 0, NULL},
    {"train", NULL, call_train, 11, NULL},
    {"train one of several", NULL, call_train_some, 11, NULL},
    {"calibrate", make_photographs, call_calibrate, 0, NULL},
    {"evaluate", NULL, call_evaluate, 11, NULL},
    {"evaluate with controls", NULL, call_evaluate_controls, 31, NULL},
    {"head write", NULL, call_head_write, 0, NULL},
};
/* Profiles are slow to open, and those of one kind fail alike. */
static const struct {
    const char *name;
    unsigned stride;
} pictures[] = {
    {"baseline_420.jpg", 0}, {"progressive_420.jpg", 0}, {"cmyk_progressive.jpg", 0},
    {"grey.jpg", 0},         {"exif_MM_6.jpg", 0},       {"icc_rgb.jpg", 3},
    {"icc_rgb_v4.jpg", 7},   {"icc_rgb_table.jpg", 7},   {"icc_cmyk.jpg", 31},
    {"icc_grey.jpg", 7},     {"icc_parts.jpg", 7},       {"icc_cut.jpg", 0},
    {"icc_exif_5.jpg", 7},   {"xmp_attribute.jpg", 0},   {"type2_8.png", 0},
    {"type6_16.png", 0},     {"palette_4_alpha.png", 0}, {"type2_8_interlaced.png", 0},
    {"exif_before.png", 0},  {"icc_rgb.png", 7},         {"icc_grey_alpha.png", 7},
    {"icc_broken.png", 0},   {"origin.jpg", 0},          {"origin.png", 0},
    {"c2pa_edited.jpg", 0},
};

static void try_pictures(memory_kind kind)
{
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", PICTURES, pictures[i].name);
        call_picture = path;
        const phase p = {pictures[i].name, NULL, call_image_file, pictures[i].stride, NULL};
        try_memory(&p, 1, kind);
    }
    try_memory(&(phase){"pixels", NULL, call_image_pixels, 0, NULL}, 1, kind);
}

/* ---- the tests ---- */

#define ALL(list) list, sizeof list / sizeof *list

static void try_every(memory_kind kind)
{
    const unsigned before = complaints;
    the_allocator = kind == MEMORY_HOST ? faults_host() : NULL;
    const long kept = faults_host_live();
    world_open();
    try_memory(ALL(packs), kind);
    try_memory(ALL(answers), kind);
    try_memory(ALL(trainings), kind);
    try_memory(ALL(indexes), kind);
    try_pictures(kind);
    if (kind == MEMORY_MALLOC)
        try_memory(ALL(configs), kind);
    world_close();
    assert_int_equal(faults_host_live(), kept);
    assert_int_equal(complaints, before);
}

static void the_host_has_no_memory(void **state)
{
    (void)state;
    try_every(MEMORY_HOST);
}

static void malloc_has_no_memory(void **state)
{
    (void)state;
    try_every(MEMORY_MALLOC);
}

/* ---- the first call of a process: libraries prepare themselves, and fail doing so ---- */

#define COLD_MOST   20000
#define COLD_STRIDE 11
#define COLD_NONE   3 /* exit status of a child in which nothing failed */

static const char *this_program;

/* A pack, a picture with a profile, an engine: each makes the libraries below prepare. */
static item_status call_cold(item_error *err)
{
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    item_status status = call_pack_open(err);
    if (status == ITEM_OK)
        status = call_image_file(err);
    if (status == ITEM_OK)
        status = call_config_new(err);
    if (status == ITEM_OK)
        status = call_config_engine(err);
    if (status == ITEM_OK)
        status = item_engine_get_info(out.config, 0, &info, err);
    return status;
}

/* The child. */
static int run_cold(const char *pack, const char *nth)
{
    item_error err = ITEM_ERROR_INIT;
    w.pack = (char *)(uintptr_t)pack;
    call_picture = PICTURES "/icc_rgb.png";
    faults_arm(FAULT_MALLOC, strtol(nth, NULL, 10), false, ENOMEM);
    const item_status status = call_cold(&err);
    const long failed = faults_disarm();
    if (status == ITEM_E_NO_ENGINE) /* of the loader's failures glibc tells no kind */
        assert_error(status, ITEM_E_NO_ENGINE, &err, FAKE_ENGINE);
    else if (status != ITEM_OK)
        assert_error(status, ITEM_E_MEMORY, &err, NULL);
    outputs_free();
    reset(&err);
    assert_ok(call_cold(&err), &err);
    outputs_free();
    return failed ? 0 : COLD_NONE;
}

static int spawn_cold(long nth)
{
    char number[24];
    int status;
    snprintf(number, sizeof number, "%ld", nth);
    const pid_t child = fork();
    if (child == 0) {
        execl(this_program, this_program, w.pack, number, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_first_call_has_no_memory(void **state)
{
    (void)state;
    int status = 0;
    for (long nth = 1; status != COLD_NONE && nth < COLD_MOST;
         nth += faults_all() ? 1 : COLD_STRIDE) {
        status = spawn_cold(nth);
        faults_failed += status == 0;
        if (status != 0 && status != COLD_NONE) {
            complaints++;
            fprintf(stderr, "first call of a process, malloc %ld: status %d\n", nth, status);
        }
    }
    assert_int_equal(complaints, 0);
}

static int setup(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_free();
    return 0;
}

int main(int argc, char **argv)
{
    this_program = argv[0];
    if (argc == 3)
        return run_cold(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_has_no_memory),
        cmocka_unit_test(malloc_has_no_memory),
        cmocka_unit_test(the_first_call_has_no_memory),
    };
    const int failed = cmocka_run_group_tests(tests, setup, teardown);
    printf("%lu allocations failed, %lu of them without harm\n", faults_failed, faults_absorbed);
    return failed;
}
