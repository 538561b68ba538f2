/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cancel handles: a flag that running calls poll, with a count of who still holds it. And the
 * other cancel, of whole threads, which waits until a call is over.
 */
#include "common/common.h"

#include <pthread.h>
#include <stdatomic.h>

struct item_cancel {
    atomic_uint refs;
    atomic_int set;
};

/* A lock would make item_cancel_set() unfit for signal handlers. */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "int must be lock-free");

item_status item_cancel_new(item_cancel **out, item_error *err)
{
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_cancel_new: out is NULL");
    *out = itemi_alloc(NULL, sizeof **out);
    if (!*out)
        return itemi_fail_memory(err, "making a cancel handle");
    atomic_init(&(*out)->refs, 1);
    atomic_init(&(*out)->set, 0);
    return ITEM_OK;
}

void item_cancel_set(item_cancel *cancel)
{
    if (cancel)
        atomic_store_explicit(&cancel->set, 1, memory_order_relaxed);
}

item_cancel *itemi_cancel_ref(item_cancel *cancel)
{
    if (cancel)
        atomic_fetch_add_explicit(&cancel->refs, 1, memory_order_relaxed);
    return cancel;
}

void item_cancel_unref(item_cancel *cancel)
{
    /* acq_rel: what every holder did with the handle happens before it is freed */
    if (cancel && atomic_fetch_sub_explicit(&cancel->refs, 1, memory_order_acq_rel) == 1)
        itemi_free(NULL, cancel);
}

bool itemi_cancelled(const item_cancel *cancel)
{
    return cancel && atomic_load_explicit(&cancel->set, memory_order_relaxed);
}

item_status itemi_fail_cancelled(item_error *err)
{
    return itemi_fail(err, ITEM_E_CANCELLED, "cancelled");
}

int itemi_hold_pthread_cancel(void)
{
    int before;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void itemi_release_pthread_cancel(const int *before)
{
    int ours;
    (void)pthread_setcancelstate(*before, &ours);
}
