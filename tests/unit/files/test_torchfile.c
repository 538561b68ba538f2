/* SPDX-License-Identifier: Apache-2.0 */
/* Torch checkpoints: what of a pickle is run, and which tensors are believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../common/test_mem.h"
#include "checkpoint.h"

static item_status open_pickle(const char *pickle, size_t length, itemi_weights **w,
                               itemi_buf *bytes, item_error *err)
{
    checkpoint_make(bytes, pickle, length);
    return itemi_weights_parse(NULL, bytes->data, bytes->length, "w.bin", w, err);
}

#define ASSERT_REFUSED(pickle, status, message)                                                    \
    assert_refused(pickle, sizeof(pickle) - 1, status, message)
static void assert_refused(const char *pickle, size_t length, item_status status,
                           const char *message)
{
    itemi_weights *w = (itemi_weights *)1;
    itemi_buf bytes;
    item_error err = ITEM_ERROR_INIT;
    item_status got = open_pickle(pickle, length, &w, &bytes, &err);
    if (got != status || !strstr(err.message, message))
        fail_msg("%s \"%s\", not \"%s\"", item_status_name(got), err.message, message);
    assert_memory_equal(err.message, "w.bin: ", 7);
    assert_null(w);
    itemi_buf_free(&bytes);
}

#define ASSERT_OPENS(pickle, count) assert_opens(pickle, sizeof(pickle) - 1, count)
static void assert_opens(const char *pickle, size_t length, size_t count)
{
    itemi_weights *w;
    itemi_buf bytes;
    item_error err = ITEM_ERROR_INIT;
    if (open_pickle(pickle, length, &w, &bytes, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    assert_int_equal(itemi_weights_count(w), count);
    itemi_weights_close(w);
    itemi_buf_free(&bytes);
}

/* ---- what a pickle may do ---- */

static void code_is_refused_by_name(void **unused)
{
    (void)unused;
    ASSERT_REFUSED("cos\nsystem\n(" P_TEXT("\2", "ls") "tR.", ITEM_E_UNSUPPORTED,
                   "pickle asks for os.system: refused");
    ASSERT_REFUSED("\x80\4\x8c\5posix\x94\x8c\6system\x94\x93.", ITEM_E_UNSUPPORTED,
                   "pickle asks for posix.system: refused");
    ASSERT_REFUSED("c__builtin__\neval\n.", ITEM_E_UNSUPPORTED, "asks for __builtin__.eval: ");
    ASSERT_REFUSED("ctorch\nload\n.", ITEM_E_UNSUPPORTED, "pickle asks for torch.load: refused");
    ASSERT_REFUSED("ctorch\nFloatStorageX\n.", ITEM_E_UNSUPPORTED, "torch.FloatStorageX: ");
    ASSERT_REFUSED("ctorch\nComplexFloatStorage\n.", ITEM_E_UNSUPPORTED,
                   "pickle asks for torch.ComplexFloatStorage: refused");
    ASSERT_REFUSED("ccollections\nOrderedDict.__reduce__\n.", ITEM_E_UNSUPPORTED,
                   "pickle asks for collections.OrderedDict.__reduce__: refused");
    ASSERT_REFUSED("(ios\nsystem\n.", ITEM_E_UNSUPPORTED, "the operation INST: refused");
    ASSERT_REFUSED("ctorch\nFloatStorage\n)\x81.", ITEM_E_UNSUPPORTED, "operation NEWOBJ: ");
    ASSERT_REFUSED("Pmodule\n.", ITEM_E_UNSUPPORTED, "the operation PERSID: refused");
    ASSERT_REFUSED("\x82\1.", ITEM_E_UNSUPPORTED, "the operation EXT1: refused");
    ASSERT_REFUSED("\xff.", ITEM_E_UNSUPPORTED, "the operation 0xff: refused");
    ASSERT_REFUSED("ctorch\nFloatStorage\n)R.", ITEM_E_UNSUPPORTED, "a storage with arguments");
    ASSERT_REFUSED("ccollections\nOrderedDict\n(K\1tR.", ITEM_E_UNSUPPORTED,
                   "pickle uses a dict with arguments: refused");
    ASSERT_REFUSED("\x80\6}.", ITEM_E_UNSUPPORTED, "pickle uses a protocol above 5: refused");
}

