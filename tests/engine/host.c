/* SPDX-License-Identifier: Apache-2.0 */
/* The host of the engine's tests. */
#include "host.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"

struct item_weights {
    host *h;
    host_file *file;
};

static item_status refuse(item_error *err, item_status status, const char *what)
{
    return itemi_fail(err, status, "%s", what);
}

/* ---- memory and settings ---- */

static void *allocate(void *user, size_t size)
{
    host *h = user;
    if (atomic_load(&h->memory) >= 0 && atomic_fetch_sub(&h->memory, 1) == 0)
        return NULL;
    atomic_fetch_add(&h->blocks, 1);
    return malloc(size);
}

static void release(void *user, void *block)
{
    atomic_fetch_sub(&((host *)user)->blocks, 1);
    free(block);
}

static void log_line(void *user, int32_t level, const char *text)
{
    (void)user;
    (void)level;
    (void)text;
}

static const char *config_text(void *user, const char *key)
{
    (void)user;
    (void)key;
    return NULL;
}

static double config_number(void *user, const char *key)
{
    (void)user;
    (void)key;
    return NAN;
}

static const char *setting(void *user, const char *key)
{
    const host *h = user;
    return strcmp(key, "precision") == 0 ? h->precision : "cpu";
}

/* ---- files ---- */

static host_file *find(host *h, const char *role)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->files[i].role, role) == 0)
            return &h->files[i];
    return NULL;
}

/* The file of a role and its path. */
static item_status locate(host *h, const char *role, host_file **file, char path[1024],
                          item_error *err)
{
    *file = find(h, role);
    if (!*file)
        return refuse(err, ITEM_E_PACK, role);
    (void)snprintf(path, 1024, "%s/%s", h->folder, (*file)->name);
    return ITEM_OK;
}

static item_status weights_open(void *user, const char *role, item_weights **out, item_error *err)
{
    host *h = user;
    char path[1024];
    host_file *file;
    item_status status = locate(h, role, &file, path, err);
    if (status == ITEM_OK && !file->open)
        status = itemi_weights_open(NULL, path, true, NULL, &file->open, err);
    if (status != ITEM_OK)
        return status;
    file->users++;
    *out = malloc(sizeof **out);
    **out = (item_weights){h, file};
    return ITEM_OK;
}

static const char *weights_key(item_weights *w)
{
    static _Thread_local char hash[200];
    (void)snprintf(hash, sizeof hash, "%s%s", w->h->hash ? w->h->hash : "", w->file->name);
    return hash;
}

static item_status weights_tensor(item_weights *w, const char *name, item_tensor_view *out,
                                  item_error *err)
{
    const itemi_tensor *t = itemi_weights_find(w->file->open, name);
    if (!t || (w->h->missing && strcmp(name, w->h->missing) == 0))
        return refuse(err, ITEM_E_FORMAT, name);
    out->dtype = (int32_t)t->dtype;
    out->dims = t->dims;
    for (uint32_t i = 0; i < t->dims; i++)
        out->shape[i] = t->shape[i];
    if (w->h->reshaped && strcmp(name, w->h->reshaped) == 0)
        out->shape[0]++;
    out->data = t->data;
    out->bytes = t->bytes;
    return ITEM_OK;
}

static const char *weights_meta(item_weights *w, const char *key)
{
    for (const char *const *pair = w->h->meta; pair && *pair; pair += 2)
        if (strcmp(pair[0], key) == 0)
            return pair[1];
    return itemi_weights_meta(w->file->open, key);
}

static item_status weights_f32(item_weights *w, const char *name, float *out, size_t count,
                               item_error *err)
{
    const itemi_tensor *t = itemi_weights_find(w->file->open, name);
    size_t have = 1;
    for (uint32_t i = 0; t && i < t->dims; i++)
        have *= (size_t)t->shape[i];
    if (!t || have != count)
        return refuse(err, ITEM_E_FORMAT, name);
    itemi_to_f32(t, out);
    if (w->h->spoiled && strcmp(name, w->h->spoiled) == 0)
        out[0] = NAN;
    return ITEM_OK;
}

static void weights_close(item_weights *w)
{
    if (--w->file->users == 0) {
        itemi_weights_close(w->file->open);
        w->file->open = NULL;
    }
    free(w);
}

static void *weights_hold(item_weights *w)
{
    return itemi_weights_ref(w->file->open);
}

