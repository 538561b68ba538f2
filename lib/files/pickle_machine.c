/* SPDX-License-Identifier: Apache-2.0 */
/* Stack, marks, memo and bytes of the pickle machine, and how it fails. */
#include "files/pickle.h"

/* ---- failures ---- */

item_status itemi_pickle_fail(const itemi_machine *m, const char *what)
{
    return itemi_fail(m->err, ITEM_E_FORMAT, "%s: broken pickle: byte %zu %s", m->name,
                      (size_t)(m->at - m->start), what);
}

item_status itemi_pickle_refuse(const itemi_machine *m, const char *what)
{
    return itemi_fail(m->err, ITEM_E_UNSUPPORTED, "%s: pickle uses %s: refused", m->name, what);
}

item_status itemi_pickle_fail_memory(const itemi_machine *m)
{
    return itemi_fail(m->err, ITEM_E_MEMORY, "%s: out of memory", m->name);
}

/* ---- bytes, stack, memo ---- */

item_status itemi_pickle_take(itemi_machine *m, uint64_t count, const uint8_t **bytes)
{
    if (count > (uint64_t)(m->end - m->at))
        return itemi_pickle_fail(m, "wants more than the pickle has: is the file cut short?");
    *bytes = m->at;
    m->at += count;
    return ITEM_OK;
}

item_status itemi_pickle_take_number(itemi_machine *m, unsigned width, uint64_t *number)
{
    const uint8_t *bytes = NULL;
    item_status status = itemi_pickle_take(m, width, &bytes);
    if (status == ITEM_OK)
        *number = itemi_le(bytes, width);
    return status;
}

bool itemi_pickle_add(const itemi_machine *m, itemi_pickled_list *list, itemi_pickled value)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 256;
        void *grown = itemi_resize_array(m->pickle->mem, list->at, capacity, sizeof *list->at);
        if (!grown)
            return false;
        list->at = grown;
        list->capacity = capacity;
    }
    list->at[list->count++] = value;
    return true;
}

item_status itemi_pickle_push(itemi_machine *m, itemi_pickled value)
{
    return itemi_pickle_add(m, &m->stack, value) ? ITEM_OK : itemi_pickle_fail_memory(m);
}

item_status itemi_pickle_push_kind(itemi_machine *m, unsigned kind)
{
    return itemi_pickle_push(m, (itemi_pickled){.kind = kind});
}

/* Values above the last mark. */
static size_t above_mark(const itemi_machine *m)
{
    return m->stack.count - (m->mark_count ? m->marks[m->mark_count - 1] : 0);
}

item_status itemi_pickle_pop(itemi_machine *m, size_t count, const itemi_pickled **values)
{
    if (count > above_mark(m))
        return itemi_pickle_fail(m, "takes from an empty stack");
    m->stack.count -= count;
    *values = m->stack.at ? m->stack.at + m->stack.count : NULL;
    return ITEM_OK;
}

item_status itemi_pickle_pop_mark(itemi_machine *m, const itemi_pickled **values, size_t *count)
{
    if (m->mark_count == 0)
        return itemi_pickle_fail(m, "lacks a mark");
    *count = above_mark(m);
    item_status status = itemi_pickle_pop(m, *count, values);
    m->mark_count--;
    return status;
}

item_status itemi_pickle_top(const itemi_machine *m, uint32_t kind, itemi_pickled *value)
{
    if (above_mark(m) == 0)
        return itemi_pickle_fail(m, "takes from an empty stack");
    *value = m->stack.at[m->stack.count - 1];
    return value->kind == kind ? ITEM_OK : itemi_pickle_fail(m, "finds no list or dict to fill");
}

/* Python numbers the memo from 0 on, so an index may be the next one, and none beyond. */
item_status itemi_pickle_put(itemi_machine *m, uint64_t index)
{
    if (above_mark(m) == 0)
        return itemi_pickle_fail(m, "takes from an empty stack");
    itemi_pickled value = m->stack.at[m->stack.count - 1];
    if (index > m->memo.count)
        return itemi_fail(m->err, ITEM_E_FORMAT,
                          "%s: broken pickle: memo entry %llu comes after %zu", m->name,
                          (unsigned long long)index, m->memo.count);
    if (index == m->memo.count)
        return itemi_pickle_add(m, &m->memo, value) ? ITEM_OK : itemi_pickle_fail_memory(m);
    m->memo.at[index] = value;
    return ITEM_OK;
}