/* A name of any length and any bytes gives a short line of UTF-8. */
static void long_names_are_cut(void **unused)
{
    (void)unused;
    char pickle[5000];
    memset(pickle, 0xff, sizeof pickle);
    pickle[0] = 'c';
    pickle[2000] = pickle[4500] = '\n';
    itemi_weights *w;
    itemi_buf bytes;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(open_pickle(pickle, sizeof pickle, &w, &bytes, &err), ITEM_E_UNSUPPORTED);
    assert_int_equal(itemi_utf8_valid(err.message, strlen(err.message)), strlen(err.message));
    assert_non_null(strstr(err.message, ": refused"));
    itemi_buf_free(&bytes);
}

static void broken_pickles(void **unused)
{
    (void)unused;
    ASSERT_REFUSED("", ITEM_E_FORMAT, "is the file cut short?");
    ASSERT_REFUSED("}", ITEM_E_FORMAT, "broken pickle: byte 1 wants more than the pickle has");
    ASSERT_REFUSED(".", ITEM_E_FORMAT, "takes from an empty stack");
    ASSERT_REFUSED("(.", ITEM_E_FORMAT, "takes from an empty stack");
    ASSERT_REFUSED("}(s.", ITEM_E_FORMAT, "takes from an empty stack");
    ASSERT_REFUSED("}(R.", ITEM_E_FORMAT, "takes from an empty stack");
    ASSERT_REFUSED("(q\0.", ITEM_E_FORMAT, "takes from an empty stack");
    ASSERT_REFUSED("(b.", ITEM_E_FORMAT, "takes from an empty stack");
    ASSERT_REFUSED("}t.", ITEM_E_FORMAT, "lacks a mark");
    ASSERT_REFUSED("}(K\1u.", ITEM_E_FORMAT, "has a key without a value");
    ASSERT_REFUSED("]K\1K\1s.", ITEM_E_FORMAT, "finds no list or dict to fill");
    ASSERT_REFUSED("}K\1a.", ITEM_E_FORMAT, "finds no list or dict to fill");
    ASSERT_REFUSED(")K\1b.", ITEM_E_FORMAT, "finds no list or dict to fill");
    ASSERT_REFUSED("}q\1.", ITEM_E_FORMAT, "memo entry 1 comes after 0");
    ASSERT_REFUSED("h\0.", ITEM_E_FORMAT, "wants a memo entry that is not there");
    ASSERT_REFUSED("cos", ITEM_E_FORMAT, "begins a line that does not end");
    ASSERT_REFUSED("K\1K\2\x93.", ITEM_E_FORMAT, "asks for what has no name");
    ASSERT_REFUSED("K\1)R.", ITEM_E_FORMAT, "calls what is no function");
    ASSERT_REFUSED("ctorch\nFloatStorage\nK\1R.", ITEM_E_FORMAT, "calls what is no function");
    ASSERT_REFUSED("K\1.", ITEM_E_FORMAT, "holds no state dict");
    ASSERT_REFUSED(").", ITEM_E_FORMAT, "holds no state dict");
    ASSERT_REFUSED("K\1Q.", ITEM_E_FORMAT, "names no storage");
    ASSERT_REFUSED(")Q.", ITEM_E_FORMAT, "names no storage");
    ASSERT_REFUSED("(K\1K\1K\1K\1K\1tQ.", ITEM_E_FORMAT, "names no storage");
    ASSERT_REFUSED("ctorch._utils\n_rebuild_tensor_v2\n)R.", ITEM_E_FORMAT, "makes a tensor of");
    ASSERT_REFUSED("ctorch._utils\n_rebuild_tensor_v2\n(K\1K\1K\1K\1K\1K\1tR.", ITEM_E_FORMAT,
                   "makes a tensor of something else");
    ASSERT_REFUSED("ctorch._utils\n_rebuild_parameter\n)R.", ITEM_E_FORMAT, "makes a parameter");
    ASSERT_REFUSED("ctorch._utils\n_rebuild_parameter\n(K\1K\1K\1tR.", ITEM_E_FORMAT,
                   "makes a parameter of something else");
    ASSERT_REFUSED("ctorch._utils\n_rebuild_tensor_v2\n(" P_STORAGE "K\0)))})tR.",
                   ITEM_E_UNSUPPORTED, "a conjugated or negated tensor");
}

