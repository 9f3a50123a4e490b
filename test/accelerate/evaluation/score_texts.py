"""
What reward models of transformers give to texts: reads `{"base": …, "adapter": … or null, "tokenizer": … or null, "texts": [[id]]}`, and
writes the score of each text by itself, without padding, and of all in one batch, which the tokenizer pads.
"""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer


@torch.no_grad()
def main():
    asked = json.load(sys.stdin)
    model = AutoModelForSequenceClassification.from_pretrained(asked["base"], num_labels=1, dtype=torch.float32)
    if asked["adapter"] is not None:
        model = PeftModel.from_pretrained(model, asked["adapter"])
    model.eval()
    found = {"alone": [model(torch.tensor([ids])).logits[0, 0].item() for ids in asked["texts"]]}
    if asked["tokenizer"] is not None:
        tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])
        batch = tokenizer.pad({"input_ids": asked["texts"]}, return_tensors="pt")
        found |= {"pad": tokenizer.pad_token_id, "together": model(**batch).logits[:, 0].tolist()}
    print(json.dumps(found))


main()
