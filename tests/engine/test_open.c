/* SPDX-License-Identifier: Apache-2.0 */
/* Opening stages: what is wrong with a pack is said with the tensor's name, nothing is leaked. */
#include "host.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"

static const item_engine_ops *engine;

static int setup(void **state)
{
    *state = (void *)host_pack();
    engine = host_engine();
    return 0;
}

static void family_must_be_known(void **state)
{
    item_error err = ITEM_ERROR_INIT;
    item_captioner_ops ops = {.struct_size = sizeof ops};
    void *self = &ops;
    host h;
    (void)state;
    host_init(&h, "/nowhere");
    assert_int_equal(engine->open_captioner(&h.services, "git", &ops, &self, &err),
                     ITEM_E_UNSUPPORTED);
    assert_null(self);
    assert_non_null(strstr(err.message, "git"));
    assert_int_equal(
        engine->open_detector(&h.services, NULL, (item_detector_ops *)&ops, &self, NULL),
        ITEM_E_UNSUPPORTED);
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(
        engine->open_embedder(&h.services, "git", (item_embedder_ops *)&ops, &self, &err),
        ITEM_E_UNSUPPORTED);
    assert_non_null(
        strstr(err.message, "here, but dual-projection, clip, open_clip, chinese_clip"));
    host_end(&h);
}

static void file_must_be_there(void **state)
{
    item_error err = ITEM_ERROR_INIT;
    stages s = {0};
    (void)state;
    assert_int_not_equal(stages_open(&s, "/nowhere", "e", &err), ITEM_OK);
    assert_null(s.embedder_self);
    assert_non_null(strstr(err.message, "image_encoder.safetensors"));
    stages_close(&s);
}

static void arguments_are_checked(void **state)
{
    item_captioner_ops ops = {.struct_size = sizeof ops};
    void *self = &ops;
    host h;
    (void)state;
    host_init(&h, "/nowhere");
    h.services.version = 0;
    assert_int_equal(engine->open_captioner(&h.services, "grid-decoder", &ops, &self, NULL),
                     ITEM_E_ARGUMENT);
    assert_null(self);
    self = &ops;
    assert_int_equal(engine->open_captioner(NULL, "grid-decoder", &ops, &self, NULL),
                     ITEM_E_ARGUMENT);
    assert_null(self);
    host_end(&h);
}

/* Opens `which` with a fault and expects an error that names `tensor` and, if given, `what`. */
static void expect_fault(const char *pack, const char *which, const char *tensor, bool reshaped,
                         const char *what)
{
    item_error err = ITEM_ERROR_INIT;
    stages s = {0};
    host_init(&s.h, pack);
    s.h.hash = "fault ";
    if (reshaped)
        s.h.reshaped = tensor;
    else
        s.h.missing = tensor;
    assert_int_equal(stages_open(&s, pack, which, &err), ITEM_E_PACK);
    if (!strstr(err.message, tensor) || (what && !strstr(err.message, what)))
        fail_msg("%s: \"%s\"", tensor, err.message);
    stages_close(&s);
}

static void missing_tensors_are_named(void **state)
{
    const char *pack = *state;
    SKIP_UNLESS(pack);
    expect_fault(pack, "c", "blocks.3.dw.weight", false, "\"image\"");
    expect_fault(pack, "c", "layers.1.cross.k.bias", false, "\"weights\"");
    expect_fault(pack, "d", "conv.17.weight", false, NULL);
    expect_fault(pack, "d", "alias_class", false, NULL);
    expect_fault(pack, "e", "encoder.layer.2.attention.output.LayerNorm.bias", false, "\"text\"");
    expect_fault(pack, "e", "text.out.weight", false, NULL);
}

static void wrong_shapes_are_named(void **state)
{
    const char *pack = *state;
    SKIP_UNLESS(pack);
    expect_fault(pack, "c", "blocks.3.project.bias", true, "not 40");
    expect_fault(pack, "c", "layers.0.self.q.weight", true, NULL);
    expect_fault(pack, "d", "conv.33.bias", true, "not 124");
    expect_fault(pack, "e", "image.norm.weight", true, "1281, not 1280");
    expect_fault(pack, "e", "encoder.layer.5.output.dense.weight", true, NULL);
}