/* What is no tensor is passed over, however it is written. */
static void other_values_are_passed_over(void **unused)
{
    (void)unused;
    ASSERT_OPENS("}.", 0);
    ASSERT_OPENS("\x80\2ccollections\nOrderedDict\n)R}" P_TEXT("\1", "m") "Nsb.", 0);
    ASSERT_OPENS("\x80\4\x95\0\0\0\0\0\0\0\0}K\1]\x94(NG........\x88\x89" P_TEXT("\0", "") "es.",
                 0);
    ASSERT_OPENS("}K\1]K\2as.", 0);
    ASSERT_OPENS("}K\1\x8a\0sK\2\x8a\1\xffs.", 0);
    ASSERT_OPENS("}K\1\x8b\x0c\0\0\0............sM\0\1J\xff\xff\xff\xffs.", 0);
    ASSERT_OPENS("}\x8d\1\0\0\0\0\0\0\0xK\1\x85s.", 0);
    ASSERT_OPENS(P_STATE(P_TENSOR), 1);
    ASSERT_OPENS("}" P_TEXT("\x0a", "state_dict") "}" P_NAME P_TENSOR "ss.", 1);
    ASSERT_OPENS("}q\0" P_NAME "q\1r\2\0\0\0j\0\0\0\0s.", 0);
}

static void bombs_are_refused(void **unused)
{
    (void)unused;
    ASSERT_REFUSED("}r\0\xca\x9a\x3b.", ITEM_E_FORMAT, "memo entry 1000000000 comes after 0");
    ASSERT_REFUSED("}X\xff\xff\xff\xff.", ITEM_E_FORMAT, "wants more than the pickle has");
    ASSERT_REFUSED("}\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", ITEM_E_FORMAT, "wants more than");
    ASSERT_REFUSED("}\x8b\xff\xff\xff\xff.", ITEM_E_FORMAT, "wants more than the pickle has");
    enum { MANY = (16 << 20) + 1 };
    char *many = malloc(MANY);
    memset(many, '(', MANY);
    assert_refused(many, 101, ITEM_E_LIMIT, "pickle nested deeper than 100 levels");
    assert_refused(many, MANY, ITEM_E_LIMIT, "a pickle of more than 16777216 bytes");
    memset(many, ')', MANY); /* 4 million tuples, each in the one before */
    memset(many + 1, 0x85, MANY - 1);
    assert_refused(many, MANY - 1, ITEM_E_LIMIT, "a pickle of more than 4000000 operations");
    free(many);
}

/* ---- which tensors are believed ---- */

#define TENSOR(offset, shape, strides) P_STATE(P_TENSOR_OF(P_STORAGE, offset, shape, strides))
#define MINUS_1                        "J\xff\xff\xff\xff"
#define LONG_MAX_                      "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"

static void ranges_are_checked(void **unused)
{
    (void)unused;
    ASSERT_REFUSED(TENSOR("K\1", "K\2K\3\x86", "K\3K\1\x86"), ITEM_E_FORMAT,
                   "tensor \"w\" reaches beyond its storage of 6 elements");
    ASSERT_REFUSED(TENSOR("K\0", "K\7\x85", "K\1\x85"), ITEM_E_FORMAT, "reaches beyond");
    ASSERT_REFUSED(TENSOR("K\0", "K\2\x85", "K\6\x85"), ITEM_E_FORMAT, "reaches beyond");
    ASSERT_REFUSED(TENSOR("K\7", "K\0\x85", "K\1\x85"), ITEM_E_FORMAT, "reaches beyond");
    ASSERT_REFUSED(TENSOR("K\6", ")", ")"), ITEM_E_FORMAT, "reaches beyond");
    ASSERT_REFUSED(TENSOR(LONG_MAX_, "K\2K\3\x86", LONG_MAX_ LONG_MAX_ "\x86"), ITEM_E_FORMAT,
                   "reaches beyond its storage");
    ASSERT_REFUSED(TENSOR("K\0", "K\2K\3\x86", LONG_MAX_ LONG_MAX_ "\x86"), ITEM_E_FORMAT,
                   "reaches beyond its storage");
    ASSERT_REFUSED(TENSOR(MINUS_1, "K\2\x85", "K\1\x85"), ITEM_E_FORMAT,
                   "tensor \"w\" begins before its storage");
    ASSERT_REFUSED(TENSOR("K\5", "K\6\x85", MINUS_1 "\x85"), ITEM_E_FORMAT,
                   "tensor \"w\" has a negative stride");
    ASSERT_REFUSED(TENSOR("K\0", MINUS_1 "\x85", "K\1\x85"), ITEM_E_FORMAT,
                   "tensor \"w\" has a size that is no count");
    ASSERT_REFUSED(TENSOR("K\0", "N\x85", "K\1\x85"), ITEM_E_FORMAT, "a size that is no count");
    ASSERT_REFUSED(TENSOR("K\0", "K\1\x85", "N\x85"), ITEM_E_FORMAT, "has a negative stride");
    ASSERT_REFUSED(TENSOR("K\0", LONG_MAX_ "K\3\x86", "K\0K\0\x86"), ITEM_E_FORMAT,
                   "tensor \"w\" has a size that overflows");
    ASSERT_REFUSED(TENSOR("K\0", "K\1\x85", ")"), ITEM_E_FORMAT,
                   "has strides for another number of dimensions");
    ASSERT_REFUSED(TENSOR("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"),
                   ITEM_E_UNSUPPORTED, "has 9 dimensions, at most 8 are read");
}

