/* SPDX-License-Identifier: Apache-2.0 */
/* The names that a pickle may ask for, and what calling them makes: dicts, storages, tensors. */
#include "files/pickle.h"

typedef enum meaning { ORDERED_DICT, TENSOR, PARAMETER, STORAGE } meaning;

/* All that may be asked for. */
static const struct {
    const char *module, *name;
    meaning meaning;
    itemi_dtype dtype; /* of a storage */
} globals[] = {
    {"collections", "OrderedDict", ORDERED_DICT, 0},
    {"torch._utils", "_rebuild_tensor_v2", TENSOR, 0},
    {"torch._utils", "_rebuild_parameter", PARAMETER, 0},
    {"torch", "DoubleStorage", STORAGE, ITEMI_F64},
    {"torch", "FloatStorage", STORAGE, ITEMI_F32},
    {"torch", "HalfStorage", STORAGE, ITEMI_F16},
    {"torch", "BFloat16Storage", STORAGE, ITEMI_BF16},
    {"torch", "LongStorage", STORAGE, ITEMI_I64},
    {"torch", "IntStorage", STORAGE, ITEMI_I32},
    {"torch", "CharStorage", STORAGE, ITEMI_I8},
    {"torch", "ByteStorage", STORAGE, ITEMI_U8},
    {"torch", "BoolStorage", STORAGE, ITEMI_BOOL},
};

bool itemi_pickle_is(const itemi_pickled *value, const char *text)
{
    return value->kind == ITEMI_PICKLE_TEXT && value->length == strlen(text) &&
           memcmp(value->text, text, value->length) == 0;
}

itemi_dtype itemi_pickle_dtype(const itemi_pickled *global)
{
    return global->kind == ITEMI_PICKLE_GLOBAL ? globals[global->number].dtype : (itemi_dtype)0;
}

static int shown(const itemi_pickled *text)
{
    return text->length < 80 ? (int)text->length : 80;
}

item_status itemi_pickle_push_global(itemi_machine *m, const itemi_pickled *module,
                                     const itemi_pickled *name)
{
    for (size_t i = 0; i < ITEMI_COUNT(globals); i++) {
        if (itemi_pickle_is(module, globals[i].module) && itemi_pickle_is(name, globals[i].name))
            return itemi_pickle_push(
                m, (itemi_pickled){.kind = ITEMI_PICKLE_GLOBAL, .number = (int64_t)i});
    }
    return itemi_fail(m->err, ITEM_E_UNSUPPORTED, "%s: pickle asks for %.*s.%.*s: refused", m->name,
                      shown(module), module->text, shown(name), name->text);
}

/* ("storage", class, key, device, count of elements) */
item_status itemi_pickle_storage(itemi_machine *m, unsigned unused)
{
    (void)unused;
    const itemi_pickled *id;
    item_status status = itemi_pickle_pop(m, 1, &id);
    if (status != ITEM_OK)
        return status;
    itemi_pickled storage = *id;
    if (storage.kind != ITEMI_PICKLE_TUPLE || storage.length != 5)
        return itemi_pickle_fail(m, "names no storage");
    const itemi_pickled *items = m->pickle->items.at + storage.first;
    if (!itemi_pickle_is(items, "storage") || !itemi_pickle_dtype(items + 1) ||
        items[2].kind != ITEMI_PICKLE_TEXT || items[4].kind != ITEMI_PICKLE_INT)
        return itemi_pickle_fail(m, "names no storage");
    storage.kind = ITEMI_PICKLE_STORAGE;
    return itemi_pickle_push(m, storage);
}

/* (storage, offset, shape, strides, needs gradients, hooks) */
static item_status push_tensor(itemi_machine *m, itemi_pickled tensor)
{
    if (tensor.length == 7)
        return itemi_pickle_refuse(m, "a conjugated or negated tensor");
    if (tensor.length != 6)
        return itemi_pickle_fail(m, "makes a tensor of something else");
    const itemi_pickled *items = m->pickle->items.at + tensor.first;
    if (items[0].kind != ITEMI_PICKLE_STORAGE || items[1].kind != ITEMI_PICKLE_INT ||
        items[2].kind != ITEMI_PICKLE_TUPLE || items[3].kind != ITEMI_PICKLE_TUPLE)
        return itemi_pickle_fail(m, "makes a tensor of something else");
    tensor.kind = ITEMI_PICKLE_TENSOR;
    return itemi_pickle_push(m, tensor);
}

static item_status push_parameter(itemi_machine *m, itemi_pickled arguments)
{
    if (arguments.length != 3 || m->pickle->items.at[arguments.first].kind != ITEMI_PICKLE_TENSOR)
        return itemi_pickle_fail(m, "makes a parameter of something else");
    return itemi_pickle_push(m, m->pickle->items.at[arguments.first]);
}

item_status itemi_pickle_reduce(itemi_machine *m, unsigned unused)
{
    (void)unused;
    const itemi_pickled *values;
    item_status status = itemi_pickle_pop(m, 2, &values);
    if (status != ITEM_OK)
        return status;
    itemi_pickled called = values[0], arguments = values[1];
    if (called.kind != ITEMI_PICKLE_GLOBAL || arguments.kind != ITEMI_PICKLE_TUPLE)
        return itemi_pickle_fail(m, "calls what is no function");
    switch (globals[called.number].meaning) {
    case ORDERED_DICT:
        return arguments.length == 0 ? itemi_pickle_dict(m, 0)
                                     : itemi_pickle_refuse(m, "a dict with arguments");
    case TENSOR:
        return push_tensor(m, arguments);
    case PARAMETER:
        return push_parameter(m, arguments);
    default:
        return itemi_pickle_refuse(m, "a storage with arguments");
    }
}
