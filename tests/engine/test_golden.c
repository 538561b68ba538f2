/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the three stages against stored ones of the reference, and against themselves: alone
 * and in a batch. tests/golden/networks/README.md says how the files were made.
 */
#include "host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

#define BOUND 1e-3 /* of the largest number of the output */

static stages s;
static call_state call;
static bool opened;

static int setup(void **state)
{
    const char *pack = host_pack();
    (void)state;
    if (!pack)
        return 0;
    call_init(&call);
    opened = stages_open(&s, pack, "cde", NULL) == ITEM_OK;
    return opened ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    if (opened)
        stages_close(&s);
    return 0;
}

static itemi_safetensors *golden(const char *name)
{
    itemi_safetensors *file = NULL;
    assert_int_equal(itemi_safetensors_open(NULL, host_golden(name), false, &file, NULL), ITEM_OK);
    return file;
}

static float *numbers(const itemi_safetensors *file, const char *name, size_t count)
{
    const itemi_tensor *t = itemi_safetensors_find(file, name);
    float *out = calloc(count, sizeof *out);
    size_t have = 1;
    assert_non_null(t);
    assert_non_null(out);
    for (uint32_t i = 0; i < t->dims; i++)
        have *= (size_t)t->shape[i];
    assert_int_equal(have, count);
    itemi_to_f32(t, out);
    return out;
}

static void assert_near(const float *got, const float *wanted, size_t count, double bound)
{
    double scale = 0.0, worst = 0.0;
    for (size_t i = 0; i < count; i++) {
        scale = fmax(scale, fabs((double)wanted[i]));
        worst = fmax(worst, fabs((double)got[i] - (double)wanted[i]));
    }
    if (!(worst <= bound * scale))
        fail_msg("differs by %g, the largest number is %g", worst, scale);
}

/* A list of texts in a golden file's metadata (JSON). */
static json_t *texts_of(const itemi_safetensors *file, const char *key)
{
    const char *text = itemi_safetensors_meta(file, key);
    json_t *list = NULL;
    assert_non_null(text);
    assert_int_equal(itemi_json_parse(text, strlen(text), key, &list, NULL), ITEM_OK);
    return list;
}

/* ---- embedder ---- */

static size_t whole_crops(item_image *const *images, size_t n, item_crop *crops,
                          const item_crop **list)
{
    for (size_t i = 0; i < n; i++) {
        crops[i] = (item_crop){
            .struct_size = sizeof *crops, .image = images[i], .box = {0.0, 0.0, 224.0, 224.0}};
        list[i] = &crops[i];
    }
    return n;
}

static void pictures_as_the_reference(void **state)
{
    SKIP_UNLESS(opened);
    item_image *images[4];
    item_crop crops[4];
    const item_crop *list[4];
    const size_t width = s.embedder.width, n = host_pictures("image_encoder", images, 4);
    float *all = calloc(n * width, sizeof *all), *one = calloc(width, sizeof *one);
    (void)state;
    whole_crops(images, n, crops, list);
    assert_int_equal(s.embedder.embed_images(s.embedder_self, &call.call, list, n, all, NULL),
                     ITEM_OK);
    itemi_safetensors *file = golden("embedder");
    float *wanted = numbers(file, "image", n * width);
    assert_near(all, wanted, n * width, BOUND);
    for (size_t i = 0; i < n; i++) { /* each alone */
        assert_int_equal(
            s.embedder.embed_images(s.embedder_self, &call.call, list + i, 1, one, NULL), ITEM_OK);
        assert_near(one, all + i * width, width, 1e-5);
        item_image_unref(images[i]);
    }
    itemi_safetensors_close(file);
    free(wanted);
    free(all);
    free(one);
}

static void texts_as_the_reference(void **state)
{
    SKIP_UNLESS(opened);
    const char *texts[64];
    itemi_safetensors *file = golden("embedder");
    json_t *list = texts_of(file, "texts");
    const size_t n = json_array_size(list), width = s.embedder.width;
    float *all = calloc(n * width, sizeof *all), *one = calloc(width, sizeof *one);
    (void)state;
    assert_in_range(n, 1, 64);
    for (size_t i = 0; i < n; i++)
        texts[i] = json_string_value(json_array_get(list, i));
    assert_int_equal(s.embedder.embed_texts(s.embedder_self, &call.call, texts, n, all, NULL),
                     ITEM_OK);
    float *wanted = numbers(file, "text", n * width);
    assert_near(all, wanted, n * width, BOUND);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(
            s.embedder.embed_texts(s.embedder_self, &call.call, texts + i, 1, one, NULL), ITEM_OK);
        assert_near(one, all + i * width, width, 1e-5);
    }
    json_decref(list);
    itemi_safetensors_close(file);
    free(wanted);
    free(all);
    free(one);
}

