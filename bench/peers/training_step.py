"""The same step in transformers with PEFT: prints what was measured as JSON."""

import json
import statistics
import sys
import time

import torch
from llama import llama, lora, peak_bytes
from peft import get_peft_model

task = json.loads(sys.argv[1])
shape, rows, length, way = task["config"], task["rows"], task["length"], task["way"]
torch.manual_seed(1)
torch.set_num_threads(task["threads"])
model = llama(shape)
if way["method"] == "qlora":
    import bitsandbytes as bnb

    for path, linear in [*model.model.layers.named_modules()]:
        if isinstance(linear, torch.nn.Linear):
            quantised = bnb.nn.Linear4bit(
                linear.in_features, linear.out_features, bias=False, compute_dtype=torch.float32, quant_type="nf4"
            )
            quantised.weight = bnb.nn.Params4bit(linear.weight.data, False, quant_type="nf4")
            model.model.layers.set_submodule(path, quantised.to("cpu"))
    model.is_loaded_in_4bit = True
if way["mode"] == "checkpointed":
    model.gradient_checkpointing_enable()
    model.enable_input_require_grads()
    model.config.use_cache = False
model = get_peft_model(model, lora(task["rank"]))
model.train()
if way["mode"] == "compiled":
    model.compile()
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0)
ids = ((torch.arange(rows * length) * 7919 + 17) % shape["vocabSize"]).reshape(rows, length)
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
seconds = []
for _ in range(task["steps"] + 1):
    begun = time.perf_counter()
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    seconds.append(time.perf_counter() - begun)
peak = peak_bytes()
print(
    json.dumps(
        {"tokensPerSecond": rows * length / statistics.median(seconds[1:]), "peakBytes": peak, "loss": loss.item()}
    )
)
