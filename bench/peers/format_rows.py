"""Rows as chats, tokenized and masked with datasets and tokenizers: python format_rows.py FOLDER MODEL PROCESSES TOKENS.

A batch of rows is rendered by the chat template and tokenized at once, whole and up to the answer; what is before the answer
is not supervised. Rows of more than TOKENS tokens are left out, the rest is saved."""

import json
import os
import sys
import tempfile
import time

folder, model, processes, tokens = sys.argv[1:]
os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")

import datasets  # noqa: E402
from peak import Peak  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

datasets.disable_progress_bars()


def main():
    tokenizer = PreTrainedTokenizerFast.from_pretrained(model)

    def encode(batch):
        questions = [[{"role": "user", "content": text}] for text in batch["instruction"]]
        chats = [
            [*question, {"role": "assistant", "content": text}]
            for question, text in zip(questions, batch["output"], strict=True)
        ]
        whole = tokenizer.apply_chat_template(chats, tokenize=False)
        prompts = tokenizer.apply_chat_template(questions, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(whole, add_special_tokens=False)["input_ids"]
        asked = tokenizer(prompts, add_special_tokens=False)["input_ids"]
        labels = [
            [-100] * len(prompt) + row[len(prompt) :] if row[: len(prompt)] == prompt else [-100] * len(row)
            for row, prompt in zip(ids, asked, strict=True)
        ]
        kept = [at for at, row in enumerate(ids) if len(row) <= int(tokens)]
        return {
            "input_ids": [ids[at] for at in kept],
            "labels": [labels[at] for at in kept],
        }

    with tempfile.TemporaryDirectory() as cache, Peak() as peak:
        start = time.monotonic()
        rows = datasets.load_dataset(
            "json",
            data_files=os.path.join(folder, "rows.jsonl"),
            split="train",
            cache_dir=cache,
        )
        count = int(processes)
        encoded = rows.map(
            encode,
            batched=True,
            remove_columns=rows.column_names,
            num_proc=count if count > 1 else None,
        )
        encoded.save_to_disk(os.path.join(cache, "saved"))
        seconds = time.monotonic() - start
        kept = len(encoded)
    print(json.dumps({"seconds": seconds, "peakBytes": peak.bytes, "rows": kept}))


if __name__ == "__main__":
    main()
