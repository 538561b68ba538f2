/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a head: a safetensors file whose metadata holds the facts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/head_private.h"

#define META_KEY "item_head"

/* mean, scale, weight and bias of each layer, plain statistics, pictures of the training */
#define TENSORS_MAX (2 + 2 * ITEMI_MLP_LAYERS + ITEMI_PLAIN_TENSORS + 1)

static bool all_finite(const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return false;
    }
    return true;
}

/* Name of the weights or biases of a layer. */
static void layer_name(char out[ITEMI_NAME_MAX], size_t layer, const char *what)
{
    snprintf(out, ITEMI_NAME_MAX, "layers.%u.%s", (unsigned)layer, what);
}

/* A tensor of the shape given (rows 0: a vector), or a failure that names it. */
static item_status find(const itemi_safetensors *st, const char *file, const char *name,
                        uint64_t rows, uint64_t columns, const itemi_tensor **out, item_error *err)
{
    const itemi_tensor *t = itemi_safetensors_find(st, name);
    if (!t)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor `%s` of the head is missing", file, name);
    bool fits = rows ? t->dims == 2 && t->shape[0] == rows && t->shape[1] == columns
                     : t->dims == 1 && t->shape[0] == columns;
    if (t->dtype != ITEMI_F32 || !fits)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor `%s` is not float32 of the head's shape",
                          file, name);
    *out = t;
    return ITEM_OK;
}

item_status itemi_head_tensor(const itemi_safetensors *st, const char *file, const char *name,
                              uint64_t rows, uint64_t columns, float *out, item_error *err)
{
    const itemi_tensor *t = NULL;
    item_status status = find(st, file, name, rows, columns, &t, err);
    if (status != ITEM_OK)
        return status;
    itemi_to_f32(t, out);
    if (!all_finite(out, (size_t)(rows ? rows * columns : columns)))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor `%s` holds NaN or infinity", file, name);
    return ITEM_OK;
}

/* Layers and widths, from the tensors there are. */
static item_status measure(const itemi_safetensors *st, const char *file, itemi_mlp *mlp,
                           item_error *err)
{
    char name[ITEMI_NAME_MAX];
    const itemi_tensor *t;
    layer_name(name, 0, "weight");
    do {
        t = itemi_safetensors_find(st, name);
        /* columns too: a tensor that holds nothing may name any width */
        bool shaped = t && t->dims == 2 && t->shape[0] >= 1 && t->shape[0] <= UINT16_MAX &&
                      t->shape[1] == mlp->width[mlp->layers];
        if (!shaped)
            return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor `%s` of the head %s", file, name,
                              t ? "has a wrong shape" : "is missing");
        if (mlp->layers == ITEMI_MLP_LAYERS)
            return itemi_fail(err, ITEM_E_UNSUPPORTED, "%s: the head has more than %d layers", file,
                              ITEMI_MLP_LAYERS);
        mlp->width[++mlp->layers] = (size_t)t->shape[0];
        layer_name(name, mlp->layers, "weight");
    } while (itemi_safetensors_find(st, name));
    if (mlp->width[mlp->layers] != 1)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the head's last layer has %zu outputs, not 1",
                          file, mlp->width[mlp->layers]);
    return ITEM_OK;
}

static item_status load_network(itemi_head *head, const itemi_safetensors *st, const char *file,
                                item_error *err)
{
    itemi_mlp *mlp = &head->mlp;
    mlp->width[0] = head->facts.features;
    item_status status = measure(st, file, mlp, err);
    if (status == ITEM_OK && !itemi_mlp_reserve(head->mem, mlp))
        status = itemi_fail_memory(err, "reading a head");
    if (status == ITEM_OK)
        status = itemi_head_tensor(st, file, "mean", 0, mlp->width[0], mlp->mean, err);
    if (status == ITEM_OK)
        status = itemi_head_tensor(st, file, "scale", 0, mlp->width[0], mlp->scale, err);
    for (size_t l = 0; status == ITEM_OK && l < mlp->layers; l++) {
        char name[ITEMI_NAME_MAX];
        layer_name(name, l, "weight");
        status = itemi_head_tensor(st, file, name, mlp->width[l + 1], mlp->width[l], mlp->weight[l],
                                   err);
        layer_name(name, l, "bias");
        if (status == ITEM_OK)
            status = itemi_head_tensor(st, file, name, 0, mlp->width[l + 1], mlp->bias[l], err);
    }
    return status;
}

static item_status name_layout(itemi_head_facts *facts, const char *file, item_error *err)
{
    if (!itemi_layout_parse(facts->layout_name, &facts->layout))
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "%s: this libitem %s has no features `%s`", file,
                          item_version(), facts->layout_name);
    if (itemi_layout_reads_layers(&facts->layout) != (facts->layers_width > 0))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: layers_width %zu does not fit the features `%s`",
                          file, facts->layers_width, facts->layout_name);
    facts->features = itemi_layout_size(&facts->layout, itemi_head_widths(facts));
    return ITEM_OK;
}

static item_status load_all(itemi_head *head, const itemi_safetensors *st, const char *file,
                            item_error *err)
{
    const char *text = itemi_safetensors_meta(st, META_KEY);
    if (!text)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: this is no head: its metadata has no `%s`", file,
                          META_KEY);
    item_status status =
        itemi_head_facts_read(head->mem, text, file, &head->facts, &head->trained_on, err);
    if (status == ITEM_OK)
        status = itemi_head_facts_check(&head->facts, file, err);
    if (status == ITEM_OK)
        status = name_layout(&head->facts, file, err);
    if (status == ITEM_OK)
        status = load_network(head, st, file, err);
    if (status == ITEM_OK)
        status = itemi_head_read_plain(head, st, file, err);
    return status == ITEM_OK ? itemi_head_read_trained(head, st, file, err) : status;
}

