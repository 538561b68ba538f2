# SPDX-License-Identifier: Apache-2.0
"""The whole chain on one picture with six objects: its pack, and the reference's side of it.

A captioner of random weights says no sentence. So the last layer of one is fitted: for one picture
it says CAPTION, word by word, in the time of any other caption of as many tokens. A detector of
random weights is sure of nothing, so any score will do: of the boxes that are for one of the
phrases rather than for the others the best counts.
"""
import json
import shutil
from pathlib import Path

import torch
from PIL import Image

import chain
import environment
import models
import run_chain
from reference import Reference

chain.LEAST_SCORE = 0  # as bench-models is told in this row

CAPTION = "a woman at a table on the grass with a dog and a ball under the blue sky"
TOKENS = 20  # [DEC] and [SEP] among them
ANSWER = f"6 objects: {CAPTION}"
STAGES = {"captioner": "blip", "detector": "owlvit", "embedder": "clip"}
FULL = {"captioner": "blip-base", "detector": "owlvit-b32", "embedder": "clip-b32"}


@torch.no_grad()
def fit(reference, picture):
    """Rows of the output matrix: at each step the wanted word is likelier than all others."""
    model, said = reference.model, reference.tokens(CAPTION)
    said[0] = model.config.text_config.bos_token_id
    if len(said) != TOKENS:
        raise RuntimeError(f"the caption has {len(said)} tokens")
    seen = model.vision_model(pixel_values=reference.pixels(picture)).last_hidden_state
    hidden = model.text_decoder.bert(input_ids=torch.tensor([said[:-1]]),
                                     encoder_hidden_states=seen, is_decoder=True)
    last = model.text_decoder.cls.predictions
    hidden = last.transform(hidden.last_hidden_state[0]).double()
    others = last.decoder(hidden.float()).abs().max().item()
    words = sorted(set(said[1:]))
    wanted = torch.tensor([[4 * others * (word == now) for word in words] for now in said[1:]])
    weight = last.decoder.weight.clone()
    weight[words] = (torch.linalg.pinv(hidden) @ wanted.double()).T.float()
    last.decoder.weight = torch.nn.Parameter(weight)


def captioner(folder, name, picture):
    """The fitted captioner's folder, made where it is missing."""
    out = folder / (name + "-six")
    if not out.exists():
        reference = Reference(models.ensure(folder, name), "blip")
        fit(reference, chain.working(Image.open(picture).convert("RGB"))[0])
        models.save(reference.model, models.all_models()[name], out)
    return out


def ensure(args):
    """A folder with the pack, made anew, and with what the reference needs."""
    names = {role: "tiny-" + family if args.tiny else FULL[role]
             for role, family in STAGES.items()}
    folders = {role: models.ensure(args.models, name) for role, name in names.items()}
    folders["captioner"] = captioner(args.models, names["captioner"], args.pictures[0])
    out = args.work / "six-objects"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    item = run_chain.Item(args.installed)
    item.run("pack", "create", "--captioner", folders["captioner"], "--detector",
             folders["detector"], "--clip", folders["embedder"], out / "pack")
    facts = {role: str(folder.resolve()) for role, folder in folders.items()}
    (out / "stages.json").write_text(json.dumps(facts | {"phrases": item.phrases(CAPTION)}))
    return out


class Chain:
    """The reference's side; `apart`: each picture and text in a call of its own."""

    def __init__(self, folder, precision, tokens, file, apart):
        facts = json.loads((Path(folder) / "stages.json").read_text())
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.captioner, self.detector, self.embedder = (
            Reference(Path(facts[role]), family, None, dtype) for role, family in STAGES.items())
        self.phrases, self.tokens, self.file = facts["phrases"], tokens, file
        self.dtype, self.apart = dtype, apart

    def caption(self, image):
        out = self.captioner.model.generate(self.captioner.pixels(image).to(self.dtype),
                                            max_length=self.tokens)
        return self.captioner.tokenizer.decode(out[0], skip_special_tokens=True)

    def detect(self, image):
        side = self.detector
        tokens = side.tokenizer(self.phrases, padding="max_length", truncation=True,
                                max_length=side.limit, return_tensors="pt")
        out = side.model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"],
                         pixel_values=side.pixels(image).to(self.dtype))
        found = side.processor.post_process_object_detection(
            out, threshold=0.0, target_sizes=[image.size[::-1]])[0]
        return [{"query": label, "score": score, "box": box} for label, score, box in
                zip(*(found[key].tolist() for key in ("labels", "scores", "boxes")))]

    def embed_pictures(self, images):
        pixels = self.embedder.processor(images, return_tensors="pt")["pixel_values"]
        return self.embedder.model.get_image_features(pixels.to(self.dtype)).pooler_output

    def embed_texts(self, texts):
        tokens = self.embedder.tokenizer(texts, padding=True, truncation=True,
                                         max_length=self.embedder.limit, return_tensors="pt")
        return self.embedder.model.get_text_features(**tokens).pooler_output

    def embed(self, images, texts):
        if not self.apart:
            return self.embed_pictures(images), self.embed_texts(texts)
        return (torch.cat([self.embed_pictures([image]) for image in images]),
                torch.cat([self.embed_texts([text]) for text in texts]))

    def check(self, _):
        image = chain.working(Image.open(self.file).convert("RGB"))[0]
        caption = self.caption(image)
        objects = chain.choose(chain.cut(self.detect(image), self.phrases, image.size))
        crops = [chain.crop_of(image, thing["box"]) for thing in objects]
        seen, said = self.embed([image, *crops], [caption, *(o["phrase"] for o in objects)])
        torch.cosine_similarity(seen.float(), said.float()).tolist()
        return f"{len(objects)} objects: {caption}"
