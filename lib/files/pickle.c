/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine for the pickles that torch.save() writes. A pickle is a program, and Python's machine
 * may call anything; this one knows the operations that a state dict needs and a few names, which
 * it does not call but takes note of. What it makes refers to the pickle's own bytes, and each
 * operation makes at most a value, so that memory is bounded by the length; nothing recurses.
 */
#include "files/pickle.h"

#define BYTES_MAX      (16 << 20) /* 40,000 tensors take 4 MB */
#define OPERATIONS_MAX 4000000    /* likewise, some 35 a tensor */
#define PROTOCOL_MAX   5

/* A line of the pickle, which a newline ends. */
static item_status take_line(itemi_machine *m, itemi_pickled *text)
{
    const uint8_t *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
    if (!end)
        return itemi_pickle_fail(m, "begins a line that does not end");
    *text = (itemi_pickled){.kind = ITEMI_PICKLE_TEXT, .length = (uint32_t)(end - m->at)};
    text->text = (const char *)m->at;
    m->at = end + 1;
    return ITEM_OK;
}

/* ---- operations: each takes the argument that its line in the table has ---- */

static item_status op_protocol(itemi_machine *m, unsigned width)
{
    uint64_t version;
    item_status status = itemi_pickle_take_number(m, width, &version);
    return status == ITEM_OK && version > PROTOCOL_MAX
               ? itemi_pickle_refuse(m, "a protocol above 5")
               : status;
}

/* A frame says how much may be read at once; its length is of no use to us. */
static item_status op_frame(itemi_machine *m, unsigned width)
{
    uint64_t length;
    return itemi_pickle_take_number(m, width, &length);
}

static item_status op_stop(itemi_machine *m, unsigned unused)
{
    (void)unused;
    const itemi_pickled *value;
    item_status status = itemi_pickle_pop(m, 1, &value);
    if (status != ITEM_OK)
        return status;
    m->pickle->result = *value;
    m->stopped = true;
    return ITEM_OK;
}

static item_status op_mark(itemi_machine *m, unsigned unused)
{
    (void)unused;
    if (m->mark_count == ITEMI_MARKS_MAX)
        return itemi_fail(m->err, ITEM_E_LIMIT, "%s: pickle nested deeper than %d levels", m->name,
                          ITEMI_MARKS_MAX);
    m->marks[m->mark_count++] = m->stack.count;
    return ITEM_OK;
}

static item_status op_put(itemi_machine *m, unsigned width)
{
    uint64_t index;
    item_status status = itemi_pickle_take_number(m, width, &index);
    return status == ITEM_OK ? itemi_pickle_put(m, index) : status;
}

static item_status op_memoize(itemi_machine *m, unsigned unused)
{
    (void)unused;
    return itemi_pickle_put(m, m->memo.count);
}

static item_status op_get(itemi_machine *m, unsigned width)
{
    uint64_t index;
    item_status status = itemi_pickle_take_number(m, width, &index);
    if (status != ITEM_OK)
        return status;
    return index < m->memo.count ? itemi_pickle_push(m, m->memo.at[index])
                                 : itemi_pickle_fail(m, "wants a memo entry that is not there");
}

/* Bytes behind a number that tells how many. */
static item_status take_counted(itemi_machine *m, unsigned width, uint64_t *length,
                                const uint8_t **bytes)
{
    item_status status = itemi_pickle_take_number(m, width, length);
    return status == ITEM_OK ? itemi_pickle_take(m, *length, bytes) : status;
}

static item_status op_text(itemi_machine *m, unsigned width)
{
    uint64_t length;
    const uint8_t *bytes = NULL;
    item_status status = take_counted(m, width, &length, &bytes);
    if (status != ITEM_OK)
        return status;
    itemi_pickled text = {.kind = ITEMI_PICKLE_TEXT, .length = (uint32_t)length};
    text.text = (const char *)bytes;
    return itemi_pickle_push(m, text);
}

/* 4 bytes have a sign, fewer have none. */
static item_status op_int(itemi_machine *m, unsigned width)
{
    uint64_t number;
    item_status status = itemi_pickle_take_number(m, width, &number);
    if (status != ITEM_OK)
        return status;
    int64_t value = width == 4 ? (int32_t)(uint32_t)number : (int64_t)number;
    return itemi_pickle_push(m, (itemi_pickled){.kind = ITEMI_PICKLE_INT, .number = value});
}

/* Of any length; what does not fit into 64 bits is the size of nothing. */
static item_status op_long(itemi_machine *m, unsigned width)
{
    uint64_t length;
    const uint8_t *bytes = NULL;
    item_status status = take_counted(m, width, &length, &bytes);
    if (status != ITEM_OK)
        return status;
    if (length > 8)
        return itemi_pickle_push_kind(m, ITEMI_PICKLE_OTHER);
    uint64_t number = itemi_le(bytes, (unsigned)length);
    if (length > 0 && length < 8 && bytes[length - 1] >= 0x80)
        number |= UINT64_MAX << (8 * length);
    return itemi_pickle_push(m,
                             (itemi_pickled){.kind = ITEMI_PICKLE_INT, .number = (int64_t)number});
}

