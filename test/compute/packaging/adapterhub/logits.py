"""Prints what AdapterHub's `adapters` makes of folders that ftpc wrote: a line of JSON for each.

    python logits.py FOLDER…

Logits in float32 of the texts in FOLDER/ids.json, under FOLDER/base with FOLDER/adapter.
"""

import json
import pathlib
import sys

import adapters
import torch
from adapters import AdapterModelInterface
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
for folder in sys.argv[1:]:
    model = AutoModelForCausalLM.from_pretrained(f"{folder}/base", attn_implementation="eager").float().eval()
    told = pathlib.Path(folder, "adapter", "adapter_interface.json")
    interface = AdapterModelInterface(**json.loads(told.read_text())["interface"]) if told.exists() else None
    adapters.init(model, interface=interface)
    info = {}
    model.load_adapter(f"{folder}/adapter", use_safetensors=True, set_active=True, loading_info=info)
    assert info == {"missing_keys": [], "unexpected_keys": []}, info
    ids = torch.tensor(json.loads(pathlib.Path(folder, "ids.json").read_text()))
    with torch.no_grad():
        print(json.dumps(model.eval()(input_ids=ids, use_cache=False).logits.flatten().tolist()))
