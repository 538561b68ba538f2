"""Adds class names and aliases, embedded by the final text encoder, to detector.safetensors.

With the matching rule of `match` it answers tests/golden/networks/phrase_classes.tsv.
"""
import json

import torch
import torch.nn.functional as F

import common
import text_encoder

HERE = common.Path(__file__).resolve().parent
PAIR, HEAD = 0.90, 0.70  # least cosine of the last two words, of the last word
IRREGULAR = {"man": "men", "woman": "women", "child": "children", "person": "people", "foot": "feet",
             "policeman": "policemen", "fireman": "firemen", "fisherman": "fishermen",
             "businessman": "businessmen", "gentleman": "gentlemen", "knife": "knives", "calf": "calves",
             "goose": "geese", "mouse": "mice", "tooth": "teeth", "leaf": "leaves", "wolf": "wolves",
             "shelf": "shelves", "elderly man": "elderly men", "loaf": "loaves"}


def forms(word, is_name):
    """A word lies close to its plural; odd ones and names of two words get an entry."""
    plural = IRREGULAR.get(word, word)
    if is_name and " " in word and word[-1] != "s":
        plural = word + ("es" if word[-2:] in ("ss", "ch") else "s")
    return dict.fromkeys((word, plural))


def read_list():
    """Returns class names, and aliases with their class (-1: none of the 80)."""
    names, aliases = [], {}
    for line in (HERE / "detector_classes.txt").read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        name, others = line.split(":")
        number = -1 if name == "none" else len(names)
        if number >= 0:
            names.append(name)
        for word in ([name] if number >= 0 else []) + [w.strip() for w in others.split(",")]:
            for form in forms(word, word == name):
                if aliases.setdefault(form, number) != number:
                    print(f"{form}: stands for {aliases[form]} and {number}, first kept")
    assert len(names) == 80
    return names, aliases


def match(encoder, vectors, classes, phrase):
    """The rule: (class or -1, cosine). See packs/small/MODEL_NOTES.md."""
    words = phrase.lower().split()
    tries = [(" ".join(words[-2:]), PAIR)] if len(words) > 1 else []
    for text, least in tries + [(words[-1], HEAD)]:
        cosine = vectors @ F.normalize(encoder([text]), dim=-1)[0]
        best = int(cosine.argmax())
        if float(cosine[best]) >= least:
            return int(classes[best]), float(cosine[best])
    return -1, float(cosine[best])


def leave_one_out(vectors, classes, aliases):
    """What a threshold of the head costs, without the hand list: each one-word alias
    looks for its nearest other one."""
    cosine = vectors @ vectors.T
    cosine.fill_diagonal_(-1)
    best, nearest = cosine.max(1)
    single = torch.tensor([" " not in a for a in aliases])
    for least in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8):
        found = torch.where(best >= least, classes[nearest], -1)
        right = [float((found == classes)[single & kind].float().mean())
                 for kind in (classes >= 0, classes < 0)]
        print(f"  head {least}: {right[0]:.3f} of named words, {right[1]:.3f} of other words right")


def report(encoder, names, vectors, classes):
    file = common.REPO / "tests" / "golden" / "networks" / "phrase_classes.tsv"
    good = {True: [0, 0], False: [0, 0]}
    for line in file.read_text().splitlines():
        if line.startswith("#"):
            continue
        phrase, want = line.split("\t")
        found, cosine = match(encoder, vectors, classes, phrase)
        found = names[found] if found >= 0 else "none"
        good[want != "none"][0] += found == want
        good[want != "none"][1] += 1
        if found != want:
            print(f"  {phrase}: wanted {want}, found {found} ({cosine:.2f})")
    print("phrases: %d of %d named things found, %d of %d other things refused"
          % (*good[True], *good[False]))


def main():
    args = common.arguments(__doc__)
    names, aliases = read_list()
    encoder = text_encoder.Encoder(args.pack)
    vectors = F.normalize(encoder(aliases), dim=-1).half().float()
    classes = torch.tensor(list(aliases.values()), dtype=torch.int32)
    leave_one_out(vectors, classes, aliases)
    report(encoder, names, vectors, classes)
    file = args.pack / "detector.safetensors"
    tensors, meta = common.load(file)
    meta.update(class_names=json.dumps(names), aliases=json.dumps(list(aliases)),
                match_pair=PAIR, match_head=HEAD)
    tensors.update(alias_vectors=vectors, alias_class=classes)
    common.save(file, tensors, meta)


if __name__ == "__main__":
    main()
