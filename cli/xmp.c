/* SPDX-License-Identifier: Apache-2.0 */
/* Sidecars as XMP: Exempi keeps what is there, and our own properties are set. */
#include <stdlib.h>
#include <string.h>

#include "sidecar.h"

#if CLI_HAS_EXEMPI
#include <exempi/xmp.h>
#include <exempi/xmperrors.h>
#include <expat.h>

#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define XML "http://www.w3.org/XML/1998/namespace"

bool cli_xmp_is_there(void)
{
    return true;
}

/*
 * Exempi takes any XML and drops what is no XMP, and of what is it changes some: of a text in two
 * languages it lets the second one say what the first does. So XML is looked at by itself, before
 * and after: the outer elements, and every value.
 */
#define MOST_DEPTH 100 /* Exempi calls itself for each: XMP has some 20 */

typedef struct outline {
    XML_Parser parser;
    int depth, packets;
    bool wrapped; /* the packet lies in an element of its own */
    bool foreign;
    char *text; /* of the element that is read */
    size_t length, room;
    cli_list values;
} outline;

static bool is_rdf(const XML_Char *name)
{
    return strncmp(name, RDF "|", sizeof RDF) == 0;
}

/* Nothing behind it is read: an entity may stand for more than memory holds. */
static void refuse(outline *met)
{
    met->foreign = true;
    XML_StopParser(met->parser, XML_FALSE);
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    outline *met = user;
    bool packet = strcmp(name, RDF "|RDF") == 0;
    bool around =
        strcmp(name, "adobe:ns:meta/|xmpmeta") == 0 || strcmp(name, "adobe:ns:meta/|xapmeta") == 0;
    met->packets += met->depth < 2 && packet;
    if (met->depth == 0)
        met->wrapped = around;
    if (!packet && (met->depth == 0 ? !around : met->depth == 1 && met->wrapped))
        refuse(met);
    if (met->depth >= MOST_DEPTH)
        refuse(met);
    for (; !around && *attributes; attributes += 2) /* grammar and languages are no values */
        if (strcmp(*attributes, RDF "|resource") == 0 ||
            (!is_rdf(*attributes) && strncmp(*attributes, XML "|", sizeof XML) != 0))
            cli_list_add(&met->values, attributes[1]);
    met->length = 0;
    met->depth++;
}

/* A sidecar has none. */
static void on_doctype(void *user, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    refuse(user);
}

static void on_text(void *user, const XML_Char *text, int length)
{
    outline *met = user;
    if (met->length + (size_t)length + 1 > met->room) {
        met->room = 2 * (met->length + (size_t)length + 1);
        met->text = cli_resize(met->text, met->room, 1);
    }
    memcpy(met->text + met->length, text, (size_t)length);
    met->length += (size_t)length;
    met->text[met->length] = '\0';
}

static void on_end(void *user, const XML_Char *name)
{
    outline *met = user;
    (void)name;
    if (met->length > 0 && met->text[strspn(met->text, " \t\r\n")])
        cli_list_add(&met->values, met->text);
    met->length = 0;
    met->depth--;
}

