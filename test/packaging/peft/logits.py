"""Prints what PEFT and transformers make of folders that ftpc wrote: a line of JSON for each.

    python logits.py BASE FOLDER…

Logits of a fixed text, in float32: under the base with FOLDER/adapter, and under FOLDER/merged where it is.
"""

import json
import pathlib
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
IDS = torch.tensor([[1, 5, 9, 13, 2, 7, 33, 40, 11, 63]])


def opened(folder):
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")


def logits(model):
    with torch.no_grad():
        # virtual tokens come before the text
        return model.float().eval()(input_ids=IDS, use_cache=False).logits[0, -IDS.shape[1]:].flatten().tolist()


base, *folders = sys.argv[1:]
for folder in folders:
    adapted = logits(PeftModel.from_pretrained(opened(base), f"{folder}/adapter"))
    merged = [logits(opened(f"{folder}/merged"))] if pathlib.Path(folder, "merged").exists() else []
    print(json.dumps([adapted, *merged]))
