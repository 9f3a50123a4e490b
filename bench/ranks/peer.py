"""An ejected training by a plain TRL script: the same rows in the same batches; prints its steps' times and losses as JSON."""
import json, logging, os, sys, time, warnings

begun = float(sys.argv[2])
os.chdir(sys.argv[1])
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
from datasets import Dataset
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

spec = json.load(open("spec.json"))
steps = [json.loads(line) for line in open("steps.jsonl")]
rows = load_file("rows.safetensors")
ends = rows["offsets"].tolist()
order = [row for step in steps for micro in step["micro"] for sequence in micro for row in sequence]
dataset = Dataset.from_list([
    {name: rows[name][ends[row] : ends[row + 1]].tolist() for name in ("ids", "labels")} for row in order
]).rename_column("ids", "input_ids")
micro = len(steps[0]["micro"][0])
model = PeftModel.from_pretrained(
    AutoModelForCausalLM.from_pretrained(spec["model"]["folder"], dtype="float32", attn_implementation="sdpa"),
    spec["adapter"]["folder"], is_trainable=True)


class Clock(TrainerCallback):
    """Seconds since the process was asked for."""

    ends, losses = [], []

    def on_step_begin(self, args, state, control, **_):
        if not self.ends:
            self.ends.append(time.time() - begun)

    def on_step_end(self, args, state, control, **_):
        self.ends.append(time.time() - begun)

    def on_log(self, args, state, control, logs, **_):
        if "loss" in logs:
            self.losses.append(logs["loss"])


clock = Clock()
SFTTrainer(
    model=model, processing_class=AutoTokenizer.from_pretrained(spec["model"]["folder"]), train_dataset=dataset,
    callbacks=[clock],
    args=SFTConfig(
        output_dir="trl", max_steps=len(steps), per_device_train_batch_size=micro,
        gradient_accumulation_steps=len(steps[0]["micro"]) // spec["world"], learning_rate=steps[0]["rate"],
        lr_scheduler_type="constant", max_grad_norm=spec["clip"], weight_decay=0.0, optim="adamw_torch_fused",
        max_length=None, dataset_kwargs={"skip_prepare_dataset": True}, train_sampling_strategy="sequential", bf16=False,
        gradient_checkpointing=False, save_strategy="no", report_to="none", disable_tqdm=True, logging_steps=1,
        use_cpu=True, ddp_backend="gloo" if spec["world"] > 1 else None, dataloader_pin_memory=False)).train()
if os.environ["RANK"] == "0":
    print("\n" + json.dumps({"ends": clock.ends, "losses": clock.losses}), flush=True)
os._exit(0)
