/* SPDX-License-Identifier: Apache-2.0 */
/* Text of web pages. */
#include "common/common.h"

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Bytes of what no page may hold at s, which is UTF-8: controls, noncharacters; 0: it may stand. */
static size_t forbidden(const char *s)
{
    unsigned char a = (unsigned char)s[0], b = a ? (unsigned char)s[1] : 0;
    if ((a < 0x20 && a != '\n' && a != '\t') || a == 0x7f)
        return 1;
    if (a == 0xc2 && b >= 0x80 && b < 0xa0) /* U+0080 to U+009F */
        return 2;
    if (a == 0xef && b == 0xbf && ((unsigned char)s[2] & 0xfe) == 0xbe) /* U+FFFE, U+FFFF */
        return 3;
    return 0;
}

void itemi_html_text(itemi_buf *buf, const char *text)
{
    while (*text) {
        size_t bad = forbidden(text);
        const char *name = entity(*text);
        if (bad)
            itemi_buf_puts(buf, "\xef\xbf\xbd");
        else if (name)
            itemi_buf_puts(buf, name);
        else
            itemi_buf_add(buf, text, 1);
        text += bad ? bad : 1;
    }
}
