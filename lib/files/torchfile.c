/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading checkpoints as torch.save() writes them since torch 1.6: a zip whose data.pkl tells the
 * tensors of a state dict, and whose data/N hold their storages. Tensors whose elements follow
 * one another are used where they lie, others are gathered in a block of their own.
 */
#include "files/torchfile.h"

#define PICKLE    "data.pkl"
#define ALIGNMENT 64 /* of gathered tensors */

struct itemi_torchfile {
    const itemi_mem *mem;
    const char *name; /* for messages, only while reading */
    item_error *err;  /* likewise */
    size_t size;      /* of the file */
    itemi_zip zip;
    const char *root; /* folder of all entries */
    size_t root_length;
    itemi_pickle pickle;

    itemi_tensor *tensors;
    size_t count;
    char *names;
    uint8_t *gathered; /* tensors that do not lie in the file as they are */
    size_t gathered_size;
};

/* A tensor of the pickle, while it is read. */
typedef struct layout {
    const itemi_zip_entry *entry;
    const itemi_pickled *strides;
    uint64_t offset; /* in elements, as strides are */
} layout;

static item_status fail(const itemi_torchfile *f, const char *what)
{
    return itemi_fail(f->err, ITEM_E_FORMAT, "%s: %s", f->name, what);
}

static item_status fail_tensor(const itemi_torchfile *f, const itemi_tensor *t, const char *what)
{
    return itemi_fail(f->err, ITEM_E_FORMAT, "%s: tensor \"%.80s\" %s", f->name, t->name, what);
}

/* ---- the container ---- */

/* All entries stand in one folder, which torch names after the file: the one with data.pkl. */
static const itemi_zip_entry *find_pickle(itemi_torchfile *f)
{
    for (size_t i = 0; i < f->zip.count; i++) {
        const itemi_zip_entry *entry = &f->zip.entries[i];
        const char *slash = memchr(entry->name, '/', entry->length);
        size_t length = slash ? (size_t)(slash - entry->name) : 0;
        if (slash && entry->length - length - 1 == strlen(PICKLE) &&
            memcmp(slash + 1, PICKLE, strlen(PICKLE)) == 0) {
            f->root = entry->name;
            f->root_length = length;
            return entry;
        }
    }
    return NULL;
}

static item_status read_container(itemi_torchfile *f, const uint8_t *data)
{
    item_status status = itemi_zip_open(f->mem, data, f->size, f->name, &f->zip, f->err);
    if (status != ITEM_OK)
        return status;
    const itemi_zip_entry *pickle = find_pickle(f);
    if (!pickle)
        return fail(f, "a zip without " PICKLE " is no torch checkpoint");
    static const char order[] = "byteorder", little[] = "little";
    const itemi_zip_entry *entry =
        itemi_zip_find(&f->zip, f->root, f->root_length, order, strlen(order));
    if (entry &&
        (entry->size != strlen(little) || memcmp(entry->data, little, strlen(little)) != 0))
        return itemi_fail(f->err, ITEM_E_UNSUPPORTED,
                          "%s: was written on a machine of another byte order", f->name);
    return itemi_pickle_load(f->mem, pickle->data, pickle->size, f->name, &f->pickle, f->err);
}

/* ---- tensors ---- */

static item_status read_storage(const itemi_torchfile *f, const itemi_pickled *value,
                                itemi_tensor *t, layout *l, uint64_t *elements)
{
    const itemi_pickled *storage = f->pickle.items.at + value->first;
    const itemi_pickled *key = &storage[2];
    char name[64] = "data/";
    int length = key->length < 40 ? (int)key->length : 40;
    itemi_format(name, sizeof name, "data/%.*s", length, key->text);
    l->entry = key->length > 40 ? NULL
                                : itemi_zip_find(&f->zip, f->root, f->root_length, name,
                                                 strlen("data/") + key->length);
    if (!l->entry)
        return itemi_fail(f->err, ITEM_E_FORMAT,
                          "%s: tensor \"%.80s\" lies in %s, which is not in the file", f->name,
                          t->name, name);
    t->dtype = itemi_pickle_dtype(&storage[1]);
    size_t bytes;
    if (storage[4].number < 0 ||
        itemi_mul_overflows((size_t)storage[4].number, itemi_dtype_size(t->dtype), &bytes) ||
        bytes > l->entry->size)
        return itemi_fail(f->err, ITEM_E_FORMAT,
                          "%s: tensor \"%.80s\": its storage of %lld elements has %zu bytes",
                          f->name, t->name, (long long)storage[4].number, l->entry->size);
    *elements = (uint64_t)storage[4].number;
    return ITEM_OK;
}

