/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A colour profile is applied with lcms2 in a context of its own for each decode: perceptual
 * intent, no flags, as Pillow's ImageCms.profileToProfile().
 *
 * lcms2 (2.14) goes on with a pointer to nothing where memory ends while a transform is made. So
 * its allocator leaves by longjmp then, to guard() alone, and frees what lcms2 had; locks, which
 * could stay held, are none, as one thread alone uses a context.
 */
#include <lcms2.h>
#include <lcms2_plugin.h>
#include <setjmp.h>
#include <string.h>

#include "image/decode.h"

#define BLOCK_LEAST (4u << 20) /* of lcms2: more than a transform of its own takes */

static const char ignored[] = "the colour profile is ignored";

/* Stands before each block of lcms2. */
typedef struct block {
    struct block *next, *last;
} block;

_Static_assert(sizeof(block) % 16 == 0, "blocks are aligned as malloc's");

struct itemi_profile {
    itemi_decode *d;
    const itemi_raster *raster;
    cmsContext context;
    cmsHTRANSFORM transform;
    block blocks;   /* the ring of what lcms2 has */
    bool no_memory; /* lcms2 asked in vain */
    bool guarded;
    jmp_buf jump;
};

/* ---- memory ---- */

static void close_ring(block *b)
{
    b->next = b->last = b;
}

static void take_out(block *b)
{
    b->next->last = b->last;
    b->last->next = b->next;
    close_ring(b);
}

static void put_in(cmsContext context, block *b)
{
    itemi_profile *p = cmsGetContextUserData(context);
    close_ring(b);
    if (!p)
        return;
    b->next = p->blocks.next;
    b->last = &p->blocks;
    b->next->last = b->last->next = b;
}

static void *give_up(cmsContext context)
{
    itemi_profile *p = cmsGetContextUserData(context);
    if (p)
        p->no_memory = true;
    if (p && p->guarded)
        longjmp(p->jump, 1);
    return NULL;
}

/* A table is at most twice as large as the profile says it in. Others are announced, not there. */
static bool too_large(const itemi_profile *p, size_t size)
{
    return size > BLOCK_LEAST && (!p || size / 2 > p->raster->icc_size);
}

static void *refuse(itemi_profile *p)
{
    if (!p)
        return NULL;
    itemi_warn(p->d, ignored, "it announces more than it holds");
    if (p->guarded)
        longjmp(p->jump, 1);
    return NULL;
}

static void *resize(cmsContext context, void *old, cmsUInt32Number size)
{
    if (too_large(cmsGetContextUserData(context), size))
        return refuse(cmsGetContextUserData(context));
    block *b = old ? (block *)old - 1 : NULL;
    if (b)
        take_out(b);
    block *grown = itemi_resize_array(NULL, b, size + sizeof *b, 1);
    if (grown)
        put_in(context, grown);
    else if (b)
        put_in(context, b);
    return grown ? grown + 1 : give_up(context);
}

static void *allocate(cmsContext context, cmsUInt32Number size)
{
    return resize(context, NULL, size);
}

static void release(cmsContext context, void *old)
{
    (void)context;
    if (!old)
        return;
    take_out((block *)old - 1);
    itemi_free(NULL, (block *)old - 1);
}

/* ---- locks ---- */

static void *lock_make(cmsContext context)
{
    return cmsGetContextUserData(context);
}

static void lock_drop(cmsContext context, void *lock)
{
    (void)context;
    (void)lock;
}

static cmsBool lock_take(cmsContext context, void *lock)
{
    (void)context;
    (void)lock;
    return TRUE;
}

/* ---- the transform ---- */

static void on_error(cmsContext context, cmsUInt32Number code, const char *text)
{
    itemi_profile *p = cmsGetContextUserData(context);
    (void)code;
    itemi_warn(p->d, ignored, text);
}

static cmsColorSpaceSignature space_of(itemi_samples samples)
{
    switch (samples) {
    case ITEMI_SAMPLES_GREY:
    case ITEMI_SAMPLES_GREY_ALPHA:
        return cmsSigGrayData;
    case ITEMI_SAMPLES_CMYK:
        return cmsSigCmykData;
    case ITEMI_SAMPLES_RGB:
    case ITEMI_SAMPLES_RGBA:
    case ITEMI_SAMPLES_BGRA:
        break;
    }
    return cmsSigRgbData;
}

static cmsUInt32Number format_of(itemi_samples samples)
{
    switch (samples) {
    case ITEMI_SAMPLES_GREY:
        return TYPE_GRAY_8;
    case ITEMI_SAMPLES_GREY_ALPHA:
        return TYPE_GRAYA_8;
    case ITEMI_SAMPLES_RGB:
        return TYPE_RGB_8;
    case ITEMI_SAMPLES_RGBA:
        return TYPE_RGBA_8;
    case ITEMI_SAMPLES_BGRA:
        return TYPE_BGRA_8;
    case ITEMI_SAMPLES_CMYK:
        break;
    }
    return TYPE_CMYK_8;
}

