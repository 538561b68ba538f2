/* SPDX-License-Identifier: Apache-2.0 */
/* What files say of their origin: every container, every rule, and metadata that are broken. */
#include <zlib.h>

#include "listed.h"

#define XMP_JPEG "http://ns.adobe.com/xap/1.0/\0"
#define XMP_PNG  "XML:com.adobe.xmp\0\0\0\0\0"
#define XMP_HEAD                                                                                   \
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'>"                                                         \
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"                            \
    "<rdf:Description rdf:about='' xmlns:xmp='http://ns.adobe.com/xap/1.0/'"                       \
    " xmlns:e='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'"                                       \
    " xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/'"                                        \
    " xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'"
#define XMP_TAIL "</rdf:Description></rdf:RDF></x:xmpmeta>"
#define TYPES    "http://cv.iptc.org/newscodes/digitalsourcetype/"
#define JOB      "a fox --v 6 Job ID: 01234567-89ab-cdef-0123-456789abcdef"
#define BLANKS   "                                                                      "
#define WEB_UI   "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7"
#define GRAPH    "{\"3\": {\"class_type\": \"KSampler\"}}"
#define STORE                                                                                      \
    "\0\0\0\x60jumb\0\0\0\x1ejumd"                                                                 \
    "c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\3c2pa\0"

/* ---- PNG texts ---- */

