/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends that are the dummies with one defect, which the settings of the module name. Each must
 * be found by `item-conformance`, under the name that test_defects.py says.
 */
#ifndef WRONG_H
#define WRONG_H

#include <item/sys/module.h>
#include <stdbool.h>

/* The defect of all instances. One at a time: a process is one run of the program. */
bool defect_is(const char *name);

/* What any stage may do wrong in a call, before the dummy answers; not ITEM_OK ends the call. */
item_status misbehave(const item_call *call, size_t n, item_error *err);
void after_answer(const item_call *call);
item_call deafened(const item_call *call); /* with "no cancel" nobody hears of one */

/* Which table to hand out, and its self; NULL with a reason for settings that name no defect. */
bool open_wrong(const char *settings, void **self, item_error *err);
void close_wrong(void *self);

#endif
