# SPDX-License-Identifier: Apache-2.0
"""Makes training sentences of other styles: tagged captions changed, and styles.txt filled in."""
import collections
import re

from corpus import HERE_STYLES, chunks, is_word

HIDDEN, FOREIGN = "\x01", "\x02"  # for the driver: not seen in training, in no lexicon
OPEN_TAGS = {"NN", "NNS", "JJ", "VBG", "VBN", "VB", "RB"}
FILLED = 12000  # sentences from styles.txt in an epoch
NOUN, VERB, ADJECTIVE, ADVERB = 1, 2, 4, 8

EMOJI = "🐶 😍 🔥 ❤️ 🌊 ☀️ 😂 🎉 📷 🍕 👶 🚲 ✨ 💕 🙌 🌸 😭".split()
UNITS = "oz inch ml liter cm mm kg lb gallon pack count piece ft watt volt gb".split()
PROMPT_NOUNS = ("lighting art painting illustration render photography style colors background "
                "details focus light atmosphere composition texture drawing sketch wallpaper "
                "resolution quality depth shadows contrast mood tones lens shot engine").split()
PROMPT_WORDS = ("digital cinematic concept soft dramatic studio fantasy volumetric vibrant vector "
                "oil pastel warm anime pixel watercolor matte sharp intricate natural moody neon "
                "bokeh macro wide film unreal octane golden professional rich dark").split()
PROMPT_ALONE = ("detailed photorealistic intricate ultra-realistic realistic elegant hyperdetailed "
                "8k 4k hd uhd minimalist surreal ethereal symmetrical stunning").split()
SYLLABLES = "ka lo mi ran tor ber gen shi dov ria nel sta mar vin zu hol pek tan ries bou".split()


def often(seen, label):
    """Words that have this label at least three times, each once."""
    return sorted(w for (w, name), n in seen.items() if name == label and n >= 3 and is_word(w))


def open_place(place):
    """Any part of speech at this place: "B", "I" or "O"."""
    return frozenset([place + "-?"])


