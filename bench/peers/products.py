"""Float32 products through PyTorch, of the size that ftpc measures: prints {flopsPerSecond} as JSON."""

import json
import sys
import time

import torch

torch.set_num_threads(json.loads(sys.argv[1])["threads"])
rows, size, together = 1024, 512, 4
x, w, y = torch.randn(rows, size), torch.randn(size, size), torch.empty(rows, size)
torch.mm(x, w, out=y)
best, end = float("inf"), time.perf_counter() + 0.4
while time.perf_counter() < end:
    begun = time.perf_counter()
    for _ in range(together):
        torch.mm(x, w, out=y)
    best = min(best, time.perf_counter() - begun)
print(json.dumps({"flopsPerSecond": 2 * rows * size * size * together / best}))
