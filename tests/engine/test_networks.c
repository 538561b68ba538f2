/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks themselves against stored outputs of the reference: grids, text vectors, scores
 * and sides of boxes. Linked with the engine's own files; the operations lie beside this program.
 */
#include "backends/torch/classes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

#include "cmocka_all.h"

#define BOUND 1e-3 /* of the largest number of the output */

static host h;
static const char *pack;

static int setup(void **state)
{
    (void)state;
    pack = host_pack();
    if (pack)
        host_init(&h, pack);
    return 0;
}

typedef struct job {
    const void *model;
    const float *pixels;
    const itx_tokens_row *row;
    size_t n, count[ITX_LEVELS];
    float *out[ITX_LEVELS];
} job;

static const itemi_tensor *find(const itemi_safetensors *file, const char *name)
{
    const itemi_tensor *t = itemi_safetensors_find(file, name);
    assert_non_null(t);
    return t;
}

static itemi_safetensors *golden(const char *name)
{
    itemi_safetensors *file = NULL;
    assert_int_equal(itemi_safetensors_open(NULL, host_golden(name), false, &file, NULL), ITEM_OK);
    return file;
}

/*
 * Compares a stored tensor [pictures, rows, width] with an output of `rows_all` rows of `stride`
 * numbers a picture, of which the stored one has each `step`-th row, `width` numbers from `from`.
 */
typedef struct layout {
    size_t rows_all, stride, step, from;
} layout;

static void assert_rows(const float *got, const layout *l, const itemi_tensor *t)
{
    const size_t rows = (size_t)t->shape[1], width = (size_t)t->shape[2];
    const size_t count = (size_t)t->shape[0] * rows * width;
    float *wanted = calloc(count, sizeof *wanted);
    double scale = 0.0, worst = 0.0;
    itemi_to_f32(t, wanted);
    for (size_t k = 0; k < count; k++) {
        const size_t i = k % width, row = k / width % rows, picture = k / width / rows;
        const double g = got[(picture * l->rows_all + row * l->step) * l->stride + l->from + i];
        scale = fmax(scale, fabs((double)wanted[k]));
        worst = fmax(worst, fabs(g - (double)wanted[k]));
    }
    free(wanted);
    if (!(worst <= BOUND * scale))
        fail_msg("%s differs by %g, the largest number is %g", t->name, worst, scale);
}

static float *read_pixels(const itx_pixels *p, const char *name, size_t n)
{
    item_image *images[8];
    float *out = calloc(n * itx_pixels_count(p), sizeof *out);
    const double box[4] = {0.0, 0.0, p->edge, p->edge};
    assert_int_equal(host_pictures(name, images, n), n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(
            itx_pixels_read(p, &h.services, images[i], box, out + i * itx_pixels_count(p), NULL),
            ITEM_OK);
        item_image_unref(images[i]);
    }
    return out;
}

static void encode(itx_run *run, void *arg)
{
    const job *j = arg;
    itx->read(run, itx_encode(run, j->model, j->pixels, j->n), j->out[0], j->count[0]);
}

static void grids(void **state)
{
    SKIP_UNLESS(pack);
    itx_net *net;
    itemi_safetensors *file = golden("image_encoder");
    (void)state;
    assert_int_equal(itx_net_open(&h.services, "image", &itx_encoder_kind, &net, NULL), ITEM_OK);
    const itx_encoder *e = itx_net_model(net);
    float *pixels = read_pixels(&e->pixels, "image_encoder", 2);
    job j = {.model = e, .pixels = pixels, .n = 2};
    j.count[0] = 2 * (size_t)(e->places * e->width);
    j.out[0] = calloc(j.count[0], sizeof(float));
    assert_int_equal(itx_compute(NULL, "cpu", encode, &j, NULL), ITEM_OK);
    const layout l = {(size_t)e->places, (size_t)e->width, 1, 0};
    assert_rows(j.out[0], &l, find(file, "grid"));
    itx_net_close(net);
    itemi_safetensors_close(file);
    free(pixels);
    free(j.out[0]);
}

static void read_texts(itx_run *run, void *arg)
{
    const job *j = arg;
    itx->read(run, itx_text_vectors(run, j->model, j->row), j->out[0], j->count[0]);
}