/* Opens `which` with other metadata and expects an error that names the first of its keys. */
static void expect_bad_meta(const char *pack, const char *which, const char *const *meta)
{
    item_error err = ITEM_ERROR_INIT;
    stages s = {0};
    host_init(&s.h, pack);
    s.h.hash = "fault ";
    s.h.meta = meta;
    const item_status status = stages_open(&s, pack, which, &err);
    if (status != ITEM_E_PACK || !strstr(err.message, meta[0]))
        fail_msg("%s = %s: %d \"%s\"", meta[0], meta[1], (int)status, err.message);
    stages_close(&s);
}

/* What the files say of their networks is no number, or none that a network can have. */
static void metadata_must_make_sense(void **state)
{
    static const struct {
        const char *which, *meta[5];
    } bad[] = {
        {"c", {"heads", "none"}},
        {"c", {"heads", "1e300"}},
        {"c", {"heads", "0e999"}}, /* not a number, once it is computed */
        {"c", {"length_alpha", "0e999"}},
        {"c", {"strides", "[1, 3]"}},
        {"c", {"input_size", "0e999"}},
        {"c", {"std", "[0.2, 0, 0.2]"}},
        {"c", {"mean", "[0.2, 1e999, 0.2]"}},
        {"d", {"input_size", "0e999"}},
        {"d", {"std", "[0, 57, 58]"}},
        {"d", {"classes", "1e300"}},
        {"d", {"bins", "-1", "classes", "128"}}, /* their sum is right */
        {"d", {"bins", "0", "classes", "124"}},
        {"d", {"nms_iou", "0e999"}},
        {"d", {"match_head", "0e999"}},
        {"e", {"heads", "-4"}},
        {"e", {"layer_norm_eps", "-1"}},
    };
    const char *pack = *state;
    SKIP_UNLESS(pack);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_bad_meta(pack, bad[i].which, bad[i].meta);
}

static void words_must_fit(void **state)
{
    const char *pack = *state;
    SKIP_UNLESS(pack);
    item_error err = ITEM_ERROR_INIT;
    stages s = {0};
    host_init(&s.h, pack);
    (void)strcpy(s.h.files[3].name, "vocab.txt"); /* role "words" */
    assert_int_equal(stages_open(&s, pack, "c", &err), ITEM_E_PACK);
    assert_non_null(strstr(err.message, "30522 lines"));
    stages_close(&s);
}

/* The second opening finds the networks of the first: it reads no tensor. */
static void networks_are_shared(void **state)
{
    const char *pack = *state;
    SKIP_UNLESS(pack);
    stages a = {0}, b = {0};
    assert_int_equal(stages_open(&a, pack, "ce", NULL), ITEM_OK);
    host_init(&b.h, pack);
    b.h.missing = "stem.weight";
    assert_int_equal(stages_open(&b, pack, "c", NULL), ITEM_OK);
    assert_string_equal(a.captioner.id, b.captioner.id);
    assert_int_equal(a.embedder.version, ITEM_BACKEND_VERSION);
    assert_in_range(a.embedder.width, 1, 8192);
    stages_close(&a);
    stages_close(&b);
    stages c = {0}; /* everything was let go: now it is read again */
    host_init(&c.h, pack);
    c.h.missing = "stem.weight";
    assert_int_equal(stages_open(&c, pack, "c", NULL), ITEM_E_PACK);
    stages_close(&c);
}

static double tiny_penalty(void *user, const char *key)
{
    (void)user;
    return strcmp(key, "length_penalty") == 0 ? -1e308 : (double)NAN;
}

/* The same of what the pack says: no caption would be better than none. */
static void configuration_must_make_sense(void **state)
{
    const char *pack = *state;
    SKIP_UNLESS(pack);
    item_error err = ITEM_ERROR_INIT;
    stages s = {0};
    host_init(&s.h, pack);
    s.h.services.config_number = tiny_penalty;
    assert_int_equal(stages_open(&s, pack, "c", &err), ITEM_E_PACK);
    assert_non_null(strstr(err.message, "length_penalty"));
    stages_close(&s);
}

/* ---- networks that are too large ---- */

