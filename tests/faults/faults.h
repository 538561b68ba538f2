/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on request: the n-th allocation, or the n-th call of a function of the system, fails.
 * interpose.c defines these functions in the test program, where every library of the process
 * finds them before those of libc.
 */
#ifndef TEST_FAULTS_H
#define TEST_FAULTS_H

#include <item/base.h>
#include <stdbool.h>

typedef enum fault_kind {
    FAULT_NONE,
    FAULT_MALLOC,    /* malloc, calloc, realloc: in the thread that asked for faults alone */
    FAULT_MALLOC_IN, /* and strdup, where the library of faults_watch() calls them, in any thread */
    FAULT_OPEN,
    FAULT_READ,
    FAULT_READ_SHORT, /* a byte at a time */
    FAULT_READ_LATE,  /* some bytes at a time, and the nth time none */
    FAULT_FSTAT,
    FAULT_STAT,
    FAULT_MMAP,
    FAULT_OPENDIR,
    FAULT_READDIR,
    FAULT_REALPATH,
    FAULT_WRITE,
    FAULT_WRITE_SHORT,
    FAULT_WRITE_LATE,
    FAULT_FSYNC,
    FAULT_CLOSE,
    FAULT_RENAME,
    FAULT_ENTROPY,
    FAULT_THREAD,      /* pthread_create, in any thread */
    FAULT_THREAD_ROOM, /* the same, while nth - 1 threads that it started live */
    FAULT_KINDS
} fault_kind;

/* From now on call `nth` (from 1) of that kind fails with `error`; for_ever: all later ones too. */
void faults_arm(fault_kind kind, long nth, bool for_ever, int error);
/* Ends that; returns how many calls failed. */
long faults_disarm(void);

/* Blocks of malloc that are not freed, in the whole process. */
long faults_live(void);

/* Watches the library whose path ends so, loaded before; false: it is not. */
bool faults_watch(const char *name);
/* Blocks that it asked for, less those that it freed. */
long faults_live_in(void);

/* ---- an allocator of a host, which counts and fails too ---- */

const item_allocator *faults_host(void);
void faults_host_arm(long nth, bool for_ever);
long faults_host_disarm(void);
long faults_host_live(void);

#endif
