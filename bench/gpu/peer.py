"""The same training by a plain TRL script; prints its tokens per second and its peak as JSON."""
import json, logging, resource, sys, time, warnings

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, TrainerCallback
from trl import SFTConfig, SFTTrainer

task = json.loads(sys.argv[1])
on_gpu = torch.cuda.is_available()
tokenizer = AutoTokenizer.from_pretrained(task["model"])
rows = load_dataset("json", data_files=task["rows"], split="train", cache_dir=task["folder"] + "/cache").map(
    lambda row: {"prompt": [{"role": "user", "content": row["instruction"]}],
                 "completion": [{"role": "assistant", "content": row["output"]}]},
    remove_columns=["instruction", "output"])
quantised = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                               bnb_4bit_compute_dtype=torch.bfloat16) if task["method"] == "qlora" else None
model = AutoModelForCausalLM.from_pretrained(
    task["model"], dtype=torch.bfloat16 if on_gpu and task["method"] != "full" else torch.float32,
    quantization_config=quantised, attn_implementation="sdpa", device_map={"": 0} if on_gpu else None)


class Clock(TrainerCallback):
    """Seconds of each step; tokens are those without padding."""

    seconds, tokens = [], [0]

    def on_step_begin(self, args, state, control, **_):
        if on_gpu: torch.cuda.synchronize()
        self.begun = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        if on_gpu: torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - self.begun)
        self.tokens.append(state.num_input_tokens_seen)


clock = Clock()
trainer = SFTTrainer(
    model=model, processing_class=tokenizer, train_dataset=rows, callbacks=[clock],
    peft_config=None if task["method"] == "full" else LoraConfig(
        r=task["rank"], lora_alpha=2 * task["rank"], lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"),
    args=SFTConfig(
        output_dir=task["folder"] + "/out", max_steps=task["steps"], per_device_train_batch_size=task["micro"],
        gradient_accumulation_steps=1, learning_rate=1e-4, lr_scheduler_type="constant", max_length=task["length"],
        bf16=on_gpu, gradient_checkpointing=task["checkpointing"], save_strategy="no", report_to="none",
        include_num_input_tokens_seen="non_padding", disable_tqdm=True, logging_steps=1000, use_cpu=not on_gpu))
trainer.train()
first = 2 if task["steps"] > 4 else 0
seconds = sum(clock.seconds[first:])
tokens = clock.tokens[-1] - clock.tokens[first]
peak = torch.cuda.max_memory_allocated() if on_gpu else 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("\n" + json.dumps({"tokensPerSecond": tokens / seconds, "peakBytes": peak}))
