/* SPDX-License-Identifier: Apache-2.0 */
/* C2PA manifests: those of the C2PA project's own library, and made ones that are odd or broken. */
#include "listed.h"

#include "../common/test_mem.h"

#define TYPES "http://cv.iptc.org/newscodes/digitalsourcetype/"
/* CBOR: \xa0 and on are maps, \x80 arrays, \x60 texts of so many items or bytes. */
#define KEY                                                                                        \
    "\x71"                                                                                         \
    "digitalSourceType"
#define AI      KEY "\x78\x46" TYPES "trainedAlgorithmicMedia"
#define CAPTURE KEY "\x78\x3d" TYPES "digitalCapture"
#define CREATED                                                                                    \
    "\x66"                                                                                         \
    "action\x6c"                                                                                   \
    "c2pa.created"
#define EDITED                                                                                     \
    "\x66"                                                                                         \
    "action\x6b"                                                                                   \
    "c2pa.edited"
#define ACTIONS(count)                                                                             \
    "\xa1\x67"                                                                                     \
    "actions" count
#define AI_ACTION      ACTIONS("\x81") "\xa2" CREATED AI
#define CAPTURE_ACTION ACTIONS("\x81") "\xa2" CREATED CAPTURE
#define MAKER                                                                                      \
    "\xa1\x74"                                                                                     \
    "claim_generator_info\xa1\x64name\x67"                                                         \
    "ChatGPT"
/* An ingredient: the manifest urn:c2pa:1, of version 3 or before. */
#define INGREDIENT(relation, link)                                                                 \
    "\xa2\x6c"                                                                                     \
    "relationship" relation link "\xa1\x63"                                                        \
    "url\x78\x1b"                                                                                  \
    "self#jumbf=/c2pa/urn:c2pa:1"
#define LINK                                                                                       \
    "\x6e"                                                                                         \
    "activeManifest"
#define OLD                                                                                        \
    "\x6d"                                                                                         \
    "c2pa_manifest"

#define NOTHING           "1 0 PNG caBX||\n"
#define SAYS(claim, type) "2 " claim " C2PA digitalSourceType|" type "|" TYPES type "\n"
#define SAYS_AI           SAYS("1", "trainedAlgorithmicMedia")
#define SAYS_PART         SAYS("2", "trainedAlgorithmicMedia")
#define SAYS_CAPTURE      SAYS("3", "digitalCapture")
#define PARENT_AI                                                                                  \
    "2 1 C2PA parent digitalSourceType|trainedAlgorithmicMedia|" TYPES "trainedAlgorithmicMedia\n"

/* ---- boxes ---- */

/* `length` as the box says it. */
static void add_box_of(container *to, uint32_t length, const char *type, const void *data,
                       size_t size)
{
    container_number(to, length, 4, false);
    container_add(to, type, 4);
    container_add(to, data, size);
}

static void add_box(container *to, const char *type, const void *data, size_t size)
{
    add_box_of(to, (uint32_t)(8 + size), type, data, size);
}

/* A box of boxes; takes what it is made of. */
static void add_super_box(container *to, const char *use, const char *label, container content)
{
    static const char uuid[] = "\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71";
    container about = {0}, all = {0};
    container_add(&about, use, 4);
    container_add(&about, uuid, 12);
    container_add(&about, "\3", 1);
    container_add(&about, label, strlen(label) + 1);
    add_box(&all, "jumd", about.data, about.size);
    container_add(&all, content.data, content.size);
    add_box(to, "jumb", all.data, all.size);
    free(about.data);
    free(all.data);
    free(content.data);
}

/* A box of boxes with one of CBOR. */
static void add_cbor(container *to, const char *use, const char *label, const void *data,
                     size_t size)
{
    container content = {0};
    add_box(&content, "cbor", data, size);
    add_super_box(to, use, label, content);
}

typedef struct assertion {
    const char *label, *cbor;
    size_t size;
} assertion;

/* A manifest with the name urn:c2pa:`name`, a claim and two assertions. */
static void add_manifest(container *to, const char *use, const char *name, const char *claim,
                         assertion first, assertion second)
{
    container assertions = {0}, manifest = {0};
    char label[32];
    snprintf(label, sizeof label, "urn:c2pa:%s", name);
    if (first.label)
        add_cbor(&assertions, "cbor", first.label, first.cbor, first.size);
    if (second.label)
        add_cbor(&assertions, "cbor", second.label, second.cbor, second.size);
    add_super_box(&manifest, "c2as", "c2pa.assertions", assertions);
    add_cbor(&manifest, "c2cl", "c2pa.claim.v2", claim, strlen(claim));
    add_super_box(to, use, label, manifest);
}

