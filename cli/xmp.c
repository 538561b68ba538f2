/* SPDX-License-Identifier: Apache-2.0 */
/* Sidecars as XMP: Exempi reads what is there, and writes and reads back what is ours. */
#include <stdlib.h>
#include <string.h>

#include "sidecar.h"

#if CLI_HAS_EXEMPI
#include <exempi/xmp.h>
#include <exempi/xmperrors.h>

bool cli_xmp_is_there(void)
{
    return true;
}

static bool has(XmpPtr xmp, const cli_property *property)
{
    uint32_t bits = 0;
    XmpStringPtr value = xmp_string_new();
    bool there = xmp_get_property(xmp, CLI_XMP_NAMESPACE, property->name, value, &bits);
    bool same =
        there ? XMP_IS_PROP_SIMPLE(bits) && strcmp(xmp_string_cstr(value), property->value) == 0
              : !*property->value;
    xmp_string_free(value);
    return same;
}

static bool set(XmpPtr xmp, const cli_property *property)
{
    return !*property->value ||
           xmp_set_property(xmp, CLI_XMP_NAMESPACE, property->name, property->value, 0);
}

static char *serialized(XmpPtr xmp)
{
    static const char declaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    char *text = NULL;
    XmpStringPtr body = xmp_string_new();
    if (xmp_serialize(xmp, body, XMP_SERIAL_OMITPACKETWRAPPER, 0)) {
        const char *xml = xmp_string_cstr(body);
        text = cli_resize(NULL, sizeof(declaration) + strlen(xml), 1);
        strcpy(stpcpy(text, declaration), xml);
    }
    xmp_string_free(body);
    return text;
}

/* The element rdf:Description of a packet of ours, as it goes into another one. */
static char *description(XmpPtr xmp)
{
    static const char begin[] = "<rdf:Description", end[] = "</rdf:Description>";
    char *text = serialized(xmp), *from = text ? strstr(text, begin) : NULL;
    char *to = from ? strstr(from, end) : NULL;
    char *found = NULL;
    if (to) {
        to[sizeof end - 1] = '\0';
        found = cli_copy(from);
    }
    free(text);
    return found;
}

static item_status fail(const cli_sidecar *sidecar, item_error *err)
{
    return cli_sidecar_fail(sidecar, ITEM_E_BACKEND, err, "Exempi's error %d", xmp_get_error());
}

/* Properties by name; what others wrote into the packet may be anything. */
typedef struct wanted {
    const cli_property *list;
    size_t n;
} wanted;

static bool has_all(XmpPtr xmp, const wanted *w)
{
    bool all = true;
    for (size_t i = 0; i < w->n; i++)
        all = all && has(xmp, &w->list[i]);
    return all;
}

static XmpPtr packet_of(const wanted *w)
{
    XmpPtr xmp = xmp_new_empty();
    bool good = xmp != NULL;
    for (size_t i = 0; i < w->n; i++)
        good = good && set(xmp, &w->list[i]);
    if (xmp && !good) {
        xmp_free(xmp);
        return NULL;
    }
    return xmp;
}

/* Whether the text is XMP that says what is wanted, by its reader. */
static bool reads_back(const char *text, const wanted *w)
{
    XmpPtr xmp = xmp_new(text, strlen(text));
    bool good = xmp && has_all(xmp, w);
    if (xmp)
        xmp_free(xmp);
    return good;
}

/* The text with our properties: a packet of them alone, or what is there and our element in it. */
static item_status write_text(const cli_sidecar *sidecar, const cli_outline *outline,
                              const wanted *w, char **out, item_error *err)
{
    XmpPtr ours = packet_of(w);
    char *element = ours && sidecar->exists ? description(ours) : NULL;
    if (element)
        *out = cli_outline_with(outline, element);
    else if (ours && !sidecar->exists)
        *out = serialized(ours);
    if (*out && !reads_back(*out, w)) {
        free(*out);
        *out = NULL;
    }
    free(element);
    if (ours)
        xmp_free(ours);
    return *out ? ITEM_OK : fail(sidecar, err);
}

/* What is there must be XMP; `*same`: it says already what is wanted, on whatever date. */
static item_status read_there(const cli_sidecar *sidecar, const wanted *w, bool *same,
                              cli_outline *outline, item_error *err)
{
    *same = false;
    if (!sidecar->exists)
        return ITEM_OK;
    item_status status = cli_outline_read(outline, sidecar, w->list, w->n, err);
    if (status != ITEM_OK)
        return status;
    XmpPtr xmp = xmp_new(sidecar->text, sidecar->length);
    if (!xmp)
        return cli_sidecar_fail(sidecar, ITEM_E_FORMAT, err,
                                "the sidecar is broken, and is left as it is: XML that is no XMP "
                                "(Exempi's error %d)",
                                xmp_get_error());
    const wanted undated = {w->list + 1, w->n - 1};
    *same = xmp_has_property(xmp, CLI_XMP_NAMESPACE, w->list[0].name) && has_all(xmp, &undated);
    xmp_free(xmp);
    return ITEM_OK;
}

item_status cli_xmp_merge(const cli_sidecar *sidecar, const cli_property *properties, size_t n,
                          char **out, item_error *err)
{
    const wanted w = {properties, n};
    cli_outline outline = {0};
    bool same = false;
    *out = NULL;
    /* each time anew: prefixes that one sidecar made known would be those of the next one */
    item_status status =
        xmp_init() && xmp_register_namespace(CLI_XMP_NAMESPACE, CLI_XMP_PREFIX, NULL)
            ? ITEM_OK
            : fail(sidecar, err);
    if (status == ITEM_OK)
        status = read_there(sidecar, &w, &same, &outline, err);
    if (status == ITEM_OK && !same)
        status = write_text(sidecar, &outline, &w, out, err);
    cli_outline_free(&outline);
    xmp_terminate();
    return status;
}

#else

bool cli_xmp_is_there(void)
{
    return false;
}

item_status cli_xmp_merge(const cli_sidecar *sidecar, const cli_property *properties, size_t n,
                          char **out, item_error *err)
{
    (void)properties;
    (void)n;
    *out = NULL;
    return cli_sidecar_fail(sidecar, ITEM_E_UNSUPPORTED, err, "built without Exempi");
}

#endif
