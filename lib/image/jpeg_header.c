/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a JPEG says before its first scan: kind of coding, EXIF, XMP, C2PA, colour profile. Read from
 * the bytes in place, so that nothing is allocated but the profile itself.
 */
#include <string.h>

#include "image/boxes.h"
#include "image/decode.h"

#define M_SOF0  0xc0
#define M_SOFF  0xcf
#define M_DHT   0xc4
#define M_JPG   0xc8
#define M_DAC   0xcc
#define M_RST0  0xd0
#define M_SOI   0xd8
#define M_EOI   0xd9
#define M_SOS   0xda
#define M_APP1  0xe1
#define M_APP2  0xe2
#define M_APP11 0xeb
#define M_LS    0xf7 /* the frame of JPEG-LS */
#define M_TEM   0x01

typedef struct segment {
    uint8_t marker;
    const uint8_t *data;
    size_t size;
} segment;

static bool is_frame(uint8_t marker)
{
    if (marker == M_LS)
        return true;
    return marker >= M_SOF0 && marker <= M_SOFF && marker != M_DHT && marker != M_JPG &&
           marker != M_DAC;
}

static bool stands_alone(uint8_t marker)
{
    return marker == 0 || marker == M_TEM || (marker >= M_RST0 && marker <= M_SOI);
}

/*
 * The next segment with content, from *at on; between segments and in the data of scans all bytes
 * are passed over. False at the end mark and at the end; *at is then where the whole ones end.
 */
static bool next_segment(segment *s, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    do {
        p = memchr(p, 0xff, (size_t)(end - p));
        if (!p)
            p = end;
        *at = p;
        while (p < end && *p == 0xff)
            p++;
        if (p == end)
            return false;
        s->marker = *p++;
    } while (stands_alone(s->marker));

    if (s->marker == M_EOI) {
        *at = p;
        return false;
    }
    if (end - p < 2)
        return false;
    size_t length = (size_t)p[0] << 8 | p[1];
    if (length < 2 || length > (size_t)(end - p))
        return false;
    s->data = p + 2;
    s->size = length - 2;
    *at = p + length;
    return true;
}

size_t itemi_jpeg_whole_segments(const uint8_t *bytes, size_t size)
{
    const uint8_t *at = bytes, *end = bytes + size;
    segment s;
    while (next_segment(&s, &at, end))
        continue;
    return (size_t)(at - bytes);
}

uint64_t itemi_jpeg_scans(const uint8_t *bytes, size_t size)
{
    const uint8_t *at = bytes, *end = bytes + size;
    uint64_t scans = 0;
    segment s;
    while (next_segment(&s, &at, end))
        scans += s.marker == M_SOS;
    return scans;
}

/* Steps over a prefix, with its NUL, that tells what the segment is for. */
static bool strip(segment *s, const char *prefix, size_t length)
{
    if (s->size < length || memcmp(s->data, prefix, length) != 0)
        return false;
    s->data += length;
    s->size -= length;
    return true;
}

static void take_app1(itemi_metadata *m, segment *s)
{
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
    if (!m->exif && strip(s, "Exif\0", 6)) {
        m->exif = s->data;
        m->exif_size = s->size;
    } else if (strip(s, xmp, sizeof xmp)) { /* of several, the last, as Pillow does */
        m->xmp = s->data;
        m->xmp_size = s->size;
    }
}

/* JUMBF stands behind "JP", the number of the box and that of the piece, which begins with 1. */
static void take_app11(itemi_metadata *m, segment *s)
{
    if (strip(s, "JP", 2) && s->size > 6)
        itemi_metadata_c2pa(m, "JPEG APP11", s->data + 6, s->size - 6);
}

size_t itemi_jpeg_manifest_size(const itemi_metadata *metadata)
{
    itemi_span box = {metadata->manifest, metadata->manifest_size};
    return (size_t)itemi_take(&box, 4);
}

/* Every piece begins with the head of the box again (ISO 19566-5, annex D). */
size_t itemi_jpeg_manifest(const itemi_metadata *metadata, const uint8_t *end, uint8_t *out,
                           size_t room)
{
    const uint8_t *first = metadata->manifest, *at = first + metadata->manifest_size;
    size_t filled = metadata->manifest_size;
    uint64_t pieces = 1;
    segment s;
    memcpy(out, first, filled);
    while (filled < room && next_segment(&s, &at, end) && s.marker != M_SOS) {
        if (s.marker != M_APP11 || !strip(&s, "JP", 2) || s.size < 6 + 8)
            continue;
        itemi_span in = {s.data + 2, s.size - 2};
        if (memcmp(s.data, first - 6, 2) != 0 || itemi_take(&in, 4) != pieces + 1 ||
            memcmp(in.at, first, 8) != 0)
            continue;
        pieces++;
        (void)itemi_take(&in, 8);
        const size_t some = in.left < room - filled ? in.left : room - filled;
        memcpy(out + filled, in.at, some);
        filled += some;
    }
    return filled;
}

static void take_profile_part(itemi_jpeg_header *h, segment *s)
{
    if (!strip(s, "ICC_PROFILE", 12) || s->size < 2)
        return;
    uint8_t number = s->data[0], count = s->data[1];
    if (h->parts == 0)
        h->parts = count;
    if (number == 0 || number > count || count != h->parts || h->part[number]) {
        h->parts_broken = true;
        return;
    }
    h->part[number] = s->data + 2;
    h->part_size[number] = (uint16_t)(s->size - 2);
}

static void take_frame(itemi_jpeg_header *h, const segment *s)
{
    if (h->sof || s->size < 6)
        return;
    h->sof = s->marker;
    h->precision = s->data[0];
    h->components = s->data[5];
}

void itemi_jpeg_header_read(itemi_jpeg_header *header, const uint8_t *bytes, size_t size)
{
    memset(header, 0, sizeof *header);
    const uint8_t *at = bytes, *end = bytes + size;
    segment s;
    while (next_segment(&s, &at, end) && s.marker != M_SOS) {
        if (is_frame(s.marker))
            take_frame(header, &s);
        else if (s.marker == M_APP1)
            take_app1(&header->metadata, &s);
        else if (s.marker == M_APP2)
            take_profile_part(header, &s);
        else if (s.marker == M_APP11)
            take_app11(&header->metadata, &s);
    }
}

item_status itemi_jpeg_header_icc(const itemi_jpeg_header *header, itemi_decode *d,
                                  itemi_raster *raster)
{
    size_t total = 0;
    bool whole = !header->parts_broken;
    for (uint32_t i = 1; i <= header->parts; i++) {
        whole = whole && header->part[i];
        total += header->part_size[i];
    }
    if (total == 0 && whole)
        return ITEM_OK;
    if (!whole || total > ITEMI_ICC_MAX) {
        itemi_warn(d, "the colour profile is ignored",
                   whole ? "it is too large" : "parts are missing");
        return ITEM_OK;
    }
    raster->icc = itemi_alloc(&d->mem, total);
    if (!raster->icc)
        return itemi_fail_memory(d->err, "reading a colour profile");
    for (uint32_t i = 1; i <= header->parts; i++) {
        memcpy(raster->icc + raster->icc_size, header->part[i], header->part_size[i]);
        raster->icc_size += header->part_size[i];
    }
    return ITEM_OK;
}