static container store_of(container manifests)
{
    container store = {0};
    add_super_box(&store, "c2pa", "c2pa", manifests);
    return store;
}

static container one_manifest(const char *claim, const char *label, const char *cbor, size_t size)
{
    container manifests = {0};
    add_manifest(&manifests, "c2ma", "1", claim, (assertion){"c2pa.hash.data", BYTES(AI_ACTION)},
                 (assertion){label, cbor, size});
    return store_of(manifests);
}

/* What a PNG with that store says; takes the store. */
static void expect_store(container store, const char *expected)
{
    expect_part(IN_PNG, "caBX", (const char *)store.data, store.size, expected);
    free(store.data);
}

/* ---- files of the C2PA project's library ---- */

static void golden_files(void **state)
{
    (void)state;
    static const struct {
        const char *name, *expected;
    } cases[] = {
        {"c2pa_created.png", "1 0 PNG caBX|libitem tests|\n" SAYS_AI},
        {"c2pa_created.webp", "1 0 WebP C2PA|libitem tests|\n" SAYS_AI},
        {"c2pa_version_1.jpg", "1 0 JPEG APP11|libitem tests|\n" SAYS_AI},
        /* made from a photograph, of which a manifest of its own speaks */
        {"c2pa_edited.jpg", "1 0 JPEG APP11|libitem tests|\n" SAYS_PART},
        /* made by one program and signed again by others */
        {"c2pa_opened.png", "1 0 PNG caBX|libitem tests|\n" PARENT_AI},
        {"c2pa_updated.png", "1 0 PNG caBX|libitem tests|\n" PARENT_AI},
        {"c2pa_compressed.png", NOTHING}, /* and not what the photograph before it says */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bytes file = read_picture(cases[i].name);
        container as_is = {.data = file.data, .size = file.size};
        expect_file(cases[i].name, &as_is, cases[i].expected);
        free(file.data);
    }
}

/* The original store of an AVIF stands before that of its update. */
static void golden_update_of_an_avif(void **state)
{
    (void)state;
    item_provenance *list = NULL;
    bytes file = read_picture("c2pa_updated.avif");
    assert_int_equal(item_provenance_from_memory(file.data, file.size, NULL, &list, NULL), ITEM_OK);
    char *entries = entries_of(list);
    assert_non_null(strstr(entries, "1 0 HEIF uuid|generator|\n" SAYS_AI));
    free(entries);
    item_provenance_free(list);
    free(file.data);
}

/* ---- manifests ---- */

static void actions_name_types(void **state)
{
    (void)state;
    static const char *const labels[] = {"c2pa.actions", "c2pa.actions.v2", "c2pa.actions__1"};
    for (size_t i = 0; i < 3; i++)
        expect_store(one_manifest(MAKER, labels[i], BYTES(AI_ACTION)),
                     "1 0 PNG caBX|ChatGPT|\n" SAYS_AI);
    expect_store(one_manifest("", "c2pa.ingredient.v3", BYTES(AI_ACTION)), NOTHING);
    /* of the picture speaks who created it; others speak of what they did to it */
    expect_store(one_manifest("", "c2pa.actions",
                              BYTES(ACTIONS("\x84") "\xa2" CREATED CAPTURE "\xa1" EDITED
                                                    "\xa2" EDITED AI "\xa2" EDITED AI)),
                 NOTHING SAYS_CAPTURE SAYS_PART);
    expect_store(one_manifest("", "c2pa.actions", BYTES(ACTIONS("\x81") "\xa1" CAPTURE)),
                 NOTHING SAYS("0", "digitalCapture"));
    /* a type that stands deeper is not the action's */
    expect_store(one_manifest("", "c2pa.actions",
                              BYTES(ACTIONS("\x81") "\xa2" CREATED "\x6a"
                                                    "parameters\xa1" AI)),
                 NOTHING);
    expect_store(one_manifest("", "c2pa.actions",
                              BYTES(ACTIONS("\x86") "\xa1" KEY "\x61"
                                                    "a\xa1" KEY "\x61"
                                                    "b\xa1" KEY "\x61"
                                                    "c\xa1" KEY "\x61"
                                                    "d\xa1" KEY "\x61"
                                                    "e\xa1" KEY "\x61"
                                                    "f")),
                 NOTHING "2 0 C2PA digitalSourceType|a|a\n2 0 C2PA digitalSourceType|b|b\n"
                         "2 0 C2PA digitalSourceType|c|c\n2 0 C2PA digitalSourceType|d|d\n");
}

