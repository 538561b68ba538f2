/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of libc that fail on request; see faults.h. */
#undef _FORTIFY_SOURCE /* its inline functions have the names that are defined here */
#include "faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FEW  200 /* bytes of a call of FAULT_..._LATE */
#define SEEN __attribute__((visibility("default")))

/* ---- what is to fail ---- */

static atomic_int armed; /* fault_kind */
static atomic_long calls, failed, first;
static atomic_bool always;
static atomic_int error_of;
static _Thread_local bool here; /* this thread has armed */

void faults_arm(fault_kind kind, long nth, bool for_ever, int error)
{
    atomic_store(&calls, 0);
    atomic_store(&failed, 0);
    atomic_store(&first, nth);
    atomic_store(&always, for_ever);
    atomic_store(&error_of, error);
    here = true;
    atomic_store(&armed, (int)kind);
}

long faults_disarm(void)
{
    atomic_store(&armed, FAULT_NONE);
    here = false;
    return atomic_load(&failed);
}

/* Counts a call; sets errno when it fails. */
static bool counted_fails(void)
{
    const long number = atomic_fetch_add(&calls, 1) + 1, from = atomic_load(&first);
    if (number != from && !(number > from && atomic_load(&always)))
        return false;
    atomic_fetch_add(&failed, 1);
    errno = atomic_load(&error_of);
    return true;
}

static bool fails(fault_kind kind)
{
    if (atomic_load_explicit(&armed, memory_order_relaxed) != (int)kind)
        return false;
    return (here || kind == FAULT_THREAD) && counted_fails();
}

/* ---- one library ---- */

static atomic_uintptr_t watched, watched_end; /* where it lies */
static atomic_long live_in;

static int take_place(struct dl_phdr_info *library, size_t size, void *name)
{
    const size_t length = strlen(library->dlpi_name), wanted = strlen(name);
    (void)size;
    if (length < wanted || strcmp(library->dlpi_name + length - wanted, name) != 0)
        return 0;
    for (size_t i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
            atomic_store(&watched, library->dlpi_addr + part->p_vaddr);
            atomic_store(&watched_end, library->dlpi_addr + part->p_vaddr + part->p_memsz);
        }
    }
    return 1;
}

bool faults_watch(const char *name)
{
    return dl_iterate_phdr(take_place, (void *)(uintptr_t)name) == 1;
}

long faults_live_in(void)
{
    return atomic_load(&live_in);
}

static bool is_watched(const void *caller)
{
    return (uintptr_t)caller >= atomic_load_explicit(&watched, memory_order_relaxed) &&
           (uintptr_t)caller < atomic_load_explicit(&watched_end, memory_order_relaxed);
}

/* Whether an allocation fails that was asked for at this place. */
static bool fails_at(const void *caller)
{
    if (fails(FAULT_MALLOC))
        return true;
    return is_watched(caller) && atomic_load(&armed) == FAULT_MALLOC_IN && counted_fails();
}

#define CALLER __builtin_return_address(0)

/* ---- memory ---- */

/* A sanitizer's own functions where there is one, else libc's; neither needs dlsym(), which
   allocates. */
#ifdef FAULTS_SANITIZED
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *block, size_t size);
void REAL(free)(void *block);

static atomic_long live;

long faults_live(void)
{
    return atomic_load(&live);
}

static void *counted(void *block, const void *caller)
{
    if (block)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    if (block && is_watched(caller))
        atomic_fetch_add_explicit(&live_in, 1, memory_order_relaxed);
    return block;
}

SEEN void *malloc(size_t size)
{
    return fails_at(CALLER) ? NULL : counted(REAL(malloc)(size), CALLER);
}

SEEN void *calloc(size_t count, size_t size)
{
    return fails_at(CALLER) ? NULL : counted(REAL(calloc)(count, size), CALLER);
}

SEEN void *realloc(void *block, size_t size)
{
    if (fails_at(CALLER))
        return NULL;
    void *moved = REAL(realloc)(block, size);
    if (!block)
        return counted(moved, CALLER);
    if (!moved && size == 0)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    return moved;
}

SEEN void free(void *block)
{
    if (block)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    if (block && is_watched(CALLER))
        atomic_fetch_sub_explicit(&live_in, 1, memory_order_relaxed);
    REAL(free)(block);
}

SEEN char *strdup(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = fails_at(CALLER) ? NULL : counted(REAL(malloc)(size), CALLER);
    return copy ? memcpy(copy, text, size) : NULL;
}

/* ---- the system ---- */

