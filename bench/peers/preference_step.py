"""The same steps by TRL's trainers, with gradient checkpointing: prints what was measured as JSON."""

import json
import os
import statistics
import sys
import tempfile
import time

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
import torch
from datasets import Dataset
from llama import llama, lora, peak_bytes
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast, TrainerCallback
from trl import DPOConfig, DPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

task = json.loads(sys.argv[1])
shape, pairs, length, prompt, way = task["config"], task["rows"], task["length"], task["prompt"], task["way"]
objective, steps = task["objective"], task["steps"] + 1
torch.manual_seed(1)
torch.set_num_threads(task["threads"])
model = llama(shape)
vocabulary = {f"t{index}": index for index in range(shape["vocabSize"])}
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="t0")),
    pad_token="t0",
    eos_token="t2",
    bos_token="t1",
)


def text(row, side):
    ids = [
        (((2 * row if at < prompt else 2 * row + side) * length + at) * 7919 + 17) % shape["vocabSize"]
        for at in range(length)
    ]
    return ids[:prompt], ids[prompt:]


def row_of(row):
    (asked, chosen), (_, rejected) = text(row, 0), text(row, 1)
    if objective["kind"] == "dpo":
        return {"prompt_ids": asked, "chosen_ids": chosen, "rejected_ids": rejected}
    answers = {"chosen": chosen, "rejected": rejected}
    return {
        "prompt": "",
        "chosen": "",
        "rejected": "",
        "prompt_input_ids": asked,
        "prompt_attention_mask": [1] * prompt,
        **{f"{key}_input_ids": asked + answer for key, answer in answers.items()},
        **{f"{key}_attention_mask": [1] * length for key in answers},
        **{f"{key}_labels": [-100] * prompt + answer for key, answer in answers.items()},
    }


def untouched(trainer):
    class Untouched(trainer):
        """Reads rows of token ids as they are."""

        def _prepare_dataset(self, dataset, *_):
            return dataset

        def tokenize_row(self, row, *_, **__):
            return row

    return Untouched


seconds, losses = [], []


class Clock(TrainerCallback):
    """From the start of a step to its end: forward, backward, clipping and AdamW."""

    def on_step_begin(self, *_, **__):
        self.begun = time.perf_counter()

    def on_step_end(self, *_, **__):
        seconds.append(time.perf_counter() - self.begun)

    def on_log(self, args, state, control, logs, **_):
        losses.extend([logs["loss"]] if "loss" in logs else [])


common = {
    "output_dir": tempfile.mkdtemp(),
    "per_device_train_batch_size": pairs,
    "gradient_accumulation_steps": 1,
    "learning_rate": 1e-4,
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "max_steps": steps,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "logging_steps": 1,
    "save_strategy": "no",
    "report_to": [],
    "remove_unused_columns": False,
    "optim": "adamw_torch",
    "use_cpu": True,
    "disable_tqdm": True,
    "seed": 1,
    "gradient_checkpointing": True,
    "bf16": False,
    "beta": objective["beta"],
}
if objective["kind"] == "dpo":
    made = DPOTrainer, DPOConfig(**common, max_length=None, precompute_ref_log_probs=way["precomputed"])
else:
    made = ORPOTrainer, ORPOConfig(**common, max_length=length + 1)
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
trainer = untouched(made[0])(
    model=model,
    args=made[1],
    train_dataset=Dataset.from_list([row_of(r) for r in range(pairs)]),
    processing_class=tokenizer,
    peft_config=lora(task["rank"]),
    callbacks=[Clock()],
)
trainer.train()
peak = peak_bytes()
rate = 2 * pairs * length / statistics.median(seconds[1:])
print(json.dumps({"tokensPerSecond": rate, "withReference": rate, "peakBytes": peak, "loss": losses[0]}))