class Maker:
    """One epoch after another of changed sentences. `words` is the lexicon, `common` the frequent
    part of it."""

    def __init__(self, captions, words, common, rng):
        self.rng = rng
        self.captions = [soften(s, words) for s in captions]
        self.phrases = [p for s in self.captions for p in phrases_of(s)]
        self.templates = [line.strip() for line in open(HERE_STYLES, encoding="utf-8")
                          if line.strip() and not line.startswith("#")]
        of_class = {k: [w for w in common if words[w] & 127 == k] for k in range(1, 16)}
        self.nouns = of_class[NOUN]
        self.verbs = [w for k in range(1, 16) if k & VERB for w in of_class[k]]
        self.adjectives = of_class[ADJECTIVE] + of_class[ADJECTIVE | NOUN]
        seen = collections.Counter((w.lower(), label) for s in captions for w, label in s)
        self.seen_nouns = often(seen, "I-NN")
        self.seen_adjectives = often(seen, "I-JJ")

    def epoch(self):
        out = [self.hide(self.change(s)) for s in self.captions]
        out += [self.hide(self.fill(self.rng.choice(self.templates))) for _ in range(FILLED)]
        return [s for s in out if s]

    # ---- tagged captions ----

    def change(self, sentence):
        draw = self.rng.random()
        if draw < 0.3 and sentence[-1][0] == ".":
            sentence = sentence[:-1]
        if draw < 0.1:
            sentence = without_articles(sentence)
        elif draw < 0.15:
            sentence = self.tagged_words(sentence)
        if self.rng.random() < 0.06:
            sentence = sentence + [(t, open_place("O")) for t in self.tail()]
        return sentence

    def tagged_words(self, sentence):
        """Some nouns become hashtags within the sentence."""
        return [("#" + w if noun(labels) and is_word(w) and self.rng.random() < 0.4 else w, labels)
                for w, labels in sentence]

    def hide(self, sentence):
        """Some open words are as if never seen, so that endings and neighbours learn to tell."""
        rate = self.rng.choice([0.0, 0.1, 0.4])
        out = []
        for word, labels in sentence:
            tag = min(labels)[2:]
            if tag in OPEN_TAGS and is_word(word) and self.rng.random() < rate:
                word = (FOREIGN if self.rng.random() < 0.3 else HIDDEN) + word
            out.append((word, labels))
        return out

    # ---- styles.txt ----

    def fill(self, template):
        """A template filled in, as a sentence."""
        out, place = [], "O"
        for part in re.findall(r"#?\{\w+\}s?|\[|\]|[^\s{}\[\],.;:!?()\"-]+|[^\s{}\[\]]", template):
            if part == "[":
                place = "B"
            elif part == "]":
                place = "O"
            elif "{" in part:
                tokens = self.slot(part)
                if place == "O":
                    out += tokens
                else:
                    for word, _ in tokens:
                        out.append((word, open_place(place)))
                        place = "I"
            else:
                for word in contractions(part):
                    out.append((word, open_place(place)))
                    place = "I" if place != "O" else "O"
        return out[:100]

    def slot(self, part):
        """Tokens for "{name}", "#{name}" or "{name}s"."""
        before, name, after = re.fullmatch(r"(#?)\{(\w+)\}(s?)", part).groups()
        made = getattr(self, "slot_" + name)()
        if isinstance(made, str):
            made = before + (self.plural(made) if after else made)
            return [(w, open_place("O")) for w in made.split()]
        return made

    def phrase(self, words):
        return [(w, open_place("I" if i else "B")) for i, w in enumerate(words)]

    def noun(self):
        return self.rng.choice(self.nouns if self.rng.random() < 0.5 else self.seen_nouns)

    def adjective(self):
        lists = (self.adjectives, self.seen_adjectives)
        return self.rng.choice(lists[self.rng.random() < 0.6])

    def compound(self, nouns):
        adjectives = self.rng.choice([0, 0, 1, 1, 2])
        return [self.adjective() for _ in range(adjectives)] + \
            [self.noun() for _ in range(self.rng.randint(1, nouns))]

    def slot_np(self):
        return self.rng.choice(self.phrases) if self.rng.random() < 0.8 else self.slot_thing()

    def slot_bare(self):
        while True:
            bare = without_articles(self.rng.choice(self.phrases))
            if bare:
                return bare

    def slot_thing(self):
        article = self.rng.choice(["a", "the", "some", "his", "two", "this"])
        return self.phrase([article] + self.compound(2))

    def slot_title(self):
        words = self.compound(3)
        if self.rng.random() < 0.15:
            words[-1:-1] = [self.gerund()]
        return self.phrase([self.plural(words[-1]) if i == len(words) - 1 and
                            self.rng.random() < 0.4 else w for i, w in enumerate(words)])

    def slot_title_in(self):
        return " ".join(w for w, _ in self.slot_title())

    def slot_nouns_np(self):
        return self.phrase([self.plural(self.noun())])

    def slot_measure(self):
        return self.phrase([self.slot_num(), self.rng.choice(UNITS)])

    def slot_prompt(self):
        draw = self.rng.random()
        if draw < 0.2:
            return self.rng.choice(["highly ", "very ", "ultra ", "", "extremely "]) + \
                self.rng.choice(PROMPT_ALONE)
        if draw < 0.25:
            return [("trending", open_place("O")), ("on", open_place("O"))] + \
                self.phrase([self.rng.choice(["artstation", "deviantart", "behance"])])
        if draw < 0.3:
            return self.adjective()
        first = self.rng.choice(PROMPT_WORDS) if self.rng.random() < 0.7 else self.adjective()
        last = self.rng.choice(PROMPT_NOUNS) if self.rng.random() < 0.8 else self.noun()
        return self.phrase([first, last])

    def slot_name(self):
        return " ".join(FOREIGN + "".join(self.rng.choices(SYLLABLES, k=self.rng.randint(2, 4)))
                        for _ in range(self.rng.choice([1, 1, 2, 3])))

    def slot_noun(self):
        return self.noun()

    def slot_nouns(self):
        return self.plural(self.noun())

    def slot_adj(self):
        return self.adjective()

    def slot_verb(self):
        return self.rng.choice(self.verbs)

    def slot_past(self):
        verb = self.rng.choice(self.verbs)
        return verb + ("d" if verb.endswith("e") else "ed")

    def gerund(self):
        verb = self.rng.choice(self.verbs)
        return (verb[:-1] if verb.endswith("e") else verb) + "ing"

    def slot_ving(self):
        return self.gerund()

    def plural(self, word):
        if word.endswith(("s", "x", "ch", "sh")):
            return word + "es"
        return word[:-1] + "ies" if word[-1] == "y" and word[-2] not in "aeou" else word + "s"

    def slot_num(self):
        return self.rng.choice(["2", "3", "4", "6", "8", "10", "12", "16", "32", "100", "1.5",
                                "two", "three", "seven", "500", "2024", "18th", "8x10"])

    def slot_tags(self):
        return " ".join("#" + self.noun() for _ in range(self.rng.randint(1, 4)))

    def slot_emoji(self):
        return self.rng.choice(EMOJI)

    def slot_user(self):
        return "@" + self.noun()

    def slot_link(self):
        return "https://" + self.noun() + ".example/" + self.noun()

    def tail(self):
        return (self.slot_emoji() + " " + self.slot_tags()).split() if self.rng.random() < 0.5 \
            else self.slot_tags().split()


