/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that run long or at random share: clock, chance, and what a process holds. */
#ifndef TEST_LASTING_H
#define TEST_LASTING_H

#include "../api/support.h"

#include <stdbool.h>

#define SKIPPED 77

double now_ms(void);
void sleep_ms(double ms);

/* A generator of its own for each thread; the same numbers in each run. */
uint32_t chance(uint32_t *state, uint32_t below);

/* What the system says of this process. */
typedef struct holdings {
    unsigned long resident_kb, threads, files, mappings;
} holdings;
holdings holdings_now(void);

/* Is the small pack there, and the engine? Says why not. The default pack and engine are used. */
bool pack_is_there(void);

/* A context of the default pack; the arguments are pairs of options, ended by NULL. */
item_ctx *open_pack_with(const char *const *options);

/* Caption, number of objects and verdict, unless a near tie lets the caption change: then "". */
void answer_text(const item_result *result, char *out, size_t room);
/* Two answers are the same, or one of them was a near tie. */
bool same_answer(const char *a, const char *b);

#endif
