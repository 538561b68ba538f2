/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain statistics of a picture's brightness: by these a screenshot, a diagram or noise differs
 * from photographs, whatever a network makes of it. Counts and sums are whole numbers, so that the
 * same pixels give the same statistics everywhere.
 */
#include <math.h>
#include <string.h>

#include "image/decode.h"
#include "image/image.h"

#define LEVELS 32 /* of the entropy */
#define APART  4  /* pixels, of the correlation */

typedef struct grey {
    const uint8_t *at; /* [height x width] */
    size_t width, height;
} grey;

/* ---- brightness ---- */

static uint8_t brightness(const uint8_t *rgb)
{
    return (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2]) >> 8);
}

/* Mean, variance, entropy of 32 levels in nats. */
static void levels(const grey *g, double *mean, double *variance, double *entropy)
{
    size_t n = g->width * g->height, count[LEVELS] = {0};
    uint64_t sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        sum += g->at[i];
        square += (uint64_t)g->at[i] * g->at[i];
        count[g->at[i] >> 3]++;
    }
    *mean = (double)sum / (double)n;
    *variance = fmax((double)square / (double)n - *mean * *mean, 0);
    *entropy = 0;
    for (size_t i = 0; i < LEVELS; i++) {
        double share = (double)count[i] / (double)n;
        if (count[i])
            *entropy -= share * log(share);
    }
}

/* ---- neighbours ---- */

/* Pairs that are the same, and that differ by at most one step, side by side or above each other. */
static void pairs(const grey *g, double *same, double *near)
{
    size_t equal = 0, close = 0;
    for (size_t y = 0; y < g->height; y++) {
        const uint8_t *row = g->at + y * g->width;
        for (size_t x = 0; x < g->width; x++) {
            int across = x + 1 < g->width ? row[x] - row[x + 1] : 2;
            int down = y + 1 < g->height ? row[x] - row[x + g->width] : 2;
            equal += (size_t)(across == 0) + (size_t)(down == 0);
            close += (size_t)(across >= -1 && across <= 1) + (size_t)(down >= -1 && down <= 1);
        }
    }
    size_t n = g->height * (g->width - 1) + g->width * (g->height - 1);
    *same = (double)equal / (double)n;
    *near = (double)close / (double)n;
}

/* Mean product of what pixels `step` apart differ from the mean by. */
static double covariance(const grey *g, double mean, size_t right, size_t below)
{
    uint64_t product = 0, sum = 0;
    size_t step = below * g->width + right;
    for (size_t y = 0; y + below < g->height; y++) {
        const uint8_t *row = g->at + y * g->width;
        for (size_t x = 0; x + right < g->width; x++) {
            product += (uint64_t)row[x] * row[x + step];
            sum += (uint64_t)row[x] + row[x + step];
        }
    }
    double n = (double)((g->height - below) * (g->width - right));
    return (double)product / n - mean * ((double)sum / n) + mean * mean;
}

/* Mean and deviation of how far a pixel is from the four around it. */
static void roughness(const grey *g, double *mean, double *deviation)
{
    uint64_t sum = 0, square = 0;
    for (size_t y = 1; y + 1 < g->height; y++) {
        const uint8_t *row = g->at + y * g->width, *above = row - g->width, *below = row + g->width;
        for (size_t x = 1; x + 1 < g->width; x++) {
            int away = 4 * row[x] - row[x - 1] - row[x + 1] - above[x] - below[x];
            uint64_t size = (uint64_t)(away < 0 ? -away : away);
            sum += size;
            square += size * size;
        }
    }
    double n = (double)((g->height - 2) * (g->width - 2));
    *mean = (double)sum / n;
    *deviation = sqrt(fmax((double)square / n - *mean * *mean, 0));
}

/* ---- the whole ---- */

/* Stretches the ends of a share, where pictures differ most. */
static double stretched(double share)
{
    return log((share + 0.005) / (1.005 - share));
}

static void measure(const grey *g, float out[ITEM_PLAIN_NUMBERS])
{
    double mean, variance, entropy, same, near, rough, uneven;
    levels(g, &mean, &variance, &entropy);
    pairs(g, &same, &near);
    roughness(g, &rough, &uneven);
    double along = (covariance(g, mean, APART, 0) + covariance(g, mean, 0, APART)) / 2;
    const double plain[ITEM_PLAIN_NUMBERS] = {
        mean,
        log(sqrt(variance) + 0.5),
        stretched(same),
        stretched(near),
        entropy,
        along / (variance + 0.001),
        log(uneven / (rough + 0.5) + 0.02),
    };
    for (size_t i = 0; i < ITEM_PLAIN_NUMBERS; i++)
        out[i] = (float)plain[i];
}

bool itemi_image_plain(const itemi_mem *mem, const item_image *image, float out[ITEM_PLAIN_NUMBERS])
{
    size_t width = image->info.width, height = image->info.height;
    if (width <= APART || height <= APART) {
        for (size_t i = 0; i < ITEM_PLAIN_NUMBERS; i++)
            out[i] = NAN;
        return true;
    }
    uint8_t *at = itemi_alloc_array(mem, width * height, 1);
    if (!at)
        return false;
    for (size_t i = 0; i < width * height; i++)
        at[i] = brightness(image->pixels + 3 * i);
    measure(&(grey){at, width, height}, out);
    itemi_free(mem, at);
    return true;
}