/* The last manifest is the active one, of whichever kind. */
static void the_active_manifest_speaks(void **state)
{
    (void)state;
    static const char *const uses[] = {"c2ma", "c2um", "c2md"};
    const assertion ai = {"c2pa.actions", BYTES(AI_ACTION)},
                    capture = {"c2pa.actions", BYTES(CAPTURE_ACTION)}, none = {NULL, NULL, 0};
    for (size_t i = 0; i < 3; i++) {
        container two = {0};
        add_manifest(&two, "c2ma", "1", MAKER, ai, none);
        add_manifest(&two, uses[i], "2", "", capture, none);
        expect_store(store_of(two), NOTHING SAYS_CAPTURE);
    }
    container compressed = {0}, content = {0};
    add_manifest(&compressed, "c2ma", "1", MAKER, capture, none);
    add_box(&content, "brob", "cborpacked", 10);
    add_super_box(&compressed, "c2cm", "urn:c2pa:2", content);
    expect_store(store_of(compressed), NOTHING);
}

static void parents_are_asked(void **state)
{
    (void)state;
    static const struct {
        const char *ingredient, *expected;
        size_t size;
    } cases[] = {
#define CASE(ingredient, expected) {ingredient, expected, sizeof(ingredient) - 1}
        CASE(INGREDIENT("\x68"
                        "parentOf",
                        LINK),
             NOTHING PARENT_AI),
        CASE(INGREDIENT("\x68"
                        "parentOf",
                        OLD),
             NOTHING PARENT_AI),
        CASE(INGREDIENT("\x6b"
                        "componentOf",
                        LINK),
             NOTHING),
        CASE("\xa1\x6c"
             "relationship\x68"
             "parentOf",
             NOTHING),
#undef CASE
    };
    const assertion ai = {"c2pa.actions", BYTES(AI_ACTION)}, none = {NULL, NULL, 0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const assertion parent = {"c2pa.ingredient.v3", cases[i].ingredient, cases[i].size};
        container two = {0}, circle = {0};
        add_manifest(&two, "c2ma", "1", MAKER, ai, none);
        add_manifest(&two, "c2ma", "2", "", parent, none);
        expect_store(store_of(two), cases[i].expected);
        add_manifest(&circle, "c2ma", "1", "", parent, none);
        expect_store(store_of(circle), NOTHING);
    }
    container own = {0};
    add_manifest(&own, "c2ma", "1", "", ai, none);
    add_manifest(&own, "c2ma", "2", "",
                 (assertion){"c2pa.ingredient", BYTES(INGREDIENT("\x68"
                                                                 "parentOf",
                                                                 OLD))},
                 (assertion){"c2pa.actions", BYTES(CAPTURE_ACTION)});
    expect_store(store_of(own), NOTHING SAYS_CAPTURE);
}

