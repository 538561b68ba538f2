/* SPDX-License-Identifier: Apache-2.0 */
/* What every layer of libitem may use; the lowest layer, it sees base.h alone. */
#ifndef ITEMI_COMMON_H
#define ITEMI_COMMON_H

#include <item/base.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ITEMI_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- memory ---- */

/*
 * Memory of one context: the host's functions, or malloc. Passed by pointer,
 * lives as long as its owner. NULL means malloc everywhere.
 */
typedef struct itemi_mem {
    item_allocator host; /* struct_size 0: malloc */
} itemi_mem;

/* Takes the host's functions (NULL: malloc); ITEM_E_ARGUMENT unless all three or none are set. */
item_status itemi_mem_init(itemi_mem *mem, const item_allocator *host, item_error *err);
void *itemi_alloc(const itemi_mem *mem, size_t size);                     /* never size 0 */
void *itemi_alloc_zero(const itemi_mem *mem, size_t count, size_t size);  /* checks overflow */
void *itemi_alloc_array(const itemi_mem *mem, size_t count, size_t size); /* checks overflow */
void *itemi_resize_array(const itemi_mem *mem, void *block, size_t count, size_t size);
void itemi_free(const itemi_mem *mem, void *block); /* takes NULL */
char *itemi_strdup(const itemi_mem *mem, const char *text);
char *itemi_strndup(const itemi_mem *mem, const char *text, size_t length); /* at most length */
bool itemi_mul_overflows(size_t a, size_t b, size_t *product);              /* true: overflow */

/* ---- errors ---- */

/*
 * Writes code and message (first error wins), returns code. err may be NULL. The message is
 * made one line of UTF-8: control characters and invalid bytes are shown escaped, what is too
 * long loses its middle, as names of files stand in front and reasons behind. Numbers are
 * written as in the C locale, here as in every function that formats.
 */
item_status itemi_fail(item_error *err, item_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, with errno's text appended as ": reason"; of ENOMEM the code is ITEM_E_MEMORY. */
item_status itemi_fail_errno(item_error *err, item_status code, int system, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Passes an error on as it is. */
item_status itemi_fail_as(item_error *err, const item_error *why);
/* "out of memory while <doing>", ITEM_E_MEMORY */
item_status itemi_fail_memory(item_error *err, const char *doing);
/* Puts "prefix: " before the message of an error that is set; a long prefix is cut first. */
void itemi_error_prefix(item_error *err, const char *prefix);
void itemi_error_reset(item_error *err); /* so that the next error is written; NULL is ignored */

/*
 * Copies text to out (room bytes with the NUL) as one line of valid UTF-8: control characters as
 * \n or \x01, invalid bytes as \xNN, cut between characters. Returns the length written.
 */
size_t itemi_escape(char *out, size_t room, const char *text);

/* ---- public structs of an older or a newer size ---- */

/*
 * Copies a caller's struct into one of ours: the smaller of both sizes, the
 * rest zero; ITEM_E_ARGUMENT when it is NULL, smaller than `least` or holds
 * non-zero bytes beyond `size`. Ours gets struct_size = size.
 */
item_status itemi_struct_in(void *ours, size_t size, size_t least, const void *theirs,
                            const char *name, item_error *err);
/* Copies ours out to a caller's struct, never beyond its struct_size, which is kept. */
item_status itemi_struct_out(void *theirs, size_t least, const void *ours, size_t size,
                             const char *name, item_error *err);

/* ---- growing text ---- */

typedef struct itemi_buf {
    const itemi_mem *mem;
    char *data; /* NUL-terminated when not NULL */
    size_t length, capacity;
    bool failed; /* an allocation failed; later calls do nothing */
} itemi_buf;

void itemi_buf_init(itemi_buf *buf, const itemi_mem *mem);
void itemi_buf_add(itemi_buf *buf, const void *bytes, size_t length);
void itemi_buf_puts(itemi_buf *buf, const char *text);
void itemi_buf_printf(itemi_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *itemi_buf_take(itemi_buf *buf); /* the text (free with itemi_free), NULL if failed */
void itemi_buf_free(itemi_buf *buf);

/* ---- web pages ---- */

/* Text that may be anything: escaped; what no page may hold becomes U+FFFD. */
void itemi_html_text(itemi_buf *buf, const char *text);

/* ---- UTF-8 ---- */

/* Length of the longest valid prefix (RFC 3629); == length when all of it is valid. */
size_t itemi_utf8_valid(const char *text, size_t length);
/* Decodes one code point at text (valid UTF-8); returns bytes read. */
size_t itemi_utf8_next(const char *text, uint32_t *code);
/* Encodes; returns bytes written (1 to 4). */
size_t itemi_utf8_put(char out[4], uint32_t code);

/* ---- log and cancel ---- */

typedef struct itemi_log {
    item_log_fn fn; /* NULL: silent */
    void *user;
} itemi_log;

void itemi_logf(const itemi_log *log, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool itemi_cancelled(const item_cancel *cancel); /* NULL: false */
item_cancel *itemi_cancel_ref(item_cancel *cancel);
item_status itemi_fail_cancelled(item_error *err);

/*
 * To the end of the block a pthread_cancel() of this thread has to wait: within a call it would
 * leave locks, memory and files behind. Stands in every public function that may wait, read, write
 * or call the host back.
 */
#define ITEMI_HOLD_PTHREAD_CANCEL                                                                  \
    __attribute__((cleanup(itemi_release_pthread_cancel), unused)) int held_ =                     \
        itemi_hold_pthread_cancel()
int itemi_hold_pthread_cancel(void);
void itemi_release_pthread_cancel(const int *before);

/* ---- numbers and clocks that do not ask the locale ---- */

double itemi_now_ms(void); /* monotonic */
/* As snprintf(), with numbers as in the C locale. */
int itemi_format(char *out, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool itemi_parse_double(const char *text, double *out); /* whole text, decimal, finite, C locale */

#endif
