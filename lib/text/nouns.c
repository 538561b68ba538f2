/* SPDX-License-Identifier: Apache-2.0 */
/* Singulars, numbers and determiners of English, as far as captions need them. */
#include "text/nouns.h"

#include <stdlib.h>
#include <string.h>

/* Plural and singular; a plural that is its own singular stands for things that come so. */
static const char *const irregular[][2] = {
    {"abdomen", "abdomen"}, {"aircraft", "aircraft"}, {"bison", "bison"},   {"buses", "bus"},
    {"busses", "bus"},      {"cacti", "cactus"},      {"calves", "calf"},   {"children", "child"},
    {"clothes", "clothes"}, {"deer", "deer"},         {"elves", "elf"},     {"feet", "foot"},
    {"fish", "fish"},       {"fungi", "fungus"},      {"geese", "goose"},   {"halves", "half"},
    {"hooves", "hoof"},     {"knives", "knife"},      {"leaves", "leaf"},   {"lenses", "lens"},
    {"lice", "louse"},      {"loaves", "loaf"},       {"men", "man"},       {"mice", "mouse"},
    {"moose", "moose"},     {"oxen", "ox"},           {"people", "person"}, {"quizzes", "quiz"},
    {"salmon", "salmon"},   {"scarves", "scarf"},     {"ramen", "ramen"},   {"series", "series"},
    {"sheep", "sheep"},     {"shelves", "shelf"},     {"shrimp", "shrimp"}, {"skis", "ski"},
    {"species", "species"}, {"specimen", "specimen"}, {"swine", "swine"},   {"taxis", "taxi"},
    {"teeth", "tooth"},     {"thieves", "thief"},     {"ties", "tie"},      {"wives", "wife"},
    {"wolves", "wolf"},     {"women", "woman"},
};

/* One thing whose name is a plural. */
static const char *const pairs[] = {
    "binoculars", "boxers",   "clippers", "glasses",    "goggles",    "headphones", "jeans",
    "leggings",   "overalls", "pants",    "pajamas",    "pliers",     "pyjamas",    "scissors",
    "shades",     "shorts",   "slacks",   "spectacles", "suspenders", "sunglasses", "sweatpants",
    "tights",     "trousers", "trunks",   "tweezers"};

static const char *const compounds[][2] = {
    {"corn", "dog"},   {"cotton", "candy"}, {"guinea", "pig"},  {"hot", "dog"},   {"ice", "cream"},
    {"jelly", "fish"}, {"lady", "bug"},     {"prairie", "dog"}, {"sea", "horse"}, {"sea", "lion"},
    {"star", "fish"},  {"sweet", "corn"},   {"teddy", "bear"},
};

