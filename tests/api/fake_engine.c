/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine for tests, without a compute library: it asks for every service while it opens a
 * stage, and answers as the dummies do. Built as a module; it links nothing of libitem.
 * Pack config "misbehave" (a text) makes it go wrong.
 */
#include <item/sys/engine.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

ITEM_API const item_engine_ops *item_engine_entry(void);

static item_status fail(item_error *err, item_status status, const char *text)
{
    err->code = status;
    snprintf(err->message, sizeof err->message, "%s", text);
    return status;
}

/* What an opened stage keeps. */
typedef struct model {
    const item_services *services;
    item_weights *weights;
    item_tokens *tokens;
    float scale; /* a number out of the weights */
    void *hold;  /* of the weights */
    const void *held;
} model;

/* What is held outlives the weights. */
static void drop_weights(model *m)
{
    float scale = m->scale;
    if (m->hold)
        memcpy(&scale, m->held, sizeof scale);
    if (scale != m->scale)
        abort();
    m->services->weights_drop(m->hold);
}

static void close_model(void *self)
{
    model *m = self;
    m->services->tokens_close(m->tokens);
    m->services->weights_close(m->weights);
    drop_weights(m);
    m->services->log(m->services->host, ITEM_LOG_DEBUG, "closed");
    m->services->release(m->services->host, m);
}

/* ---- every service, once ---- */

/* The pack says by "misbehave" whether its files were hashed. */
static int is_key(const item_services *s, const char *key)
{
    const char *how = s->config_text(s->host, "misbehave");
    if (how && strcmp(how, "unhashed") == 0)
        return strncmp(key, "unhashed:", 9) == 0 && strlen(key) > 15;
    if (how && strcmp(how, "shards") == 0)
        return strncmp(key, "shards:", 7) == 0 && strlen(key) == 71;
    return strspn(key, "0123456789abcdef") == 64 && !key[64];
}

/* A view of an older header is refused, and of a newer one only what is known is written. */
static int other_views(const item_services *s, item_weights *weights)
{
    struct {
        item_tensor_view view;
        uint64_t beyond;
    } newer = {.view = {.struct_size = sizeof newer}, .beyond = 77};
    item_tensor_view older = {.struct_size = sizeof older - 8};
    return s->weights_tensor(weights, "scale", &newer.view, NULL) == ITEM_OK &&
           newer.view.bytes == 4 && newer.view.struct_size == sizeof newer && newer.beyond == 77 &&
           s->weights_tensor(weights, "scale", &older, NULL) == ITEM_E_ARGUMENT && !older.dtype;
}

/* Tensors are listed, and let go of their pages; what is held is looked at when the model ends. */
static int list_and_hold(model *m, const item_tensor_view *view)
{
    const item_services *s = m->services;
    const char *name = s->weights_name(m->weights, 0);
    m->hold = s->weights_hold(m->weights);
    m->held = view->data;
    s->weights_done(m->weights, "scale");
    s->weights_done(m->weights, "absent");
    return m->hold && name && strcmp(name, "scale") == 0 && !s->weights_name(m->weights, 1);
}

static item_status look_at_weights(model *m, item_error *err)
{
    const item_services *s = m->services;
    item_weights *again = NULL;
    item_status status = s->weights_open(s->host, "weights", &m->weights, err);
    if (status == ITEM_OK)
        status = s->weights_open(s->host, "weights", &again, err);
    if (status != ITEM_OK)
        return status;
    int same = again == m->weights;
    s->weights_close(again);
    item_tensor_view view = {.struct_size = sizeof view};
    status = s->weights_tensor(m->weights, "scale", &view, err);
    if (status == ITEM_OK)
        status = s->weights_f32(m->weights, "scale", &m->scale, 1, err);
    if (status != ITEM_OK)
        return status;
    float direct;
    memcpy(&direct, view.data, sizeof direct);
    const char *meta = s->weights_meta(m->weights, "kind");
    int right = same && view.dtype == ITEM_DTYPE_F32 && view.dims == 1 && view.shape[0] == 1 &&
                view.bytes == 4 && direct == m->scale && meta && strcmp(meta, "fake") == 0 &&
                list_and_hold(m, &view) && other_views(s, m->weights) &&
                is_key(s, s->weights_key(m->weights)) && !s->weights_meta(m->weights, "none") &&
                s->weights_open(s->host, "absent", &again, NULL) == ITEM_E_PACK && !again &&
                s->weights_tensor(m->weights, "absent", &view, NULL) == ITEM_E_PACK &&
                s->weights_f32(m->weights, "scale", &direct, 2, NULL) == ITEM_E_PACK;
    return right ? ITEM_OK : fail(err, ITEM_E_INTERNAL, "weights: not as they should be");
}