/* More than fit in one run, of pictures as of tokens. */
static void large_batches_are_cut(void **state)
{
    SKIP_UNLESS(opened);
    enum { COUNT = 37 };
    item_image *images[4];
    item_crop crops[COUNT];
    const item_crop *list[COUNT];
    const char *texts[COUNT];
    const size_t width = s.embedder.width;
    float *a = calloc(COUNT * width, sizeof *a), *b = calloc(COUNT * width, sizeof *b);
    (void)state;
    assert_int_equal(host_pictures("image_encoder", images, 4), 4);
    for (size_t i = 0; i < COUNT; i++) {
        whole_crops(&images[i % 4], 1, &crops[i], &list[i]);
        texts[i] = i % 3 ? "a very long line of text that has a good many words in it, for the "
                           "sake of the number of tokens that it needs"
                         : "a dog";
    }
    assert_int_equal(s.embedder.embed_images(s.embedder_self, &call.call, list, COUNT, a, NULL),
                     ITEM_OK);
    assert_near(a + 36 * width, a, width, 1e-5);
    assert_near(a + 17 * width, a + width, width, 1e-5);
    assert_int_equal(s.embedder.embed_texts(s.embedder_self, &call.call, texts, COUNT, b, NULL),
                     ITEM_OK);
    assert_near(b + 36 * width, b, width, 1e-5);
    assert_near(b + 35 * width, b + width, width, 1e-5);
    for (size_t i = 0; i < 4; i++)
        item_image_unref(images[i]);
    free(a);
    free(b);
}

static void empty_batches_are_fine(void **state)
{
    SKIP_UNLESS(opened);
    (void)state;
    assert_int_equal(s.embedder.embed_images(s.embedder_self, &call.call, NULL, 0, NULL, NULL),
                     ITEM_OK);
    assert_int_equal(s.embedder.embed_texts(s.embedder_self, &call.call, NULL, 0, NULL, NULL),
                     ITEM_OK);
    assert_int_equal(s.captioner.caption(s.captioner_self, &call.call, NULL, 0, NULL, NULL, NULL),
                     ITEM_OK);
}

/* ---- captioner ---- */

typedef struct captions {
    char text[4][4096];
    item_caption_out out[4];
    item_caption_out *list[4];
} captions;

static void captions_init(captions *c)
{
    for (int i = 0; i < 4; i++) {
        c->out[i] = (item_caption_out){.struct_size = sizeof *c->out,
                                       .text = c->text[i],
                                       .capacity = sizeof c->text[i],
                                       .logprob = NAN,
                                       .margin = NAN};
        c->list[i] = &c->out[i];
    }
}

/* Mean log-probability of the reference's tokens; ids end with 0. */
static double mean_logprob(const float *ids, const float *logprobs, size_t length)
{
    double sum = 0.0;
    size_t n = 0;
    while (n < length && ids[n] != 0.0f)
        sum += (double)logprobs[n++];
    return sum / (double)n;
}

static void check_captions(const char *kind, uint32_t beams)
{
    captions c, one;
    item_image *images[4];
    const item_caption_options options = {.struct_size = sizeof options, .beams = beams};
    char name[32];
    captions_init(&c);
    assert_int_equal(host_pictures("image_encoder", images, 4), 4);
    assert_int_equal(s.captioner.caption(s.captioner_self, &call.call,
                                         (const item_image *const *)images, 4, &options, c.list,
                                         NULL),
                     ITEM_OK);
    itemi_safetensors *file = golden("captioner");
    json_t *all = texts_of(file, "captions"), *wanted = json_object_get(all, kind);
    const char *stem = beams == 1 ? "greedy" : "beam";
    (void)snprintf(name, sizeof name, "%s_ids", stem);
    const size_t length = (size_t)itemi_safetensors_find(file, name)->shape[1];
    float *ids = numbers(file, name, 4 * length);
    (void)snprintf(name, sizeof name, "%s_logprobs", stem);
    float *logprobs = numbers(file, name, 4 * length);
    for (size_t i = 0; i < 4; i++) {
        assert_true(isfinite(c.out[i].margin) && c.out[i].margin >= 0.0);
        if (c.out[i].margin > 1e-3) {
            assert_string_equal(c.text[i], json_string_value(json_array_get(wanted, i)));
            const double mean = mean_logprob(ids + i * length, logprobs + i * length, length);
            assert_true(fabs(c.out[i].logprob - mean) < 1e-3);
        }
        captions_init(&one); /* alone */
        assert_int_equal(s.captioner.caption(s.captioner_self, &call.call,
                                             (const item_image *const *)&images[i], 1, &options,
                                             one.list, NULL),
                         ITEM_OK);
        if (c.out[i].margin > 1e-3)
            assert_string_equal(one.text[0], c.text[i]);
        item_image_unref(images[i]);
    }
    json_decref(all);
    itemi_safetensors_close(file);
    free(ids);
    free(logprobs);
}