static void storages_are_checked(void **unused)
{
    (void)unused;
#define STORED(class, key, count)                                                                  \
    P_STATE(P_TENSOR_OF(P_STORAGE_OF(class, key, count), "K\0", "K\1\x85", "K\1\x85"))
    ASSERT_OPENS(STORED("FloatStorage", P_TEXT("\1", "0"), "K\5"), 1);
    ASSERT_OPENS(STORED("DoubleStorage", P_TEXT("\1", "0"), "K\3"), 1);
    ASSERT_REFUSED(STORED("FloatStorage", P_TEXT("\1", "0"), "K\7"), ITEM_E_FORMAT,
                   "tensor \"w\": its storage of 7 elements has 24 bytes");
    ASSERT_REFUSED(STORED("DoubleStorage", P_TEXT("\1", "0"), "K\4"), ITEM_E_FORMAT,
                   "its storage of 4 elements has 24 bytes");
    ASSERT_REFUSED(STORED("FloatStorage", P_TEXT("\1", "0"), MINUS_1), ITEM_E_FORMAT,
                   "its storage of -1 elements has 24 bytes");
    ASSERT_REFUSED(STORED("FloatStorage", P_TEXT("\1", "0"), LONG_MAX_), ITEM_E_FORMAT,
                   "its storage of 9223372036854775807 elements has 24 bytes");
    ASSERT_REFUSED(STORED("FloatStorage", P_TEXT("\1", "1"), "K\6"), ITEM_E_FORMAT,
                   "tensor \"w\" lies in data/1, which is not in the file");
    ASSERT_REFUSED(STORED("FloatStorage", P_TEXT("\1", "\0"), "K\6"), ITEM_E_FORMAT,
                   "which is not in the file");
    ASSERT_REFUSED(STORED("FloatStorage",
                          P_TEXT("\x33", "012345678901234567890123456789012345678901234567890"),
                          "K\6"),
                   ITEM_E_FORMAT, "which is not in the file");
#undef STORED
}

static void names_are_checked(void **unused)
{
    (void)unused;
    ASSERT_REFUSED("}K\1" P_TENSOR "s.", ITEM_E_FORMAT, "a tensor's name is no text");
    ASSERT_REFUSED("}" P_TEXT("\1", "\xff") P_TENSOR "s.", ITEM_E_FORMAT, "name is no text");
    ASSERT_REFUSED("}" P_TEXT("\1", "\0") P_TENSOR "s.", ITEM_E_FORMAT, "name is no text");
    ASSERT_REFUSED("}(" P_NAME P_TENSOR P_NAME P_TENSOR "u.", ITEM_E_FORMAT,
                   "tensor \"w\" is there twice");
}

