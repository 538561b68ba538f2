/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers and attention by oneDNN; shim.cc alone calls it, in the thread of a lane. */
#ifndef ITX_ONEDNN_H
#define ITX_ONEDNN_H

#include "shim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y [rows, out] = act(x [rows, in] times w [out, in] transposed + b [out]); b may be NULL. */
typedef struct itx_onednn_job {
    const float *x, *w, *b;
    float *y;
    int64_t rows, in, out;
    itx_act act;
} itx_onednn_job;

/* Heads lie beside each other in rows; numbers from a row to the next, from a member of the batch
   to the next. */
typedef struct itx_heads {
    const float *data;
    int64_t row, batch;
} itx_heads;

/* y [n, a, heads x each] of q [n, a, ...], k and v [n, b, ...]; mask [a, b] is added, or NULL. */
typedef struct itx_attention_job {
    itx_heads q, k, v;
    const float *mask;
    float *y;
    int64_t n, a, b, heads, each;
} itx_attention_job;

#ifdef ITX_ONEDNN
/* 1: done; 0: not by oneDNN, y holds nothing. */
int itx_onednn_linear(const itx_onednn_job *job);
int itx_onednn_attention(const itx_attention_job *job);
#else
static inline int itx_onednn_linear(const itx_onednn_job *job)
{
    return job == NULL; /* never */
}
static inline int itx_onednn_attention(const itx_attention_job *job)
{
    return job == NULL;
}
#endif

#ifdef __cplusplus
}
#endif
#endif