static void greedy_as_the_reference(void **state)
{
    SKIP_UNLESS(opened);
    (void)state;
    check_captions("greedy", 1);
}

static void beams_as_the_reference(void **state)
{
    SKIP_UNLESS(opened);
    (void)state;
    check_captions("beams", 3);
}

static void options_of_captions(void **state)
{
    SKIP_UNLESS(opened);
    captions c;
    item_image *images[4];
    item_caption_options options = {.struct_size = sizeof options, .beams = 8, .max_tokens = 2};
    (void)state;
    captions_init(&c);
    assert_int_equal(host_pictures("image_encoder", images, 4), 4);
    const item_image *const *list = (const item_image *const *)images;
    assert_int_equal(
        s.captioner.caption(s.captioner_self, &call.call, list, 1, &options, c.list, NULL),
        ITEM_OK);
    assert_non_null(strchr(c.text[0], ' '));
    assert_true(strchr(c.text[0], ' ') == strrchr(c.text[0], ' ')); /* two words */
    c.out[0].capacity = 4; /* no room: an error, not a cut caption */
    assert_int_equal(
        s.captioner.caption(s.captioner_self, &call.call, list, 1, &options, c.list, NULL),
        ITEM_E_BACKEND);
    for (int i = 0; i < 4; i++)
        item_image_unref(images[i]);
}

/* ---- detector ---- */

typedef struct found {
    size_t count;
    size_t phrase[64];
    double box[64][4], score[64];
} found;

static item_status add_box(void *user, size_t phrase, const double box[4], double score)
{
    found *f = user;
    if (f->count == 64)
        return ITEM_E_LIMIT;
    f->phrase[f->count] = phrase;
    f->score[f->count] = score;
    memcpy(f->box[f->count++], box, sizeof f->box[0]);
    return ITEM_OK;
}

static item_status detect(item_image *const *images, size_t n, const char *const *phrases,
                          size_t count, const item_detect_options *options, found *out)
{
    item_box_sink sinks[4];
    const item_box_sink *sink_list[4];
    const char *const *phrase_list[4], *const *heads[4] = {NULL};
    size_t counts[4];
    for (size_t i = 0; i < n; i++) {
        out[i].count = 0;
        sinks[i] = (item_box_sink){.struct_size = sizeof *sinks, .host = &out[i], .add = add_box};
        sink_list[i] = &sinks[i];
        phrase_list[i] = phrases;
        counts[i] = count;
    }
    return s.detector.detect(s.detector_self, &call.call, (const item_image *const *)images, n,
                             phrase_list, heads, counts, options, sink_list, NULL);
}

/* Boxes of the classes that golden pictures show, by phrases that mean them. */
static void boxes_as_the_reference(void **state)
{
    SKIP_UNLESS(opened);
    static const struct {
        const char *phrase;
        int class;
    } known[] = {
        {"a brown dog", 16}, {"the white cup", 41}, {"his surfboard", 37}, {"a zeppelin", -1}};
    const char *phrases[4];
    found out[2];
    item_image *images[2];
    itemi_safetensors *file = golden("detector");
    (void)state;
    for (size_t i = 0; i < 4; i++)
        phrases[i] = known[i].phrase;
    assert_int_equal(host_pictures("detector", images, 2), 2);
    assert_int_equal(detect(images, 2, phrases, 4, NULL, out), ITEM_OK);
    for (size_t i = 0; i < 2; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "boxes_%zu", i);
        const size_t n = (size_t)itemi_safetensors_find(file, name)->shape[0];
        float *boxes = numbers(file, name, n * 5);
        (void)snprintf(name, sizeof name, "classes_%zu", i);
        float *classes = numbers(file, name, n);
        size_t at = 0;
        for (size_t k = 0; k < n; k++) {
            size_t p = 0;
            while (p < 4 && known[p].class != (int)classes[k])
                p++;
            if (p == 4)
                continue; /* a class that no phrase names */
            assert_true(at < out[i].count);
            assert_int_equal(out[i].phrase[at], p);
            assert_true(fabs(out[i].score[at] - (double)boxes[5 * k]) < 1e-3);
            for (int c = 0; c < 4; c++)
                assert_true(fabs(out[i].box[at][c] - (double)boxes[5 * k + 1 + (size_t)c]) < 0.416);
            at++;
        }
        assert_int_equal(at, out[i].count);
        assert_true(at > 0);
        free(boxes);
        free(classes);
    }
    itemi_safetensors_close(file);
    for (int i = 0; i < 2; i++)
        item_image_unref(images[i]);
}

