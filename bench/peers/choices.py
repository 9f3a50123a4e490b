"""The same questions in lm-evaluation-harness: prints the least time of several as JSON, without what loads model and rows."""

import json
import sys
import time
from pathlib import Path

import torch
from lm_eval.models.huggingface import HFLM

folder, path, name, repeats, threads = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
sys.path.insert(0, folder)
import record

torch.set_num_threads(threads)
where = (
    {"pretrained": str(path.parent), "gguf_file": path.name} if path.suffix == ".gguf" else {"pretrained": str(path)}
)
model = HFLM(**where, device="cpu", dtype="float32", batch_size=16)
asked = model.loglikelihood
seconds = 0.0


def timed(*args, **kwargs):
    global seconds
    started = time.perf_counter()
    answers = asked(*args, **kwargs)
    seconds += time.perf_counter() - started
    return answers


model.loglikelihood = timed
rows = [json.loads(line) for line in (Path(folder) / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
tasks = [task for task in record.tasks(rows) if task[0].split("/")[0] == name]
least = float("inf")
for _ in range(repeats + 1):
    seconds = 0.0
    for task in tasks:
        record.evaluate(model, *task)
    least = min(least, seconds)
print(json.dumps({"seconds": least}))