static const char *const numbers[] = {
    "zero",     "one",     "two",     "three",     "four",     "five",     "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};

static const struct {
    const char *word;
    unsigned meaning;
} determiners[] = {
    {"a", ITEMI_DET_ONE},          {"about", ITEMI_DET_OTHER},
    {"all", ITEMI_DET_OTHER},      {"almost", ITEMI_DET_OTHER},
    {"an", ITEMI_DET_ONE},         {"another", ITEMI_DET_ONE | ITEMI_DET_NEW},
    {"any", ITEMI_DET_OTHER},      {"approximately", ITEMI_DET_OTHER},
    {"around", ITEMI_DET_OTHER},   {"both", ITEMI_DET_TWO | ITEMI_DET_DEFINITE},
    {"certain", ITEMI_DET_OTHER},  {"each", ITEMI_DET_ONE},
    {"either", ITEMI_DET_ONE},     {"enough", ITEMI_DET_OTHER},
    {"every", ITEMI_DET_ONE},      {"few", ITEMI_DET_OTHER},
    {"her", ITEMI_DET_DEFINITE},   {"his", ITEMI_DET_DEFINITE},
    {"its", ITEMI_DET_DEFINITE},   {"just", ITEMI_DET_OTHER},
    {"lots", ITEMI_DET_OTHER},     {"many", ITEMI_DET_OTHER},
    {"more", ITEMI_DET_OTHER},     {"most", ITEMI_DET_OTHER},
    {"much", ITEMI_DET_OTHER},     {"multiple", ITEMI_DET_OTHER},
    {"my", ITEMI_DET_DEFINITE},    {"nearly", ITEMI_DET_OTHER},
    {"neither", ITEMI_DET_NOT},    {"no", ITEMI_DET_NOT},
    {"numerous", ITEMI_DET_OTHER}, {"one", ITEMI_DET_ONE},
    {"only", ITEMI_DET_OTHER},     {"other", ITEMI_DET_NEW},
    {"our", ITEMI_DET_DEFINITE},   {"over", ITEMI_DET_OTHER},
    {"own", ITEMI_DET_DEFINITE},   {"plenty", ITEMI_DET_OTHER},
    {"quite", ITEMI_DET_OTHER},    {"same", ITEMI_DET_DEFINITE},
    {"several", ITEMI_DET_OTHER},  {"single", ITEMI_DET_ONE},
    {"so", ITEMI_DET_OTHER},       {"some", ITEMI_DET_OTHER},
    {"such", ITEMI_DET_OTHER},     {"that", ITEMI_DET_DEFINITE},
    {"the", ITEMI_DET_DEFINITE},   {"their", ITEMI_DET_DEFINITE},
    {"these", ITEMI_DET_DEFINITE}, {"this", ITEMI_DET_DEFINITE},
    {"those", ITEMI_DET_DEFINITE}, {"too", ITEMI_DET_OTHER},
    {"various", ITEMI_DET_OTHER},  {"what", ITEMI_DET_OTHER},
    {"which", ITEMI_DET_OTHER},    {"whose", ITEMI_DET_DEFINITE},
    {"your", ITEMI_DET_DEFINITE},
};

/* ---- plural and singular ---- */

static bool ends_with(const char *word, size_t length, const char *ending)
{
    size_t size = strlen(ending);
    return length >= size && strcmp(word + length - size, ending) == 0;
}

static const char *const *find_irregular(const char *word)
{
    for (size_t i = 0; i < ITEMI_COUNT(irregular); i++) {
        if (strcmp(word, irregular[i][0]) == 0)
            return irregular[i];
    }
    return NULL;
}

bool itemi_noun_irregular_plural(const char *word)
{
    const char *const *found = find_irregular(word);
    return found && strcmp(found[0], found[1]) != 0;
}

bool itemi_noun_is_invariable(const char *word)
{
    const char *const *found = find_irregular(word);
    return found && strcmp(found[0], found[1]) == 0;
}

bool itemi_noun_is_pair(const char *word)
{
    for (size_t i = 0; i < ITEMI_COUNT(pairs); i++) {
        if (strcmp(word, pairs[i]) == 0)
            return true;
    }
    return false;
}

bool itemi_noun_is_drinking_glass(const char *first)
{
    static const char *const drinks[] = {"beer",    "champagne", "cocktail", "drinking", "juice",
                                         "martini", "milk",      "shot",     "water",    "wine"};
    for (size_t i = 0; i < ITEMI_COUNT(drinks); i++) {
        if (strcmp(first, drinks[i]) == 0)
            return true;
    }
    return false;
}

bool itemi_noun_is_compound(const char *first, const char *second)
{
    for (size_t i = 0; i < ITEMI_COUNT(compounds); i++) {
        if (strcmp(first, compounds[i][0]) == 0 && strcmp(second, compounds[i][1]) == 0)
            return true;
    }
    return false;
}

/* Bytes to cut from a regular plural's end, and what comes instead. */
static size_t regular_ending(const char *word, size_t length, const char **instead)
{
    static const struct {
        const char *ending, *instead;
        size_t cut;
    } rules[] = {
        {"ss", "", 0},     {"us", "", 0},      {"is", "", 0},     {"ookies", "", 1},
        {"ovies", "", 1},  {"oodies", "", 1},  {"ollies", "", 1}, {"elfies", "", 1},
        {"ombies", "", 1}, {"rownies", "", 1}, {"kties", "", 1},  {"wties", "", 1},
        {"othies", "", 1}, {"eggies", "", 1},  {"orkies", "", 1}, {"ies", "y", 3},
        {"sses", "", 2},   {"shes", "", 2},    {"ches", "", 2},   {"xes", "", 2},
        {"zzes", "", 2},   {"toes", "", 2},    {"goes", "", 2},   {"roes", "", 2},
        {"choes", "", 2},  {"lcanoes", "", 2}, {"inoes", "", 2},  {"oes", "", 1},
        {"s", "", 1},
    };
    for (size_t i = 0; i < ITEMI_COUNT(rules); i++) {
        if (length > strlen(rules[i].ending) && ends_with(word, length, rules[i].ending)) {
            *instead = rules[i].instead;
            return rules[i].cut;
        }
    }
    *instead = "";
    return 0;
}

void itemi_noun_singular(const char *plural, char out[ITEMI_NOUN_MOST])
{
    size_t length = strnlen(plural, ITEMI_NOUN_MOST - 2);
    const char *instead, *const *found = find_irregular(plural);
    memmove(out, plural, length);
    out[length] = '\0';
    if (found) {
        strcpy(out, found[1]);
    } else if (length > 4 && ends_with(out, length, "men")) { /* firemen, snowmen */
        out[length - 2] = 'a';
    } else if (!itemi_noun_is_pair(out)) {
        size_t cut = regular_ending(out, length, &instead);
        strcpy(out + length - cut, instead);
    }
}

/* ---- numbers and determiners ---- */

static uint32_t digits_value(const char *word)
{
    uint32_t value = 0;
    for (; *word; word++) {
        if (*word == ',')
            continue;
        if (*word < '0' || *word > '9' || value > 1000000)
            return 0;
        value = value * 10 + (uint32_t)(*word - '0');
    }
    return value;
}

uint32_t itemi_number_value(const char *word)
{
    static const char *const tens[] = {"thirty",  "forty",  "fifty", "sixty",
                                       "seventy", "eighty", "ninety"};
    for (uint32_t i = 0; i < ITEMI_COUNT(numbers); i++) {
        if (strcmp(word, numbers[i]) == 0)
            return i;
    }
    for (uint32_t i = 0; i < ITEMI_COUNT(tens); i++) {
        if (strcmp(word, tens[i]) == 0)
            return 10 * (i + 3);
    }
    if (strcmp(word, "dozen") == 0)
        return 12;
    if (strcmp(word, "hundred") == 0)
        return 100;
    return strcmp(word, "thousand") == 0 ? 1000 : digits_value(word);
}

unsigned itemi_determiner(const char *word)
{
    for (size_t i = 0; i < ITEMI_COUNT(determiners); i++) {
        if (strcmp(word, determiners[i].word) == 0)
            return determiners[i].meaning;
    }
    return ITEMI_DET_NONE;
}
