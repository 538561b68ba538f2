/* SPDX-License-Identifier: Apache-2.0 */
/* The detector "nanodet": boxes of what phrases name. */
#include "classes.h"
#include "owl.h"
#include "stages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PICTURES      4 /* of one run: a picture has half a million numbers */
#define LEAST_SCORE   0.35
#define BOXES_DEFAULT 100

typedef struct detector {
    itx_classes classes;
    double least_score;
    size_t max_boxes;
    char id[320];
} detector;

typedef struct found_box {
    size_t phrase;
    double corners[4], score;
} found_box;

/* One picture of a call. */
typedef struct scene {
    const int32_t *classes; /* of its phrases */
    size_t count;
    found_box *found;
    size_t found_count, found_room;
} scene;

/* One run. */
typedef struct detect_job {
    const detector *d;
    float *pixels, *raw[ITX_LEVELS];
    itx_box *boxes; /* room for every cell */
    size_t n, max_boxes;
    double least;
} detect_job;

static const itx_nanodet *nanodet_of(const detector *d)
{
    return itx_net_model(d->classes.detector);
}

static size_t level_cells(const itx_nanodet *d, int level)
{
    return (size_t)(itx_nanodet_cells(d, level) * itx_nanodet_cells(d, level));
}

static size_t level_numbers(const itx_nanodet *d, int level)
{
    return level_cells(d, level) * (size_t)(d->classes + 4 * d->bins);
}

/* ---- in the lane ---- */

static void detect_in_lane(itx_run *run, void *arg)
{
    detect_job *job = arg;
    const itx_nanodet *d = nanodet_of(job->d);
    for (size_t i = 0; i < job->n; i++) { /* large enough alone; more would leave the caches */
        const size_t mark = itx->mark(run);
        itx_tensor *raw[ITX_LEVELS];
        itx_nanodet_run(run, d, job->pixels + i * itx_pixels_count(&d->pixels), 1, raw);
        for (int l = 0; l < ITX_LEVELS; l++)
            itx->read(run, raw[l], job->raw[l] + i * level_numbers(d, l), level_numbers(d, l));
        itx->sweep(run, mark, NULL, 0);
    }
}

/* ---- boxes of a picture ---- */

static item_status keep_box(const item_services *s, scene *scene_i, const found_box *box,
                            item_error *err)
{
    if (scene_i->found_count == scene_i->found_room) {
        const size_t room = scene_i->found_room ? 2 * scene_i->found_room : 16;
        found_box *more = itx_host_alloc(s, room * sizeof *more);
        if (!more)
            return itx_fail_memory(err, "detecting");
        if (scene_i->found)
            memcpy(more, scene_i->found, scene_i->found_count * sizeof *more);
        itx_host_free(s, scene_i->found);
        scene_i->found = more;
        scene_i->found_room = room;
    }
    scene_i->found[scene_i->found_count++] = *box;
    return ITEM_OK;
}

/* From pixels of the network's picture to pixels of the real one. */
static void unsquash(double corners[4], const double box[4], double edge, const double size[2])
{
    for (int i = 0; i < 4; i++)
        corners[i] = box[i] * size[i % 2] / edge;
}

static item_status read_scene(detect_job *job, const item_call *call, size_t place,
                              const item_image *image, scene *scene_i, item_error *err)
{
    const itx_nanodet *d = nanodet_of(job->d);
    const item_services *s = job->d->classes.s;
    const float *raw[ITX_LEVELS];
    uint32_t width = 0, height = 0;
    item_status status = ITEM_OK;
    s->image_size(image, &width, &height);
    const double size[2] = {width, height};
    for (int l = 0; l < ITX_LEVELS; l++)
        raw[l] = job->raw[l] + place * level_numbers(d, l);
    for (size_t p = 0; p < scene_i->count && status == ITEM_OK; p++) {
        if (scene_i->classes[p] < 0)
            continue;
        if (itx_cancelled(call))
            return itx_fail(err, ITEM_E_CANCELLED, "cancelled");
        const size_t n =
            itx_boxes_of_class(d, raw, scene_i->classes[p], job->least, job->max_boxes, job->boxes);
        for (size_t i = 0; i < n && status == ITEM_OK; i++) {
            found_box box = {.phrase = p, .score = job->boxes[i].score};
            unsquash(box.corners, job->boxes[i].corners, d->pixels.edge, size);
            status = keep_box(s, scene_i, &box, err);
        }
    }
    return status;
}