static item_status look_at_texts(model *m, item_error *err)
{
    const item_services *s = m->services;
    const char *data = NULL;
    size_t size = 0, count = 0;
    int32_t ids[8];
    item_status status = s->file_bytes(s->host, "vocab", &data, &size, err);
    if (status == ITEM_OK)
        status = s->tokens_open(s->host, "vocab", &m->tokens, err);
    if (status == ITEM_OK)
        status = s->tokens_encode(m->tokens, "A dog", 8, ids, 8, &count, err);
    if (status != ITEM_OK)
        return status;
    int right = size > 5 && memcmp(data, "[PAD]", 5) == 0 && count == 4 &&
                s->file_bytes(s->host, "absent", &data, &size, NULL) == ITEM_E_PACK;
    return right ? ITEM_OK : fail(err, ITEM_E_INTERNAL, "texts: not as they should be");
}

static item_status look_at_settings(const model *m, item_error *err)
{
    const item_services *s = m->services;
    const char *text = s->config_text(s->host, "text"), *device = s->setting(s->host, "device");
    int right = s->config_number(s->host, "number") == 2.5 && text && strcmp(text, "words") == 0 &&
                isnan(s->config_number(s->host, "text")) && !s->config_text(s->host, "absent") &&
                device && strcmp(device, "cpu") == 0 && s->setting(s->host, "precision") &&
                !s->setting(s->host, "absent");
    return right ? ITEM_OK : fail(err, ITEM_E_INTERNAL, "settings: not as they should be");
}

/* Large weights that are read for ten seconds, until the caller has enough of it. */
static item_status read_long(const item_services *s, item_error *err)
{
    const struct timespec step = {0, 10000000};
    for (int i = 0; i < 1000; i++) {
        if (s->cancelled(s->host))
            return fail(err, ITEM_E_CANCELLED, "in the middle of something");
        nanosleep(&step, NULL);
    }
    return ITEM_OK;
}

static item_status open_model(const item_services *services, const char *family, void **self,
                              item_error *err)
{
    if (strcmp(family, "fake") != 0)
        return fail(err, ITEM_E_UNSUPPORTED, "a family that is not known");
    const char *how = services->config_text(services->host, "misbehave");
    if (how && strcmp(how, "large") == 0) {
        item_status status = read_long(services, err);
        if (status != ITEM_OK)
            return status;
    }
    if (how && strcmp(how, "give up") == 0)
        return fail(err, ITEM_E_CANCELLED, "nobody asked for it");
    if (how && strcmp(how, "refuse") == 0)
        return fail(err, ITEM_E_BACKEND, "refused on purpose");
    model *m = services->allocate(services->host, sizeof *m);
    if (!m)
        return fail(err, ITEM_E_MEMORY, "no memory");
    *m = (model){.services = services};
    item_status status = look_at_weights(m, err);
    if (status == ITEM_OK)
        status = look_at_texts(m, err);
    if (status == ITEM_OK)
        status = look_at_settings(m, err);
    if (status != ITEM_OK) {
        close_model(m);
        return status;
    }
    *self = m;
    return ITEM_OK;
}

/* ---- stages ---- */

/* The mean brightness of 4 x 4 pixels that the host resized. */
static item_status brightness(const model *m, const item_image *image, const double box[4],
                              double *out, item_error *err)
{
    const item_services *s = m->services;
    uint8_t pixels[4 * 4 * 3];
    item_status status = s->resize(s->host, image, box, ITEM_FILTER_BICUBIC, 4, 4, pixels, err);
    double sum = 0;
    for (size_t i = 0; i < sizeof pixels && status == ITEM_OK; i++)
        sum += pixels[i];
    *out = sum / sizeof pixels / 255;
    return status;
}

static item_status caption(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err)
{
    (void)call;
    const model *m = self;
    for (size_t i = 0; i < n; i++) {
        uint32_t width, height;
        m->services->image_size(images[i], &width, &height);
        const double whole[4] = {0, 0, width, height};
        double light;
        item_status status = brightness(m, images[i], whole, &light, err);
        if (status != ITEM_OK)
            return status;
        snprintf(out[i]->text, out[i]->capacity, "%sa %s dog by a car, %u beams",
                 options->prompt ? options->prompt : "", light > 0.5 ? "bright" : "dark",
                 (unsigned)options->beams);
        for (size_t t = 0; t < options->max_tokens && out[i]->tokens && t < out[i]->token_room; t++)
            out[i]->tokens[out[i]->token_count++] = (int32_t)(7 * t);
        out[i]->logprob = -0.5;
        out[i]->margin = 0.25;
    }
    return ITEM_OK;
}

