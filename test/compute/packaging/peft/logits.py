"""Prints what PEFT and transformers make of folders that ftpc wrote: a line of JSON for each.

    python logits.py BASE FOLDER…

Logits of a fixed text, in float32: under the base, or FOLDER/base where it is, with FOLDER/adapter, and under
FOLDER/merged where it is. Of a classifier: those of its labels, as the folder's own model card loads it.
"""

import json
import pathlib
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

torch.set_num_threads(1)
IDS = torch.tensor([[1, 5, 9, 13, 2, 7, 33, 40, 11, 63]])


def opened(folder, classifies, **options):
    kind = AutoModelForSequenceClassification if classifies else AutoModelForCausalLM
    return kind.from_pretrained(folder, attn_implementation="eager", **options)


def labels_of(folder):
    labels = json.loads(pathlib.Path(folder, "labels.json").read_text())
    return {"id2label": {int(n): label for n, label in labels["id2label"].items()}, "label2id": labels["label2id"]}


def logits(model, classifies):
    with torch.no_grad():
        if classifies:
            # two texts, of which the first is padded: the class is read at its own last token
            pad = model.config.pad_token_id
            rows = torch.cat([torch.nn.functional.pad(IDS, (0, 3), value=pad), torch.full((1, IDS.shape[1] + 3), 5)])
            mask = (torch.arange(rows.shape[1])[None] < torch.tensor([[IDS.shape[1]], [rows.shape[1]]])).long()
            return model.float().eval()(input_ids=rows, attention_mask=mask).logits[0].tolist()
        ids = IDS % model.config.vocab_size
        # virtual tokens come before the text
        return model.float().eval()(input_ids=ids, use_cache=False).logits[0, -IDS.shape[1]:].flatten().tolist()


base, *folders = sys.argv[1:]
for folder in folders:
    adapter, merged = pathlib.Path(folder, "adapter"), pathlib.Path(folder, "merged")
    classifies = json.loads((adapter / "adapter_config.json").read_text())["task_type"] == "SEQ_CLS"
    own = pathlib.Path(folder, "base") if pathlib.Path(folder, "base").exists() else base
    named = labels_of(adapter) if classifies else {}
    found = [logits(PeftModel.from_pretrained(opened(own, classifies, **named), adapter), classifies)]
    if merged.exists():
        model = opened(merged, classifies)
        assert not classifies or model.config.id2label == named["id2label"]
        found.append(logits(model, classifies))
    print(json.dumps(found))