/* ---- a call ---- */

static item_status job_init(detect_job *job, const detector *d, size_t n,
                            const item_detect_options *options, item_error *err)
{
    const itx_nanodet *net = nanodet_of(d);
    const item_services *s = d->classes.s;
    const size_t most = n < PICTURES ? n : PICTURES;
    size_t cells = 0;
    *job = (detect_job){.d = d, .least = d->least_score, .max_boxes = d->max_boxes};
    if (options && !isnan(options->least_score))
        job->least = options->least_score;
    if (options && options->max_boxes > 0)
        job->max_boxes = options->max_boxes;
    job->pixels = itx_host_alloc(s, most * itx_pixels_count(&net->pixels) * sizeof(float));
    bool whole = job->pixels != NULL;
    for (int l = 0; l < ITX_LEVELS; l++) {
        job->raw[l] = itx_host_alloc(s, most * level_numbers(net, l) * sizeof(float));
        whole = whole && job->raw[l];
        cells += level_cells(net, l);
    }
    job->boxes = itx_host_alloc(s, cells * sizeof *job->boxes);
    return whole && job->boxes ? ITEM_OK : itx_fail_memory(err, "detecting");
}

static void job_free(detect_job *job, const item_services *s)
{
    itx_host_free(s, job->pixels);
    for (int l = 0; l < ITX_LEVELS; l++)
        itx_host_free(s, job->raw[l]);
    itx_host_free(s, job->boxes);
}

static bool wanted(const scene *scene_i)
{
    for (size_t p = 0; p < scene_i->count; p++)
        if (scene_i->classes[p] >= 0)
            return true;
    return false;
}

/* The next pictures, from *next, in which something is looked for. */
static item_status detect_some(detect_job *job, const item_call *call,
                               const item_image *const *images, scene *scenes, size_t n,
                               size_t *next, item_error *err)
{
    const itx_nanodet *d = nanodet_of(job->d);
    const item_services *s = job->d->classes.s;
    size_t which[PICTURES];
    item_status status = ITEM_OK;
    for (job->n = 0; *next < n && job->n < PICTURES && status == ITEM_OK; ++*next) {
        if (!wanted(&scenes[*next]))
            continue;
        status = itx_read_whole(&d->pixels, s, call, images[*next],
                                job->pixels + job->n * itx_pixels_count(&d->pixels), err);
        which[job->n++] = *next;
    }
    if (status != ITEM_OK || job->n == 0)
        return status;
    status = itx_compute(call, itx_net_device(job->d->classes.detector), detect_in_lane, job, err);
    for (size_t i = 0; i < job->n && status == ITEM_OK; i++)
        status = read_scene(job, call, i, images[which[i]], &scenes[which[i]], err);
    return status;
}

static int by_score(const void *a, const void *b)
{
    const found_box *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->phrase < y->phrase ? -1 : x->phrase > y->phrase;
}

static item_status tell(scene *scenes, size_t n, const item_box_sink *const *sinks, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (scenes[i].found_count > 1)
            qsort(scenes[i].found, scenes[i].found_count, sizeof *scenes[i].found, by_score);
        for (size_t k = 0; k < scenes[i].found_count; k++) {
            const found_box *box = &scenes[i].found[k];
            const item_status status =
                sinks[i]->add(sinks[i]->host, box->phrase, box->corners, box->score);
            if (status != ITEM_OK)
                return itx_fail(err, status, "the host refused a box");
        }
    }
    return ITEM_OK;
}

/* Classes of all phrases of the call, picture after picture. */
static item_status find_classes(const detector *d, const item_call *call, size_t n,
                                const char *const *const *phrases, const size_t *counts,
                                size_t total, int32_t *classes, item_error *err)
{
    const char **all = total ? itx_host_alloc(d->classes.s, total * sizeof *all) : NULL;
    if (!all)
        return total ? itx_fail_memory(err, "detecting") : ITEM_OK;
    for (size_t i = 0, k = 0; i < n; i++)
        for (size_t p = 0; p < counts[i]; p++)
            all[k++] = phrases[i][p];
    const item_status status = itx_classes_find(&d->classes, call, all, total, classes, err);
    itx_host_free(d->classes.s, all);
    return status;
}

