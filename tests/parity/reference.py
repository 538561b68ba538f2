# SPDX-License-Identifier: Apache-2.0
"""What the reference, the Python library transformers, answers for a model folder."""
import contextlib

import torch
from PIL import Image
from transformers import (BertTokenizer, BlipForConditionalGeneration, ChineseCLIPModel, CLIPModel,
                          CLIPTokenizer, OwlViTForObjectDetection, Owlv2ForObjectDetection)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.chinese_clip.image_processing_pil_chinese_clip import (
    ChineseCLIPImageProcessorPil)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil

import models

CLASSES = {"clip": (CLIPModel, CLIPTokenizer, CLIPImageProcessorPil),
           "blip": (BlipForConditionalGeneration, BertTokenizer, BlipImageProcessorPil),
           "owlvit": (OwlViTForObjectDetection, CLIPTokenizer, OwlViTImageProcessorPil),
           "owlv2": (Owlv2ForObjectDetection, CLIPTokenizer, Owlv2ImageProcessorPil),
           "chinese_clip": (ChineseCLIPModel, BertTokenizer, ChineseCLIPImageProcessorPil)}


def opened(picture):
    """A picture in memory: given as such, or as a file."""
    return picture if isinstance(picture, Image.Image) else Image.open(picture)


class Reference:
    """A model folder opened by the reference. `spec` is needed for open_clip's names alone,
    which the reference does not read: there the same weights are set under its own names."""

    def __init__(self, folder, family, spec=None, dtype=torch.float32):
        model, tokenizer, processor = CLASSES[family]
        self.tokenizer = tokenizer.from_pretrained(folder)
        if (folder / "config.json").exists():
            self.model = model.from_pretrained(folder, dtype=dtype).eval()
            self.processor = processor.from_pretrained(folder)
        else:
            self.model = models.build(spec).to(dtype)
            edge = self.model.config.vision_config.image_size
            self.processor = processor(size={"shortest_edge": edge},
                                       crop_size={"height": edge, "width": edge})
        self.dtype = dtype
        self.end = getattr(self.model.config.text_config, "sep_token_id", None)
        self.limit = self.model.config.text_config.max_position_embeddings

    def pixels(self, picture):
        return self.processor(opened(picture), return_tensors="pt")["pixel_values"]

    def tokens(self, text):
        return self.tokenizer(text, truncation=True, max_length=self.limit)["input_ids"]

    @torch.inference_mode()
    def embed_picture(self, picture):
        out = self.model.get_image_features(self.pixels(picture).to(self.dtype)).pooler_output[0]
        return torch.nn.functional.normalize(out.float(), dim=0).tolist()

    @torch.inference_mode()
    def embed_text(self, text):
        ids = torch.tensor([self.tokens(text)])
        out = self.model.get_text_features(ids).pooler_output[0]
        return torch.nn.functional.normalize(out.float(), dim=0).tolist()

    def prompt_tokens(self, prompt):
        """As the reference starts: [DEC] in the place of [CLS], no [SEP]."""
        if prompt is None:
            return [self.model.config.text_config.bos_token_id]
        return [self.model.config.text_config.bos_token_id] + self.tokens(prompt)[1:-1]

    @torch.inference_mode()
    def caption(self, picture, beams=1, prompt=None, max_tokens=None):
        length = {} if max_tokens is None else {"max_length": max_tokens}
        ids = None if prompt is None else torch.tensor([self.tokens(prompt)])
        margins = []
        with watched(self.model.text_decoder, margins):
            out = self.model.generate(
                self.pixels(picture).to(self.dtype), input_ids=ids, num_beams=beams,
                output_scores=True, return_dict_in_generate=True, **length)
        if beams == 1:
            for scores in out.scores:
                best = torch.log_softmax(scores[0].float(), dim=0).topk(2).values
                margins.append((best[0] - best[1]).item())
        start = len(self.prompt_tokens(prompt))
        tokens = out.sequences[0, start:].tolist()
        while tokens and tokens[-1] in (self.end, 0):
            tokens.pop()
        return {"tokens": tokens, "margins": margins,
                "caption": self.tokenizer.decode(out.sequences[0], skip_special_tokens=True)}

    @torch.inference_mode()
    def score(self, picture, text):
        """Mean log-probability of a caption's tokens behind [DEC], [SEP] included."""
        ids = self.prompt_tokens(text) + [self.end]
        seen = self.model.vision_model(self.pixels(picture).to(self.dtype)).last_hidden_state
        logits = self.model.text_decoder(input_ids=torch.tensor([ids]), is_decoder=True,
                                         encoder_hidden_states=seen).logits[0, :-1]
        return -torch.nn.functional.cross_entropy(logits.double(), torch.tensor(ids[1:])).item()

    @torch.inference_mode()
    def layers(self, picture):
        """The class token behind each block of the vision tower, one after another."""
        out = self.model.vision_model(self.pixels(picture).to(self.dtype),
                                      output_hidden_states=True)
        return torch.cat([state[0, 0].float() for state in out.hidden_states[1:]]).tolist()

    @torch.inference_mode()
    def objects(self, picture, queries):
        """Every box: best query, score, corners in pixels; in the reference's order."""
        tokens = self.tokenizer(queries, padding="max_length", truncation=True,
                                max_length=self.limit, return_tensors="pt")
        size = opened(picture).size[::-1]
        out = self.model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"],
                         pixel_values=self.pixels(picture).to(self.dtype))
        found = self.processor.post_process_object_detection(out, threshold=0.0,
                                                             target_sizes=[size])[0]
        return [{"query": int(label), "score": score, "box": box} for label, score, box in
                zip(found["labels"], found["scores"].tolist(), found["boxes"].tolist())]


@contextlib.contextmanager
def watched(decoder, margins):
    """Notes for each step of a beam search how near the best beam left out was to the last one
    kept, and at the end how near the second sentence was to the first."""
    running, finished = (decoder._get_running_beams_for_next_iteration,
                         decoder._update_finished_beams)

    def see_running(*args, topk_log_probs, next_token_hits_stopping_criteria, num_beams, **more):
        open_ones = topk_log_probs[0][~next_token_hits_stopping_criteria[0]].sort().values.flip(0)
        if len(open_ones) > num_beams:
            margins.append((open_ones[num_beams - 1] - open_ones[num_beams]).item())
        return running(*args, topk_log_probs=topk_log_probs, num_beams=num_beams,
                       next_token_hits_stopping_criteria=next_token_hits_stopping_criteria, **more)

    def see_finished(*args, **more):
        out = finished(*args, **more)
        last[:] = [(out[1][0, 0] - out[1][0, 1]).item()]
        return out

    last = []
    decoder._get_running_beams_for_next_iteration = see_running
    decoder._update_finished_beams = see_finished
    try:
        yield
    finally:
        del decoder._get_running_beams_for_next_iteration, decoder._update_finished_beams
        margins.extend(last)
