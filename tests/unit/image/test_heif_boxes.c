/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HEIC and AVIF files of boxes alone, which libheif would follow until stack, memory or patience
 * end: pictures that are parts of themselves, that repeat a part, or whose items overlap.
 */
#include "support.h"

#include <item/provenance.h>

#include "../../containers.h"

#define BYTES(text) (text), sizeof(text) - 1
#define MOST        40 /* items of a file here */

static void add_box(container *to, const char *type, const container *content)
{
    container_number(to, content->size + 8, 4, false);
    container_add(to, type, 4);
    container_add(to, content->data, content->size);
}

static void add_full_box(container *to, const char *type, uint32_t version, container *content)
{
    container full = {0};
    container_number(&full, version << 24, 4, false);
    container_add(&full, content->data, content->size);
    add_box(to, type, &full);
    free(full.data);
    free(content->data);
    *content = (container){0};
}

/* ---- a file of items ---- */

typedef struct file {
    unsigned items;
    const char *type[MOST];  /* of each, such as "iden" */
    uint32_t extents[MOST];  /* each of all bytes of the file's data */
    container references;    /* content of `iref` behind its version */
    size_t data;             /* bytes, all zeros */
    unsigned odd_name;       /* item whose entry is none */
    uint8_t place_sizes;     /* of numbers in the table of places; 0: 4 bytes each */
    unsigned cut_references; /* taken from what the first reference says of its length */
} file;

/* A reference of `type` from an item to `count` others. */
static void refer(file *f, const char *type, unsigned from, const uint16_t *to, unsigned count)
{
    container_number(&f->references, 12 + (size_t)2 * count - f->cut_references, 4, false);
    container_add(&f->references, type, 4);
    container_number(&f->references, from, 2, false);
    container_number(&f->references, count, 2, false);
    for (unsigned i = 0; i < count; i++)
        container_number(&f->references, to[i], 2, false);
}

static void add_names(const file *f, container *meta)
{
    container names = {0};
    container_number(&names, f->items, 2, false);
    for (unsigned i = 0; i < f->items; i++) {
        container name = {0};
        container_number(&name, i + 1, 2, false);
        container_add(&name, "\0", 2);
        container_add(&name, f->type[i], 4);
        container_add(&name, "", 1);
        if (strcmp(f->type[i], "mime") == 0)
            container_add(&name, "application/rdf+xml", 20);
        add_full_box(&names, i + 1 == f->odd_name ? "what" : "infe", 2, &name);
    }
    add_full_box(meta, "iinf", 0, &names);
}

static void add_places(const file *f, container *meta, size_t data_at)
{
    container places = {0};
    container_number(&places, f->place_sizes ? f->place_sizes : 0x44, 1, false);
    container_number(&places, 0, 1, false);
    container_number(&places, f->items, 2, false);
    for (unsigned i = 0; i < f->items; i++) {
        container_number(&places, i + 1, 2, false);
        container_add(&places, "\0", 2);
        container_number(&places, f->extents[i], 2, false);
        for (uint32_t n = 0; n < f->extents[i]; n++) {
            container_number(&places, data_at, 4, false);
            container_number(&places, f->data, 4, false);
        }
    }
    add_full_box(meta, "iloc", 0, &places);
}

/* Each item has 16 x 16 pixels of 8 bits, the second one is an alpha plane. */
static void add_properties(const file *f, container *meta)
{
    container all = {0}, content = {0}, of_items = {0}, list = {0};
    container_add(&content, "\0\0\0\x10\0\0\0\x10", 8);
    add_full_box(&list, "ispe", 0, &content);
    container_add(&content, "\x81\0\x0c\0", 4);
    add_box(&list, "av1C", &content);
    free(content.data);
    content = (container){0};
    container_add(&content, BYTES("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"));
    add_full_box(&list, "auxC", 0, &content);
    container_add(&content, "nclx\0\x63\0\x63\0\x63\x80", 11); /* numbers that nobody knows */
    add_box(&list, "colr", &content);
    free(content.data);
    add_box(&all, "ipco", &list);
    free(list.data);
    container_number(&of_items, f->items, 4, false);
    for (unsigned i = 0; i < f->items; i++) {
        container_number(&of_items, i + 1, 2, false);
        container_add(&of_items, i == 1 ? "\3\1\2\3" : "\3\1\2\4", 4);
    }
    add_full_box(&all, "ipma", 0, &of_items);
    add_box(meta, "iprp", &all);
    free(all.data);
}

