/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time of each stage, and pictures a second with one calling thread and with eight. Prints a
 * table; fails when eight get less than 0.9 of what one gets. Arguments: lanes, threads.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"

#define CALLERS 8
#define ROUNDS  5
#define SECONDS 2.0

static stages s;
static item_image *images[4], *scenes[2];
static item_crop crops[7];
static const item_crop *crop_list[7];
static float vectors[CALLERS][7 * 1024];
static atomic_int bad;

static item_status no_box(void *user, size_t phrase, const double box[4], double score)
{
    (void)user;
    (void)phrase;
    (void)box;
    (void)score;
    return ITEM_OK;
}

static void embed(int caller, size_t n)
{
    call_state call;
    call_init(&call);
    bad |=
        s.embedder.embed_images(s.embedder_self, &call.call, crop_list, n, vectors[caller], NULL);
}

static void embed_texts(int caller, size_t n)
{
    static const char *const texts[] = {"a brown dog is running through the snow with a ball",
                                        "a brown dog",
                                        "snow",
                                        "a ball",
                                        "two men",
                                        "red shirt",
                                        "a tree"};
    call_state call;
    call_init(&call);
    bad |= s.embedder.embed_texts(s.embedder_self, &call.call, texts, n, vectors[caller], NULL);
}

static void caption(int caller, size_t beams)
{
    char text[4096];
    const item_image *image = images[caller % 4];
    item_caption_out out = {.struct_size = sizeof out, .text = text, .capacity = sizeof text};
    item_caption_out *outs = &out;
    const item_caption_options options = {.struct_size = sizeof options, .beams = (uint32_t)beams};
    call_state call;
    call_init(&call);
    bad |= s.captioner.caption(s.captioner_self, &call.call, &image, 1, &options, &outs, NULL);
}

static void detect(int caller, size_t count)
{
    static const char *const phrases[] = {"a brown dog", "the snow", "a red ball", "a man"};
    static const char *const heads[] = {"dog", "snow", "ball", "man"};
    const char *const *phrase_list = phrases, *const *head_list = heads;
    const item_image *image = scenes[caller % 2];
    const item_box_sink sink = {.struct_size = sizeof sink, .add = no_box}, *sinks = &sink;
    const item_detect_options options = {.struct_size = sizeof options, .least_score = NAN};
    call_state call;
    call_init(&call);
    bad |= s.detector.detect(s.detector_self, &call.call, &image, 1, &phrase_list, &head_list,
                             &count, &options, &sinks, NULL);
}

static void time_stage(const char *name, void (*stage)(int, size_t), size_t n)
{
    double best = INFINITY, sum = 0.0;
    stage(0, n);
    for (int i = 0; i < ROUNDS; i++) {
        const double start = now_ms();
        stage(0, n);
        const double took = now_ms() - start;
        best = fmin(best, took);
        sum += took;
    }
    printf("| %-28s | %8.1f | %8.1f |\n", name, best, sum / ROUNDS);
}

/* ---- pictures a second ---- */

static double until;

typedef struct caller {
    int number;
    size_t done;
} caller;

static void *embed_until(void *user)
{
    caller *c = user;
    for (; now_ms() < until; c->done++)
        embed(c->number, 1);
    return NULL;
}

static double rate(int callers)
{
    pthread_t threads[CALLERS];
    caller c[CALLERS];
    size_t done = 0;
    until = now_ms() + SECONDS * 1e3;
    for (int i = 0; i < callers; i++) {
        c[i] = (caller){.number = i};
        bad |= pthread_create(&threads[i], NULL, embed_until, &c[i]);
    }
    for (int i = 0; i < callers; i++) {
        bad |= pthread_join(threads[i], NULL);
        done += c[i].done;
    }
    return (double)done / SECONDS;
}

static int run(const char *pack)
{
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    double start = now_ms();
    if (host_engine()->info(0, &info, NULL) != ITEM_OK)
        return 1;
    const double load = now_ms() - start;
    start = now_ms();
    if (stages_open(&s, pack, "cde", NULL) != ITEM_OK)
        return 1;
    printf("%s, %u lanes of %u threads, libtorch %s\n", info.cpu, info.lanes, info.threads,
           info.version);
    printf("loading libtorch %.0f ms, opening the networks %.0f ms\n\n", load, now_ms() - start);
    host_pictures("image_encoder", images, 4);
    host_pictures("detector", scenes, 2);
    for (int i = 0; i < 7; i++) {
        crops[i] = (item_crop){
            .struct_size = sizeof *crops, .image = images[i % 4], .box = {i, 0.0, 224.0, 224.0}};
        crop_list[i] = &crops[i];
    }
    printf("| stage                        | best, ms | mean, ms |\n|---|---|---|\n");
    time_stage("embed one picture", embed, 1);
    time_stage("embed seven pictures", embed, 7);
    time_stage("embed seven texts", embed_texts, 7);
    time_stage("caption, greedy", caption, 1);
    time_stage("caption, three beams", caption, 3);
    time_stage("detect four phrases", detect, 4);
    const double one = rate(1), eight = rate(CALLERS);
    printf("\npictures a second: 1 caller %.1f, 8 callers %.1f: %.2f\n", one, eight, eight / one);
    for (int i = 0; i < 4; i++)
        item_image_unref(images[i]);
    for (int i = 0; i < 2; i++)
        item_image_unref(scenes[i]);
    stages_close(&s);
    return bad || eight < 0.9 * one;
}

int main(int argc, char **argv)
{
    const char *pack = host_pack();
    item_engine_settings settings = ITEM_ENGINE_SETTINGS_INIT;
    settings.lanes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    settings.threads = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    if (host_engine()->setup(&settings, NULL) != ITEM_OK)
        return 1;
    if (!pack) {
        printf("no weights in packs/small: skipped\n");
        return 77;
    }
    return run(pack);
}