typedef item_status (*reader)(item_weights *, const char *, item_tensor_view *, item_error *);

static reader read_tensor; /* the host's */

/* A file whose layers never end. */
static item_status read_endless(item_weights *w, const char *name, item_tensor_view *out,
                                item_error *err)
{
    char first[128];
    const char *at = strstr(name, "layer.") ? strstr(name, "layer.") : strstr(name, "layers.");
    if (!at)
        return read_tensor(w, name, out, err);
    const char *number = strchr(at, '.') + 1;
    (void)snprintf(first, sizeof first, "%.*s0%s", (int)(number - name), name, strchr(number, '.'));
    return read_tensor(w, first, out, err);
}

/* One with a block more than it has strides. */
static item_status read_one_more(item_weights *w, const char *name, item_tensor_view *out,
                                 item_error *err)
{
    return read_tensor(w, strncmp(name, "blocks.16.", 10) == 0 ? "blocks.15.dw.weight" : name, out,
                       err);
}

/* One whose widths no product can have. */
static item_status read_huge(item_weights *w, const char *name, item_tensor_view *out,
                             item_error *err)
{
    const item_status status = read_tensor(w, name, out, err);
    if (strcmp(name, "embed.weight") == 0 || strcmp(name, "image.value.weight") == 0)
        out->shape[1] = (uint64_t)1 << 40;
    return status;
}

static item_status give_zeros(item_weights *w, const char *name, float *out, size_t count,
                              item_error *err)
{
    (void)w;
    (void)name;
    (void)err;
    memset(out, 0, count * sizeof *out);
    return ITEM_OK;
}

static void expect_too_large(const char *pack, const char *which, const char *what, reader read)
{
    item_error err = ITEM_ERROR_INIT;
    stages s = {0};
    host_init(&s.h, pack);
    s.h.hash = "large ";
    read_tensor = s.h.services.weights_tensor;
    s.h.services.weights_tensor = read;
    s.h.services.weights_f32 = give_zeros;
    assert_int_equal(stages_open(&s, pack, which, &err), ITEM_E_PACK);
    if (!strstr(err.message, what))
        fail_msg("\"%s\" is not in \"%s\"", what, err.message);
    stages_close(&s);
}

static void what_is_too_large_is_refused(void **state)
{
    const char *pack = *state;
    SKIP_UNLESS(pack);
    expect_too_large(pack, "c", "more than 12 layers", read_endless);
    expect_too_large(pack, "e", "more than 24 layers", read_endless);
    expect_too_large(pack, "c", "embed.weight is too large", read_huge);
    expect_too_large(pack, "e", "image.value.weight is too large", read_huge);
    expect_too_large(pack, "c", "more blocks than strides", read_one_more);
}

/* ---- two threads that open the same networks ---- */

typedef struct opening {
    stages s;
    pthread_t thread;
    item_status status;
} opening;

static _Atomic bool may_read;

static item_status read_when_allowed(item_weights *w, const char *name, item_tensor_view *out,
                                     item_error *err)
{
    while (!may_read)
        usleep(1000);
    return read_tensor(w, name, out, err);
}

static void *open_embedder(void *user)
{
    opening *o = user;
    int before;
    o->status = stages_open(&o->s, host_pack(), "e", NULL);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return NULL;
}

/* The first reads until end_two() when the second comes, which waits for it. */
static void start_two(opening o[2], const char *hash, const char *missing)
{
    memset(o, 0, 2 * sizeof *o);
    for (int i = 0; i < 2; i++) {
        host_init(&o[i].s.h, host_pack());
        o[i].s.h.hash = hash;
        o[i].status = -1;
    }
    read_tensor = o[0].s.h.services.weights_tensor;
    o[0].s.h.services.weights_tensor = read_when_allowed;
    may_read = false;
    o[0].s.h.missing = missing;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&o[i].thread, NULL, open_embedder, &o[i]), 0);
        usleep(30000);
    }
}

static void end_two(opening o[2])
{
    may_read = true;
    for (int i = 0; i < 2; i++)
        (void)pthread_join(o[i].thread, NULL);
    for (int i = 0; i < 2; i++)
        stages_close(&o[i].s);
}