static void boxes_follow_size_and_options(void **state)
{
    SKIP_UNLESS(opened);
    const char *phrases[] = {"a dog"};
    found plain[1], wide[1], none[1], few[1];
    item_image *images[1], *stretched = NULL;
    item_detect_options options = {.struct_size = sizeof options, .least_score = 0.999};
    (void)state;
    assert_int_equal(host_pictures("detector", images, 1), 1);
    uint8_t *pixels = malloc((size_t)832 * 416 * 3); /* each column twice */
    const uint8_t *source = item_image_pixels(images[0]);
    for (size_t i = 0; i < (size_t)832 * 416; i++)
        memcpy(pixels + 3 * i, source + 3 * (i / 2), 3);
    assert_int_equal(
        item_image_from_pixels(pixels, ITEM_PIXELS_RGB, 832, 416, 832 * 3, NULL, &stretched, NULL),
        ITEM_OK);
    assert_int_equal(detect(images, 1, phrases, 1, NULL, plain), ITEM_OK);
    assert_int_equal(detect(&stretched, 1, phrases, 1, NULL, wide), ITEM_OK);
    assert_int_equal(plain[0].count, 1);
    assert_int_equal(wide[0].count, 1);
    assert_true(fabs(wide[0].box[0][2] - 2.0 * plain[0].box[0][2]) < 8.0);
    assert_true(fabs(wide[0].box[0][3] - plain[0].box[0][3]) < 8.0);
    assert_int_equal(detect(images, 1, phrases, 1, &options, none), ITEM_OK);
    assert_int_equal(none[0].count, 0);
    options.least_score = 0.001;
    options.max_boxes = 2;
    assert_int_equal(detect(images, 1, phrases, 1, &options, few), ITEM_OK);
    assert_int_equal(few[0].count, 2);
    assert_true(few[0].score[0] >= few[0].score[1]);
    options.max_boxes = 1000; /* more boxes than the host takes: its refusal comes back */
    assert_int_equal(detect(images, 1, phrases, 1, &options, few), ITEM_E_LIMIT);
    item_image_unref(images[0]);
    item_image_unref(stretched);
    free(pixels);
}

static void odd_phrases_find_nothing(void **state)
{
    SKIP_UNLESS(opened);
    const char *phrases[] = {"", "   ", "\xff\xfe", "quxzzy blorb", "it"};
    found out[1];
    item_image *images[1];
    (void)state;
    assert_int_equal(host_pictures("detector", images, 1), 1);
    const item_status status = detect(images, 1, phrases, 5, NULL, out);
    assert_true(status == ITEM_OK || status == ITEM_E_ARGUMENT || status == ITEM_E_FORMAT);
    assert_int_equal(out[0].count, 0);
    assert_int_equal(detect(images, 1, phrases, 0, NULL, out), ITEM_OK);
    item_image_unref(images[0]);
}

/* ---- bfloat16 ---- */

static void bfloat16_stays_near(void **state)
{
    SKIP_UNLESS(opened);
    stages low = {0};
    const char *text = "two dogs on the grass";
    const size_t width = s.embedder.width;
    float *a = calloc(width, sizeof *a), *b = calloc(width, sizeof *b);
    double cosine = 0.0;
    (void)state;
    host_init(&low.h, s.h.folder);
    low.h.precision = "bf16";
    assert_int_equal(stages_open(&low, s.h.folder, "e", NULL), ITEM_OK);
    assert_int_equal(s.embedder.embed_texts(s.embedder_self, &call.call, &text, 1, a, NULL),
                     ITEM_OK);
    assert_int_equal(low.embedder.embed_texts(low.embedder_self, &call.call, &text, 1, b, NULL),
                     ITEM_OK);
    for (size_t i = 0; i < width; i++)
        cosine += (double)a[i] * (double)b[i];
    assert_true(cosine > 0.999);
    assert_true(memcmp(a, b, width * sizeof *a) != 0);
    stages_close(&low);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_as_the_reference),     cmocka_unit_test(texts_as_the_reference),
        cmocka_unit_test(large_batches_are_cut),         cmocka_unit_test(empty_batches_are_fine),
        cmocka_unit_test(greedy_as_the_reference),       cmocka_unit_test(beams_as_the_reference),
        cmocka_unit_test(options_of_captions),           cmocka_unit_test(boxes_as_the_reference),
        cmocka_unit_test(boxes_follow_size_and_options), cmocka_unit_test(odd_phrases_find_nothing),
        cmocka_unit_test(bfloat16_stays_near),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