/* Tokens as the reference has them, then its vectors. */
static void texts(void **state)
{
    SKIP_UNLESS(pack);
    itx_net *net;
    item_tokens *tokens;
    itx_tokens_row row;
    itemi_safetensors *file = golden("text_encoder");
    const char *said[64], *meta = itemi_safetensors_meta(file, "texts");
    json_t *list = NULL;
    (void)state;
    assert_int_equal(itemi_json_parse(meta, strlen(meta), "texts", &list, NULL), ITEM_OK);
    const size_t n = json_array_size(list);
    for (size_t i = 0; i < n; i++)
        said[i] = json_string_value(json_array_get(list, i));
    assert_int_equal(itx_net_open(&h.services, "text", &itx_text_kind, &net, NULL), ITEM_OK);
    assert_int_equal(h.services.tokens_open(&h, "vocab", &tokens, NULL), ITEM_OK);
    const itx_text *t = itx_net_model(net);
    const itx_row_kind kind = itx_text_row(t);
    assert_int_equal(itx_row_make(&row, &kind, &h.services, tokens, said, n, NULL), ITEM_OK);
    assert_int_equal(row.texts, n);
    const itemi_tensor *ids = find(file, "ids");
    const int32_t *wanted = ids->data;
    size_t at = 0;
    for (size_t k = 0; k < n * (size_t)ids->shape[1]; k++)
        if (k % (size_t)ids->shape[1] == 0 || wanted[k] != 0)
            assert_int_equal(row.ids[at++], wanted[k]);
    assert_int_equal(at, row.total);
    job j = {.model = t, .row = &row, .n = n, .count = {n * (size_t)t->width}};
    j.out[0] = calloc(j.count[0], sizeof(float));
    assert_int_equal(itx_compute(NULL, "cpu", read_texts, &j, NULL), ITEM_OK);
    itemi_tensor vectors = *find(file, "vectors");
    vectors.shape[2] = vectors.shape[1]; /* one row a text */
    vectors.shape[1] = 1;
    const layout l = {1, (size_t)t->width, 1, 0};
    assert_rows(j.out[0], &l, &vectors);
    itx_row_free(&row, &h.services);
    h.services.tokens_close(tokens);
    itx_net_close(net);
    json_decref(list);
    itemi_safetensors_close(file);
    free(j.out[0]);
}

static void detect(itx_run *run, void *arg)
{
    const job *j = arg;
    itx_tensor *raw[ITX_LEVELS];
    itx_nanodet_run(run, j->model, j->pixels, j->n, raw);
    for (int l = 0; l < ITX_LEVELS; l++)
        itx->read(run, raw[l], j->out[l], j->count[l]);
}

static void check_level(const itemi_safetensors *file, const itx_nanodet *d, float *raw, int level,
                        size_t step)
{
    char name[48];
    const size_t cells = (size_t)(itx_nanodet_cells(d, level) * itx_nanodet_cells(d, level));
    const size_t each = (size_t)(d->classes + 4 * d->bins);
    for (size_t i = 0; i < 2 * cells * each; i++) /* the reference stores scores, not logits */
        if (i % each < (size_t)d->classes)
            raw[i] = 1.0f / (1.0f + expf(-raw[i]));
    layout l = {cells, each, step, 0};
    (void)snprintf(name, sizeof name, "scores_%d_every_%zu", ITX_STRIDE(level), step);
    assert_rows(raw, &l, find(file, name));
    l.from = (size_t)d->classes;
    (void)snprintf(name, sizeof name, "bins_%d_every_%zu", ITX_STRIDE(level), step);
    assert_rows(raw, &l, find(file, name));
}

static void cells(void **state)
{
    SKIP_UNLESS(pack);
    static const size_t steps[ITX_LEVELS] = {16, 4, 1};
    itx_net *net;
    itemi_safetensors *file = golden("detector");
    (void)state;
    host_set(&h, "weights", "detector.safetensors");
    assert_int_equal(itx_net_open(&h.services, "weights", &itx_nanodet_kind, &net, NULL), ITEM_OK);
    const itx_nanodet *d = itx_net_model(net);
    float *pixels = read_pixels(&d->pixels, "detector", 2);
    job j = {.model = d, .pixels = pixels, .n = 2};
    for (int l = 0; l < ITX_LEVELS; l++) {
        j.count[l] = 2 * (size_t)(itx_nanodet_cells(d, l) * itx_nanodet_cells(d, l) *
                                  (d->classes + 4 * d->bins));
        j.out[l] = calloc(j.count[l], sizeof(float));
    }
    assert_int_equal(itx_compute(NULL, "cpu", detect, &j, NULL), ITEM_OK);
    for (int l = 0; l < ITX_LEVELS; l++) {
        check_level(file, d, j.out[l], l, steps[l]);
        free(j.out[l]);
    }
    itx_net_close(net);
    itemi_safetensors_close(file);
    free(pixels);
}

/* ---- phrases ---- */

/* Lines "phrase<TAB>class" of the list that was labelled by hand. */
static size_t read_list(char *text, const char **phrases, const char **names, size_t room)
{
    size_t n = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *tab = strchr(line, '\t');
        if (line[0] == '#' || !tab || n == room)
            continue;
        *tab = '\0';
        phrases[n] = line;
        names[n++] = tab + 1;
    }
    return n;
}

/* Class of a name among the network's, -1 for "none". */
static int32_t class_of(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return (int32_t)i;
    assert_string_equal(name, "none");
    return -1;
}

