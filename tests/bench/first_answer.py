# SPDX-License-Identifier: Apache-2.0
"""The reference's side of "start to first answer": as little as gives one vector of a picture.

usage: first_answer.py FOLDER FILE      answers each line of standard input with milliseconds
"""
import sys
import time

start = time.perf_counter()

import torch  # noqa: E402
from PIL import Image  # noqa: E402
from transformers import CLIPModel  # noqa: E402
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil  # noqa: E402

model = CLIPModel.from_pretrained(sys.argv[1])
processor = CLIPImageProcessorPil.from_pretrained(sys.argv[1])
for line in sys.stdin:
    with torch.inference_mode():
        pixels = processor(Image.open(sys.argv[2]), return_tensors="pt")
        model.get_image_features(**pixels).pooler_output.tolist()
    print(f"{(time.perf_counter() - start) * 1e3:.3f}", flush=True)
