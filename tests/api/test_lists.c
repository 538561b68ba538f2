/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of pictures that are wrong: each is refused or told with the file and the reason. */
#include <item/train.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "counting.h"

static int make_pictures(void **state)
{
    (void)state;
    for (uint32_t i = 3; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u.png", i);
        free(write_picture(name, i, 40 + 13 * i, 70));
    }
    return 0;
}

static item_ctx *open_counting(counts *c)
{
    *c = (counts){0};
    item_config *config = counting_config(c, "1");
    return open_ctx(config);
}

/* Extracts a list that is written here; NULL with the error, or the data. */
static item_dataset *extract_text(const char *text, const char *split, item_error *err)
{
    counts c;
    char *path = temp_path("made.csv");
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    item_dataset *data = NULL;
    item_ctx *ctx = open_counting(&c);
    options.split = split;
    options.max_failures = 1;
    write_text(path, text);
    reset(err);
    item_status status = item_dataset_extract(ctx, path, &options, &data, err);
    assert_true((status == ITEM_OK) == (data != NULL));
    item_ctx_unref(ctx);
    free(path);
    return data;
}

static void refuses(const char *text, const char *split, item_status status, const char *why)
{
    item_error err = ITEM_ERROR_INIT;
    assert_null(extract_text(text, split, &err));
    assert_error(err.code, status, &err, why);
}

static void notes(const char *text, const char *split, const char *line)
{
    item_error err = ITEM_ERROR_INIT;
    item_dataset *data = extract_text(text, split, &err);
    if (!data)
        fail_msg("%s", err.message);
    const char *said = item_dataset_notice(data, 0);
    if (!line)
        assert_null(said);
    else if (!said || !strstr(said, line))
        fail_msg("\"%s\" lacks \"%s\"", said ? said : "", line);
    assert_null(item_dataset_notice(data, said ? 1 : 0));
    item_dataset_free(data);
}

static void copy_picture(const char *from, const char *to)
{
    uint32_t seed = (uint32_t)strtoul(from, NULL, 10);
    free(write_picture(to, seed, 40 + 13 * seed, 70));
}

/* The same pixels in another file: a text beside them, which no decoder shows. */
static void copy_with_other_bytes(const char *from, const char *to)
{
    static const unsigned char chunk[] = "\0\0\0\x05tEXta\0bcd"
                                         "\x41\xbc\x7e\x6f";
    char *a = temp_path(from), *b = temp_path(to);
    struct stat facts;
    assert_int_equal(stat(a, &facts), 0);
    size_t size = (size_t)facts.st_size, head = 33; /* signature and IHDR */
    unsigned char *bytes = malloc(size + sizeof chunk - 1);
    FILE *file = fopen(a, "rb");
    assert_true(file && fread(bytes, 1, head, file) == head);
    memcpy(bytes + head, chunk, sizeof chunk - 1);
    assert_true(fread(bytes + head + sizeof chunk - 1, 1, size - head, file) == size - head);
    (void)fclose(file);
    write_file(b, bytes, size + sizeof chunk - 1);
    free(bytes);
    free(a);
    free(b);
}

static void pictures_that_are_there_twice(void **state)
{
    (void)state;
    copy_picture("3", "copy.png");
    copy_with_other_bytes("3.png", "other.png");
#define HEAD "path,label,split,source\n"
    notes(HEAD "3.png,real,train,a\n4.png,ai,train,a\n", NULL, NULL);
    notes(HEAD "3.png,real,train,a\n3.png,real,train,a\n", NULL, "are the same picture");
    notes(HEAD "3.png,real,train,a\ncopy.png,real,train,b\n", NULL,
          "copy.png are the same picture");
    notes(HEAD "3.png,real,train,a\nother.png,real,,b\n", NULL, "other.png are the same picture");
    refuses(HEAD "3.png,real,train,a\ncopy.png,real,test,a\n", NULL, ITEM_E_FORMAT,
            "3.png (split train) and ");
    refuses(HEAD "3.png,real,train,a\ncopy.png,real,test,a\n", "test", ITEM_E_FORMAT,
            "copy.png (split test) are the same picture");
    refuses(HEAD "3.png,real,train,a\nother.png,real,test,a\n", NULL, ITEM_E_FORMAT,
            "other.png (split test) are the same picture");
    refuses(HEAD "3.png,real,train,a\ncopy.png,ai,train,a\n", NULL, ITEM_E_FORMAT,
            "copy.png (ai) are the same picture");
    /* what other splits do among themselves is no matter of this one */
    notes(HEAD "5.png,ai,dev,b\n3.png,real,train,a\ncopy.png,real,test,a\n", "dev", NULL);
    notes(HEAD "5.png,ai,dev,a\n3.png,real,train,a\n", "dev",
          "source a is in the splits dev and train");
}

static void other_wrong_lists(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    refuses("path,label\n3.png,Real\n", NULL, ITEM_E_FORMAT, "made.csv: line 2: label \"Real\"");
    refuses("path,label\n3.png,fake\n", NULL, ITEM_E_FORMAT, "neither \"ai\" nor \"real\"");
    refuses("path,label\n", NULL, ITEM_E_ARGUMENT, "there are no pictures");
    refuses("path,label\nno1.png,ai\nno2.png,ai\n3.png,real\n", NULL, ITEM_E_LIMIT, "no2.png");
    item_dataset *data = extract_text("path,label\nno1.png,ai\n3.png,real\n", NULL, &err);
    assert_non_null(data); /* one bad file stops nothing */
    assert_non_null(strstr(item_dataset_warning(data, 0), "no1.png"));
    item_dataset_free(data);

    counts c;
    item_ctx *ctx = open_counting(&c);
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    options.columns = 8;
    reset(&err);
    assert_error(item_dataset_extract(ctx, "list.csv", &options, &data, &err), ITEM_E_ARGUMENT,
                 &err, "columns 0x8 are not known");
    options.columns = 0;
    options.views = 16;
    reset(&err);
    assert_error(item_dataset_extract(ctx, "list.csv", &options, &data, &err), ITEM_E_ARGUMENT,
                 &err, "views are 0 to 15");
    item_ctx_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_that_are_there_twice),
        cmocka_unit_test(other_wrong_lists),
    };
    return cmocka_run_group_tests_name("api: lists", tests, make_pictures, NULL);
}
