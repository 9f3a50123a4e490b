"""What transformers computes from GGUF files: reads lines `{"file", "prompts": [ids…], "tokens", "text": ids}`, and writes a line for
each with the ids of its greedy answers, the logits after the first prompt, and the perplexity of the text."""

import json
import os
import sys

import torch
from transformers import AutoModelForCausalLM


def answered(asked):
    folder, name = os.path.split(asked["file"])
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    with torch.no_grad():
        prompts = [torch.tensor([ids]) for ids in asked["prompts"]]
        answers = [
            model.generate(ids, max_new_tokens=asked["tokens"], do_sample=False, eos_token_id=None)[0, ids.shape[1] :]
            for ids in prompts
        ]
        text = torch.tensor([asked["text"]])
        return {
            "answers": [answer.tolist() for answer in answers],
            "logits": model(prompts[0]).logits[0, -1].tolist(),
            "perplexity": model(text, labels=text).loss.exp().item(),
        }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answered(json.loads(line))), flush=True)