def noun(labels):
    return min(labels)[2:] in ("NN", "NNS")


def contractions(word):
    """don't -> do n't, women's -> women 's"""
    found = re.fullmatch(r"(\w+?)(n't|'s|'re|'m|'ll|'ve|'d|')", word)
    return list(found.groups()) if found else [word]


def without_articles(sentence):
    """A sentence without a, an, the: the next word of the phrase begins it."""
    out, begin = [], False
    for word, labels in sentence:
        if word.lower() in ("a", "an", "the") and min(labels)[0] == "B":
            begin = True
            continue
        if begin:
            labels = frozenset("B" + name[1:] if name[0] == "I" else name for name in labels)
        begin = False
        out.append((word, labels))
    return out


def phrases_of(sentence):
    """Phrases with a noun in them that leave nothing open."""
    if any(len(labels) > 1 for _, labels in sentence):
        return []
    places = [min(labels) for _, labels in sentence]
    return [sentence[a:b] for a, b in chunks(places) if places[b - 1][2:] in ("NN", "NNS")]


def soften(sentence, words):
    """Mends what the silver tagger often takes wrong: "a dog leaps" as one phrase becomes a verb
    where "a" forbids a plural and is left open elsewhere, as is "a man climbing". The other
    captions decide."""
    out, article = [], False
    for i, (word, label) in enumerate(sentence):
        labels = {label}
        after = sentence[i + 1][1][0] if i + 1 < len(sentence) else "O"
        before = sentence[i - 1][1] if i else ""
        if label[0] == "B":
            article = word.lower() in ("a", "an")
        elif label[2:] == "CD" or word.lower() in ("few", "couple", "lot"):
            article = False
        if label in ("I-NNS", "I-NN") and before[2:] in ("NN", "NNS") and after != "I":
            if label == "I-NNS" and before[2:] == "NN" and verb_stem(word.lower(), words):
                labels = {"O-VB"} if article else {label, "O-VB"}
            if label == "I-NN" and word.endswith("ing"):
                labels.add("O-VBG")
        out.append((word, frozenset(labels)))
    return out


def verb_stem(word, words):
    stems = [word[:-1]] + ([word[:-2], word[:-3] + "y"] if word.endswith("es") else [])
    return any(words.get(s, 0) & 127 < 16 and words.get(s, 0) & VERB for s in stems)
