/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers by oneDNN; shim.cc alone calls it, in the thread of a lane. */
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

#ifdef ITX_ONEDNN
/* 1: done; 0: not by oneDNN, y holds nothing. */
int itx_onednn_linear(const itx_onednn_job *job);
#else
static inline int itx_onednn_linear(const itx_onednn_job *job)
{
    return job == NULL; /* never */
}
#endif

#ifdef __cplusplus
}
#endif
#endif