static item_status op_float(itemi_machine *m, unsigned width)
{
    const uint8_t *bytes = NULL;
    item_status status = itemi_pickle_take(m, width, &bytes);
    return status == ITEM_OK ? itemi_pickle_push_kind(m, ITEMI_PICKLE_OTHER) : status;
}

item_status itemi_pickle_dict(itemi_machine *m, unsigned unused)
{
    (void)unused;
    int64_t which = (int64_t)m->pickle->dicts++;
    return itemi_pickle_push(m, (itemi_pickled){.kind = ITEMI_PICKLE_DICT, .number = which});
}

static item_status make_tuple(itemi_machine *m, const itemi_pickled *values, size_t count)
{
    itemi_pickled tuple = {.kind = ITEMI_PICKLE_TUPLE, .length = (uint32_t)count};
    tuple.first = m->pickle->items.count;
    for (size_t i = 0; i < count; i++) {
        if (!itemi_pickle_add(m, &m->pickle->items, values[i]))
            return itemi_pickle_fail_memory(m);
    }
    return itemi_pickle_push(m, tuple);
}

static item_status op_tuple(itemi_machine *m, unsigned count)
{
    const itemi_pickled *values;
    item_status status = itemi_pickle_pop(m, count, &values);
    return status == ITEM_OK ? make_tuple(m, values, count) : status;
}

static item_status op_mark_tuple(itemi_machine *m, unsigned unused)
{
    (void)unused;
    const itemi_pickled *values;
    size_t count;
    item_status status = itemi_pickle_pop_mark(m, &values, &count);
    return status == ITEM_OK ? make_tuple(m, values, count) : status;
}

/* What is in a list is of no use to us. */
static item_status op_append(itemi_machine *m, unsigned marked)
{
    const itemi_pickled *values;
    size_t count;
    itemi_pickled list;
    item_status status =
        marked ? itemi_pickle_pop_mark(m, &values, &count) : itemi_pickle_pop(m, 1, &values);
    return status == ITEM_OK ? itemi_pickle_top(m, ITEMI_PICKLE_LIST, &list) : status;
}

static item_status add_pair(itemi_machine *m, size_t dict, const itemi_pickled *pair)
{
    itemi_pickle *p = m->pickle;
    if (p->pair_count == p->pair_capacity) {
        size_t capacity = p->pair_capacity ? 2 * p->pair_capacity : 256;
        void *grown = itemi_resize_array(p->mem, p->pairs, capacity, sizeof *p->pairs);
        if (!grown)
            return itemi_pickle_fail_memory(m);
        p->pairs = grown;
        p->pair_capacity = capacity;
    }
    p->pairs[p->pair_count++] = (itemi_pickle_pair){.dict = dict, .key = pair[0], .value = pair[1]};
    return ITEM_OK;
}

static item_status op_set(itemi_machine *m, unsigned marked)
{
    const itemi_pickled *values;
    size_t count = 2;
    itemi_pickled dict;
    item_status status =
        marked ? itemi_pickle_pop_mark(m, &values, &count) : itemi_pickle_pop(m, 2, &values);
    if (status == ITEM_OK)
        status = itemi_pickle_top(m, ITEMI_PICKLE_DICT, &dict);
    if (status == ITEM_OK && count % 2 != 0)
        status = itemi_pickle_fail(m, "has a key without a value");
    for (size_t i = 0; status == ITEM_OK && i < count; i += 2)
        status = add_pair(m, (size_t)dict.number, values + i);
    return status;
}

static item_status op_global(itemi_machine *m, unsigned unused)
{
    (void)unused;
    itemi_pickled module, name;
    item_status status = take_line(m, &module);
    if (status == ITEM_OK)
        status = take_line(m, &name);
    return status == ITEM_OK ? itemi_pickle_push_global(m, &module, &name) : status;
}

static item_status op_stack_global(itemi_machine *m, unsigned unused)
{
    (void)unused;
    const itemi_pickled *names;
    item_status status = itemi_pickle_pop(m, 2, &names);
    if (status != ITEM_OK)
        return status;
    if (names[0].kind != ITEMI_PICKLE_TEXT || names[1].kind != ITEMI_PICKLE_TEXT)
        return itemi_pickle_fail(m, "asks for what has no name");
    itemi_pickled module = names[0], name = names[1];
    return itemi_pickle_push_global(m, &module, &name);
}

/* Attributes of a state dict, such as the version of each layer. */
static item_status op_build(itemi_machine *m, unsigned unused)
{
    (void)unused;
    const itemi_pickled *state;
    itemi_pickled dict;
    item_status status = itemi_pickle_pop(m, 1, &state);
    return status == ITEM_OK ? itemi_pickle_top(m, ITEMI_PICKLE_DICT, &dict) : status;
}