static item_status read_shape(const itemi_torchfile *f, const itemi_pickled *items, itemi_tensor *t,
                              layout *l)
{
    const itemi_pickled *shape = f->pickle.items.at + items[2].first;
    l->strides = f->pickle.items.at + items[3].first;
    if (items[2].length != items[3].length)
        return fail_tensor(f, t, "has strides for another number of dimensions");
    if (items[2].length > ITEMI_DIMS_MAX)
        return itemi_fail(f->err, ITEM_E_UNSUPPORTED,
                          "%s: tensor \"%.80s\" has %u dimensions, at most %d are read", f->name,
                          t->name, (unsigned)items[2].length, ITEMI_DIMS_MAX);
    t->dims = items[2].length;
    for (uint32_t i = 0; i < t->dims; i++) {
        if (shape[i].kind != ITEMI_PICKLE_INT || shape[i].number < 0)
            return fail_tensor(f, t, "has a size that is no count");
        if (l->strides[i].kind != ITEMI_PICKLE_INT || l->strides[i].number < 0)
            return fail_tensor(f, t, "has a negative stride");
        t->shape[i] = (uint64_t)shape[i].number;
    }
    if (items[1].number < 0)
        return fail_tensor(f, t, "begins before its storage");
    l->offset = (uint64_t)items[1].number;
    return itemi_tensor_bytes(t, &t->bytes) ? ITEM_OK
                                            : fail_tensor(f, t, "has a size that overflows");
}

/* Is the last element, which has the largest place, within the storage? */
static item_status check_range(const itemi_torchfile *f, const itemi_tensor *t, const layout *l,
                               uint64_t elements)
{
    uint64_t last = l->offset;
    bool overflow = false;
    for (uint32_t i = 0; t->bytes && i < t->dims; i++) {
        uint64_t step;
        overflow |= __builtin_mul_overflow(t->shape[i] - 1, (uint64_t)l->strides[i].number, &step);
        overflow |= __builtin_add_overflow(last, step, &last);
    }
    if (overflow || (t->bytes ? last >= elements : last > elements))
        return itemi_fail(f->err, ITEM_E_FORMAT,
                          "%s: tensor \"%.80s\" reaches beyond its storage of %llu elements",
                          f->name, t->name, (unsigned long long)elements);
    return ITEM_OK;
}

static bool is_contiguous(const itemi_tensor *t, const layout *l)
{
    uint64_t expected = 1;
    for (uint32_t i = t->dims; t->bytes && i-- > 0;) {
        if (t->shape[i] != 1 && (uint64_t)l->strides[i].number != expected)
            return false;
        expected *= t->shape[i];
    }
    return true;
}

/* Its data stay NULL where they must be gathered. */
static item_status read_tensor(const itemi_torchfile *f, const itemi_pickled *value,
                               itemi_tensor *t, layout *l)
{
    const itemi_pickled *items = f->pickle.items.at + value->first;
    uint64_t elements = 0;
    item_status status = read_storage(f, &items[0], t, l, &elements);
    if (status == ITEM_OK)
        status = read_shape(f, items, t, l);
    if (status == ITEM_OK)
        status = check_range(f, t, l, elements);
    if (status == ITEM_OK && is_contiguous(t, l))
        t->data = l->entry->data + l->offset * itemi_dtype_size(t->dtype);
    return status;
}

/* Copies element by element, in the order of the shape. */
static void gather(const itemi_tensor *t, const layout *l, uint8_t *out)
{
    size_t size = itemi_dtype_size(t->dtype);
    uint64_t index[ITEMI_DIMS_MAX] = {0};
    uint64_t at = l->offset; /* may wrap around meanwhile: a size of 1 has any stride */
    for (size_t done = 0; done < t->bytes; done += size) {
        memcpy(out + done, l->entry->data + at * size, size);
        for (uint32_t i = t->dims; i-- > 0;) {
            uint64_t stride = (uint64_t)l->strides[i].number;
            at += stride;
            if (++index[i] < t->shape[i])
                break;
            at -= t->shape[i] * stride;
            index[i] = 0;
        }
    }
}

/* ---- the state dict ---- */

/* That of the pickle, or where a training script wrapped it, its entry of that name. */
static item_status find_state(const itemi_torchfile *f, size_t *dict)
{
    if (f->pickle.result.kind != ITEMI_PICKLE_DICT)
        return fail(f, "holds no state dict");
    *dict = (size_t)f->pickle.result.number;
    for (size_t i = 0; i < f->pickle.pair_count; i++) {
        const itemi_pickle_pair *pair = &f->pickle.pairs[i];
        if (pair->dict == (size_t)f->pickle.result.number &&
            itemi_pickle_is(&pair->key, "state_dict") && pair->value.kind == ITEMI_PICKLE_DICT)
            *dict = (size_t)pair->value.number;
    }
    return ITEM_OK;
}

/* The next tensor of the dict from pair *i on, NULL after the last; *i moves behind it. */
static const itemi_pickle_pair *next_tensor(const itemi_torchfile *f, size_t dict, size_t *i)
{
    while (*i < f->pickle.pair_count) {
        const itemi_pickle_pair *pair = &f->pickle.pairs[(*i)++];
        if (pair->dict == dict && pair->value.kind == ITEMI_PICKLE_TENSOR)
            return pair;
    }
    return NULL;
}

