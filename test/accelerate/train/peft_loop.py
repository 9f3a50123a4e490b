"""
A training by PEFT and a plain loop of PyTorch, of what the driver was given: `python peft_loop.py SPEC RESULT [BASE]`. `BASE`: a folder
with the values of the base that the driver was given.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(1)
    folder = sys.argv[3] if len(sys.argv) > 3 else spec["model"]["folder"]
    sees = hasattr(AutoConfig.from_pretrained(folder), "vision_config")
    kind = AutoModelForImageTextToText if sees else AutoModelForCausalLM
    base = kind.from_pretrained(folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, spec["adapter"]["folder"], is_trainable=True).eval()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    options = spec["optimizer"]
    optimizer = torch.optim.SGD(trained, lr=1.0, momentum=options["momentum"])
    with safe_open(spec["rows"]["file"], "pt") as file:
        ids, labels, offsets = (file.get_tensor(name) for name in ("ids", "labels", "offsets"))
        weights = file.get_tensor("weights") if "weights" in file.keys() else torch.ones(len(ids))
    losses = []
    for line in Path(spec["steps"]).read_text().splitlines():
        step = json.loads(line)
        rows = [row for micro in step["micro"] for sequence in micro for row in sequence]
        cut = [slice(int(offsets[row]), int(offsets[row + 1])) for row in rows]
        supervised = sum(float(weights[each][1:][labels[each][1:] >= 0].sum()) for each in cut)
        total = 0.0
        for each in cut:
            logits = model(input_ids=ids[each].long()[None]).logits[0, :-1]
            losses_of = torch.nn.functional.cross_entropy(logits, labels[each][1:].long(), reduction="none")
            loss = (losses_of * weights[each][1:]).sum() / supervised
            loss.backward()
            total += float(loss)
        for group in optimizer.param_groups:
            group["lr"] = step["rate"]
        optimizer.step()
        optimizer.zero_grad()
        losses.append(total)
    target = Path(sys.argv[2])
    model.save_pretrained(target)
    (target / "losses.json").write_text(json.dumps(losses))


main()