static item_status detect(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err)
{
    (void)self;
    (void)call;
    (void)images;
    (void)heads;
    (void)err;
    double least = options->least_score >= 0 ? options->least_score : 0.3;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < counts[i]; j++) {
            const double box[4] = {1, 1, 50.0 + (double)j, 60};
            double score = strstr(phrases[i][j], "dog") ? 0.9 : 0.4;
            item_status status =
                score >= least ? sinks[i]->add(sinks[i]->host, j, box, score) : ITEM_OK;
            if (status != ITEM_OK)
                return status;
        }
    }
    return ITEM_OK;
}

static void unit(double angle, float out[3])
{
    out[0] = (float)cos(angle);
    out[1] = (float)sin(angle);
    out[2] = 0;
}

static item_status embed_images(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err)
{
    (void)call;
    const model *m = self;
    for (size_t i = 0; i < n; i++) {
        double light;
        item_status status = brightness(m, crops[i]->image, crops[i]->box, &light, err);
        if (status != ITEM_OK)
            return status;
        unit(light * (double)m->scale, out + 3 * i);
    }
    return ITEM_OK;
}

static item_status embed_texts(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err)
{
    (void)call;
    const model *m = self;
    for (size_t i = 0; i < n; i++) {
        int32_t ids[8];
        size_t count = 0;
        item_status status =
            m->services->tokens_encode(m->tokens, texts[i], 8, ids, 8, &count, err);
        if (status != ITEM_OK)
            return status;
        unit((double)count * 0.1, out + 3 * i);
    }
    return ITEM_OK;
}

/* ---- the engine ---- */

static item_status open_captioner(const item_services *services, const char *family,
                                  item_captioner_ops *ops, void **self, item_error *err)
{
    ops->version = ITEM_BACKEND_VERSION;
    ops->name = "fake";
    ops->id = "1";
    ops->caption = caption;
    ops->close = close_model;
    return open_model(services, family, self, err);
}

static item_status open_detector(const item_services *services, const char *family,
                                 item_detector_ops *ops, void **self, item_error *err)
{
    ops->version = ITEM_BACKEND_VERSION;
    ops->name = "fake";
    ops->id = "1";
    ops->detect = detect;
    ops->close = close_model;
    return open_model(services, family, self, err);
}

static item_status open_embedder(const item_services *services, const char *family,
                                 item_embedder_ops *ops, void **self, item_error *err)
{
    const char *how = services->config_text(services->host, "misbehave");
    ops->version = ITEM_BACKEND_VERSION;
    ops->name = "fake";
    ops->id = how && strcmp(how, "no id") == 0 ? NULL : "1";
    ops->width = how && strcmp(how, "width") == 0 ? 5 : 3;
    ops->embed_images = embed_images;
    ops->embed_texts = embed_texts;
    ops->close = close_model;
    return open_model(services, family, self, err);
}

static item_status setup(const item_engine_settings *settings, item_error *err)
{
    return settings->lanes > 64 ? fail(err, ITEM_E_ARGUMENT, "too many lanes") : ITEM_OK;
}

static item_status info(int32_t measure, item_engine_info *out, item_error *err)
{
    (void)err;
    out->version = "0";
    out->lanes = 1;
    out->gflops = measure ? 1 : 0;
    return ITEM_OK;
}

static const char *precision(const char *asked)
{
    return strcmp(asked, "bf16") == 0 ? "bf16" : "fp32";
}

/* FAKE_ENGINE_TABLE names a table that libitem must refuse. */
const item_engine_ops *item_engine_entry(void)
{
    static const item_engine_ops whole = {
        .struct_size = sizeof whole,
        .version = ITEM_ENGINE_VERSION,
        .name = "fake",
        .id = "fake 1",
        .setup = setup,
        .info = info,
        .open_captioner = open_captioner,
        .open_detector = open_detector,
        .open_embedder = open_embedder,
        .precision = precision,
    };
    static item_engine_ops broken;
    const char *how = getenv("FAKE_ENGINE_TABLE");
    if (!how)
        return &whole;
    broken = whole;
    if (strcmp(how, "small") == 0)
        broken.struct_size = sizeof broken - 8;
    if (strcmp(how, "version") == 0)
        broken.version++;
    if (strcmp(how, "hole") == 0)
        broken.open_detector = NULL;
    return strcmp(how, "none") == 0 ? NULL : &broken;
}
