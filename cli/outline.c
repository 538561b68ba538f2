/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a sidecar: properties of ours are cut out of it and put into it, and all else stays as
 * it is. Exempi would write all of it anew, and for it a dozen properties of cameras and apps are
 * names of others: tiff:Artist would become dc:creator, and of both one would be lost.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sidecar.h"

#if CLI_HAS_EXEMPI
#include <expat.h>

#define RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

#define MOST_DEPTH  100    /* Exempi calls itself for each: XMP has some 20 */
#define MOST_BESIDE 4000   /* properties; Exempi compares each with all before */
#define MOST_PARTS  500000 /* elements and attributes, for each of which it takes some 800 bytes */

typedef struct reader {
    cli_outline *outline;
    const cli_property *ours;
    size_t n;
    XML_Parser parser;
    int depth, packets;
    int top;         /* depth of rdf:RDF: 1 where it lies in an element of its own */
    const char *why; /* it is refused */
    size_t parts, beside[MOST_DEPTH + 1];
    cli_cut tag;      /* of the rdf:Description that is open */
    size_t first;     /* cut in it */
    bool others;      /* it holds something that is not ours */
    cli_cut property; /* tag of the one that is open */
    bool mine;
} reader;

/* Nothing behind it is read: an entity may stand for more than memory holds. */
static void refuse(reader *r, const char *why)
{
    if (!r->why)
        r->why = why;
    XML_StopParser(r->parser, XML_FALSE);
}

/* Expat writes names as "NAMESPACE|NAME|PREFIX". */
static bool is(const XML_Char *name, const char *space, const char *local)
{
    const size_t length = strlen(space), more = strlen(local);
    return strncmp(name, space, length) == 0 && name[length] == '|' &&
           strncmp(name + length + 1, local, more) == 0 &&
           (name[length + 1 + more] == '|' || !name[length + 1 + more]);
}

static bool is_ours(const reader *r, const XML_Char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (is(name, CLI_XMP_NAMESPACE, r->ours[i].name))
            return true;
    return false;
}