static item_status make_room(itemi_torchfile *f, size_t dict)
{
    size_t bytes = 0, count = 0;
    const itemi_pickle_pair *pair;
    for (size_t i = 0; (pair = next_tensor(f, dict, &i));) {
        const itemi_pickled *key = &pair->key;
        if (key->kind != ITEMI_PICKLE_TEXT || memchr(key->text, '\0', key->length) ||
            itemi_utf8_valid(key->text, key->length) != key->length)
            return fail(f, "a tensor's name is no text");
        bytes += key->length + 1;
        count++;
    }
    f->names = itemi_alloc(f->mem, bytes + 1);
    f->tensors = itemi_alloc_zero(f->mem, count + 1, sizeof *f->tensors);
    return f->names && f->tensors ? ITEM_OK
                                  : itemi_fail(f->err, ITEM_E_MEMORY,
                                               "%s: out of memory for %zu tensors", f->name, count);
}

/* Room that a tensor takes in the block of gathered ones. */
static size_t room_of(const itemi_tensor *t)
{
    return t->data ? 0 : (t->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/*
 * An expanded tensor repeats its elements by a stride of 0, so that a small file may tell of
 * terabytes. Honest files have a few small ones, hence this limit on their sum.
 */
static item_status add_gathered(itemi_torchfile *f, const itemi_tensor *t)
{
    bool fits = t->bytes <= f->size;
    if (fits)
        f->gathered_size += room_of(t);
    if (!fits || f->gathered_size > f->size + ALIGNMENT * (f->count + 1))
        return itemi_fail(f->err, ITEM_E_LIMIT,
                          "%s: its tensors, \"%.80s\" among them, unfold to more than the file",
                          f->name, t->name);
    return ITEM_OK;
}

static item_status read_tensors(itemi_torchfile *f, size_t dict)
{
    char *name = f->names;
    const itemi_pickle_pair *pair;
    item_status status = ITEM_OK;
    for (size_t i = 0; status == ITEM_OK && (pair = next_tensor(f, dict, &i));) {
        itemi_tensor *t = &f->tensors[f->count];
        layout l;
        memcpy(name, pair->key.text, pair->key.length);
        name[pair->key.length] = '\0';
        t->name = name;
        name += pair->key.length + 1;
        status = read_tensor(f, &pair->value, t, &l);
        if (status == ITEM_OK && !t->data)
            status = add_gathered(f, t);
        f->count++;
    }
    return status;
}

/* Once all is known to be sound and to fit. */
static item_status gather_all(itemi_torchfile *f, size_t dict)
{
    if (f->gathered_size == 0)
        return ITEM_OK;
    f->gathered = itemi_alloc(f->mem, f->gathered_size);
    if (!f->gathered)
        return itemi_fail(f->err, ITEM_E_MEMORY, "%s: out of memory for %zu bytes", f->name,
                          f->gathered_size);
    size_t used = 0, n = 0;
    const itemi_pickle_pair *pair;
    item_status status = ITEM_OK;
    for (size_t i = 0; status == ITEM_OK && (pair = next_tensor(f, dict, &i)); n++) {
        itemi_tensor *t = &f->tensors[n];
        if (t->data)
            continue;
        layout l;
        status = read_tensor(f, &pair->value, t, &l);
        if (status != ITEM_OK)
            break;
        gather(t, &l, f->gathered + used);
        size_t room = room_of(t);
        t->data = f->gathered + used;
        used += room;
    }
    return status;
}

static item_status parse(itemi_torchfile *f, const uint8_t *data)
{
    size_t dict = 0;
    item_status status = read_container(f, data);
    if (status == ITEM_OK)
        status = find_state(f, &dict);
    if (status == ITEM_OK)
        status = make_room(f, dict);
    if (status == ITEM_OK)
        status = read_tensors(f, dict);
    return status == ITEM_OK ? gather_all(f, dict) : status;
}

item_status itemi_torchfile_parse(const itemi_mem *mem, const uint8_t *data, size_t size,
                                  const char *name, itemi_torchfile **out, item_error *err)
{
    *out = NULL;
    itemi_torchfile *f = itemi_alloc_zero(mem, 1, sizeof *f);
    if (!f)
        return itemi_fail(err, ITEM_E_MEMORY, "%s: out of memory", name);
    *f = (itemi_torchfile){.mem = mem, .name = name, .err = err, .size = size};
    item_status status = parse(f, data);
    itemi_pickle_free(&f->pickle);
    itemi_zip_close(&f->zip);
    if (status == ITEM_OK)
        *out = f;
    else
        itemi_torchfile_close(f);
    return status;
}

void itemi_torchfile_close(itemi_torchfile *file)
{
    if (!file)
        return;
    const itemi_mem *mem = file->mem;
    itemi_free(mem, file->names);
    itemi_free(mem, file->tensors);
    itemi_free(mem, file->gathered);
    itemi_free(mem, file);
}

size_t itemi_torchfile_count(const itemi_torchfile *file)
{
    return file->count;
}

const itemi_tensor *itemi_torchfile_at(const itemi_torchfile *file, size_t i)
{
    return i < file->count ? &file->tensors[i] : NULL;
}