static item_status detect_all(const detector *d, const item_call *call,
                              const item_image *const *images, scene *scenes, size_t n,
                              const item_detect_options *options, item_error *err)
{
    detect_job job;
    item_status status = job_init(&job, d, n, options, err);
    for (size_t next = 0; next < n && status == ITEM_OK;)
        status = detect_some(&job, call, images, scenes, n, &next, err);
    job_free(&job, d->classes.s);
    return status;
}

/* heads are not asked: the names were chosen for the last words of phrases. */
static item_status detect(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err)
{
    const detector *d = self;
    const item_services *s = d->classes.s;
    size_t total = 0;
    (void)heads;
    item_status status = itx_load(err);
    if (status != ITEM_OK || n == 0)
        return status;
    for (size_t i = 0; i < n; i++)
        total += counts[i];
    scene *scenes = itx_host_alloc(s, n * sizeof *scenes);
    int32_t *classes = itx_host_alloc(s, (total + 1) * sizeof *classes);
    if (!scenes || !classes)
        status = itx_fail_memory(err, "detecting");
    for (size_t i = 0, k = 0; i < n && status == ITEM_OK; k += counts[i], i++)
        scenes[i] = (scene){.classes = classes + k, .count = counts[i]};
    if (status == ITEM_OK)
        status = find_classes(d, call, n, phrases, counts, total, classes, err);
    if (status == ITEM_OK)
        status = detect_all(d, call, images, scenes, n, options, err);
    if (status == ITEM_OK)
        status = tell(scenes, n, sinks, err);
    for (size_t i = 0; scenes && i < n; i++)
        itx_host_free(s, scenes[i].found);
    itx_host_free(s, scenes);
    itx_host_free(s, classes);
    return status;
}

/* ---- opening ---- */

static void close_detector(void *self)
{
    detector *d = self;
    if (!d)
        return;
    itx_net_close(d->classes.detector);
    itx_net_close(d->classes.text);
    if (d->classes.tokens)
        d->classes.s->tokens_close(d->classes.tokens);
    itx_host_free(d->classes.s, d);
}

static item_status open_parts(detector *d, item_error *err)
{
    itx_classes *c = &d->classes;
    item_status status = itx_net_open(c->s, "weights", &itx_nanodet_kind, &c->detector, err);
    if (status == ITEM_OK)
        status = itx_net_open(c->s, "text", &itx_text_kind, &c->text, err);
    if (status == ITEM_OK)
        status = c->s->tokens_open(c->s->host, "vocab", &c->tokens, err);
    if (status != ITEM_OK)
        return status;
    const itx_text *text = itx_net_model(c->text);
    if (nanodet_of(d)->alias_width != text->width)
        return itx_fail(err, ITEM_E_PACK, "class names have %d numbers, the text encoder gives %d",
                        (int)nanodet_of(d)->alias_width, (int)text->width);
    d->least_score = itx_config(c->s, "least_score", LEAST_SCORE);
    d->max_boxes = itx_config_count(c->s, "max_boxes", BOXES_DEFAULT, 10000);
    itx_identify(d->id, sizeof d->id, "nanodet", c->detector, c->text, NULL);
    return ITEM_OK;
}

item_status itx_open_detector(const item_services *s, const char *family, item_detector_ops *ops,
                              void **self, item_error *err)
{
    *self = NULL;
    const bool second = family && strcmp(family, "owlv2") == 0;
    if (second || (family && strcmp(family, "owlvit") == 0))
        return itx_open_owl(s, second, ops, self, err);
    if (!family || strcmp(family, "nanodet") != 0)
        return itx_fail_family(err, family, "nanodet, owlvit, owlv2");
    detector *d = itx_host_alloc(s, sizeof *d);
    if (!d)
        return itx_fail_memory(err, "opening the detector");
    d->classes.s = s;
    item_status status = open_parts(d, err);
    if (status != ITEM_OK) {
        close_detector(d);
        return status;
    }
    *ops = (item_detector_ops){.struct_size = sizeof *ops,
                               .version = ITEM_BACKEND_VERSION,
                               .name = "torch",
                               .id = d->id,
                               .detect = detect,
                               .close = close_detector};
    *self = d;
    return ITEM_OK;
}