/* The next definition of a name: libc's, or that of a sanitizer. */
#define NEXT(name)                                                                                 \
    static __typeof__(name) *next;                                                                 \
    if (!next) {                                                                                   \
        void *found = dlsym(RTLD_NEXT, #name);                                                     \
        memcpy(&next, &found, sizeof next);                                                        \
    }

/* How much of so many bytes one call moves. */
static size_t some(size_t size, fault_kind one, fault_kind few)
{
    if (here && atomic_load(&armed) == (int)few)
        return size < FEW ? size : FEW;
    return size > 1 && fails(one) ? 1 : size;
}

SEEN int open64(const char *path, int flags, ...)
{
    NEXT(open64)
    va_list more;
    va_start(more, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return fails(FAULT_OPEN) ? -1 : next(path, flags, mode);
}

SEEN ssize_t read(int file, void *to, size_t room)
{
    NEXT(read)
    if (fails(FAULT_READ) || fails(FAULT_READ_LATE))
        return -1;
    return next(file, to, some(room, FAULT_READ_SHORT, FAULT_READ_LATE));
}

/* glibc asks this one in the place of read() where it knows the room. */
SEEN ssize_t __read_chk(int file, void *to, size_t wanted, size_t room);
SEEN ssize_t __read_chk(int file, void *to, size_t wanted, size_t room)
{
    if (wanted > room)
        abort();
    return read(file, to, wanted);
}

SEEN ssize_t write(int file, const void *from, size_t size)
{
    NEXT(write)
    if (fails(FAULT_WRITE) || fails(FAULT_WRITE_LATE))
        return -1;
    return next(file, from, some(size, FAULT_WRITE_SHORT, FAULT_WRITE_LATE));
}

SEEN int fstat64(int file, struct stat64 *facts)
{
    NEXT(fstat64)
    return fails(FAULT_FSTAT) ? -1 : next(file, facts);
}

SEEN int stat64(const char *path, struct stat64 *facts)
{
    NEXT(stat64)
    return fails(FAULT_STAT) ? -1 : next(path, facts);
}

SEEN void *mmap64(void *at, size_t size, int access, int flags, int file, off64_t from)
{
    NEXT(mmap64)
    return fails(FAULT_MMAP) ? MAP_FAILED : next(at, size, access, flags, file, from);
}

SEEN DIR *opendir(const char *path)
{
    NEXT(opendir)
    return fails(FAULT_OPENDIR) ? NULL : next(path);
}

SEEN struct dirent64 *readdir64(DIR *folder)
{
    NEXT(readdir64)
    return fails(FAULT_READDIR) ? NULL : next(folder);
}

SEEN char *realpath(const char *path, char *out)
{
    NEXT(realpath)
    return fails(FAULT_REALPATH) ? NULL : next(path, out);
}

SEEN char *__realpath_chk(const char *path, char *out, size_t room);
SEEN char *__realpath_chk(const char *path, char *out, size_t room)
{
    (void)room;
    return realpath(path, out);
}

SEEN int fsync(int file)
{
    NEXT(fsync)
    return fails(FAULT_FSYNC) ? -1 : next(file);
}

/* As the system does, a close that fails has closed. */
SEEN int close(int file)
{
    NEXT(close)
    const bool fault = fails(FAULT_CLOSE);
    const int error = errno, done = next(file);
    errno = fault ? error : errno;
    return fault ? -1 : done;
}

SEEN int rename(const char *from, const char *to)
{
    NEXT(rename)
    return fails(FAULT_RENAME) ? -1 : next(from, to);
}

SEEN int getentropy(void *to, size_t size)
{
    NEXT(getentropy)
    return fails(FAULT_ENTROPY) ? -1 : next(to, size);
}

/* A thread that is counted while it lives. */
typedef struct start {
    void *(*body)(void *);
    void *user;
} start;

static atomic_long living;

static void *run(void *user)
{
    const start s = *(start *)user;
    free(user);
    void *answer = s.body(s.user);
    atomic_fetch_sub(&living, 1);
    return answer;
}

static bool no_room(void)
{
    const bool full =
        atomic_load(&armed) == FAULT_THREAD_ROOM && atomic_load(&living) >= atomic_load(&first) - 1;
    atomic_fetch_add(&failed, full);
    return full;
}

SEEN int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                        void *user)
{
    NEXT(pthread_create)
    if (fails(FAULT_THREAD) || no_room())
        return atomic_load(&error_of);
    start *s = malloc(sizeof *s);
    if (!s)
        return EAGAIN;
    *s = (start){body, user};
    atomic_fetch_add(&living, 1);
    const int error = next(thread, attributes, run, s);
    if (error) {
        atomic_fetch_sub(&living, 1);
        free(s);
    }
    return error;
}

/* ---- the host's allocator ---- */

static atomic_long host_calls, host_failed, host_first, host_live;
static atomic_bool host_armed, host_always;

static bool host_fails(void)
{
    if (!atomic_load(&host_armed))
        return false;
    const long number = atomic_fetch_add(&host_calls, 1) + 1, from = atomic_load(&host_first);
    if (number != from && !(number > from && atomic_load(&host_always)))
        return false;
    atomic_fetch_add(&host_failed, 1);
    return true;
}

static void *host_allocate(void *user, size_t size)
{
    void *block = host_fails() ? NULL : malloc(size);
    atomic_fetch_add((atomic_long *)user, block != NULL);
    return block;
}

static void *host_resize(void *user, void *block, size_t size)
{
    if (!block)
        return host_allocate(user, size);
    return host_fails() ? NULL : realloc(block, size);
}

static void host_release(void *user, void *block)
{
    atomic_fetch_sub((atomic_long *)user, 1);
    free(block);
}

const item_allocator *faults_host(void)
{
    static const item_allocator host = {sizeof host,  0,         host_allocate, host_resize,
                                        host_release, &host_live};
    return &host;
}

void faults_host_arm(long nth, bool for_ever)
{
    atomic_store(&host_calls, 0);
    atomic_store(&host_failed, 0);
    atomic_store(&host_first, nth);
    atomic_store(&host_always, for_ever);
    atomic_store(&host_armed, true);
}

long faults_host_disarm(void)
{
    atomic_store(&host_armed, false);
    return atomic_load(&host_failed);
}

long faults_host_live(void)
{
    return atomic_load(&host_live);
}
