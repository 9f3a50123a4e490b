"""The same step in transformers with PEFT: prints what was measured as JSON."""

import json
import re
import statistics
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

task = json.loads(sys.argv[1])
shape, rows, length, way = task["config"], task["rows"], task["length"], task["way"]
torch.manual_seed(1)
torch.set_num_threads(task["threads"])
model = LlamaForCausalLM(
    LlamaConfig(
        vocab_size=shape["vocabSize"],
        hidden_size=shape["hiddenSize"],
        intermediate_size=shape["intermediateSize"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        head_dim=shape["headDim"],
        num_key_value_heads=shape["keyValueHeads"],
        tie_word_embeddings=shape["tieEmbeddings"],
        max_position_embeddings=shape["maxPositions"],
        rms_norm_eps=shape["normEpsilon"],
    )
)
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
model = get_peft_model(
    model,
    LoraConfig(
        r=task["rank"],
        lora_alpha=2 * task["rank"],
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    ),
)
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
peak = int(re.search(r"VmHWM:\s*(\d+) kB", open("/proc/self/status").read()).group(1)) * 1024
print(
    json.dumps(
        {"tokensPerSecond": rows * length / statistics.median(seconds[1:]), "peakBytes": peak, "loss": loss.item()}
    )
)