/* Names as Python's pickletools has them; what has no function is refused by its name. */
static const struct {
    const char *name;
    item_status (*run)(itemi_machine *m, unsigned argument);
    unsigned argument;
} operations[256] = {
    [0x80] = {"PROTO", op_protocol, 1},
    [0x95] = {"FRAME", op_frame, 8},
    ['.'] = {"STOP", op_stop, 0},
    ['('] = {"MARK", op_mark, 0},
    ['q'] = {"BINPUT", op_put, 1},
    ['r'] = {"LONG_BINPUT", op_put, 4},
    [0x94] = {"MEMOIZE", op_memoize, 0},
    ['h'] = {"BINGET", op_get, 1},
    ['j'] = {"LONG_BINGET", op_get, 4},
    ['X'] = {"BINUNICODE", op_text, 4},
    [0x8c] = {"SHORT_BINUNICODE", op_text, 1},
    [0x8d] = {"BINUNICODE8", op_text, 8},
    ['K'] = {"BININT1", op_int, 1},
    ['M'] = {"BININT2", op_int, 2},
    ['J'] = {"BININT", op_int, 4},
    [0x8a] = {"LONG1", op_long, 1},
    [0x8b] = {"LONG4", op_long, 4},
    ['G'] = {"BINFLOAT", op_float, 8},
    ['N'] = {"NONE", itemi_pickle_push_kind, ITEMI_PICKLE_NONE},
    [0x88] = {"NEWTRUE", itemi_pickle_push_kind, ITEMI_PICKLE_OTHER},
    [0x89] = {"NEWFALSE", itemi_pickle_push_kind, ITEMI_PICKLE_OTHER},
    [']'] = {"EMPTY_LIST", itemi_pickle_push_kind, ITEMI_PICKLE_LIST},
    ['a'] = {"APPEND", op_append, 0},
    ['e'] = {"APPENDS", op_append, 1},
    ['}'] = {"EMPTY_DICT", itemi_pickle_dict, 0},
    ['s'] = {"SETITEM", op_set, 0},
    ['u'] = {"SETITEMS", op_set, 1},
    [')'] = {"EMPTY_TUPLE", op_tuple, 0},
    [0x85] = {"TUPLE1", op_tuple, 1},
    [0x86] = {"TUPLE2", op_tuple, 2},
    [0x87] = {"TUPLE3", op_tuple, 3},
    ['t'] = {"TUPLE", op_mark_tuple, 0},
    ['c'] = {"GLOBAL", op_global, 0},
    [0x93] = {"STACK_GLOBAL", op_stack_global, 0},
    ['Q'] = {"BINPERSID", itemi_pickle_storage, 0},
    ['R'] = {"REDUCE", itemi_pickle_reduce, 0},
    ['b'] = {"BUILD", op_build, 0},
    ['i'] = {"INST", NULL, 0},
    ['o'] = {"OBJ", NULL, 0},
    [0x81] = {"NEWOBJ", NULL, 0},
    [0x92] = {"NEWOBJ_EX", NULL, 0},
    [0x82] = {"EXT1", NULL, 0},
    [0x83] = {"EXT2", NULL, 0},
    [0x84] = {"EXT4", NULL, 0},
    ['P'] = {"PERSID", NULL, 0},
};

static item_status step(itemi_machine *m)
{
    uint64_t code;
    item_status status = itemi_pickle_take_number(m, 1, &code);
    if (status != ITEM_OK)
        return status;
    if (operations[code].run)
        return operations[code].run(m, operations[code].argument);
    char number[16];
    itemi_format(number, sizeof number, "0x%02x", (unsigned)code);
    return itemi_fail(m->err, ITEM_E_UNSUPPORTED, "%s: pickle uses the operation %s: refused",
                      m->name, operations[code].name ? operations[code].name : number);
}

static item_status run(itemi_machine *m)
{
    if (m->end - m->start > BYTES_MAX)
        return itemi_fail(m->err, ITEM_E_LIMIT, "%s: a pickle of more than %d bytes", m->name,
                          BYTES_MAX);
    item_status status = ITEM_OK;
    for (size_t n = 0; status == ITEM_OK && !m->stopped; n++) {
        if (n == OPERATIONS_MAX)
            return itemi_fail(m->err, ITEM_E_LIMIT, "%s: a pickle of more than %d operations",
                              m->name, OPERATIONS_MAX);
        status = step(m);
    }
    return status;
}

item_status itemi_pickle_load(const itemi_mem *mem, const uint8_t *data, size_t size,
                              const char *name, itemi_pickle *out, item_error *err)
{
    *out = (itemi_pickle){.mem = mem};
    itemi_machine m = {.pickle = out, .start = data, .at = data, .end = data + size, .name = name};
    m.err = err;
    item_status status = run(&m);
    itemi_free(mem, m.stack.at);
    itemi_free(mem, m.memo.at);
    if (status != ITEM_OK)
        itemi_pickle_free(out);
    return status;
}

void itemi_pickle_free(itemi_pickle *pickle)
{
    itemi_free(pickle->mem, pickle->items.at);
    itemi_free(pickle->mem, pickle->pairs);
    *pickle = (itemi_pickle){.mem = pickle->mem};
}
