/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets have in common. A target is one function; libFuzzer calls it with bytes
 * of its own making (-Dfuzz=true), replay.c with the files of the corpus (every other build).
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <item/item.h>
#include <stddef.h>
#include <stdint.h>

/* The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts where a promise of the library is broken: the only thing that fuzzers notice. */
#define EXPECT(condition) fuzz_expect((condition) != 0, #condition, __FILE__, __LINE__)
void fuzz_expect(int holds, const char *condition, const char *file, int line);

/*
 * The promise of every call that can fail: a status with one line of UTF-8, and no handle after
 * a failure. `err` was ITEM_ERROR_INIT before the call.
 */
void fuzz_outcome(item_status status, const void *handle, const item_error *err);
/* A text that an application may hand to anybody: not NULL, UTF-8. */
void fuzz_text(const char *text);
/* Reads every byte, so that the sanitizers see bytes that are not there; returns their sum. */
uint8_t fuzz_touch(const void *data, size_t size);

/* Path of a file in memory with these bytes, valid until the next call. */
const char *fuzz_file(const void *data, size_t size);
/* A copy that ends with a NUL, in a block of its own size; free() it. */
char *fuzz_string(const void *data, size_t size);

/*
 * Calls `parse` with a safetensors file as it is, and once more with the stated length of the
 * header that its JSON has (up to its last brace), so that changes of the JSON get past the first
 * check.
 */
void fuzz_headers(void (*parse)(const uint8_t *data, size_t size), const uint8_t *data,
                  size_t size);

#endif
