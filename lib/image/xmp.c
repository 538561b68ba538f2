/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What XMP says of an origin, by Expat. XMP has no document type, so that one ends the parsing:
 * no entity of a file is ever expanded.
 */
#include <string.h>

#include <expat.h>

#include "image/provenance.h"

#define SEPARATOR ' ' /* between namespace and name */

#define NS_IPTC      "http://iptc.org/std/Iptc4xmpExt/2008-02-29/ "
#define NS_XMP       "http://ns.adobe.com/xap/1.0/ "
#define NS_PHOTOSHOP "http://ns.adobe.com/photoshop/1.0/ "
#define NS_DC        "http://purl.org/dc/elements/1.1/ "
#define NS_EXIF      "http://ns.adobe.com/exif/1.0/ "
#define RDF          "http://www.w3.org/1999/02/22-rdf-syntax-ns# "

#define SOURCE_TYPE "DigitalSourceType"

typedef struct reader {
    itemi_findings *findings;
    XML_Parser parser;
    const char *field; /* of the element that is open, or NULL */
    unsigned depth;    /* of elements within it */
    bool has_document_type;
    itemi_buf text; /* of that element */
} reader;

/* The field that a property is, or NULL. */
static const char *field_of(const char *property)
{
    static const char *const known[][2] = {
        {NS_IPTC SOURCE_TYPE, SOURCE_TYPE},     {NS_XMP "CreatorTool", "CreatorTool"},
        {NS_PHOTOSHOP "Credit", "Credit"},      {NS_DC "description", "description"},
        {NS_EXIF "UserComment", "UserComment"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(known); i++) {
        if (strcmp(property, known[i][0]) == 0)
            return known[i][1];
    }
    return NULL;
}

static void judge(reader *r, const char *field, const char *text)
{
    if (strcmp(field, SOURCE_TYPE) != 0) {
        itemi_findings_judge(r->findings, "XMP", field, text);
        return;
    }
    itemi_source_type type;
    itemi_source_type_read(&type, text);
    itemi_findings_source_type(r->findings, type.claim, "XMP DigitalSourceType", &type);
}

/* A property is an attribute, an element with a text or a resource, or a list of such. */
static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    reader *r = user;
    const char *field = r->field ? NULL : field_of(name), *open = field ? field : r->field;
    for (size_t i = 0; attributes[i]; i += 2) {
        const char *own = field_of(attributes[i]);
        if (own)
            judge(r, own, attributes[i + 1]);
        else if (open && strcmp(attributes[i], RDF "resource") == 0)
            judge(r, open, attributes[i + 1]);
    }
    if (r->field)
        r->depth++;
    if (field) {
        r->field = field;
        r->depth = 0;
        r->text.length = 0;
    }
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
    reader *r = user;
    if (!r->field)
        return;
    const bool whole = r->depth == 0;
    if (whole || strcmp(name, RDF "li") == 0) {
        if (r->text.length && !r->text.failed)
            judge(r, r->field, r->text.data);
        r->text.length = 0;
    }
    if (whole)
        r->field = NULL;
    else
        r->depth--;
}

/* Text of the open property, without the blanks that only lay out its parts. */
static void XMLCALL on_text(void *user, const XML_Char *text, int length)
{
    reader *r = user;
    size_t size = (size_t)length;
    if (!r->field)
        return;
    if (size > ITEMI_TEXT_MAX - r->text.length)
        size = ITEMI_TEXT_MAX - r->text.length;
    while (r->text.length == 0 && size && strchr(" \t\r\n", *text)) {
        text++;
        size--;
    }
    if (size)
        itemi_buf_add(&r->text, text, size);
}

static void XMLCALL on_document_type(void *user, const XML_Char *name, const XML_Char *system,
                                     const XML_Char *public, int internal)
{
    reader *r = user;
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    r->has_document_type = true;
    XML_StopParser(r->parser, XML_FALSE);
}

static void parse(reader *r, const uint8_t *data, size_t size)
{
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_document_type);
    if (XML_Parse(r->parser, (const char *)data, (int)size, XML_TRUE) == XML_STATUS_OK)
        return;
    const enum XML_Error code = XML_GetErrorCode(r->parser);
    if (code == XML_ERROR_NO_MEMORY)
        r->findings->texts.failed = true;
    else
        itemi_findings_unreadable(r->findings, "XMP",
                                  r->has_document_type ? "it has a document type"
                                                       : XML_ErrorString(code));
}

void itemi_findings_xmp(itemi_findings *f, const uint8_t *data, size_t size)
{
    while (size && data[size - 1] == 0 && data[0] < 0xfe) /* some count a NUL in; not in UTF-16 */
        size--;
    if (size > ITEMI_XMP_MAX) {
        itemi_findings_unreadable(f, "XMP", "it is too large");
        return;
    }
    reader r = {.findings = f, .parser = XML_ParserCreateNS(NULL, SEPARATOR)};
    itemi_buf_init(&r.text, f->texts.mem);
    if (r.parser)
        parse(&r, data, size);
    f->texts.failed |= !r.parser || r.text.failed;
    XML_ParserFree(r.parser);
    itemi_buf_free(&r.text);
}