/* The tag at which Expat is. */
static cli_cut here(const reader *r)
{
    const size_t from = (size_t)XML_GetCurrentByteIndex(r->parser);
    return (cli_cut){from, from + (size_t)XML_GetCurrentByteCount(r->parser)};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void cut(reader *r, size_t from, size_t to)
{
    cli_outline *o = r->outline;
    if ((o->count & (o->count - 1)) == 0)
        o->cuts = cli_resize(o->cuts, o->count ? 2 * o->count : 1, sizeof(*o->cuts));
    o->cuts[o->count++] = (cli_cut){from, to};
}

/* With the lines that are then empty. */
static void cut_element(reader *r, size_t from, size_t to)
{
    const char *text = r->outline->sidecar->text;
    const size_t end = to + (text[to] == '\r');
    size_t begin = from;
    while (begin > 0 && (text[begin - 1] == ' ' || text[begin - 1] == '\t'))
        begin--;
    if (begin > 0 && text[begin - 1] == '\n' && text[end] == '\n')
        cut(r, begin, end + 1);
    else
        cut(r, from, to);
}

/* With the blanks before it. */
static void cut_attribute(reader *r, size_t from, size_t to)
{
    while (is_blank(r->outline->sidecar->text[from - 1]))
        from--;
    cut(r, from, to);
}

/* An attribute of the tag, which is well-formed: name to closing quote; `*value`: with its quotes. */
static cli_cut find_attribute(const char *text, cli_cut tag, const char *name, cli_cut *value)
{
    const size_t length = strlen(name);
    size_t at = tag.from;
    while (!is_blank(text[at]) && text[at] != '>' && text[at] != '/')
        at++;
    for (;;) {
        while (at < tag.to && is_blank(text[at]))
            at++;
        const size_t begin = at, end = at + strcspn(text + at, "= \t\r\n");
        at = end + strcspn(text + end, "\"'");
        if (at >= tag.to)
            return (cli_cut){0};
        const size_t quote = at;
        at += 2 + strcspn(text + at + 1, (char[]){text[at], '\0'});
        *value = (cli_cut){quote, at};
        if (end - begin == length && memcmp(text + begin, name, length) == 0)
            return (cli_cut){begin, at};
    }
}

/* The same by Expat's name. */
static cli_cut attribute(const reader *r, const XML_Char *name, cli_cut *value)
{
    const char *local = strchr(name, '|'), *prefix = local ? strchr(local + 1, '|') : NULL;
    char *raw = cli_resize(NULL, strlen(name) + 1, 1);
    if (prefix)
        sprintf(raw, "%s:%.*s", prefix + 1, (int)(prefix - local - 1), local + 1);
    else
        strcpy(raw, name);
    cli_cut found = find_attribute(r->outline->sidecar->text, here(r), raw, value);
    free(raw);
    return found;
}

/* The start of an rdf:Description: what it is about, and properties as attributes. */
static void on_description(reader *r, const XML_Char *name, const XML_Char **attributes)
{
    cli_cut value = {0}, *about = &r->outline->about;
    r->tag = here(r);
    r->first = r->outline->count;
    r->others = !is(name, RDF, "Description");
    for (; *attributes; attributes += 2) {
        if (is(*attributes, RDF, "about") || strcmp(*attributes, "about") == 0) {
            if (about->to == 0) {
                attribute(r, *attributes, &value);
                *about = value;
            }
        } else if (is_ours(r, *attributes)) {
            const cli_cut found = attribute(r, *attributes, &value);
            if (found.to > 0) /* else Exempi will tell that it is there twice */
                cut_attribute(r, found.from, found.to);
        } else {
            r->others = true;
        }
    }
}

/* What stands around the packet, and what there is too much of. */
static void check_place(reader *r, const XML_Char *name, const XML_Char **attributes)
{
    const bool packet = is(name, RDF, "RDF");
    const bool around =
        is(name, "adobe:ns:meta/", "xmpmeta") || is(name, "adobe:ns:meta/", "xapmeta");
    size_t own = 0;
    while (attributes[2 * own])
        own++;
    if (r->depth == 0)
        r->top = around;
    r->packets += r->depth == r->top && packet;
    if (r->depth <= r->top && !(packet && r->depth == r->top) && !(around && r->depth == 0))
        refuse(r, "is no XMP, or more than that,");
    if (r->depth >= MOST_DEPTH) {
        refuse(r, "is no XMP, or more than that,");
        return;
    }
    /* those of all rdf:Description are beside each other */
    if (r->depth != r->top + 1)
        r->beside[r->depth + 1] = 0;
    r->beside[r->depth + 1] += own;
    r->beside[r->depth] += !is(name, RDF, "li");
    r->parts += 1 + own;
    if (r->beside[r->depth] > MOST_BESIDE || r->beside[r->depth + 1] > MOST_BESIDE ||
        r->parts > MOST_PARTS)
        refuse(r, "has too many properties,");
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    reader *r = user;
    check_place(r, name, attributes);
    if (r->depth == r->top) {
        const char *prefix = strrchr(name, '|');
        r->outline->packet = here(r);
        r->outline->declares_rdf = prefix && strcmp(prefix, "|rdf") == 0;
    } else if (r->depth == r->top + 1) {
        on_description(r, name, attributes);
    } else if (r->depth == r->top + 2) {
        r->property = here(r);
        r->mine = is_ours(r, name);
        r->others |= !r->mine;
    }
    r->depth++;
}

/* Of an element without content Expat tells the end as an empty tag behind it. */
static void on_end(void *user, const XML_Char *name)
{
    reader *r = user;
    cli_outline *o = r->outline;
    const cli_cut tag = here(r);
    (void)name;
    r->depth--;
    if (r->depth == r->top) {
        o->end = tag.from == tag.to ? o->packet : tag;
    } else if (r->depth == r->top + 1 && !r->others && o->count > r->first) {
        o->count = r->first; /* all of it is ours */
        cut_element(r, r->tag.from, tag.to);
    } else if (r->depth == r->top + 2 && r->mine) {
        cut_element(r, r->property.from, tag.to);
    }
}

/* What stands beside properties. */
static void on_text(void *user, const XML_Char *text, int length)
{
    reader *r = user;
    for (int i = 0; r->depth == r->top + 2 && i < length; i++)
        r->others |= !is_blank(text[i]);
}

static void on_comment(void *user, const XML_Char *text)
{
    reader *r = user;
    (void)text;
    r->others = true;
}

/* A sidecar has none. */
static void on_doctype(void *user, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    refuse(user, "is no XMP, or more than that,");
}

static void on_declaration(void *user, const XML_Char *version, const XML_Char *encoding,
                           int standalone)
{
    (void)version;
    (void)standalone;
    if (encoding && strcasecmp(encoding, "UTF-8") != 0)
        refuse(user, "is not in UTF-8,");
}

static item_status read_text(reader *r, const cli_sidecar *sidecar, item_error *err)
{
    XML_Parser parser = r->parser;
    XML_SetUserData(parser, r);
    XML_SetReturnNSTriplet(parser, 1);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetCommentHandler(parser, on_comment);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    XML_SetXmlDeclHandler(parser, on_declaration);
    const bool read = XML_Parse(parser, sidecar->text, (int)sidecar->length, 1) == XML_STATUS_OK;
    if (!read && !r->why)
        return cli_sidecar_fail(sidecar, ITEM_E_FORMAT, err,
                                "the sidecar is broken, and is left as it is: line %lu: %s",
                                (unsigned long)XML_GetCurrentLineNumber(parser),
                                XML_ErrorString(XML_GetErrorCode(parser)));
    if (!r->why && r->packets != 1)
        r->why = "is no XMP, or more than that,";
    if (r->why)
        return cli_sidecar_fail(sidecar, ITEM_E_FORMAT, err, "the sidecar %s and is left as it is",
                                r->why);
    return ITEM_OK;
}

item_status cli_outline_read(cli_outline *outline, const cli_sidecar *sidecar,
                             const cli_property *ours, size_t n, item_error *err)
{
    reader r = {.outline = outline, .ours = ours, .n = n};
    *outline = (cli_outline){.sidecar = sidecar};
    if (sidecar->length >= 2 && (!sidecar->text[0] || !sidecar->text[1] ||
                                 (unsigned char)sidecar->text[0] >= 0xfe)) /* UTF-16 */
        return cli_sidecar_fail(sidecar, ITEM_E_FORMAT, err,
                                "the sidecar is not in UTF-8, and is left as it is");
    r.parser = XML_ParserCreateNS(NULL, '|');
    if (!r.parser)
        cli_out_of_memory();
    item_status status = read_text(&r, sidecar, err);
    XML_ParserFree(r.parser);
    return status;
}

/* ---- the text anew ---- */

/* All up to `to` but for what is cut. */
static void copy(const cli_outline *o, size_t to, FILE *out)
{
    size_t at = 0;
    for (size_t i = 0; i < o->count; i++) {
        fwrite(o->sidecar->text + at, 1, o->cuts[i].from - at, out);
        at = o->cuts[i].to;
    }
    fwrite(o->sidecar->text + at, 1, to - at, out);
}

/* Our element, which says that it is about "", as one of this packet. */
static void put_element(const cli_outline *o, const char *element, FILE *out)
{
    static const char start[] = "<rdf:Description", nothing[] = " rdf:about=\"\"";
    const char *rest = element + sizeof start - 1;
    fprintf(out, "  %s", start);
    if (!o->declares_rdf)
        fprintf(out, " xmlns:rdf=\"" RDF "\"");
    if (o->about.to > 0 && strncmp(rest, nothing, sizeof nothing - 1) == 0) {
        rest += sizeof nothing - 1;
        fprintf(out, " rdf:about=%.*s", (int)(o->about.to - o->about.from),
                o->sidecar->text + o->about.from);
    }
    fprintf(out, "%s\n", rest);
}

/* <rdf:RDF .../>, which has no end. */
static void put_into_short(const cli_outline *o, const char *element, FILE *out)
{
    const char *tag = o->sidecar->text + o->packet.from;
    copy(o, o->packet.to - 2, out);
    fprintf(out, ">\n");
    put_element(o, element, out);
    fprintf(out, "</%.*s>", (int)strcspn(tag + 1, " \t\r\n/"), tag + 1);
    fwrite(o->sidecar->text + o->packet.to, 1, o->sidecar->length - o->packet.to, out);
}

/* Before the last tag, or the line that begins with it. */
static void put_at_end(const cli_outline *o, const char *element, FILE *out)
{
    const char *text = o->sidecar->text;
    size_t at = o->end.from;
    while (text[at - 1] == ' ' || text[at - 1] == '\t')
        at--;
    const bool own_line = text[at - 1] == '\n';
    if (!own_line)
        at = o->end.from;
    copy(o, at, out);
    if (!own_line)
        putc('\n', out);
    put_element(o, element, out);
    fwrite(text + at, 1, o->sidecar->length - at, out);
}

char *cli_outline_with(const cli_outline *outline, const char *element)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        cli_out_of_memory();
    if (outline->end.from == outline->packet.from)
        put_into_short(outline, element, out);
    else
        put_at_end(outline, element, out);
    if (fclose(out) != 0)
        cli_out_of_memory();
    return text;
}

void cli_outline_free(cli_outline *outline)
{
    free(outline->cuts);
}

#endif