static void makers(void **state)
{
    (void)state;
    static const struct {
        const char *claim, *name;
    } cases[] = {
        {"\xa1\x6f"
         "claim_generator\x78\x19OpenAI-API tests/1.2 c2pa-rs",
         "OpenAI-API tests/1.2 c2pa"},
        {"\xa2\x6f"
         "claim_generator\x63old\x74"
         "claim_generator_info\xa1\x64name\x67"
         "ChatGPT",
         "ChatGPT"},
        {"\xa2\x6f"
         "claim_generator\x63old\x74"
         "claim_generator_info\x81\xa1\x64name\x63new",
         "new"},
        {"\xa2\x6f"
         "claim_generator\x63old\x74"
         "claim_generator_info\x80",
         "old"},
        {"\xa1\x74"
         "claim_generator_info\xa2\x64icon\x64name\x64name\x63new",
         "new"},
        {"\xa1\x6f"
         "claim_generator\x78\xff"
         "cut",
         ""},
        {"\xa1\x6f"
         "claim_generator\x62\xff\xfe",
         ""},
        {"\xa1\x6f"
         "claim_generator\x62"
         "a\1",
         ""},
        {"\xa1\x6f"
         "claim_generator\x60",
         ""},
        {"\xa1\x6f"
         "claim_generator\x43old",
         ""},
        {"\xa1\x6f"
         "claim_generator\x7f\x63old\xff",
         ""}, /* its length comes bit by bit */
        {"\xa1\x6f"
         "claim_generator",
         ""},
        {"\x81\x6f"
         "claim_generator\x63old",
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[128];
        snprintf(expected, sizeof expected, "1 0 PNG caBX|%s|\n", cases[i].name);
        expect_store(one_manifest(cases[i].claim, "c2pa.actions", BYTES("")), expected);
    }
}

/* Cut at 199 bytes, and between characters. */
static void a_long_name(void **state)
{
    (void)state;
    char claim[400] = "\xa1\x6f"
                      "claim_generator\x78\xfa",
         expected[400] = "1 0 PNG caBX|";
    for (int i = 0; i < 125; i++) {
        strcat(claim, "\xc3\xa9");
        if (i < 99)
            strcat(expected, "\xc3\xa9");
    }
    strcat(expected, "|\n");
    expect_store(one_manifest(claim, "c2pa.actions", BYTES("")), expected);
}

static void texts_that_are_broken(void **state)
{
    (void)state;
#define TYPE_OF(value) BYTES(ACTIONS("\x82") "\xa1" KEY value "\xa1" AI)
    expect_store(one_manifest("", "c2pa.actions", BYTES(ACTIONS("\x81") "\xa1" KEY)), NOTHING);
    expect_store(one_manifest("", "c2pa.actions", TYPE_OF("\xf6")), NOTHING SAYS_PART);
    expect_store(one_manifest("", "c2pa.actions",
                              TYPE_OF("\x43"
                                      "a/b")),
                 NOTHING SAYS_PART);
    expect_store(one_manifest("", "c2pa.actions",
                              TYPE_OF("\x79\0\3"
                                      "a/b")),
                 NOTHING "2 0 C2PA digitalSourceType|b|a/b\n" SAYS_PART);
    expect_store(one_manifest("", "c2pa.actions",
                              TYPE_OF("\xc1\xfb"
                                      "12345678")),
                 NOTHING SAYS_PART);
    expect_store(one_manifest("", "c2pa.actions", TYPE_OF("\x7b\xff\xff\xff\xff\xff\xff\xff\xff")),
                 NOTHING);
    expect_store(one_manifest("", "c2pa.actions", TYPE_OF("\x9b\xff\xff\xff\xff\xff\xff\xff\xff")),
                 NOTHING);
#undef TYPE_OF
}

/* ---- odd boxes ---- */

/* A store whose actions stand in these boxes. */
static container store_of_actions(container boxes)
{
    container assertions = {0}, manifest = {0}, manifests = {0};
    add_super_box(&assertions, "cbor", "c2pa.actions", boxes);
    add_super_box(&manifest, "c2as", "c2pa.assertions", assertions);
    add_super_box(&manifests, "c2ma", "urn:c2pa:1", manifest);
    return store_of(manifests);
}

static void lengths_of_boxes(void **state)
{
    (void)state;
    const uint32_t size = 8 + sizeof AI_ACTION - 1;
    for (uint32_t length = 0; length <= 10; length++) {
        container box = {0}, large = {0};
        add_box_of(&box, length == 10 ? size + 99 : length, "cbor", BYTES(AI_ACTION));
        /* 0 and what is too long: up to the end */
        expect_store(store_of_actions(box),
                     length == 0 || length == 10 ? NOTHING SAYS_AI : NOTHING);
        container_number(&large, length == 10 ? size + 8 : length, 8, false);
        container_add(&large, BYTES(AI_ACTION));
        box = (container){0};
        add_box_of(&box, 1, "cbor", large.data, large.size);
        expect_store(store_of_actions(box),
                     length == 0 || length == 10 ? NOTHING SAYS_AI : NOTHING);
        free(large.data);
    }
    container after = {0};
    add_box(&after, "json", BYTES("{}"));
    add_box(&after, "cbor", BYTES(AI_ACTION));
    expect_store(store_of_actions(after), NOTHING SAYS_AI);
}

/* ---- pieces of a JPEG ---- */

#define PIECE 40

static void add_piece(container *file, size_t box, size_t piece, uint32_t length, const char *type,
                      const uint8_t *data, size_t size)
{
    static const char app11[4] = "\xeb";
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
        {0x7fffffff, 0, 0, "1 0 JPEG APP11||\n"}, /* more than are joined, and than the file has */
        {0, 0, 0, "1 0 JPEG APP11||\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        container file = in_pieces(&store, cases[i].length, cases[i].from, cases[i].to);
        expect_file("pieces", &file, cases[i].expected);
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

static void read_anything(container *file)
{
    item_provenance *list = NULL;
    assert_int_equal(item_provenance_from_memory(file->data, file->size, NULL, &list, NULL),
                     ITEM_OK);
    free(entries_of(list));
    item_provenance_free(list);
}

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
    for (size_t i = 3; i < file.size; i++) { /* it stays a JPEG */
        for (int change = 1; change < 256; change += 37) {
            file.data[i] ^= (uint8_t)change;
            read_anything(&file);
            file.data[i] ^= (uint8_t)change;
        }
    }
    free(file.data);
    free(store.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files),
        cmocka_unit_test(actions_name_types),
        cmocka_unit_test(the_active_manifest_speaks),
        cmocka_unit_test(parents_are_asked),
        cmocka_unit_test(makers),
        cmocka_unit_test(a_long_name),
        cmocka_unit_test(texts_that_are_broken),
        cmocka_unit_test(lengths_of_boxes),
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(damage),
        cmocka_unit_test(golden_update_of_an_avif),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