/* A file of some hundred bytes must not unfold to more than a few hundred. */
static void repeated_elements_are_limited(void **unused)
{
    (void)unused;
    ASSERT_OPENS(TENSOR("K\0", "K\7\x85", "K\0\x85"), 1);
    ASSERT_REFUSED(TENSOR("K\0", "J\0\0\0\x40\x85", "K\0\x85"), ITEM_E_LIMIT,
                   "its tensors, \"w\" among them, unfold to more than the file");
    itemi_buf pickle;
    itemi_buf_init(&pickle, NULL);
    itemi_buf_puts(&pickle, "}");
    for (int i = 0; i < 100; i++) { /* 400 bytes each, in a file of some 200 for each */
        char name[] = "X\2\0\0\0aa";
        name[5] = (char)('a' + i / 10);
        name[6] = (char)('a' + i % 10);
        static const char tensor[] = P_TENSOR_OF(P_STORAGE, "K\0", "K\x64\x85", "K\0\x85") "s";
        itemi_buf_add(&pickle, name, sizeof name - 1);
        itemi_buf_add(&pickle, tensor, sizeof tensor - 1);
    }
    itemi_buf_puts(&pickle, ".");
    assert_refused(pickle.data, pickle.length, ITEM_E_LIMIT, "unfold to more than the file");
    itemi_buf_free(&pickle);
}

static void assert_values(const char *pickle, size_t length, const float *values, size_t count)
{
    itemi_weights *w;
    itemi_buf bytes;
    assert_int_equal(open_pickle(pickle, length, &w, &bytes, NULL), ITEM_OK);
    const itemi_tensor *t = itemi_weights_find(w, "w");
    assert_int_equal(t->bytes, count * sizeof *values);
    assert_memory_equal(t->data, values, t->bytes);
    itemi_weights_close(w);
    itemi_buf_free(&bytes);
}

#define ASSERT_VALUES(pickle, ...)                                                                 \
    assert_values(pickle, sizeof(pickle) - 1, (const float[]){__VA_ARGS__},                        \
                  sizeof((const float[]){__VA_ARGS__}) / sizeof(float))

static void strides_and_offsets(void **unused)
{
    (void)unused;
    ASSERT_VALUES(TENSOR("K\0", "K\2K\3\x86", "K\3K\1\x86"), 0, 1, 2, 3, 4, 5);
    ASSERT_VALUES(TENSOR("K\0", "K\3K\2\x86", "K\1K\3\x86"), 0, 3, 1, 4, 2, 5);
    ASSERT_VALUES(TENSOR("K\1", "K\2K\2\x86", "K\3K\1\x86"), 1, 2, 4, 5);
    ASSERT_VALUES(TENSOR("K\5", ")", ")"), 5);
    ASSERT_VALUES(TENSOR("K\1", "K\2K\2\x86", "K\0K\2\x86"), 1, 3, 1, 3);
    ASSERT_VALUES(TENSOR("K\4", "K\1K\2K\1\x87", LONG_MAX_ "K\1" LONG_MAX_ "\x87"), 4, 5);
    ASSERT_VALUES(TENSOR("K\0", "K\1K\2K\2\x87", LONG_MAX_ "K\1K\3\x87"), 0, 3, 1, 4);
}

static void no_memory_leaves_nothing(void **unused)
{
    (void)unused;
    static const char pickle[] =
        "\x80\2ccollections\nOrderedDict\n)R(" P_NAME P_TENSOR P_TEXT("\1", "v")
            P_TENSOR_OF(P_STORAGE, "K\0", "K\3K\2\x86", "K\1K\3\x86") "u.";
    itemi_buf bytes;
    checkpoint_make(&bytes, pickle, sizeof pickle - 1);
    item_status status = ITEM_E_MEMORY;
    long n = 0;
    for (; status != ITEM_OK; n++) {
        test_mem t;
        test_mem_init(&t, n);
        itemi_weights *w = NULL;
        status = itemi_weights_parse(&t.mem, bytes.data, bytes.length, "w", &w, NULL);
        assert_true(status == ITEM_OK || status == ITEM_E_MEMORY);
        assert_true((w != NULL) == (status == ITEM_OK));
        itemi_weights_close(w);
        assert_int_equal(t.live, 0);
    }
    assert_in_range(n, 10, 20);
    itemi_buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_is_refused_by_name),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(broken_pickles),
        cmocka_unit_test(other_values_are_passed_over),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(ranges_are_checked),
        cmocka_unit_test(storages_are_checked),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(repeated_elements_are_limited),
        cmocka_unit_test(strides_and_offsets),
        cmocka_unit_test(no_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
