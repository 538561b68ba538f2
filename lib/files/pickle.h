/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of the pickle machine alone. */
#ifndef ITEMI_PICKLE_H
#define ITEMI_PICKLE_H

#include "files/torchfile.h"

#define ITEMI_MARKS_MAX 100 /* open at once; a state dict has 5 */

typedef struct itemi_machine {
    itemi_pickle *pickle;
    const uint8_t *start, *at, *end;
    const char *name; /* for messages */
    itemi_pickled_list stack, memo;
    size_t marks[ITEMI_MARKS_MAX]; /* counts of the stack */
    size_t mark_count;
    bool stopped;
    item_error *err;
} itemi_machine;

/* "broken pickle: byte 17 <what>", and "pickle uses <what>: refused". */
item_status itemi_pickle_fail(const itemi_machine *m, const char *what);
item_status itemi_pickle_refuse(const itemi_machine *m, const char *what);
item_status itemi_pickle_fail_memory(const itemi_machine *m);

item_status itemi_pickle_take(itemi_machine *m, uint64_t count, const uint8_t **bytes);
item_status itemi_pickle_take_number(itemi_machine *m, unsigned width, uint64_t *number);

bool itemi_pickle_add(const itemi_machine *m, itemi_pickled_list *list, itemi_pickled value);
item_status itemi_pickle_push(itemi_machine *m, itemi_pickled value);
item_status itemi_pickle_push_kind(itemi_machine *m, unsigned kind);
/* Takes `count` values off the stack; they stay where they are until the next push. */
item_status itemi_pickle_pop(itemi_machine *m, size_t count, const itemi_pickled **values);
/* Takes all values above the last mark, and the mark. */
item_status itemi_pickle_pop_mark(itemi_machine *m, const itemi_pickled **values, size_t *count);
/* The list or dict on top of the stack, which stays there. */
item_status itemi_pickle_top(const itemi_machine *m, uint32_t kind, itemi_pickled *value);
item_status itemi_pickle_put(itemi_machine *m, uint64_t index); /* into the memo */

/* Operations; the second argument is not used. */
item_status itemi_pickle_push_global(itemi_machine *m, const itemi_pickled *module,
                                     const itemi_pickled *name);
item_status itemi_pickle_dict(itemi_machine *m, unsigned unused);
item_status itemi_pickle_storage(itemi_machine *m, unsigned unused);
item_status itemi_pickle_reduce(itemi_machine *m, unsigned unused);

#endif
