/* SPDX-License-Identifier: Apache-2.0 */
/* C2PA manifests: those of the C2PA project's own library, and made ones that are odd or broken. */
#include "listed.h"

#define TYPES "http://cv.iptc.org/newscodes/digitalsourcetype/"
/* A key and a text of CBOR: 17 and 70, 61 bytes long. */
#define KEY                                                                                        \
    "\x71"                                                                                         \
    "digitalSourceType"
#define AI      KEY "\x78\x46" TYPES "trainedAlgorithmicMedia"
#define CAPTURE KEY "\x78\x3d" TYPES "digitalCapture"
#define MAKER                                                                                      \
    "\xa1\x74"                                                                                     \
    "claim_generator_info\xa1\x64name\x67"                                                         \
    "ChatGPT"

#define SAYS_AI                                                                                    \
    "2 1 C2PA digitalSourceType|trainedAlgorithmicMedia|" TYPES "trainedAlgorithmicMedia\n"
#define SAYS_CAPTURE "2 3 C2PA digitalSourceType|digitalCapture|" TYPES "digitalCapture\n"

/* ---- boxes ---- */

static void add_box(container *to, const char *type, const void *data, size_t size)
{
    container_number(to, 8 + size, 4, false);
    container_add(to, type, 4);
    container_add(to, data, size);
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

/* A manifest of a claim and of actions, whose assertion has that label. */
static void add_manifest(container *to, const char *claim, const char *label, const char *actions,
                         size_t size)
{
    container assertions = {0}, manifest = {0};
    add_cbor(&assertions, "cbor", "c2pa.hash.data", BYTES(AI)); /* it has no say */
    add_cbor(&assertions, "cbor", label, actions, size);
    add_super_box(&manifest, "c2as", "c2pa.assertions", assertions);
    add_cbor(&manifest, "c2cl", "c2pa.claim.v2", claim, strlen(claim));
    add_super_box(to, "c2ma", "urn:c2pa:1", manifest);
}

static container store_of(container manifests)
{
    container store = {0};
    add_super_box(&store, "c2pa", "c2pa", manifests);
    return store;
}

static container one_manifest(const char *claim, const char *label, const char *actions,
                              size_t size)
{
    container manifests = {0};
    add_manifest(&manifests, claim, label, actions, size);
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
        {"c2pa_version_1.jpg", "1 0 JPEG APP11|libitem_tests/1.0|\n" SAYS_AI},
        /* made from a photograph, of which a manifest of its own speaks */
        {"c2pa_edited.jpg", "1 0 JPEG APP11|libitem tests|\n"
                            "2 2 C2PA digitalSourceType|compositeWithTrainedAlgorithmicMedia|" TYPES
                            "compositeWithTrainedAlgorithmicMedia\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bytes file = read_picture(cases[i].name);
        container as_is = {.data = file.data, .size = file.size};
        expect_file(cases[i].name, &as_is, cases[i].expected);
        free(file.data);
    }
}

/* ---- manifests ---- */

static void actions_of_the_active_manifest(void **state)
{
    (void)state;
    static const char *const labels[] = {"c2pa.actions", "c2pa.actions.v2", "c2pa.actions__1"};
    for (size_t i = 0; i < 3; i++)
        expect_store(one_manifest(MAKER, labels[i], BYTES(AI)), "1 0 PNG caBX|ChatGPT|\n" SAYS_AI);
    expect_store(one_manifest(MAKER, "c2pa.ingredient.v3", BYTES(AI)), "1 0 PNG caBX|ChatGPT|\n");
    expect_store(one_manifest("", "c2pa.actions", BYTES(CAPTURE AI CAPTURE AI)),
                 "1 0 PNG caBX||\n" SAYS_CAPTURE SAYS_AI);
    container two = {0};
    add_manifest(&two, MAKER, "c2pa.actions", BYTES(AI));
    add_manifest(&two, "", "c2pa.actions", BYTES(CAPTURE));
    expect_store(store_of(two), "1 0 PNG caBX||\n" SAYS_CAPTURE);
}

static void makers(void **state)
{
    (void)state;
    static const struct {
        const char *claim, *name;
    } cases[] = {
        {"\x6f"
         "claim_generator\x78\x19OpenAI-API tests/1.2 c2pa-rs",
         "OpenAI-API tests/1.2 c2pa"},
        {"\x6f"
         "claim_generator\x63old\x74"
         "claim_generator_info\xa1\x64name\x67"
         "ChatGPT",
         "ChatGPT"},
        {"\x6f"
         "claim_generator\x63old\x74"
         "claim_generator_info\x81\xa1\x64name\x63new",
         "old"},
        {"\x6f"
         "claim_generator\x78\xff"
         "cut",
         ""},
        {"\x6f"
         "claim_generator\x62\xff\xfe",
         ""},
        {"\x6f"
         "claim_generator\x60",
         ""},
        {"\x6f"
         "claim_generator\x43old",
         ""},
        {"\x6f"
         "claim_generator",
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[128];
        snprintf(expected, sizeof expected, "1 0 PNG caBX|%s|\n", cases[i].name);
        expect_store(one_manifest(cases[i].claim, "c2pa.actions", BYTES("")), expected);
    }
}

static void texts_that_are_broken(void **state)
{
    (void)state;
    expect_store(one_manifest("", "c2pa.actions", BYTES(KEY)), "1 0 PNG caBX||\n");
    expect_store(one_manifest("", "c2pa.actions", BYTES(KEY "\x78")), "1 0 PNG caBX||\n");
    expect_store(one_manifest("", "c2pa.actions", BYTES(KEY "\x78\x46http")), "1 0 PNG caBX||\n");
    expect_store(one_manifest("", "c2pa.actions", BYTES(KEY "\x79\0\1x")), "1 0 PNG caBX||\n");
    expect_store(one_manifest("", "c2pa.actions", BYTES(KEY "\xf6" AI)),
                 "1 0 PNG caBX||\n" SAYS_AI);
    expect_store(one_manifest("", "c2pa.actions",
                              BYTES(KEY "\x63"
                                        "a/b")),
                 "1 0 PNG caBX||\n2 0 C2PA digitalSourceType|b|a/b\n");
}

/* ---- pieces of a JPEG ---- */

#define PIECE 40

/* A JPEG with the store in pieces, each of which has the box's head again; `without`: that piece is
   left out. */
static container in_pieces(const container *store, size_t without)
{
    static const char app11[4] = "\xeb";
    container file = container_begin(IN_JPEG), head = {0};
    container_number(&head, store->size, 4, false);
    container_add(&head, "jumb", 4);
    for (size_t at = 8, piece = 1; at < store->size; at += PIECE, piece++) {
        const size_t left = store->size - at;
        container part = {0};
        container_add(&part, "JP\0\7", 4);
        container_number(&part, piece, 4, false);
        container_add(&part, head.data, head.size);
        container_add(&part, store->data + at, left < PIECE ? left : PIECE);
        if (piece != without)
            container_part(&file, app11, part.data, part.size);
        free(part.data);
        container_part(&file, app11, BYTES("JP\0\x8\0\0\0\2\0\0\0\x10jumbanother"));
    }
    free(head.data);
    return file;
}

static void pieces_are_joined(void **state)
{
    (void)state;
    container store = one_manifest(MAKER, "c2pa.actions", BYTES(AI));
    for (size_t without = 0; without < 6; without++) {
        container file = in_pieces(&store, without);
        expect_file("pieces", &file,
                    without == 0   ? "1 0 JPEG APP11|ChatGPT|\n" SAYS_AI
                    : without == 1 ? ""
                                   : "1 0 JPEG APP11||\n");
        free(file.data);
    }
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
    container store = one_manifest(MAKER, "c2pa.actions", BYTES(AI));
    for (size_t i = 0; i < store.size; i++) {
        container file = container_begin(IN_WEBP);
        container_part(&file, "C2PA", store.data, i);
        read_anything(&file);
        free(file.data);
    }
    container file = in_pieces(&store, 0);
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
        cmocka_unit_test(actions_of_the_active_manifest),
        cmocka_unit_test(makers),
        cmocka_unit_test(texts_that_are_broken),
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