static void png_texts(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t size;
        const char *expected;
    } cases[] = {
        {BYTES("parameters\0" WEB_UI),
         "3 1 PNG text parameters|Stable Diffusion web UI|" WEB_UI "\n"},
        {BYTES("parameters\0{\"sui_image_params\": {}}"),
         "3 1 PNG text parameters|SwarmUI|{\"sui_image_params\": {}}\n"},
        {BYTES("parameters\0 temperature 300 K"), ""},
        {BYTES("parameters\0Steps: many, Sampler: hands"), ""},
        {BYTES("parameters\0"), ""},
        {BYTES("parameters"), ""}, /* no NUL */
        {BYTES("prompt\0" GRAPH), "3 1 PNG text prompt|ComfyUI|" GRAPH "\n"},
        {BYTES("prompt\0what the photographer was asked for"), ""},
        {BYTES("workflow\0{\"nodes\": []}"), "3 1 PNG text workflow|ComfyUI|{\"nodes\": []}\n"},
        {BYTES("invokeai_metadata\0{}"), "3 1 PNG text invokeai_metadata|InvokeAI|{}\n"},
        {BYTES("sd-metadata\0{}"), "3 1 PNG text sd-metadata|InvokeAI|{}\n"},
        {BYTES("Dream\0\"a cat\" -s 50"), "3 1 PNG text Dream|InvokeAI|\"a cat\" -s 50\n"},
        {BYTES("fooocus_scheme\0fooocus"), "3 1 PNG text fooocus_scheme|Fooocus|fooocus\n"},
        {BYTES("Software\0NovelAI"), "3 1 PNG text Software|NovelAI|NovelAI\n"},
        {BYTES("Software\0GIMP"), ""},
        {BYTES("Description\0" JOB), "3 1 PNG text Description|Midjourney|" JOB "\n"},
        {BYTES("Description\0Job ID: 12"), ""},
        {BYTES("Description\0Is this of Midjourney, with a Job ID: ? I took it."), ""},
        {BYTES("Description\0no Job ID: 12, " JOB),
         "3 1 PNG text Description|Midjourney|no Job ID: 12, " JOB "\n"},
        {BYTES("parameters\0Steps: a tango\n" WEB_UI),
         "3 1 PNG text parameters|Stable Diffusion web UI|Steps: a tango\n" WEB_UI "\n"},
        {BYTES("Dream\0caf\xe9 \x01x\x7f"), "3 1 PNG text Dream|InvokeAI|caf\xc3\xa9  x \n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_part(IN_PNG, "tEXt", cases[i].data, cases[i].size, cases[i].expected);
}

static void texts_of_other_chunks(void **state)
{
    (void)state;
    expect_part(IN_PNG, "iTXt", BYTES("Dream\0\0\0en\0Traum\0\xe7\x8c\xab"),
                "3 1 PNG text Dream|InvokeAI|\xe7\x8c\xab\n");
    expect_part(IN_PNG, "iTXt", BYTES("Dream\0\0\0en\0\0\xff!"),
                "3 1 PNG text Dream|InvokeAI|\xef\xbf\xbd!\n");
    expect_part(IN_PNG, "iTXt",
                BYTES("Dream\0\0\0\0\0\xc2\x9b"
                      "31m\xc2\xa0\xc2\x80"),
                "3 1 PNG text Dream|InvokeAI|  31m\xc2\xa0  \n"); /* controls of two bytes */
    container file = container_begin(IN_PNG); /* a wrong checksum takes no claim back */
    container_part(&file, "tEXt", BYTES("Dream\0a cat"));
    file.data[file.size - 1] ^= 1;
    expect_file("a wrong checksum", &file, "3 1 PNG text Dream|InvokeAI|a cat\n");
    free(file.data);
    static const char broken[] = "4 0 PNG text||PNG text: the chunk is broken\n";
    expect_part(IN_PNG, "iTXt", BYTES("Dream\0\0\0en\0"), broken);
    expect_part(IN_PNG, "iTXt", BYTES("Dream\0"), broken);
    expect_part(IN_PNG, "zTXt", BYTES("Dream\0"), broken);
    expect_part(IN_PNG, "zTXt", BYTES("Dream\0\0no zlib"), broken);
}

/* Packed texts: a small one, and one of 64 MiB in 64 KiB of which the beginning is looked at. */
static void packed_texts(void **state)
{
    (void)state;
    static const char head[] = "Dream\0";
    const size_t large = (size_t)64 << 20;
    uLongf room = compressBound(large);
    char *text = malloc(large), *chunk = malloc(sizeof head + room);
    assert_true(text && chunk);
    memcpy(chunk, head, sizeof head);
    memset(text, 'a', large);
    text[0] = 'b';
    for (int i = 0; i < 2; i++) {
        uLongf size = room;
        assert_int_equal(
            compress((Bytef *)chunk + sizeof head, &size, (Bytef *)text, i ? large : 9), Z_OK);
        container file = container_begin(IN_PNG);
        container_part(&file, "zTXt", chunk, sizeof head + size);
        char expected[2100];
        snprintf(expected, sizeof expected, "3 1 PNG text Dream|InvokeAI|%.*s%s\n", i ? 2000 : 9,
                 text, i ? "..." : "");
        expect_file("a packed text", &file, expected);
        free(file.data);
    }
    free(text);
    free(chunk);
}

/* What is kept is at most 2,000 bytes and "...", also where one byte becomes three. */
static void long_texts(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        size_t kept;
    } cases[] = {{"\xff", 1998},
                 {"a\xff", 1997},
                 {"\xc3\xa9", 2000},
                 {"\xe7\x8c\xab", 1998},
                 {"a\xf0\x9f\x98\x80", 2000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        container text = {0}, file = container_begin(IN_PNG);
        container_add(&text, BYTES("Dream\0\0\0\0\0"));
        for (int n = 0; n < 3000; n++)
            container_add(&text, cases[i].piece, strlen(cases[i].piece));
        container_part(&file, "iTXt", text.data, text.size);
        item_provenance *list = NULL;
        item_provenance_entry e = ITEM_PROVENANCE_ENTRY_INIT;
        assert_int_equal(item_provenance_from_memory(file.data, file.size, NULL, &list, NULL),
                         ITEM_OK);
        assert_int_equal(item_provenance_get(list, 0, &e, NULL), ITEM_OK);
        assert_int_equal(strlen(e.value), cases[i].kept + 3);
        assert_string_equal(e.value + cases[i].kept, "...");
        item_provenance_free(list);
        free(text.data);
        free(file.data);
    }
}

/* UTF-8 in a chunk that is due to be Latin-1, also where what is looked at ends amid a character. */
static void long_utf8(void **state)
{
    (void)state;
    for (size_t ahead = 0; ahead < 2; ahead++) {
        container text = {0}, file = container_begin(IN_PNG);
        container_add(&text, "Dream\0a", 6 + ahead);
        for (int n = 0; n < 40000; n++)
            container_add(&text, BYTES("\xc3\xa9"));
        container_part(&file, "tEXt", text.data, text.size);
        item_provenance *list = NULL;
        item_provenance_entry e = ITEM_PROVENANCE_ENTRY_INIT;
        assert_int_equal(item_provenance_from_memory(file.data, file.size, NULL, &list, NULL),
                         ITEM_OK);
        assert_int_equal(item_provenance_get(list, 0, &e, NULL), ITEM_OK);
        assert_memory_equal(e.value + ahead, "\xc3\xa9\xc3\xa9", 4);
        item_provenance_free(list);
        free(text.data);
        free(file.data);
    }
}

/* ---- XMP ---- */

static void xmp_properties(void **state)
{
    (void)state;
    static const struct {
        const char *xmp, *expected;
    } cases[] = {
        {XMP_HEAD " e:DigitalSourceType='" TYPES "trainedAlgorithmicMedia'>" XMP_TAIL,
         "2 1 XMP DigitalSourceType|trainedAlgorithmicMedia|" TYPES "trainedAlgorithmicMedia\n"},
        {XMP_HEAD "><e:DigitalSourceType>\n" TYPES "digitalCapture </e:DigitalSourceType>" XMP_TAIL,
         "2 3 XMP DigitalSourceType|digitalCapture|" TYPES "digitalCapture\n"},
        {XMP_HEAD "><e:DigitalSourceType rdf:resource='" TYPES
                  "compositeWithTrainedAlgorithmicMedia'/>" XMP_TAIL,
         "2 2 XMP DigitalSourceType|compositeWithTrainedAlgorithmicMedia|" TYPES
         "compositeWithTrainedAlgorithmicMedia\n"},
        {XMP_HEAD " e:DigitalSourceType='" TYPES "screenCapture'>" XMP_TAIL,
         "2 0 XMP DigitalSourceType|screenCapture|" TYPES "screenCapture\n"},
        {XMP_HEAD " xmp:DigitalSourceType='" TYPES "trainedAlgorithmicMedia'>" XMP_TAIL, ""},
        {XMP_HEAD " e:DigitalSourceType=''>" XMP_TAIL, ""},
        {XMP_HEAD "><e:DigitalSourceType>" BLANKS TYPES "print" BLANKS BLANKS
                  "</e:DigitalSourceType>" XMP_TAIL,
         "2 3 XMP DigitalSourceType|print|" TYPES "print\n"},
        {XMP_HEAD "><e:DigitalSourceType><rdf:Bag>\n<rdf:li>" TYPES
                  "digitalCapture</rdf:li>\n<rdf:li rdf:resource='" TYPES
                  "trainedAlgorithmicMedia'/></rdf:Bag></e:DigitalSourceType>" XMP_TAIL,
         "2 3 XMP DigitalSourceType|digitalCapture|" TYPES "digitalCapture\n"
         "2 1 XMP DigitalSourceType|trainedAlgorithmicMedia|" TYPES "trainedAlgorithmicMedia\n"},
        {XMP_HEAD " photoshop:Credit='Made with Google AI'>" XMP_TAIL,
         "3 1 XMP Credit|Google AI|Made with Google AI\n"},
        {XMP_HEAD "><photoshop:Credit>Edited with Google AI</photoshop:Credit>" XMP_TAIL,
         "3 2 XMP Credit|Google AI|Edited with Google AI\n"},
        {XMP_HEAD "><dc:description><rdf:Alt>\n <rdf:li xml:lang='x-default'>" JOB
                  "</rdf:li></rdf:Alt></dc:description>" XMP_TAIL,
         "3 1 XMP description|Midjourney|" JOB "\n"},
        {XMP_HEAD "><dc:description><rdf:Alt><rdf:li xml:lang='de'>ein Fuchs</rdf:li>"
                  "<rdf:li xml:lang='x-default'>" JOB "</rdf:li><rdf:li xml:lang='en'>" JOB
                  "</rdf:li></rdf:Alt></dc:description>" XMP_TAIL,
         "3 1 XMP description|Midjourney|" JOB "\n"},
        {"<!DOCTYPE x [<!ENTITY a 'b'><!ENTITY c '&a;&a;&a;&a;'>]>" XMP_HEAD
         " photoshop:Credit='&c;'>" XMP_TAIL,
         "4 0 XMP||XMP: it has a document type\n"},
        {XMP_HEAD " photoshop:Credit='&lol;'>" XMP_TAIL, "4 0 XMP||XMP: undefined entity\n"},
        {XMP_HEAD " photoshop:Credit='Made with Google AI'>",
         "3 1 XMP Credit|Google AI|Made with Google AI\n4 0 XMP||XMP: no element found\n"},
        {"", "4 0 XMP||XMP: no element found\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t size = strlen(cases[i].xmp);
        container file = container_begin(IN_WEBP);
        container_part(&file, "XMP ", cases[i].xmp, size + 1); /* and its NUL, as some write it */
        expect_file(cases[i].xmp, &file, cases[i].expected);
        free(file.data);
    }
}

static void xmp_in_each_container(void **state)
{
    (void)state;
    static const char expected[] = "3 1 XMP Credit|Google AI|Made with Google AI\n";
#define XMP XMP_HEAD " photoshop:Credit='Made with Google AI'>" XMP_TAIL
    expect_part(IN_JPEG, "\xe1", BYTES(XMP_JPEG XMP), expected);
    expect_part(IN_PNG, "iTXt", BYTES(XMP_PNG XMP), expected);
    expect_part(IN_WEBP, "XMP ", BYTES(XMP), expected);
    static const uint8_t utf16[] = {0xff, 0xfe, '<', 0, 'a', 0, '/', 0, '>', 0};
    expect_part(IN_WEBP, "XMP ", (const char *)utf16, sizeof utf16, "");

    container file = container_begin(IN_WEBP);
    const size_t large = (1 << 20) + 1;
    char *blanks = malloc(large);
    assert_non_null(blanks);
    memset(blanks, ' ', large);
    container_part(&file, "XMP ", blanks, large);
    expect_file("large XMP", &file, "4 0 XMP||XMP: it is too large\n");
    free(blanks);
    free(file.data);
}

static void every_source_type(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int claim;
    } types[] = {
        {"trainedAlgorithmicMedia", 1},
        {"compositeWithTrainedAlgorithmicMedia", 2},
        {"compositeSynthetic", 2},
        {"digitalCapture", 3},
        {"computationalCapture", 3},
        {"negativeFilm", 3},
        {"positiveFilm", 3},
        {"print", 3},
        {"humanEdits", 0},
        {"trainedAlgorithmicMediaNot", 0},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char xmp[1500], expected[300];
        snprintf(xmp, sizeof xmp, XMP_HEAD " e:DigitalSourceType='" TYPES "%s'>" XMP_TAIL,
                 types[i].name);
        snprintf(expected, sizeof expected, "2 %d XMP DigitalSourceType|%s|" TYPES "%s\n",
                 types[i].claim, types[i].name, types[i].name);
        expect_part(IN_WEBP, "XMP ", xmp, strlen(xmp), expected);
    }
}

/* ---- EXIF ---- */

#define LITTLE "II*\0\x08\0\0\0"
#define ONE    "\1\0"

static void exif_texts(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t size;
        const char *expected;
    } cases[] = {
        /* Software, ASCII, 8 bytes behind the folder */
        {BYTES(LITTLE ONE "\x31\x01\2\0\x08\0\0\0\x1a\0\0\0\0\0\0\0NovelAI\0"),
         "3 1 EXIF Software|NovelAI|NovelAI\n"},
        {BYTES("MM\0*\0\0\0\x08\0\1\x01\x31\0\2\0\0\0\x08\0\0\0\x1a\0\0\0\0NovelAI\0"),
         "3 1 EXIF Software|NovelAI|NovelAI\n"},
        /* the same, one byte short */
        {BYTES(LITTLE ONE "\x31\x01\2\0\x08\0\0\0\x1a\0\0\0\0\0\0\0NovelAI"), ""},
        /* a count that is beyond everything */
        {BYTES(LITTLE ONE "\x31\x01\2\0\xff\xff\xff\xff\x1a\0\0\0\0\0\0\0NovelAI"), ""},
        /* Model, as ComfyUI has it in WebP */
        {BYTES(LITTLE ONE "\x10\x01\2\0\x0b\0\0\0\x1a\0\0\0\0\0\0\0prompt:{\"}\0"),
         "3 1 EXIF Model|ComfyUI|prompt:{\"}\n"},
        {BYTES(LITTLE ONE "\x10\x01\2\0\5\0\0\0\x1a\0\0\0\0\0\0\0EOS R"), ""},
        /* an Exif folder at 26 with UserComment at 44: UTF-16 of either order, and plain */
        {BYTES(LITTLE ONE "\x69\x87\4\0\1\0\0\0\x1a\0\0\0\0\0\0\0" ONE
                          "\x86\x92\7\0\x34\0\0\0\x2c\0\0\0\0\0\0\0UNICODE\0"
                          "\0S\0t\0e\0p\0s\0:\0 \0"
                          "1\0,\0 \0S\0e\0e\0d\0:\0 \0"
                          "1\xd8\x3d\xde\0"
                          "\xdc\1\0"
                          "e\0z"),
         "3 1 EXIF UserComment|Stable Diffusion web UI|Steps: 1, Seed: 1"
         "\xf0\x9f\x98\x80\xef\xbf\xbd"
         "ez\n"},
        /* with a mark of the other order than the file's */
        {BYTES(LITTLE ONE "\x86\x92\7\0\x2a\0\0\0\x1a\0\0\0\0\0\0\0UNICODE\0\xfe\xff"
                          "\x4e\x00\0S\0t\0e\0p\0s\0:\0 \0"
                          "1\0,\0S\0e\0e\0d\0:\0 "),
         "3 1 EXIF UserComment|Stable Diffusion web UI|\xe4\xb8\x80Steps: 1,Seed: \n"},
        {BYTES(LITTLE ONE "\x86\x92\7\0\x18\0\0\0\x1a\0\0\0\0\0\0\0UNICODE\0S\0t\0e\0p\0s\0:\0 \0"
                          "1\0"),
         ""},
        {BYTES(LITTLE ONE "\x86\x92\7\0\x19\0\0\0\x1a\0\0\0\0\0\0\0ASCII\0\0\0Steps: 2, Seed: 3"),
         "3 1 EXIF UserComment|Stable Diffusion web UI|Steps: 2, Seed: 3\n"},
        {BYTES("no TIFF header"), "4 0 EXIF||EXIF: its header is broken\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_part(IN_WEBP, "EXIF", cases[i].data, cases[i].size, cases[i].expected);
    expect_part(IN_PNG, "eXIf", cases[0].data, cases[0].size, cases[0].expected);
    container file = container_begin(IN_JPEG);
    char named[64] = "Exif\0";
    memcpy(named + 6, cases[0].data, cases[0].size);
    container_part(&file, "\xe1", named, 6 + cases[0].size);
    expect_file("EXIF in a JPEG", &file, cases[0].expected);
    free(file.data);
}

/* ---- C2PA ---- */

static void manifests(void **state)
{
    (void)state;
    static const char uuid[] = "\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81"
                               "\0\0\0\0manifest\0\0\0\0\0\0\0\0\0" STORE;
    expect_part(IN_JPEG, "\xeb", BYTES("JP\0\1\0\0\0\1" STORE), "1 0 JPEG APP11||\n");
    expect_part(IN_JPEG, "\xeb", BYTES("JP\0\1\0\0\0\1\0\0\0\x08jumb"), "");
    expect_part(IN_JPEG, "\xeb", BYTES("HDR_RI ver=11"), "");
    expect_part(IN_PNG, "caBX", BYTES(STORE), "1 0 PNG caBX||\n");
    expect_part(IN_PNG, "caBX", BYTES("\0\0\0\x60jumb"), "");
    expect_part(IN_WEBP, "C2PA", BYTES(STORE), "1 0 WebP C2PA||\n");
    expect_part(IN_HEIF, "uuid", BYTES(uuid), "1 0 HEIF uuid||\n");
    expect_part(IN_HEIF, "free", BYTES(uuid), "");
    expect_part(IN_HEIF, "uuid", uuid, 30, "");
}

/* ---- files of other programs ---- */

static void golden_files(void **state)
{
    (void)state;
#define SOURCE_TYPE                                                                                \
    "2 1 XMP DigitalSourceType|trainedAlgorithmicMedia|" TYPES "trainedAlgorithmicMedia\n"
#define SOFTWARE "3 1 EXIF Software|NovelAI|NovelAI\n"
    static const struct {
        const char *name, *expected;
    } cases[] = {
        {"origin.jpg", "1 0 JPEG APP11||\n" SOURCE_TYPE SOFTWARE},
        {"origin.png", "1 0 PNG caBX||\n" SOURCE_TYPE
                       "3 1 PNG text parameters|Stable Diffusion web UI|a fox\nSteps: 20, Sampler: "
                       "Euler, Seed: 1\n" SOFTWARE},
        {"origin.avif", WITH_HEIF ? SOURCE_TYPE SOFTWARE : ""},
        {"webp_exif_3.webp", ""},
        {"quarters.heic", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_golden(cases[i].name, cases[i].expected);
}

/* Entries come by kind, at most 16; what is more is left out without harm. */
static void many_entries(void **state)
{
    (void)state;
    container file = container_begin(IN_PNG);
    for (int i = 0; i < 3; i++) {
        container_part(&file, "tEXt", BYTES("Software\0NovelAI"));
        container_part(&file, "tEXt", BYTES("date:create\0today"));
    }
    container_part(&file, "caBX", BYTES(STORE));
    container_part(&file, "caBX", BYTES(STORE));
    expect_file("the same again", &file, "1 0 PNG caBX||\n3 1 PNG text Software|NovelAI|NovelAI\n");
    free(file.data);

    container xmp = {0};
    container_add(&xmp, BYTES(XMP_HEAD ">"));
    for (int i = 0; i < 20; i++) {
        char type[64];
        snprintf(type, sizeof type, "<e:DigitalSourceType>a/%d</e:DigitalSourceType>", i);
        container_add(&xmp, type, strlen(type));
    }
    container_add(&xmp, BYTES(XMP_TAIL));
    file = container_begin(IN_WEBP);
    container_part(&file, "XMP ", xmp.data, xmp.size);
    item_provenance *list = NULL;
    assert_int_equal(item_provenance_from_memory(file.data, file.size, NULL, &list, NULL), ITEM_OK);
    assert_int_equal(item_provenance_count(list), 16);
    item_provenance_free(list);
    free(xmp.data);
    free(file.data);
}

/* A picture of the golden ones cut anywhere, and with any byte changed, is read or refused. */
static void damage(void **state)
{
    (void)state;
    container file = container_begin(IN_WEBP);
    container_part(&file, "XMP ", BYTES(XMP_HEAD " e:DigitalSourceType='x/y'>" XMP_TAIL));
    container_part(&file, "EXIF",
                   BYTES(LITTLE ONE "\x31\x01\2\0\x08\0\0\0\x1a\0\0\0\0\0\0\0NovelAI"));
    container_part(&file, "C2PA", BYTES(STORE));
    for (size_t i = 0; i <= file.size; i++) {
        item_provenance *list = NULL;
        item_error err = ITEM_ERROR_INIT;
        item_status status = item_provenance_from_memory(file.data, i, NULL, &list, &err);
        assert_int_equal(status == ITEM_OK, i >= 12);
        assert_int_equal(list != NULL, i >= 12);
        item_provenance_free(list);
    }
    read_changed(&file, 12);
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_texts),
        cmocka_unit_test(texts_of_other_chunks),
        cmocka_unit_test(packed_texts),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(long_utf8),
        cmocka_unit_test(xmp_properties),
        cmocka_unit_test(xmp_in_each_container),
        cmocka_unit_test(exif_texts),
        cmocka_unit_test(every_source_type),
        cmocka_unit_test(manifests),
        cmocka_unit_test(golden_files),
        cmocka_unit_test(many_entries),
        cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
