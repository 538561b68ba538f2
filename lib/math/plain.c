/* SPDX-License-Identifier: Apache-2.0 */
/* How far a picture's plain statistics are from those of photographs: Mahalanobis' distance. */
#include <math.h>
#include <string.h>

#include "math/math.h"

#define N      ITEMI_PLAIN_NUMBERS
#define SHRINK 0.1   /* of the correlations, towards none */
#define STILL  1e-12 /* a variance below is none: the number never varied */

typedef double matrix[N][N];

/* Weighted means and covariances. */
static void moments(const float *rows, const double *weight, size_t count, double mean[N],
                    matrix covariance)
{
    double all = 0;
    memset(mean, 0, N * sizeof *mean);
    memset(covariance, 0, sizeof(matrix));
    for (size_t r = 0; r < count; r++) {
        all += weight[r];
        for (size_t i = 0; i < N; i++)
            mean[i] += weight[r] * (double)rows[r * N + i];
    }
    for (size_t i = 0; i < N; i++)
        mean[i] /= all;
    for (size_t r = 0; r < count; r++) {
        for (size_t i = 0; i < N * N; i++) {
            double a = (double)rows[r * N + i / N] - mean[i / N];
            double b = (double)rows[r * N + i % N] - mean[i % N];
            covariance[i / N][i % N] += weight[r] / all * a * b;
        }
    }
}

/* The inverse of a symmetric matrix whose eigenvalues are above 0, by elimination in place. */
static void invert(matrix m, matrix out)
{
    for (size_t i = 0; i < N * N; i++)
        out[i / N][i % N] = i / N == i % N;
    for (size_t k = 0; k < N; k++) {
        double pivot = m[k][k];
        for (size_t j = 0; j < N; j++) {
            m[k][j] /= pivot;
            out[k][j] /= pivot;
        }
        for (size_t i = 0; i < N; i++) {
            double share = m[i][k];
            for (size_t j = 0; i != k && j < N; j++) {
                m[i][j] -= share * m[k][j];
                out[i][j] -= share * out[k][j];
            }
        }
    }
}

void itemi_plain_fit(const float *rows, const double *weight, size_t count, itemi_plain *out)
{
    double mean[N], scale[N];
    matrix covariance, inverse;
    moments(rows, weight, count, mean, covariance);
    for (size_t i = 0; i < N; i++)
        scale[i] = covariance[i][i] > STILL ? 1 / sqrt(covariance[i][i]) : 0;
    for (size_t i = 0; i < N * N; i++) {
        size_t a = i / N, b = i % N;
        covariance[a][b] *= (a == b ? 1 : 1 - SHRINK) * scale[a] * scale[b];
        if (a == b && scale[a] <= 0)
            covariance[a][b] = 1;
    }
    invert(covariance, inverse);
    for (size_t i = 0; i < N; i++) {
        out->mean[i] = (float)mean[i];
        out->scale[i] = (float)scale[i];
    }
    for (size_t i = 0; i < N * N; i++)
        out->inverse[i] = (float)inverse[i / N][i % N];
}

double itemi_plain_distance(const itemi_plain *plain, const float *row)
{
    double z[N], square = 0;
    for (size_t i = 0; i < N; i++)
        z[i] = ((double)row[i] - (double)plain->mean[i]) * (double)plain->scale[i];
    for (size_t i = 0; i < N * N; i++)
        square += z[i / N] * (double)plain->inverse[i] * z[i % N];
    return isnan(square) ? (double)NAN : sqrt(fmax(square, 0) / N);
}
