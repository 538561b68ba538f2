/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts: which features a head reads, their names, how many there are and where they stand. */
#include <stdio.h>
#include <string.h>

#include "math/math.h"

#define VERSION "1" /* of every term: raised when its numbers change */

static const char *const form_names[] = {
    [ITEMI_FORM_DIFFERENCE] = "difference", [ITEMI_FORM_PRODUCT] = "product",
    [ITEMI_FORM_COSINE] = "cosine",         [ITEMI_FORM_PICTURE] = "picture",
    [ITEMI_FORM_CAPTION] = "caption",       [ITEMI_FORM_LAYERS] = "layers",
};

static const char *const scope_names[] = {
    [ITEMI_SCOPE_GLOBAL] = "global",
    [ITEMI_SCOPE_LOCAL] = "local",
    [ITEMI_SCOPE_BOTH] = "both",
};

/* Forms that compare have a scope; a plain vector is one of the whole picture. */
static bool compares(itemi_form form)
{
    return form <= ITEMI_FORM_COSINE;
}

/* ---- names ---- */

static int term_name(const itemi_term *term, char *out, size_t room)
{
    if (compares(term->form))
        return snprintf(out, room, "%s/%s/%s", form_names[term->form], scope_names[term->scope],
                        VERSION);
    return snprintf(out, room, "%s/%s", form_names[term->form], VERSION);
}

void itemi_layout_name(const itemi_layout *layout, char out[ITEMI_LAYOUT_NAME_MAX])
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < layout->terms; i++) {
        if (i)
            out[at++] = '+';
        at += (size_t)term_name(&layout->term[i], out + at, ITEMI_LAYOUT_NAME_MAX - at);
    }
}

static bool same_term(const itemi_term *a, const itemi_term *b)
{
    return a->form == b->form && a->scope == b->scope;
}

/* The term whose name these bytes are. */
static bool parse_term(const char *name, size_t length, itemi_term *out)
{
    for (itemi_form form = ITEMI_FORM_DIFFERENCE; form <= ITEMI_FORM_LAST; form++) {
        itemi_scope last = compares(form) ? ITEMI_SCOPE_BOTH : ITEMI_SCOPE_GLOBAL;
        for (itemi_scope scope = ITEMI_SCOPE_GLOBAL; scope <= last; scope++) {
            itemi_term term = {form, scope};
            char candidate[ITEMI_TERM_NAME_MAX];
            int written = term_name(&term, candidate, sizeof candidate);
            if ((size_t)written == length && memcmp(candidate, name, length) == 0) {
                *out = term;
                return true;
            }
        }
    }
    return false;
}

bool itemi_layout_parse(const char *name, itemi_layout *out)
{
    itemi_layout layout = {0};
    for (const char *at = name, *next; at; at = next) {
        const char *plus = strchr(at, '+');
        next = plus ? plus + 1 : NULL;
        itemi_term term;
        if (layout.terms == ITEMI_TERMS_MAX || !parse_term(at, strcspn(at, "+"), &term))
            return false;
        for (size_t i = 0; i < layout.terms; i++) {
            if (same_term(&layout.term[i], &term))
                return false; /* the same numbers twice */
        }
        layout.term[layout.terms++] = term;
    }
    *out = layout;
    return true;
}

/* ---- sizes ---- */

/* Numbers of one form: the cosine alone has none beside the cosine, which is always kept. */
size_t itemi_form_size(itemi_form form, size_t width)
{
    return form == ITEMI_FORM_COSINE ? 0 : width;
}

size_t itemi_term_whole(const itemi_term *term, itemi_widths widths)
{
    if (term->form == ITEMI_FORM_LAYERS)
        return widths.layers;
    if (!compares(term->form))
        return widths.vector;
    return term->scope == ITEMI_SCOPE_LOCAL ? 0 : itemi_form_size(term->form, widths.vector) + 1;
}

size_t itemi_term_objects(const itemi_term *term, itemi_widths widths)
{
    if (!compares(term->form) || term->scope == ITEMI_SCOPE_GLOBAL)
        return 0;
    return itemi_form_size(term->form, widths.vector) + ITEMI_POOLED;
}

size_t itemi_layout_size(const itemi_layout *layout, itemi_widths widths)
{
    size_t size = 0;
    for (size_t i = 0; i < layout->terms; i++)
        size += itemi_term_whole(&layout->term[i], widths) +
                itemi_term_objects(&layout->term[i], widths);
    return size;
}

/* ---- what it reads ---- */

static const itemi_widths some = {1, 1}; /* where it matters alone whether there is any */

bool itemi_layout_reads_objects(const itemi_layout *layout)
{
    for (size_t i = 0; i < layout->terms; i++) {
        if (itemi_term_objects(&layout->term[i], some))
            return true;
    }
    return false;
}

bool itemi_layout_reads_whole(const itemi_layout *layout)
{
    for (size_t i = 0; i < layout->terms; i++) {
        if (itemi_term_whole(&layout->term[i], some))
            return true;
    }
    return false;
}

bool itemi_layout_reads_layers(const itemi_layout *layout)
{
    for (size_t i = 0; i < layout->terms; i++) {
        if (layout->term[i].form == ITEMI_FORM_LAYERS)
            return true;
    }
    return false;
}

void itemi_layout_blank_whole(const itemi_layout *layout, itemi_widths widths, const float *mean,
                              float *features)
{
    size_t at = 0;
    for (size_t i = 0; i < layout->terms; i++) {
        size_t whole = itemi_term_whole(&layout->term[i], widths);
        memcpy(features + at, mean + at, whole * sizeof *features);
        at += whole + itemi_term_objects(&layout->term[i], widths);
    }
}
