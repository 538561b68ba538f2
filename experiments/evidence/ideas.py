# SPDX-License-Identifier: Apache-2.0
"""Features of each idea, from what read.py wrote; in the order of the table.

An idea is a name, features (an array, or a function of the rows to train on where something is
learnt from photographs), and the strength of the penalty. Signs are learnt.
"""
import numpy as np

BLOCKS = (16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320)
NEAREST = 10


def together(*columns):
    return np.stack(columns, 1).astype(float)


def block(found, *numbers):
    """Means of these blocks of the picture encoder, from 0."""
    ends = np.cumsum(BLOCKS)
    return np.concatenate([found["blocks"][:, ends[i] - BLOCKS[i]:ends[i]] for i in numbers], 1)


def residual(vectors, given, ai, share=0.1):
    """What a ridge fit from `given`, made on photographs to train on, leaves of the vectors."""
    def of(index):
        real = index[~ai[index]]
        mean, middle = vectors[real].mean(0), given[real].mean(0)
        z = given[real] - middle
        spread = z.T @ z
        penalty = share * np.trace(spread) / len(spread) * np.eye(len(spread))
        slope = np.linalg.solve(spread + penalty, z.T @ (vectors[real] - mean))
        return vectors - mean - (given - middle) @ slope
    return of


def bank_numbers(image, text, bank):
    """Rank, margin and deviation of the own caption among those of photographs."""
    own, others = (image * text).sum(1), image @ bank.T
    nearest = np.sort(others, 1)[:, -NEAREST:].mean(1)
    return together(np.log1p((others > own[:, None]).sum(1)), own - nearest,
                    (own - others.mean(1)) / others.std(1))


def samples(image, text, drawn):
    """Cosines of captions that were drawn: with the picture, with the own caption, and spread."""
    with_image = np.einsum("nd,nkd->nk", image, drawn)
    with_text = np.einsum("nd,nkd->nk", text, drawn)
    return together(with_image.mean(1), np.ptp(with_image, 1), with_text.mean(1),
                    (drawn[:, 0] * drawn[:, 1]).sum(1))


def words(found, ai):
    """From words: (name, features, strength)."""
    image, text = found["image"], found["text"]
    seen, unseen, length, drawn = found["likelihoods"].T
    bank = bank_numbers(image, text, text[~ai])
    said = samples(image, text, found["samples"])
    cosine = (image * text).sum(1)
    numbers = np.concatenate([together(cosine, seen, seen - unseen, drawn), said, bank], 1)
    return [
        ("control: caption's vector, text network alone", found["caption"], 10),
        ("control: caption's vector", text, 3),
        ("control: length of the caption", together(length), 1),
        ("cosine of picture and caption", together(cosine), 1),
        ("likelihood of the own caption", together(seen), 1),
        ("own less unconditional likelihood", together(seen - unseen), 1),
        ("unconditional likelihood", together(unseen), 1),
        ("likelihood of drawn captions", together(drawn), 1),
        ("agreement of drawn captions", said, 1),
        ("rank and margin in a bank", bank, 1),
        ("all these numbers", numbers, 1),
        ("difference vector", image - text, 3),
        ("product vector", image * text, 3),
        ("residual of the picture's vector given the caption's", residual(image, text, ai), 3),
    ]


def pictures(found, ai):
    """From the picture alone: (name, features, strength)."""
    layers, image = found["layers"], found["image"]
    inner = np.concatenate([block(found, 6, 10, 15), layers], 1)
    numbers = words(found, ai)[10][1]
    return [
        ("picture's vector", image, 3),
        ("picture's vector, strength 30", image, 30),
        ("picture's vector, strength 1,000", image, 1000),
        ("block 6, mean", block(found, 6), 1),
        ("block 10, mean", block(found, 10), 1),
        ("block 15, mean", block(found, 15), 3),
        ("grid's mean", layers, 3),
        ("grid's mean, strength 100", layers, 100),
        ("grid's mean and blocks 6, 10, 15", inner, 10),
        ("grid's mean and picture's vector", np.concatenate([layers, image], 1), 3),
        ("grid's mean and all numbers of words", np.concatenate([layers, numbers], 1), 3),
        ("grid's mean and difference vector", np.concatenate([layers, image - found["text"]], 1), 3),
        ("residual of the grid's mean given the caption", residual(layers, found["caption"], ai), 3),
    ]
