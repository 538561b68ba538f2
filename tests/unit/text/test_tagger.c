/* SPDX-License-Identifier: Apache-2.0 */
/* Base noun phrases of the hand-labelled captions, and files of weights that are broken. */
#include "golden.h"

#include "text/sentence.h"

#define MOST_SPANS 64

typedef struct {
    uint32_t start[MOST_SPANS], end[MOST_SPANS];
    size_t count;
} spans;

/* Takes the brackets out of a line in place and remembers where they were. */
static void unbracket(char *line, spans *out)
{
    char *to = line;
    out->count = 0;
    for (const char *from = line; *from; from++) {
        if (*from == '[')
            out->start[out->count] = (uint32_t)(to - line);
        else if (*from == ']')
            out->end[out->count++] = (uint32_t)(to - line);
        else
            *to++ = *from;
    }
    *to = '\0';
}

static void find_spans(const itemi_tagger *tagger, const char *text, spans *out)
{
    itemi_caption caption;
    itemi_sentence sentence;
    out->count = 0;
    itemi_caption_start(&caption, text, strlen(text));
    while (itemi_sentence_next(tagger, &caption, &sentence)) {
        for (size_t from = 0, to; itemi_sentence_chunk(tagger, &sentence, &from, &to); from = to) {
            assert_in_range(out->count, 0, MOST_SPANS - 1);
            out->start[out->count] = sentence.tokens[from].start;
            out->end[out->count++] = sentence.tokens[to - 1].end;
        }
    }
}

static size_t common(const spans *a, const spans *b)
{
    size_t same = 0;
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = 0; j < b->count; j++)
            same += a->start[i] == b->start[j] && a->end[i] == b->end[j];
    }
    return same;
}

static void hand_labelled_captions(void **state)
{
    (void)state;
    size_t length, right = 0, found = 0, wanted = 0;
    itemi_tagger tagger;
    itemi_tagger_builtin(&tagger);
    char *data = golden_read("phrases_hand.txt", &length), *rest = data;
    for (char *line; (line = golden_line(&rest)) != NULL;) {
        spans labelled, ours;
        if (line[0] == '#' && line[1] == ' ')
            continue;
        unbracket(line, &labelled);
        find_spans(&tagger, line, &ours);
        right += common(&labelled, &ours);
        found += ours.count;
        wanted += labelled.count;
    }
    free(data);
    double f1 = 2.0 * (double)right / (double)(found + wanted);
    print_message("chunk F1 %.4f on %zu phrases labelled by hand\n", f1, wanted);
    assert_true(wanted >= 200);
    assert_true(f1 >= 0.93);
}

/* Scores are whole numbers, so every machine must give these labels. */
static void labels_of_a_sentence(void **state)
{
    (void)state;
    static const char text[] = "Two brown dogs chase the man's red ball .";
    static const char *const expected[] = {"B-CD", "I-JJ",  "I-NNS", "O-VB", "B-DT",
                                           "I-NN", "I-POS", "I-JJ",  "I-NN", "O-."};
    itemi_tagger tagger;
    itemi_caption caption;
    itemi_sentence sentence;
    itemi_tagger_builtin(&tagger);
    itemi_caption_start(&caption, text, strlen(text));
    assert_true(itemi_sentence_next(&tagger, &caption, &sentence));
    assert_int_equal(sentence.count, ITEMI_COUNT(expected));
    for (size_t i = 0; i < sentence.count; i++)
        assert_string_equal(tagger.names + 8 * sentence.labels[i], expected[i]);
    assert_string_equal(itemi_sentence_tag(&tagger, &sentence, 2), "NNS");
    assert_false(itemi_sentence_next(&tagger, &caption, &sentence));
}

static void long_sentences_are_cut(void **state)
{
    (void)state;
    char text[4 * 2 * ITEMI_TAGGER_WORDS + 1];
    itemi_tagger tagger;
    itemi_caption caption;
    itemi_sentence sentence;
    size_t total = 0;
    for (size_t i = 0; i < 2 * ITEMI_TAGGER_WORDS; i++)
        memcpy(text + 4 * i, "dog ", 5);
    itemi_tagger_builtin(&tagger);
    itemi_caption_start(&caption, text, strlen(text));
    for (; itemi_sentence_next(&tagger, &caption, &sentence); total += sentence.count)
        assert_int_equal(sentence.count, ITEMI_TAGGER_WORDS);
    assert_int_equal(total, 2 * ITEMI_TAGGER_WORDS);
}

static void broken_weights_are_refused(void **state)
{
    (void)state;
    /* 1 label, 1 bucket, no words: 20 bytes of header, 8 of names, 6 of steps, 1 weight */
    uint64_t aligned[8] = {0};
    unsigned char *data = (unsigned char *)aligned;
    itemi_tagger tagger;
    memcpy(data, "ITEMTAG1", 8);
    data[8] = data[12] = 1;
    memcpy(data + 20, "O-X", 3);
    assert_int_equal(itemi_tagger_read(&tagger, data, 35, NULL), ITEM_OK);
    assert_int_equal(itemi_tagger_read(&tagger, data, 34, NULL), ITEM_E_FORMAT);
    assert_int_equal(itemi_tagger_read(&tagger, data, 36, NULL), ITEM_E_FORMAT);
    assert_int_equal(itemi_tagger_read(&tagger, data, 19, NULL), ITEM_E_FORMAT);
    static const struct {
        size_t at;
        unsigned char value;
    } changes[] = {{0, 'X'}, {8, 0}, {8, 65}, {12, 0}, {12, 3}, {19, 0xff}};
    for (size_t i = 0; i < ITEMI_COUNT(changes); i++) {
        unsigned char before = data[changes[i].at];
        item_error err = ITEM_ERROR_INIT;
        data[changes[i].at] = changes[i].value;
        assert_int_equal(itemi_tagger_read(&tagger, data, 35, &err), ITEM_E_FORMAT);
        assert_int_equal(err.code, ITEM_E_FORMAT);
        data[changes[i].at] = before;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hand_labelled_captions),
        cmocka_unit_test(labels_of_a_sentence),
        cmocka_unit_test(long_sentences_are_cut),
        cmocka_unit_test(broken_weights_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