static item_status read_xml(const cli_sidecar *sidecar, const char *text, size_t length,
                            outline *met, item_error *err)
{
    item_status status = ITEM_OK;
    XML_Parser parser = XML_ParserCreateNS(NULL, '|');
    if (!parser)
        cli_out_of_memory();
    met->parser = parser;
    XML_SetUserData(parser, met);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    XML_SetCharacterDataHandler(parser, on_text);
    bool read = XML_Parse(parser, text, (int)length, 1) == XML_STATUS_OK;
    if (!read && !met->foreign)
        status = cli_sidecar_fail(sidecar, ITEM_E_FORMAT, err,
                                  "the sidecar is broken, and is left as it is: line %lu: %s",
                                  (unsigned long)XML_GetCurrentLineNumber(parser),
                                  XML_ErrorString(XML_GetErrorCode(parser)));
    else if (met->foreign || met->packets != 1)
        status = cli_sidecar_fail(sidecar, ITEM_E_FORMAT, err,
                                  "the sidecar is no XMP, or more than that, and is left as it is");
    XML_ParserFree(parser);
    return status;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(cli_list *list)
{
    if (list->count > 0)
        qsort(list->items, list->count, sizeof(*list->items), compare);
}

/* A value of `before` that `after` lacks, each counted as often as it is there; or NULL. */
static const char *lost_value(outline *before, outline *after)
{
    size_t at = 0;
    sort(&before->values);
    sort(&after->values);
    for (size_t i = 0; i < before->values.count; i++) {
        const char *value = before->values.items[i];
        while (at < after->values.count && strcmp(after->values.items[at], value) < 0)
            at++;
        if (at == after->values.count || strcmp(after->values.items[at++], value) != 0)
            return value;
    }
    return NULL;
}

static void clear(outline *met)
{
    free(met->text);
    cli_list_free(&met->values);
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

/* Deleted first: what stands there may be a list or a structure. */
static bool set(XmpPtr xmp, const cli_property *property)
{
    xmp_delete_property(xmp, CLI_XMP_NAMESPACE, property->name);
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

/* Takes over what is there, all of it or nothing. */
static item_status take_over(const cli_sidecar *sidecar, XmpPtr xmp, outline *before,
                             item_error *err)
{
    outline after = {0};
    item_status status = read_xml(sidecar, sidecar->text, sidecar->length, before, err);
    if (status != ITEM_OK)
        return status;
    bool good = xmp_parse(xmp, sidecar->text, sidecar->length);
    char *text = good ? serialized(xmp) : NULL;
    if (!text)
        return cli_sidecar_fail(sidecar, ITEM_E_FORMAT, err,
                                "the sidecar is broken, and is left as it is: XML that is no XMP "
                                "(Exempi's error %d)",
                                xmp_get_error());
    status = read_xml(sidecar, text, strlen(text), &after, err);
    const char *lost = status == ITEM_OK ? lost_value(before, &after) : NULL;
    if (lost)
        status =
            cli_sidecar_fail(sidecar, ITEM_E_UNSUPPORTED, err,
                             "the sidecar is left as it is: Exempi would lose \"%.100s\"", lost);
    clear(&after);
    free(text);
    return status;
}

static item_status set_all(const cli_sidecar *sidecar, XmpPtr xmp, const cli_property *properties,
                           size_t n, const char *date, char **out, item_error *err)
{
    const cli_property dated = {"date", date};
    bool same = sidecar->exists && xmp_has_property(xmp, CLI_XMP_NAMESPACE, dated.name);
    for (size_t i = 0; i < n; i++)
        same = same && has(xmp, &properties[i]);
    if (same)
        return ITEM_OK;
    bool good = set(xmp, &dated);
    for (size_t i = 0; i < n; i++)
        good = good && set(xmp, &properties[i]);
    *out = good ? serialized(xmp) : NULL;
    return *out ? ITEM_OK
                : cli_sidecar_fail(sidecar, ITEM_E_BACKEND, err, "Exempi's error %d",
                                   xmp_get_error());
}

item_status cli_xmp_merge(const cli_sidecar *sidecar, const cli_property *properties, size_t n,
                          const char *date, char **out, item_error *err)
{
    outline before = {0};
    item_status status = ITEM_OK;
    *out = NULL;
    /* each time anew: prefixes that one sidecar made known would be those of the next one */
    XmpPtr xmp = xmp_init() && xmp_register_namespace(CLI_XMP_NAMESPACE, CLI_XMP_PREFIX, NULL)
                     ? xmp_new_empty()
                     : NULL;
    if (!xmp)
        status = cli_sidecar_fail(sidecar, ITEM_E_BACKEND, err, "Exempi does not start");
    else if (sidecar->exists)
        status = take_over(sidecar, xmp, &before, err);
    if (status == ITEM_OK)
        status = set_all(sidecar, xmp, properties, n, date, out, err);
    clear(&before);
    if (xmp)
        xmp_free(xmp);
    xmp_terminate();
    return status;
}

#else

bool cli_xmp_is_there(void)
{
    return false;
}

item_status cli_xmp_merge(const cli_sidecar *sidecar, const cli_property *properties, size_t n,
                          const char *date, char **out, item_error *err)
{
    (void)properties;
    (void)n;
    (void)date;
    *out = NULL;
    return cli_sidecar_fail(sidecar, ITEM_E_UNSUPPORTED, err, "built without Exempi");
}

#endif