/* Its file lacks a tensor: that is no reason why another's should. */
static void failures_are_not_shared(void **state)
{
    SKIP_UNLESS(*state);
    opening o[2];
    start_two(o, "two ", "head.weight");
    end_two(o);
    assert_int_equal(o[0].status, ITEM_E_PACK);
    assert_int_equal(o[1].status, ITEM_OK);
}

/* A thread that the program ends while it waits leaves no lock behind. */
static void an_ended_thread_leaves_no_lock(void **state)
{
    SKIP_UNLESS(*state);
    opening o[2];
    stages again = {0};
    alarm(60);
    start_two(o, "ended ", NULL);
    assert_int_equal(pthread_cancel(o[1].thread), 0);
    end_two(o);
    assert_int_equal(o[0].status, ITEM_OK);
    host_init(&again.h, *state);
    assert_int_equal(stages_open(&again, *state, "e", NULL), ITEM_OK);
    stages_close(&again);
    alarm(0);
}

/* ---- cancelling ---- */

static _Atomic int patience; /* so many tensors are read, then the call is cancelled */

static int32_t patience_ends(void *user)
{
    (void)user;
    return atomic_fetch_sub(&patience, 1) <= 0;
}

static int32_t at_once(void *user)
{
    (void)user;
    return 1;
}

static void a_cancel_ends_the_opening(void **state)
{
    SKIP_UNLESS(*state);
    static const char *const which[] = {"c", "d", "e"};
    for (size_t i = 0; i < 3; i++) {
        item_error err = ITEM_ERROR_INIT;
        stages s = {0};
        host_init(&s.h, *state);
        s.h.hash = "cancelled ";
        s.h.services.cancelled = patience_ends;
        patience = 30;
        assert_int_equal(stages_open(&s, *state, which[i], &err), ITEM_E_CANCELLED);
        stages_close(&s);
    }
}

/* Who waits for another's network does not wait for its end, and does not disturb it. */
static void a_cancel_ends_the_waiting(void **state)
{
    SKIP_UNLESS(*state);
    opening o[2];
    alarm(60);
    start_two(o, "impatient ", NULL);
    stages third = {0};
    host_init(&third.h, *state);
    third.h.hash = "impatient ";
    third.h.services.cancelled = at_once;
    assert_int_equal(stages_open(&third, *state, "e", NULL), ITEM_E_CANCELLED);
    assert_int_equal(o[0].status, -1); /* still reading */
    stages_close(&third);
    end_two(o);
    assert_int_equal(o[0].status, ITEM_OK);
    assert_int_equal(o[1].status, ITEM_OK);
    alarm(0);
}

static void precisions_are_not_mixed(void **state)
{
    const char *pack = *state;
    SKIP_UNLESS(pack);
    stages a = {0}, b = {0};
    assert_string_equal(engine->precision("fp32"), "fp32");
    assert_string_equal(engine->precision(NULL), "fp32");
    assert_string_equal(engine->precision("bf16"), "bf16");
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    assert_int_equal(engine->info(0, &info, NULL), ITEM_OK);
    assert_string_equal(engine->precision("auto"), info.cpu_bf16 ? "bf16" : "fp32");
    assert_int_equal(stages_open(&a, pack, "d", NULL), ITEM_OK);
    host_init(&b.h, pack);
    b.h.precision = "bf16";
    assert_int_equal(stages_open(&b, pack, "d", NULL), ITEM_OK);
    assert_non_null(strstr(a.detector.id, " fp32 "));
    assert_non_null(strstr(b.detector.id, " bf16 "));
    stages_close(&a);
    stages_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(family_must_be_known),
        cmocka_unit_test(file_must_be_there),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(missing_tensors_are_named),
        cmocka_unit_test(wrong_shapes_are_named),
        cmocka_unit_test(words_must_fit),
        cmocka_unit_test(metadata_must_make_sense),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(configuration_must_make_sense),
        cmocka_unit_test(networks_are_shared),
        cmocka_unit_test(precisions_are_not_mixed),
        cmocka_unit_test(failures_are_not_shared),
        cmocka_unit_test(an_ended_thread_leaves_no_lock),
        cmocka_unit_test(a_cancel_ends_the_opening),
        cmocka_unit_test(a_cancel_ends_the_waiting),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