static void phrases_find_their_classes(void **state)
{
    SKIP_UNLESS(pack);
    const char *phrases[256], *names[256];
    int32_t classes[256];
    itemi_file file;
    item_weights *weights;
    json_t *all = NULL;
    size_t right = 0;
    (void)state;
    host_set(&h, "weights", "detector.safetensors");
    itx_classes c = {.s = &h.services};
    assert_int_equal(itx_net_open(c.s, "weights", &itx_nanodet_kind, &c.detector, NULL), ITEM_OK);
    assert_int_equal(itx_net_open(c.s, "text", &itx_text_kind, &c.text, NULL), ITEM_OK);
    assert_int_equal(c.s->tokens_open(&h, "vocab", &c.tokens, NULL), ITEM_OK);
    assert_int_equal(c.s->weights_open(&h, "weights", &weights, NULL), ITEM_OK);
    const char *meta = c.s->weights_meta(weights, "class_names");
    assert_int_equal(itemi_json_parse(meta, strlen(meta), "class_names", &all, NULL), ITEM_OK);
    assert_int_equal(itemi_file_open(NULL, TEST_SOURCE "/tests/golden/networks/phrase_classes.tsv",
                                     0, false, &file, NULL),
                     ITEM_OK);
    char *text = calloc(1, file.size + 1);
    memcpy(text, file.data, file.size);
    const size_t n = read_list(text, phrases, names, 256);
    assert_true(n >= 100);
    assert_int_equal(itx_classes_find(&c, NULL, phrases, n, classes, NULL), ITEM_OK);
    for (size_t i = 0; i < n; i++) {
        const bool same = classes[i] == class_of(all, names[i]);
        right += same;
        if (!same)
            print_message("%s: class %d, labelled %s\n", phrases[i], (int)classes[i], names[i]);
    }
    print_message("%zu of %zu phrases as labelled\n", right, n);
    assert_true(10 * right >= 9 * n);
    free(text);
    json_decref(all);
    itemi_file_close(&file);
    c.s->weights_close(weights);
    c.s->tokens_close(c.tokens);
    itx_net_close(c.detector);
    itx_net_close(c.text);
}

/* ---- captions ---- */

#define STEPS 6

typedef struct decode_job {
    const itx_encoder *encoder;
    const itx_decoder *decoder;
    const float *pixels;
    size_t made[STEPS]; /* tensors of the run after each word */
} decode_job;

static void decode(itx_run *run, void *arg)
{
    decode_job *j = arg;
    static const int64_t which[1] = {0}, rows[2] = {1, 0}, ids[2] = {ITX_WORD_BOS, 5};
    itx_past state;
    itx_decoder_start(run, j->decoder, &state, itx_encode(run, j->encoder, j->pixels, 1), 2);
    for (int i = 0; i < STEPS; i++) {
        (void)itx_decoder_step(run, j->decoder, &state, ids);
        itx_past_select(run, &state, which, 1, rows, state.beams);
        j->made[i] = itx->mark(run);
    }
}

/* Keys and values of the words before are let go with each word: a caption of many words would
   hold memory that grows with their square. */
static void words_said_leave_no_buffers(void **state)
{
    SKIP_UNLESS(pack);
    itx_net *nets[2];
    (void)state;
    host_set(&h, "weights", "captioner.safetensors");
    assert_int_equal(itx_net_open(&h.services, "image", &itx_encoder_kind, &nets[0], NULL), 0);
    assert_int_equal(itx_net_open(&h.services, "weights", &itx_decoder_kind, &nets[1], NULL), 0);
    decode_job j = {.encoder = itx_net_model(nets[0]), .decoder = itx_net_model(nets[1])};
    float *pixels = calloc(itx_pixels_count(&j.encoder->pixels), sizeof *pixels);
    j.pixels = pixels;
    assert_int_equal(itx_compute(NULL, "cpu", decode, &j, NULL), ITEM_OK);
    for (int i = 1; i < STEPS; i++)
        assert_int_equal(j.made[i], j.made[0]);
    free(pixels);
    itx_net_close(nets[0]);
    itx_net_close(nets[1]);
}

static void devices_are_named(void **state)
{
    item_error err = ITEM_ERROR_INIT;
    job j = {.n = 0};
    (void)state;
    assert_int_equal(itx_compute(NULL, "toaster:1", encode, &j, &err), ITEM_E_BACKEND);
    assert_non_null(strstr(err.message, "toaster"));
    err = (item_error)ITEM_ERROR_INIT;
    const item_status status = itx_compute(NULL, "cuda:0", encode, &j, &err);
    if (status == ITEM_OK)
        skip(); /* here is a GPU */
    assert_int_equal(status, ITEM_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "this libtorch has no CUDA"));
    assert_null(strchr(err.message, '['));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grids),
        cmocka_unit_test(texts),
        cmocka_unit_test(cells),
        cmocka_unit_test(phrases_find_their_classes),
        cmocka_unit_test(words_said_leave_no_buffers),
        cmocka_unit_test(devices_are_named),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