static void weights_drop(void *hold)
{
    itemi_weights_close(hold);
}

static void weights_done(item_weights *w, const char *name)
{
    const itemi_tensor *t = itemi_weights_find(w->file->open, name);
    if (t)
        itemi_weights_done(w->file->open, t);
}

static const char *weights_name(item_weights *w, size_t i)
{
    const itemi_tensor *t = itemi_weights_at(w->file->open, i);
    return t ? t->name : NULL;
}

static item_status file_bytes(void *user, const char *role, const char **data, size_t *size,
                              item_error *err)
{
    host *h = user;
    char path[1024];
    host_file *file;
    item_status status = locate(h, role, &file, path, err);
    if (status == ITEM_OK && !h->words.data)
        status = itemi_file_open(NULL, path, 0, false, &h->words, err);
    *data = (const char *)h->words.data;
    *size = h->words.size;
    return status;
}

/* ---- words and pictures ---- */

static item_status tokens_open(void *user, const char *role, item_tokens **out, item_error *err)
{
    host *h = user;
    char path[1024];
    itemi_file bytes;
    itemi_tokenizer *wp = NULL;
    host_file *file;
    item_status status = locate(h, role, &file, path, err);
    if (status == ITEM_OK)
        status = itemi_file_open(NULL, path, 0, false, &bytes, err);
    if (status != ITEM_OK)
        return status;
    status = itemi_tokenizer_open_bert(NULL, (const char *)bytes.data, bytes.size, &wp, err);
    itemi_file_close(&bytes);
    *out = (item_tokens *)wp;
    return status;
}

static item_status tokens_encode(item_tokens *tokens, const char *text, size_t limit, int32_t *ids,
                                 size_t capacity, size_t *count, item_error *err)
{
    return itemi_tokenizer_encode((const itemi_tokenizer *)tokens, text, limit, ids, capacity,
                                  count, err);
}

static void tokens_close(item_tokens *tokens)
{
    itemi_tokenizer_free((itemi_tokenizer *)tokens);
}

static void image_size(const item_image *image, uint32_t *width, uint32_t *height)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    *width = info.width;
    *height = info.height;
}

static item_status resize(void *user, const item_image *image, const double box[4], int32_t filter,
                          uint32_t width, uint32_t height, uint8_t *out, item_error *err)
{
    uint32_t w, h;
    (void)user;
    image_size(image, &w, &h);
    return itemi_resize_rgb(NULL, item_image_pixels(image), w, h, box, out, width, height,
                            (itemi_filter)filter, err);
}

/* ---- the host ---- */

const char *host_pack(void)
{
    static char path[512];
    const char *given = getenv("ITEM_TEST_PACK");
    (void)snprintf(path, sizeof path, "%s", given ? given : TEST_SOURCE "/packs/small");
    char file[600];
    (void)snprintf(file, sizeof file, "%s/embedder.safetensors", path);
    return access(file, R_OK) == 0 ? path : NULL;
}

const char *host_golden(const char *name)
{
    static char path[512];
    const char *given = getenv("ITEM_TEST_GOLDEN");
    (void)snprintf(path, sizeof path, "%s/%s.safetensors",
                   given ? given : TEST_SOURCE "/tests/golden/networks", name);
    return path;
}

void host_set(host *h, const char *role, const char *name)
{
    host_file *file = find(h, role);
    if (!file)
        file = &h->files[h->count++];
    (void)snprintf(file->role, sizeof file->role, "%s", role);
    (void)snprintf(file->name, sizeof file->name, "%s", name);
}

void host_init(host *h, const char *folder)
{
    memset(h, 0, sizeof *h);
    (void)snprintf(h->folder, sizeof h->folder, "%s", folder);
    h->precision = "fp32";
    atomic_store(&h->memory, -1);
    host_set(h, "image", "image_encoder.safetensors");
    host_set(h, "text", "text_encoder.safetensors");
    host_set(h, "vocab", "vocab.txt");
    host_set(h, "words", "captioner_vocab.txt");
    h->services = (item_services){
        .struct_size = sizeof h->services,
        .version = ITEM_SERVICES_VERSION,
        .host = h,
        .allocate = allocate,
        .release = release,
        .log = log_line,
        .config_text = config_text,
        .config_number = config_number,
        .setting = setting,
        .weights_open = weights_open,
        .weights_key = weights_key,
        .weights_tensor = weights_tensor,
        .weights_meta = weights_meta,
        .weights_f32 = weights_f32,
        .weights_close = weights_close,
        .file_bytes = file_bytes,
        .tokens_open = tokens_open,
        .tokens_encode = tokens_encode,
        .tokens_close = tokens_close,
        .resize = resize,
        .image_size = image_size,
        .weights_hold = weights_hold,
        .weights_drop = weights_drop,
        .weights_done = weights_done,
        .weights_name = weights_name,
    };
}

