"""bitsandbytes on the CPU: seconds that one thread takes to read tensors of a file and to quantise them to NF4, double.

python nf4.py FILE NAME…"""

import sys
import time

import bitsandbytes.functional as F
import torch
from safetensors import safe_open

path, *names = sys.argv[1:]
torch.set_num_threads(1)


def quantise():
    with safe_open(path, "pt") as file:
        for name in names:
            # as transformers hands it over with load_in_4bit
            F.quantize_4bit(file.get_tensor(name), quant_type="nf4", compress_statistics=True)


quantise()
begun = time.perf_counter()
quantise()
print(time.perf_counter() - begun)
