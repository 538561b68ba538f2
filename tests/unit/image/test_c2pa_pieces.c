/* SPDX-License-Identifier: Apache-2.0 */
/* C2PA manifest stores of JPEGs, which lie in pieces; stores that are cut and changed. */
#include "jumbf.h"

#include "../common/test_mem.h"

#define PIECE 40

static const char app11[4] = "\xeb"; /* the segment's marker */

static void add_piece(container *file, size_t box, size_t piece, uint32_t length, const char *type,
                      const uint8_t *data, size_t size)
{
    container part = {0};
    container_add(&part, "JP", 2);
    container_number(&part, box, 2, false);
    container_number(&part, piece, 4, false);
    add_box_of(&part, length, type, data, size);
    container_part(file, app11, part.data, part.size);
    free(part.data);
}

/* A JPEG with the store in pieces, each of which has the box's head again, and pieces of other boxes
   before each. `length`: that of the box; piece number `from` has the number `to`. */
static container in_pieces(const container *store, uint32_t length, size_t from, size_t to)
{
    container file = container_begin(IN_JPEG);
    for (size_t at = 8, piece = 1; at < store->size; at += PIECE, piece++) {
        const size_t left = store->size - at, some = left < PIECE ? left : PIECE;
        add_piece(&file, 8, piece, length, "jumb", (const uint8_t *)"another box", 11);
        add_piece(&file, 7, piece, length, "LDRT", (const uint8_t *)"another type", 12);
        add_piece(&file, 7, piece == from ? to : piece, length, "jumb", store->data + at, some);
        if (piece == 2)
            add_piece(&file, 7, piece, length, "jumb", (const uint8_t *)"the same again", 14);
    }
    return file;
}

static void pieces_are_joined(void **state)
{
    (void)state;
    static const char whole[] = "1 0 JPEG APP11|ChatGPT|\n" SAYS_AI;
    container store = one_manifest(MAKER, "c2pa.actions", BYTES(AI_ACTION));
    const uint32_t length = (uint32_t)store.size;
    const struct {
        uint32_t length;
        size_t from, to;
        const char *expected;
    } cases[] = {
        {length, 0, 0, whole},
        {length, 3, 77, "1 0 JPEG APP11||\n"}, /* the third is missing */
        {length, 3, 2, "1 0 JPEG APP11||\n"},
        {8u << 20, 0, 0, "1 0 JPEG APP11||\n"}, /* more than the file has */
        {0, 0, 0, "1 0 JPEG APP11||\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        container file = in_pieces(&store, cases[i].length, cases[i].from, cases[i].to);
        expect_file("pieces", &file, cases[i].expected);
        free(file.data);
    }
    free(store.data);
}

/* A store may say that it is as long as its file, up to 16 MiB: beyond, the first piece is all. */
static void large_stores(void **state)
{
    (void)state;
    static const char *const expected[] = {"1 0 JPEG APP11|ChatGPT|\n" SAYS_AI,
                                           "1 0 JPEG APP11||\n"};
    const uint32_t lengths[] = {15u << 20, 17u << 20};
    uint8_t *pixels = calloc(1, lengths[1]);
    assert_non_null(pixels);
    container store = one_manifest(MAKER, "c2pa.actions", BYTES(AI_ACTION));
    for (size_t i = 0; i < 2; i++) {
        container file = in_pieces(&store, lengths[i], 0, 0);
        container_add(&file, pixels, lengths[1]);
        expect_file("a large store", &file, expected[i]);
        free(file.data);
    }
    free(store.data);
    free(pixels);
}

/* Segments that are too short for a piece, at the end of the file. */
static void short_pieces(void **state)
{
    (void)state;
    container store = one_manifest(MAKER, "c2pa.actions", BYTES(AI_ACTION));
    for (size_t size = 0; size < 16; size++) {
        container file = container_begin(IN_JPEG);
        add_piece(&file, 7, 1, (uint32_t)store.size, "jumb", store.data + 8, 40);
        container_part(&file, app11, "JP\0\7\0\0\0\2\0\0\0\0jumb", size);
        expect_file("a short piece", &file, "1 0 JPEG APP11||\n");
        free(file.data);
    }
    free(store.data);
}

/* Each allocation fails once. */
static void memory_runs_out(void **state)
{
    (void)state;
    container store = one_manifest(MAKER, "c2pa.actions", BYTES(AI_ACTION));
    container file = in_pieces(&store, (uint32_t)store.size, 0, 0);
    item_status status = ITEM_E_MEMORY;
    long n = 0;
    for (; status != ITEM_OK; n++) {
        test_mem t;
        test_mem_init(&t, n);
        item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
        options.allocator = &t.mem.host;
        item_provenance *list = NULL;
        status = item_provenance_from_memory(file.data, file.size, &options, &list, NULL);
        assert_true(status == ITEM_OK || status == ITEM_E_MEMORY);
        assert_int_equal(list != NULL, status == ITEM_OK);
        item_provenance_free(list);
        assert_int_equal(t.live, 0);
    }
    assert_true(n > 3);
    free(file.data);
    free(store.data);
}

/* ---- damage ---- */

/* Cut anywhere, and with any byte changed. */
static void damage(void **state)
{
    (void)state;
    container store = one_manifest(MAKER, "c2pa.actions", BYTES(AI_ACTION));
    for (size_t i = 0; i < store.size; i++) {
        container file = container_begin(IN_WEBP);
        container_part(&file, "C2PA", store.data, i);
        read_anything(&file);
        free(file.data);
    }
    container file = in_pieces(&store, (uint32_t)store.size, 0, 0);
    read_changed(&file, 3);
    free(file.data);
    free(store.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(large_stores),
        cmocka_unit_test(short_pieces),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