void host_end(host *h)
{
    for (size_t i = 0; i < h->count; i++)
        assert_int_equal(h->files[i].users, 0);
    itemi_file_close(&h->words);
    assert_int_equal(atomic_load(&h->blocks), 0);
}

static int32_t cancelled(void *user)
{
    call_state *c = user;
    const int asked = atomic_fetch_add(&c->asked, 1) + 1;
    return c->patience ? asked > c->patience : atomic_load(&c->cancel);
}

static void call_log(void *user, int32_t level, const char *text)
{
    (void)level;
    (void)text;
    ((call_state *)user)->logged++;
}

static void call_warn(void *user, const char *text)
{
    (void)user;
    (void)text;
}

void call_init(call_state *c)
{
    memset(c, 0, sizeof *c);
    c->call = (item_call){.struct_size = sizeof c->call,
                          .host = c,
                          .cancelled = cancelled,
                          .log = call_log,
                          .warn = call_warn};
}

const item_engine_ops *host_engine(void)
{
    static const item_engine_ops *engine;
    const char *path = getenv("ITEM_TEST_ENGINE");
    if (engine)
        return engine;
    assert_non_null(path);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        fail_msg("%s", dlerror());
    item_engine_entry_fn entry;
    void *symbol = dlsym(module, ITEM_ENGINE_ENTRY);
    memcpy(&entry, &symbol, sizeof entry);
    assert_non_null(symbol);
    engine = entry();
    return engine;
}

/* Each stage has a file "weights" of its own, and so a host of its own in libitem; here the role
   is set before each opening. */
static item_services *services_for(stages *s, const char *weights)
{
    host_set(&s->h, "weights", weights);
    return &s->h.services;
}

item_status stages_open(stages *s, const char *folder, const char *which, item_error *err)
{
    const item_engine_ops *engine = host_engine();
    item_status status = ITEM_OK;
    if (!s->h.count)
        host_init(&s->h, folder);
    if (strchr(which, 'c'))
        status = engine->open_captioner(services_for(s, "captioner.safetensors"), "grid-decoder",
                                        &s->captioner, &s->captioner_self, err);
    if (status == ITEM_OK && strchr(which, 'd'))
        status = engine->open_detector(services_for(s, "detector.safetensors"), "nanodet",
                                       &s->detector, &s->detector_self, err);
    if (status == ITEM_OK && strchr(which, 'e'))
        status = engine->open_embedder(services_for(s, "embedder.safetensors"), "dual-projection",
                                       &s->embedder, &s->embedder_self, err);
    return status;
}

void stages_close(stages *s)
{
    if (s->captioner.close)
        s->captioner.close(s->captioner_self);
    if (s->detector.close)
        s->detector.close(s->detector_self);
    if (s->embedder.close)
        s->embedder.close(s->embedder_self);
    host_end(&s->h);
}

size_t host_pictures(const char *golden, item_image **out, size_t room)
{
    itemi_safetensors *file = NULL;
    assert_int_equal(itemi_safetensors_open(NULL, host_golden(golden), false, &file, NULL), 0);
    const itemi_tensor *pixels = itemi_safetensors_find(file, "pixels");
    assert_non_null(pixels);
    const size_t n = (size_t)pixels->shape[0] < room ? (size_t)pixels->shape[0] : room;
    const uint32_t h = (uint32_t)pixels->shape[1], w = (uint32_t)pixels->shape[2];
    for (size_t i = 0; i < n; i++)
        assert_int_equal(
            item_image_from_pixels((const uint8_t *)pixels->data + i * (size_t)h * w * 3,
                                   ITEM_PIXELS_RGB, w, h, (size_t)w * 3, NULL, &out[i], NULL),
            ITEM_OK);
    itemi_safetensors_close(file);
    return n;
}

double now_ms(void)
{
    return itemi_now_ms();
}
