/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads of phrases that nobody can point at in a picture. Written by hand from
 * what captions of people, captioning networks and prompts contain. A word that
 * is missing costs one useless query of the detector, a word too many hides an
 * object, so doubtful ones (sunset, crowd, breakfast) are not here.
 */
#include "text/nouns.h"

#include <string.h>

/* Pronouns and words that stand for a noun. */
static const char *const pronouns[] = {
    "all",       "another",   "any",      "anybody",    "anyone",  "anything",  "both",
    "each",      "everybody", "everyone", "everything", "few",     "he",        "her",
    "hers",      "herself",   "him",      "himself",    "his",     "i",         "it",
    "its",       "itself",    "many",     "me",         "mine",    "most",      "myself",
    "nobody",    "none",      "nothing",  "one",        "oneself", "other",     "ours",
    "ourselves", "she",       "some",     "somebody",   "someone", "something", "somewhere",
    "that",      "theirs",    "them",     "themselves", "there",   "these",     "they",
    "thing",     "this",      "those",    "us",         "we",      "what",      "which",
    "who",       "whom",      "you",      "yours",      "yet",     "yourself",
};

/* Parts of the picture, and the picture itself. */
static const char *const picture_words[] = {
    "angle",    "backdrop",   "background",  "caption",   "center",      "centre",   "close",
    "close-up", "closeup",    "distance",    "exposure",  "exterior",    "file",     "focus",
    "footage",  "foreground", "front",       "horizon",   "image",       "img",      "inside",
    "interior", "middle",     "midst",       "outside",   "perspective", "photo",    "photograph",
    "pic",      "picture",    "scene",       "scenery",   "screenshot",  "selfie",   "setting",
    "shot",     "snapshot",   "surrounding", "throwback", "up",          "vicinity", "view",
};

/* How a picture was made: words of prompts and of its style. */
static const char *const style_words[] = {
    "16k",
    "3d",
    "4k",
    "8k",
    "aesthetic",
    "anime",
    "art",
    "artstation",
    "atmosphere",
    "behance",
    "blur",
    "bokeh",
    "cgi",
    "cinematic light",
    "cinematography",
    "clipart",
    "color",
    "colour",
    "composition",
    "contrast",
    "depth",
    "design",
    "detail",
    "deviantart",
    "dramatic light",
    "effect",
    "fantasy",
    "graphic",
    "hd",
    "hdr",
    "hue",
    "illustration",
    "lighting",
    "masterpiece",
    "mood",
    "octane",
    "palette",
    "pastel",
    "photography",
    "photorealism",
    "poly",
    "quality",
    "realism",
    "render",
    "rendering",
    "resolution",
    "sharpness",
    "soft light",
    "style",
    "symmetry",
    "texture",
    "theme",
    "tone",
    "uhd",
    "unreal engine",
    "vibe",
    "vignette",
    "volumetric light",
    "warm light",
};

/* Times, and events that fill a whole picture. */
static const char *const time_words[] = {
    "afternoon", "age",     "april",     "august",  "autumn",    "birthday",     "century",
    "christmas", "date",    "dawn",      "day",     "daytime",   "decade",       "december",
    "dusk",      "easter",  "evening",   "event",   "fall",      "february",     "friday",
    "future",    "half",    "halloween", "holiday", "hour",      "january",      "july",
    "june",      "march",   "may",       "midday",  "midnight",  "minute",       "moment",
    "monday",    "month",   "morning",   "night",   "nighttime", "noon",         "november",
    "occasion",  "october", "past",      "period",  "saturday",  "season",       "second",
    "september", "spring",  "summer",    "sunday",  "tbt",       "thanksgiving", "thursday",
    "time",      "today",   "tomorrow",  "tonight", "tuesday",   "vacation",     "wednesday",
    "week",      "weekend", "winter",    "year",    "yesterday",
};

/* What is done or happens. */
static const char *const doings[] = {
    "act",           "action",      "activity",    "adulting",     "adventure",    "affair",
    "approach",      "arrangement", "attack",      "attempt",      "battle",       "behavior",
    "break",         "business",    "campaign",    "career",       "celebration",  "challenge",
    "change",        "charge",      "chase",       "choice",       "class",        "climb",
    "competition",   "conference",  "contact",     "contest",      "conversation", "damage",
    "debut",         "decision",    "discussion",  "effort",       "election",     "emergency",
    "entertainment", "episode",     "exercise",    "fight",        "fishing",      "flight",
    "game",          "help",        "hobby",       "job",          "journey",      "jump",
    "lap",           "leap",        "lesson",      "match",        "meeting",      "motion",
    "move",          "movement",    "music",       "parking",      "performance",  "play",
    "pose",          "practice",    "preparation", "presentation", "process",      "progress",
    "project",       "protection",  "race",        "rally",        "relaxation",   "report",
    "rescue",        "research",    "ride",        "routine",      "run",          "sale",
    "schedule",      "search",      "service",     "session",      "show",         "sleep",
    "stride",        "stunt",       "support",     "surprise",     "swim",         "sync",
    "talk",          "task",        "touch",       "tour",         "tourism",      "tow",
    "travel",        "trick",       "trip",        "turn",         "unison",       "use",
    "victory",       "video",       "violence",    "visit",        "walk",         "war",
    "work",
};