/* Takes the file, which is closed in any case: the weights are few and copied. */
static item_status from_tensors(const itemi_mem *mem, itemi_safetensors *st, const char *file,
                                itemi_head **out, item_error *err)
{
    itemi_head *head = itemi_alloc_zero(mem, 1, sizeof *head);
    item_status status = ITEM_OK;
    if (head) {
        head->mem = mem;
        head->mlp.mem = mem;
        status = load_all(head, st, file, err);
    } else {
        status = itemi_fail_memory(err, "reading a head");
    }
    itemi_safetensors_close(st);
    if (status != ITEM_OK) {
        itemi_head_free(head);
        head = NULL;
    }
    *out = head;
    return status;
}

item_status itemi_head_open(const itemi_mem *mem, const char *path, itemi_head **out,
                            item_error *err)
{
    itemi_file file;
    *out = NULL;
    item_status status = itemi_file_open(mem, path, ITEMI_HEAD_BYTES, false, &file, err);
    if (status != ITEM_OK)
        return status;
    status = itemi_head_parse(mem, file.data, file.size, path, out, err);
    itemi_file_close(&file);
    return status;
}

item_status itemi_head_parse(const itemi_mem *mem, const void *bytes, size_t size, const char *name,
                             itemi_head **out, item_error *err)
{
    itemi_safetensors *st = NULL;
    *out = NULL;
    item_status status = itemi_safetensors_parse(mem, bytes, size, name, &st, err);
    return status == ITEM_OK ? from_tensors(mem, st, name, out, err) : status;
}

item_status itemi_head_make(const itemi_mem *mem, const itemi_head_facts *facts,
                            const itemi_mlp *mlp, itemi_head **out, item_error *err)
{
    *out = NULL;
    itemi_head *head = itemi_alloc_zero(mem, 1, sizeof *head);
    if (!head)
        return itemi_fail_memory(err, "making a head");
    head->mem = mem;
    head->facts = *facts;
    head->trained_on = itemi_strdup(mem, facts->trained_on ? facts->trained_on : "");
    head->facts.trained_on = head->trained_on;
    head->facts.trained_sources = json_deep_copy(facts->trained_sources);
    bool copied = head->trained_on && (head->facts.trained_sources || !facts->trained_sources) &&
                  itemi_head_remember(head, facts->trained_pictures, facts->trained_count);
    itemi_layout_name(&facts->layout, head->facts.layout_name);

    item_status status = itemi_head_facts_check(&head->facts, "new head", err);
    if (status == ITEM_OK)
        status = name_layout(&head->facts, "new head", err);
    if (status == ITEM_OK && mlp->width[0] != head->facts.features)
        status = itemi_fail(err, ITEM_E_MISMATCH,
                            "new head: `%s` has %zu features, the network reads %zu",
                            head->facts.layout_name, head->facts.features, mlp->width[0]);
    if (status == ITEM_OK && (!copied || !itemi_mlp_copy(mem, mlp, &head->mlp)))
        status = itemi_fail_memory(err, "making a head");
    if (status == ITEM_OK)
        *out = head;
    else
        itemi_head_free(head);
    return status;
}

static itemi_tensor tensor(const char *name, size_t rows, size_t columns, const float *data)
{
    itemi_tensor t = {.name = name, .dtype = ITEMI_F32, .dims = rows ? 2 : 1, .data = data};
    t.shape[0] = rows ? rows : columns;
    t.shape[1] = rows ? columns : 0;
    t.bytes = (rows ? rows : 1) * columns * sizeof *data;
    return t;
}

item_status itemi_head_write(const itemi_head *head, const char *path, item_error *err)
{
    const itemi_mlp *mlp = &head->mlp;
    itemi_tensor tensors[TENSORS_MAX];
    char names[2 * ITEMI_MLP_LAYERS][ITEMI_NAME_MAX];
    size_t count = 0;
    tensors[count++] = tensor("mean", 0, mlp->width[0], mlp->mean);
    tensors[count++] = tensor("scale", 0, mlp->width[0], mlp->scale);
    for (size_t l = 0; l < mlp->layers; l++) {
        layer_name(names[2 * l], l, "weight");
        layer_name(names[2 * l + 1], l, "bias");
        tensors[count++] = tensor(names[2 * l], mlp->width[l + 1], mlp->width[l], mlp->weight[l]);
        tensors[count++] = tensor(names[2 * l + 1], 0, mlp->width[l + 1], mlp->bias[l]);
    }
    count += itemi_head_list_plain(head, tensors + count);
    if (head->facts.trained_count)
        tensors[count++] = (itemi_tensor){.name = ITEMI_TRAINED_TENSOR,
                                          .dtype = ITEMI_U8,
                                          .dims = 2,
                                          .shape = {head->facts.trained_count, ITEM_PICTURE_HASH},
                                          .data = head->pictures,
                                          .bytes = head->facts.trained_count * ITEM_PICTURE_HASH};
    char *text = itemi_head_facts_json(head);
    if (!text)
        return itemi_fail_memory(err, "writing a head");
    const char *const meta[] = {META_KEY, text};
    item_status status = itemi_safetensors_write(path, tensors, count, meta, 1, err);
    itemi_free(head->mem, text);
    return status;
}

void itemi_head_free(itemi_head *head)
{
    if (!head)
        return;
    itemi_mlp_free(&head->mlp);
    itemi_free(head->mem, head->trained_on);
    itemi_free(head->mem, head->pictures);
    json_decref(head->facts.trained_sources);
    itemi_free(head->mem, head);
}

const itemi_head_facts *itemi_head_get_facts(const itemi_head *head)
{
    return &head->facts;
}
