"""Writes models of random weights: `models.py '{"tokenizer": FOLDER, "models": {FOLDER: {"type": …, …config}}}'`."""
import json, shutil, sys
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

logging.disable_progress_bar()

task = json.loads(sys.argv[1])
device = "cuda" if torch.cuda.is_available() else "cpu"
for folder, shape in task["models"].items():
    dtype = getattr(torch, shape.pop("dtype", "float32"))
    config = AutoConfig.for_model(shape.pop("type"), **shape)
    torch.manual_seed(1)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.save_pretrained(folder)
    for file in Path(task["tokenizer"]).iterdir():
        if "token" in file.name or file.suffix == ".jinja":
            shutil.copy(file, folder)
    del model