/* The whole file; its first item is the picture. */
static container build(file *f)
{
    container whole = {0};
    for (size_t data_at = 0, again = 0; again < 2; again++) {
        container meta = {0}, content = {0};
        free(whole.data);
        whole = container_begin(IN_HEIF);
        container_add(&content, "\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0", 21);
        add_full_box(&meta, "hdlr", 0, &content);
        container_add(&content, "\0\1", 2);
        add_full_box(&meta, "pitm", 0, &content);
        add_places(f, &meta, data_at);
        add_names(f, &meta);
        add_properties(f, &meta);
        container_add(&content, f->references.data, f->references.size);
        add_full_box(&meta, "iref", 0, &content);
        add_full_box(&whole, "meta", 0, &meta);
        data_at = whole.size + 8;
    }
    uint8_t *data = calloc(1, f->data + 1);
    assert_non_null(data);
    container_part(&whole, "mdat", data, f->data);
    free(data);
    free(f->references.data);
    return whole;
}

static void refuse_it(file *f, item_status status, const char *text)
{
    container whole = build(f);
    refuse(whole.data, whole.size, NULL, status, text);
    item_provenance *list = NULL; /* what is refused as a picture is no danger here either */
    assert_int_equal(item_provenance_from_memory(whole.data, whole.size, NULL, &list, NULL),
                     ITEM_OK);
    item_provenance_entry e = ITEM_PROVENANCE_ENTRY_INIT;
    if (status == ITEM_E_LIMIT) {
        assert_int_equal(item_provenance_get(list, 0, &e, NULL), ITEM_OK);
        assert_int_equal(e.kind, ITEM_PROVENANCE_UNREADABLE);
        assert_non_null(strstr(e.value, text));
    }
    item_provenance_free(list);
    free(whole.data);
}

/* ---- tests ---- */

static const char endless[] = "parts of parts of parts without end";

static void parts_of_themselves(void **state)
{
    (void)state;
    static const char *const types[] = {"iden", "grid", "iovl"};
    for (int i = 0; i < 3; i++) {
        file f = {.items = 1, .type = {types[i]}};
        refer(&f, "dimg", 1, (uint16_t[]){1}, 1);
        refuse_it(&f, ITEM_E_LIMIT, endless);
        f = (file){.items = 2, .type = {types[i], "iden"}};
        refer(&f, "dimg", 1, (uint16_t[]){2}, 1);
        refer(&f, "dimg", 2, (uint16_t[]){1}, 1);
        refuse_it(&f, ITEM_E_LIMIT, endless);
    }
    file f = {.items = 2, .type = {"av01", "av01"}}; /* alpha of its own alpha */
    refer(&f, "auxl", 2, (uint16_t[]){1}, 1);
    refer(&f, "auxl", 1, (uint16_t[]){2}, 1);
    refuse_it(&f, ITEM_E_LIMIT, endless);
    f = (file){.items = 7, .type = {"iden", "iden", "iden", "iden", "iden", "iden", "av01"}};
    for (uint16_t i = 1; i < 7; i++)
        refer(&f, "dimg", i, (uint16_t[]){(uint16_t)(i + 1)}, 1);
    refuse_it(&f, ITEM_E_LIMIT, endless);
}

static void parts_that_are_named_again(void **state)
{
    (void)state;
    uint16_t tiles[MOST];
    file f = {.items = 2, .type = {"grid", "av01"}};
    for (int i = 0; i < MOST; i++)
        tiles[i] = 2;
    refer(&f, "dimg", 1, tiles, 6);
    refuse_it(&f, ITEM_E_LIMIT, "names one part again and again");
    f = (file){.items = MOST, .type = {"grid"}}; /* a tile each is what a grid has */
    for (int i = 1; i < MOST; i++) {
        f.type[i] = "av01";
        tiles[i - 1] = (uint16_t)(i + 1);
    }
    refer(&f, "dimg", 1, tiles, MOST - 1);
    refuse_it(&f, ITEM_E_FORMAT, "broken AVIF"); /* by libheif: the data are zeros */
}