/* A profile of a device that has these samples, and not a link between two devices. */
static bool fits(cmsHPROFILE profile, itemi_samples samples)
{
    cmsProfileClassSignature class = cmsGetDeviceClass(profile);
    bool device = class == cmsSigInputClass || class == cmsSigDisplayClass ||
                  class == cmsSigOutputClass || class == cmsSigColorSpaceClass;
    return device && cmsGetColorSpace(profile) == space_of(samples);
}

static cmsContext make_context(itemi_profile *p)
{
    cmsPluginMutex locks = {
        .base = {.Magic = cmsPluginMagicNumber, .ExpectedVersion = 2000, .Type = cmsPluginMutexSig},
        .CreateMutexPtr = lock_make,
        .DestroyMutexPtr = lock_drop,
        .LockMutexPtr = lock_take,
        .UnlockMutexPtr = lock_drop};
    cmsPluginMemHandler memory = {.base = {.Magic = cmsPluginMagicNumber,
                                           .ExpectedVersion = 2000,
                                           .Type = cmsPluginMemHandlerSig,
                                           .Next = &locks.base},
                                  .MallocPtr = allocate,
                                  .FreePtr = release,
                                  .ReallocPtr = resize};
    return cmsCreateContext(&memory, p);
}

static void make_transform(itemi_profile *p)
{
    const itemi_raster *raster = p->raster;
    cmsSetLogErrorHandlerTHR(p->context, on_error);
    cmsHPROFILE from =
        cmsOpenProfileFromMemTHR(p->context, raster->icc, (uint32_t)raster->icc_size);
    cmsHPROFILE to = from ? cmsCreate_sRGBProfileTHR(p->context) : NULL;
    if (from && !fits(from, raster->samples))
        itemi_warn(p->d, ignored, "it is of another kind than the picture");
    else if (from && to)
        p->transform = cmsCreateTransformTHR(p->context, from, format_of(raster->samples), to,
                                             TYPE_RGB_8, INTENT_PERCEPTUAL, 0);
    if (!p->transform)
        itemi_warn(p->d, ignored, "it is broken"); /* unless there is a closer reason already */
    if (to)
        cmsCloseProfile(to);
    if (from)
        cmsCloseProfile(from);
}

static void guard(itemi_profile *p, void (*step)(itemi_profile *))
{
    p->guarded = true;
    if (setjmp(p->jump) == 0)
        step(p);
    p->guarded = false;
}

static uint32_t number_at(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/*
 * Has it a tag of chained steps in floats? They may share their bytes, so that a profile of a
 * kilobyte computes for hours and lcms2 cannot be stopped; pictures have none.
 */
static bool has_chain(const uint8_t *icc, size_t size)
{
    const size_t table = 128, entry = 12;
    uint32_t tags = size >= table + 4 ? number_at(icc + table) : 0;
    for (size_t at = table + 4; tags && at + entry <= size; tags--, at += entry) {
        size_t data = number_at(icc + at + 4);
        if (data <= size - 4 && memcmp(icc + data, "mpet", 4) == 0)
            return true;
    }
    return false;
}

item_status itemi_profile_open(itemi_decode *d, const itemi_raster *raster, itemi_profile **out)
{
    *out = NULL;
    if (has_chain(raster->icc, raster->icc_size)) {
        itemi_warn(d, ignored, "it has chained steps, which are not computed");
        return ITEM_OK;
    }
    itemi_profile *p = itemi_alloc_zero(&d->mem, 1, sizeof *p);
    if (!p)
        return itemi_fail_memory(d->err, "applying a colour profile");
    p->d = d;
    p->raster = raster;
    close_ring(&p->blocks);
    p->context = make_context(p);
    if (p->context && !p->no_memory) /* else parts of the context may be missing */
        guard(p, make_transform);
    if (p->context && !p->no_memory && p->transform) {
        *out = p;
        return ITEM_OK;
    }
    bool short_of = !p->context || p->no_memory;
    itemi_profile_close(p);
    return short_of ? itemi_fail_memory(d->err, "applying a colour profile") : ITEM_OK;
}

void itemi_profile_row(const itemi_profile *p, const uint8_t *row, uint8_t *rgb, uint32_t width)
{
    cmsDoTransform(p->transform, row, rgb, width);
}

void itemi_profile_close(itemi_profile *p)
{
    if (!p)
        return;
    if (p->transform && !p->no_memory)
        cmsDeleteTransform(p->transform);
    if (p->context)
        cmsDeleteContext(p->context);
    while (p->blocks.next != &p->blocks) /* left by a jump */
        release(NULL, p->blocks.next + 1);
    itemi_free(&p->d->mem, p);
}
