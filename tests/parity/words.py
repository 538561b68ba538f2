# SPDX-License-Identifier: Apache-2.0
"""A tiny BLIP that is trained: thirty pictures, thirty captions, which must come out as words."""
import itertools

import torch
from PIL import Image, ImageDraw

import models
import vocab

COLOURS = {"red": (220, 30, 40), "green": (30, 160, 60), "blue": (40, 70, 210),
           "yellow": (240, 210, 50), "white": (245, 245, 245)}
GROUNDS = {"in the snow": (225, 235, 245), "on the grass": (90, 150, 70),
           "at night": (20, 20, 40)}
THINGS = ["ball", "box"]
EDGE = 32
STEPS = 500


def scenes():
    """The thirty captions, each with what its picture shows."""
    return [(f"a {colour} {thing} {ground}", colour, thing, ground)
            for colour, thing, ground in itertools.product(COLOURS, THINGS, GROUNDS)]


def draw(colour, thing, ground):
    image = Image.new("RGB", (EDGE, EDGE), GROUNDS[ground])
    shape = ImageDraw.Draw(image)
    (shape.ellipse if thing == "ball" else shape.rectangle)([8, 8, 23, 23], fill=COLOURS[colour])
    return image


def spec():
    words = vocab.small_bert([caption for caption, *_ in scenes()])
    return models.tiny_blip(words, weights="safetensors", head="absent", seed=51)


def train(seed=51):
    """Cross entropy on all thirty at once until each word is likelier than all others."""
    torch.manual_seed(seed)
    form = spec()
    model = models.FAMILIES["blip"][1](models.config_of(form)).train()
    model.config.architectures = ["BlipForConditionalGeneration"]
    tokenizer = vocab.bert_tokenizer(list(form.words))
    said = tokenizer([c for c, *_ in scenes()], padding=True, return_tensors="pt")
    ids = said["input_ids"]
    ids[:, 0] = model.config.text_config.bos_token_id
    labels = ids.masked_fill(ids == 0, -100)
    pixels = torch.stack([see(draw(*what)) for _, *what in scenes()])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=STEPS)
    for step in range(STEPS):
        loss = model(pixel_values=pixels, input_ids=ids, attention_mask=said["attention_mask"],
                     labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 99:
            print(f"words: loss {loss.item():.4f} after {step + 1} steps", flush=True)
    return model.eval(), form


def see(image):
    """As the processor does for a picture that has its size already."""
    pixels = torch.tensor(list(image.tobytes())).reshape(EDGE, EDGE, 3).permute(2, 0, 1) / 255
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (models.MEAN, models.STD))
    return (pixels - mean) / std


def ensure(folder, pictures):
    """The model's folder and the pictures; returns the captions by file."""
    if not folder.exists():
        model, form = train()
        models.save(model, form, folder)
    pictures.mkdir(parents=True, exist_ok=True)
    out = {}
    for i, (caption, *what) in enumerate(scenes()):
        path = pictures / f"scene_{i:02}.png"
        if not path.exists():
            draw(*what).save(path)
        out[path.name] = caption
    return out