static void references_that_contradict_themselves(void **state)
{
    (void)state;
    file f = {.items = 1, .type = {"iden"}, .cut_references = 2};
    refer(&f, "dimg", 1, (uint16_t[]){1}, 1);
    refuse_it(&f, ITEM_E_FORMAT, "broken HEIC or AVIF: its references");
    f = (file){.items = 1, .type = {"iden"}}; /* of which libheif reads another head */
    refer(&f, "uuid", 1, (uint16_t[]){0, 0, 0, 0, 0, 0, 0, 0}, 8);
    refer(&f, "dimg", 1, (uint16_t[]){1}, 1);
    refuse_it(&f, ITEM_E_FORMAT, "broken HEIC or AVIF: its references");
}

/* A plane of two pictures, as in HDR photographs of phones: libheif says what it makes of it. */
static void a_plane_of_several(void **state)
{
    (void)state;
    file f = {.items = 8, .type = {"av01", "av01", "av01", "av01", "av01", "av01", "av01", "av01"}};
    for (uint16_t plane = 3; plane < 9; plane++)
        refer(&f, "auxl", plane, (uint16_t[]){1, 2}, 2);
    container whole = build(&f);
    item_image *image = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_not_equal(item_image_from_memory(whole.data, whole.size, NULL, &image, &err),
                         ITEM_E_LIMIT);
    assert_null(strstr(err.message, "its references"));
    item_image_unref(image);
    free(whole.data);
}

static void parts_that_are_no_pictures(void **state)
{
    (void)state;
    /* EXIF, a kind that nobody knows, one whose entry is called otherwise, nothing */
    for (uint16_t part = 2; part < 6; part++) {
        file f = {.items = 4, .type = {"iden", "Exif", "what", "iden"}, .odd_name = 4};
        refer(&f, "dimg", 1, &part, 1);
        refuse_it(&f, ITEM_E_FORMAT, "broken HEIC or AVIF: its references");
    }
}

static void items_that_overlap(void **state)
{
    (void)state;
    file f = {.items = 3, .type = {"av01", "Exif", "Exif"}, .data = 100000};
    f.extents[1] = f.extents[2] = 2;
    for (uint16_t i = 2; i < 4; i++)
        refer(&f, "cdsc", i, (uint16_t[]){1}, 1);
    refuse_it(&f, ITEM_E_LIMIT, "items of 400000 bytes in a file of 100");
    f = (file){.items = 1, .type = {"av01"}, .data = 100000, .extents = {1}};
    refuse_it(&f, ITEM_E_FORMAT, "broken AVIF");
    f = (file){.items = 1, .type = {"av01"}, .data = 100000, .extents = {1}, .place_sizes = 0xf4};
    refuse_it(&f, ITEM_E_FORMAT, "broken HEIC or AVIF: where its items lie");
    f = (file){.items = 1, .type = {"av01"}, .data = 1 << 20, .extents = {1}};
    container whole = build(&f);
    refuse(whole.data, whole.size / 2, NULL, ITEM_E_FORMAT, "truncated HEIC or AVIF");
    free(whole.data);
}

/* Metadata beyond the limit are told of, as they are in other files. */
static void large_metadata(void **state)
{
    (void)state;
    file f = {.items = 3, .type = {"av01", "Exif", "mime"}, .data = (1 << 20) + 1};
    f.extents[2] = 1;
    for (uint16_t i = 2; i < 4; i++)
        refer(&f, "cdsc", i, (uint16_t[]){1}, 1);
    container whole = build(&f);
    item_provenance *list = NULL;
    item_provenance_entry e = ITEM_PROVENANCE_ENTRY_INIT;
    assert_int_equal(item_provenance_from_memory(whole.data, whole.size, NULL, &list, NULL),
                     ITEM_OK);
    assert_int_equal(item_provenance_get(list, 0, &e, NULL), ITEM_OK);
    assert_string_equal(e.value, "XMP: it is too large");
    item_provenance_free(list);
    free(whole.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_themselves),
        cmocka_unit_test(parts_that_are_named_again),
        cmocka_unit_test(references_that_contradict_themselves),
        cmocka_unit_test(a_plane_of_several),
        cmocka_unit_test(parts_that_are_no_pictures),
        cmocka_unit_test(items_that_overlap),
        cmocka_unit_test(large_metadata),
    };
    return WITH_HEIF ? cmocka_run_group_tests(tests, NULL, NULL) : 77; /* 77: skipped */
}
