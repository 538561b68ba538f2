/* SPDX-License-Identifier: Apache-2.0 */
/* How captions are cut into tokens. */
#include "golden.h"

#include "text/caption.h"

/* Tokens with a letter of their kind: w n h m l s p . */
static void cut(const char *text, char *out, size_t size)
{
    static const char kinds[] = "wnhmlsp.";
    itemi_caption caption;
    itemi_token token;
    size_t at = 0;
    uint32_t last = 0;
    out[0] = '\0';
    itemi_caption_start(&caption, text, strlen(text));
    while (itemi_caption_next(&caption, &token)) {
        assert_true(token.start >= last && token.end > token.start);
        assert_true(token.end <= strlen(text));
        at += (size_t)snprintf(out + at, size - at, "%s%c:%.*s", at ? " | " : "", kinds[token.kind],
                               (int)(token.end - token.start), text + token.start);
        last = token.end;
    }
}

static void tokens(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {" \t ", ""},
        {"A dog.", "w:A | w:dog | .:."},
        {"the man's hat", "w:the | w:man | w:'s | w:hat"},
        {"the man\xe2\x80\x99s hat", "w:the | w:man | w:\xe2\x80\x99s | w:hat"},
        {"a girl 's face", "w:a | w:girl | w:'s | w:face"},
        {"Sheets - Queen | pre-cut -x -",
         "w:Sheets | .:- | w:Queen | .:| | w:pre | p:- | w:cut | p:- | w:x | p:-"},
        {"the boys' team", "w:the | w:boys | p:' | w:team"},
        {"can't DON'T we'll", "w:ca | w:n't | w:DO | w:N'T | w:we | w:'ll"},
        {"n't 'tis o'clock", "w:n't | p:' | w:tis | w:o'clock"},
        {"a T-shirt", "w:a | w:T | p:- | w:shirt"},
        {"8k, 1,000 and 3.14.", "n:8k | p:, | n:1,000 | w:and | n:3.14 | .:."},
        {"2nd 10:30 8x10 f/1.8", "n:2nd | n:10:30 | n:8x10 | w:f | p:/ | n:1.8"},
        {"U.S. flag at example.org. Now", "w:U.S. | w:flag | w:at | w:example.org | .:. | w:Now"},
        {"end.Next", "w:end | .:. | w:Next"},
        {"#beach #1 # @user_1 @", "h:#beach | h:#1 | p:# | m:@user_1 | p:@"},
        {"see https://x.example/a?b=1 www.x.example.",
         "w:see | l:https://x.example/a?b=1 | l:www.x.example."},
        {"wow!!! ok?! ...", "w:wow | .:!!! | w:ok | .:? | .:! | .:..."},
        {"a;b\nc", "w:a | .:; | w:b | .:\n | w:c"},
        {"\xf0\x9f\x90\xb6\xf0\x9f\x8c\x8a sea", "s:\xf0\x9f\x90\xb6\xf0\x9f\x8c\x8a | w:sea"},
        {"I \xe2\x9d\xa4\xef\xb8\x8f it", "w:I | s:\xe2\x9d\xa4\xef\xb8\x8f | w:it"},
        {"caf\xc3\xa9 cafe\xcc\x81", "w:caf\xc3\xa9 | w:cafe\xcc\x81"},
        {"\xe6\xbc\xa2\xe5\xad\x97 x", "w:\xe6\xbc\xa2\xe5\xad\x97 | w:x"},
        {"\"big\" (red) \xe2\x80\x9cone\xe2\x80\x9d",
         "p:\" | w:big | p:\" | p:( | w:red | p:) | p:\xe2\x80\x9c | w:one | p:\xe2\x80\x9d"},
        {"a\xe3\x80\x80"
         "b",
         "w:a | w:b"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        char found[512];
        cut(cases[i][0], found, sizeof found);
        assert_string_equal(found, cases[i][1]);
    }
}

/* Every two characters of a nasty set, so that each way out of a token is taken. */
static void pairs_of_marks_keep_order(void **state)
{
    (void)state;
    static const char *const parts[] = {"a",
                                        "Z",
                                        "1",
                                        "'",
                                        "\xe2\x80\x99",
                                        "n't",
                                        ".",
                                        ",",
                                        "#",
                                        "@",
                                        "-",
                                        " ",
                                        "\n",
                                        "\xcc\x81",
                                        "\xe2\x80\x8d",
                                        "www.",
                                        "\xf0\x9f\x90\xb6"};
    char text[64], found[512];
    for (size_t i = 0; i < ITEMI_COUNT(parts); i++) {
        for (size_t j = 0; j < ITEMI_COUNT(parts); j++) {
            for (size_t k = 0; k < ITEMI_COUNT(parts); k++) {
                snprintf(text, sizeof text, "%s%s%s", parts[i], parts[j], parts[k]);
                cut(text, found, sizeof found);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens),
        cmocka_unit_test(pairs_of_marks_keep_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
