/* SPDX-License-Identifier: Apache-2.0 */
/* When a picture was taken, by its EXIF data (libexif). */
#include <libexif/exif-data.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "index/index.h"

/* "2024:07:31 18:05:59", local time of the camera, counted as if it were UTC. */
static int64_t parse(const char *text)
{
    struct tm tm = {0};
    char rest;
    if (sscanf(text, "%4d:%2d:%2d %2d:%2d:%2d%c", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &rest) != 6)
        return INT64_MIN;
    if (tm.tm_year < 1826 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31)
        return INT64_MIN; /* cameras whose clock was never set write zeros */
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm);
}

static int64_t read_tag(ExifData *data, ExifIfd ifd, ExifTag tag)
{
    char text[32];
    const ExifEntry *entry = exif_content_get_entry(data->ifd[ifd], tag);
    if (!entry || !entry->data || entry->size < 19 || entry->size >= sizeof text)
        return INT64_MIN;
    memcpy(text, entry->data, entry->size);
    text[19] = '\0';
    return parse(text);
}

int64_t itemi_taken(const uint8_t *bytes, size_t size)
{
    if (size > UINT32_MAX)
        return INT64_MIN;
    ExifData *data = exif_data_new_from_data(bytes, (unsigned int)size);
    if (!data)
        return INT64_MIN;
    int64_t taken = read_tag(data, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL);
    if (taken == INT64_MIN)
        taken = read_tag(data, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_DIGITIZED);
    exif_data_unref(data);
    return taken;
}