/* States, ideas and measures. */
static const char *const ideas[] = {
    "ability",    "account",    "advice",       "air",        "amount",      "answer",
    "area",       "attention",  "balance",      "beauty",     "benefit",     "bit",
    "bottom",     "care",       "chance",       "choice",     "climate",     "combination",
    "comfort",    "condition",  "cost",         "culture",    "danger",      "death",
    "delight",    "demand",     "diet",         "difference", "direction",   "economy",
    "edition",    "education",  "emotion",      "energy",     "enjoyment",   "excitement",
    "experience", "expression", "fact",         "fashion",    "favor",       "favorite",
    "fear",       "feeling",    "form",         "freedom",    "friendship",  "fun",
    "happiness",  "harmony",    "health",       "height",     "history",     "hope",
    "idea",       "impact",     "information",  "interest",   "issue",       "item",
    "joy",        "kind",       "knowledge",    "language",   "law",         "left",
    "length",     "level",      "life",         "location",   "look",        "lot",
    "love",       "luck",       "manner",       "matter",     "meaning",     "memory",
    "method",     "mid-air",    "midair",       "mind",       "mode",        "name",
    "nature",     "need",       "news",         "noise",      "number",      "opportunity",
    "option",     "order",      "pain",         "part",       "peace",       "place",
    "plan",       "pleasure",   "point",        "policy",     "position",    "power",
    "presence",   "price",      "pride",        "problem",    "purpose",     "question",
    "rate",       "reason",     "relationship", "rest",       "result",      "return",
    "right",      "risk",       "role",         "romance",    "safety",      "sense",
    "shade",      "shape",      "sight",        "silence",    "situation",   "size",
    "skill",      "smell",      "solution",     "sort",       "sound",       "space",
    "speed",      "spirit",     "spot",         "state",      "story",       "style",
    "success",    "system",     "taste",        "technique",  "temperature", "thought",
    "trouble",    "truth",      "type",         "upside",     "value",       "variety",
    "version",    "voice",      "way",          "weather",    "while",       "width",
    "wish",       "wonder",     "world",        "worry",
};

/* Measures of goods. */
static const char *const units[] = {
    "cm", "ft",    "gallon", "gb",      "gram",  "inch",  "kg",   "kilometer",
    "km", "lb",    "liter",  "litre",   "meter", "metre", "mile", "ml",
    "mm", "ounce", "oz",     "percent", "pound", "volt",  "watt",
};

/* Quantities: a bunch of bananas is bananas. */
static const char *const quantities[] = {
    "array",      "assortment", "batch",     "bit",    "body",    "bunch",   "class", "cluster",
    "collection", "couple",     "dozen",     "drove",  "family",  "flight",  "flock", "gaggle",
    "gang",       "group",      "handful",   "heap",   "herd",    "hundred", "kind",  "line",
    "load",       "lot",        "mass",      "mix",    "mixture", "number",  "pack",  "pair",
    "patch",      "piece",      "pile",      "plenty", "portion", "range",   "row",   "school",
    "sea",        "section",    "selection", "series", "set",     "sheet",   "slice", "sort",
    "stack",      "stretch",    "strip",     "swarm",  "team",    "ton",     "trio",  "type",
    "variety",
};

/* Places within something: the top of a hill, the left side. */
static const char *const places[] = {
    "back", "base", "border",   "corner",  "edge", "end", "margin",
    "rear", "side", "sideline", "surface", "tip",  "top",
};

/* What leaves a place a place. */
static const char *const positions[] = {
    "back",  "bottom", "far",  "front", "inner", "left", "lower", "near", "opposite",
    "other", "outer",  "rear", "right", "same",  "top",  "upper", "very",
};

/* Pictures that are the whole picture when a caption begins with them. */
static const char *const pictures[] = {
    "cartoon",  "drawing", "icon",  "logo",       "map",    "mural",      "painting",
    "portrait", "poster",  "print", "silhouette", "sketch", "watercolor", "watercolour",
};

/* Not a thing unless a determiner or modifier says so: at home. */
static const char *const bare[] = {"home", "school", "work"};

/* A man in red. */
static const char *const colours[] = {
    "beige", "black",  "blue", "brown",  "gold", "gray",      "green", "grey",  "orange",
    "pink",  "purple", "red",  "silver", "tan",  "turquoise", "teal",  "white", "yellow",
};

static bool among(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, list[i]) == 0)
            return true;
    }
    return false;
}

#define LIST(name, flag)                                                                           \
    {                                                                                              \
        name, ITEMI_COUNT(name), flag                                                              \
    }

unsigned itemi_noun_hidden(const char *word)
{
    static const struct {
        const char *const *words;
        size_t count;
        unsigned flag;
    } lists[] = {
        LIST(pronouns, ITEMI_HIDDEN_ALWAYS),    LIST(picture_words, ITEMI_HIDDEN_ALWAYS),
        LIST(style_words, ITEMI_HIDDEN_ALWAYS), LIST(time_words, ITEMI_HIDDEN_ALWAYS),
        LIST(doings, ITEMI_HIDDEN_ALWAYS),      LIST(ideas, ITEMI_HIDDEN_ALWAYS),
        LIST(units, ITEMI_HIDDEN_ALONE),        LIST(quantities, ITEMI_HIDDEN_OF),
        LIST(places, ITEMI_HIDDEN_PLACE),       LIST(positions, ITEMI_HIDDEN_POSITION),
        LIST(pictures, ITEMI_HIDDEN_PICTURE),   LIST(bare, ITEMI_HIDDEN_BARE),
        LIST(colours, ITEMI_HIDDEN_COLOUR),
    };
    unsigned flags = 0;
    for (size_t i = 0; i < ITEMI_COUNT(lists); i++) {
        if (among(word, lists[i].words, lists[i].count))
            flags |= lists[i].flag;
    }
    return flags;
}
