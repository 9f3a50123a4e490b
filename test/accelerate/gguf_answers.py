"""What transformers answers with GGUF files: reads `{"files": [...], "ids": [...], "tokens": n}`, and writes a line for each file
with the ids of its greedy answer and the logits after the prompt."""

import json
import os
import sys

import torch
from transformers import AutoModelForCausalLM


def main():
    asked = json.load(sys.stdin)
    ids = torch.tensor([asked["ids"]])
    for file in asked["files"]:
        folder, name = os.path.split(file)
        model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
        with torch.no_grad():
            logits = model(ids).logits[0, -1].tolist()
            answer = model.generate(ids, max_new_tokens=asked["tokens"], do_sample=False, eos_token_id=None)
        print(json.dumps({"ids": answer[0, ids.shape[1] :].tolist(), "logits": logits}), flush=True)


if __name__ == "__main__":
    main()
