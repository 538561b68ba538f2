/* SPDX-License-Identifier: Apache-2.0 */
/* C2PA manifests: those of the C2PA project's own library, and made ones that are odd or broken. */
#include "jumbf.h"

/* An ingredient: the manifest urn:c2pa:1, of version 3 or before. */
#define INGREDIENT(relation, link)                                                                 \
    "\xa2\x6c"                                                                                     \
    "relationship" relation link "\xa1\x63"                                                        \
    "url\x78\x1b"                                                                                  \
    "self#jumbf=/c2pa/urn:c2pa:1"
#define SHORT(letter) KEY "\x61" letter
#define COMPOSITE     KEY "\x78\x53" TYPES "compositeWithTrainedAlgorithmicMedia"
#define LINK                                                                                       \
    "\x6e"                                                                                         \
    "activeManifest"
#define OLD                                                                                        \
    "\x6d"                                                                                         \
    "c2pa_manifest"

#define OPENED                                                                                     \
    "\x66"                                                                                         \
    "action\x6b"                                                                                   \
    "c2pa.opened"
#define NOTHING            "1 0 PNG caBX||\n"
#define SAYS_PART          SAYS("2", "edited", "trainedAlgorithmicMedia")
#define SAYS_CAPTURE       SAYS("3", "created", "digitalCapture")
#define PARENT_AI          SAYS("1", "parent created", "trainedAlgorithmicMedia")
#define OTHER(where, type) "2 0 C2PA " where "|" type "|" type "\n"

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
        {"c2pa_edited.jpg",
         "1 0 JPEG APP11|libitem tests|\n" SAYS_PART SAYS("0", "parent created", "digitalCapture")},
        /* made by one program and signed again by others */
        {"c2pa_opened.png", "1 0 PNG caBX|libitem tests|\n" PARENT_AI},
        {"c2pa_updated.png", "1 0 PNG caBX|libitem tests|\n" PARENT_AI},
        {"c2pa_compressed.png", NOTHING}, /* and not what the photograph before it says */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_golden(cases[i].name, cases[i].expected);
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
                 NOTHING SAYS("0", "edited", "digitalCapture"));
    /* a type that stands deeper is not the action's */
    expect_store(one_manifest("", "c2pa.actions",
                              BYTES(ACTIONS("\x81") "\xa2" CREATED "\x6a"
                                                    "parameters\xa1" AI)),
                 NOTHING);
    /* repeated types take no room, and those of AI are never left out */
    expect_store(
        one_manifest(
            "", "c2pa.actions",
            BYTES(ACTIONS("\x88") "\xa1" SHORT("a") "\xa1" SHORT("a") "\xa1" SHORT(
                "b") "\xa1" SHORT("c") "\xa1" SHORT("d") "\xa1" SHORT("e") "\xa2" EDITED COMPOSITE
                                                                           "\xa1" SHORT("f"))),
        NOTHING OTHER("edited", "a") OTHER("edited", "b") OTHER("edited", "c") OTHER("edited", "d")
            SAYS("2", "edited", "compositeWithTrainedAlgorithmicMedia"));
    expect_store(
        one_manifest("", "c2pa.actions", BYTES(ACTIONS("\x82") "\xa2" EDITED AI "\xa2" CREATED AI)),
        NOTHING SAYS_PART SAYS_AI);
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
        CASE(INGREDIENT("\x67"
                        "inputTo",
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
}

/* What the parent says of its making, below what the active manifest says of edits. */
static void edits_stand_above_the_parent(void **state)
{
    (void)state;
    static const struct {
        const char *parent, *active, *expected;
        size_t parent_size, active_size;
    } cases[] = {
#define CASE(parent, active, expected)                                                             \
    {parent, active, expected, sizeof(parent) - 1, sizeof(active) - 1}
        CASE(AI_ACTION, ACTIONS("\x81") "\xa2" EDITED SHORT("a"),
             NOTHING OTHER("edited", "a") PARENT_AI),
        CASE(CAPTURE_ACTION, ACTIONS("\x81") "\xa2" EDITED SHORT("a"),
             NOTHING OTHER("edited", "a") SAYS("0", "parent created", "digitalCapture")),
        CASE(CAPTURE_ACTION, ACTIONS("\x81") "\xa1" OPENED,
             NOTHING SAYS("3", "parent created", "digitalCapture")),
        CASE(CAPTURE_ACTION, ACTIONS("\x81") "\xa1" EDITED,
             NOTHING SAYS("0", "parent created", "digitalCapture")),
        CASE(AI_ACTION, CAPTURE_ACTION, NOTHING SAYS_CAPTURE),
        CASE(ACTIONS("\x81") "\xa2" EDITED AI, ACTIONS("\x81") "\xa1" OPENED,
             NOTHING SAYS("2", "parent edited", "trainedAlgorithmicMedia")),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        container two = {0};
        add_manifest(&two, "c2ma", "1", MAKER,
                     (assertion){"c2pa.actions", cases[i].parent, cases[i].parent_size},
                     (assertion){NULL, NULL, 0});
        add_manifest(&two, "c2ma", "2", "",
                     (assertion){"c2pa.ingredient.v3", BYTES(INGREDIENT("\x68"
                                                                        "parentOf",
                                                                        LINK))},
                     (assertion){"c2pa.actions", cases[i].active, cases[i].active_size});
        expect_store(store_of(two), cases[i].expected);
    }
}

/* Three updates over a picture, each of which names the one before. */
static void parents_have_parents(void **state)
{
    (void)state;
    char link[] = INGREDIENT("\x68"
                             "parentOf",
                             LINK),
         name[2] = "1";
    const assertion none = {NULL, NULL, 0};
    container chain = {0};
    add_manifest(&chain, "c2ma", "1", MAKER, (assertion){"c2pa.actions", BYTES(AI_ACTION)}, none);
    for (char i = '2'; i <= '4'; i++) {
        link[sizeof link - 2] = (char)(i - 1);
        name[0] = i;
        add_manifest(&chain, "c2um", name, "",
                     (assertion){"c2pa.ingredient.v3", link, sizeof link - 1}, none);
    }
    expect_store(store_of(chain), NOTHING PARENT_AI);
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
         "claim_generator\x62"
         "a\x7f",
         ""},
        {"\xbb\x80\1\1\1\1\1\1\1\x6f"
         "claim_generator\x43old",
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
                 NOTHING "2 0 C2PA edited|b|a/b\n" SAYS_PART);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files),
        cmocka_unit_test(actions_name_types),
        cmocka_unit_test(the_active_manifest_speaks),
        cmocka_unit_test(parents_are_asked),
        cmocka_unit_test(edits_stand_above_the_parent),
        cmocka_unit_test(parents_have_parents),
        cmocka_unit_test(makers),
        cmocka_unit_test(a_long_name),
        cmocka_unit_test(texts_that_are_broken),
        cmocka_unit_test(lengths_of_boxes),
        cmocka_unit_test(golden_update_of_an_avif),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
