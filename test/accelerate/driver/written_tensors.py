"""
`written_tensors.py FOLDER`: how many MiB more memory this process has once it has written 256 MiB of tensors, and whether what is
in the file is what was written, of tensors that share memory and of parts of others too.
"""

import json
import resource
import sys
from pathlib import Path

import torch
from ftpc_driver.training.files import write_tensors
from safetensors.torch import load_file

MIB = 2**20


def most_resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


path = Path(sys.argv[1]) / "tensors.safetensors"
whole = torch.arange(12.0).reshape(4, 3)
small = {"whole": whole, "same": whole, "rows": whole[1:3], "columns": whole.T, "number": torch.tensor(3.0)}
write_tensors(path, small)
read = load_file(path)
is_same = read.keys() == small.keys() and all(torch.equal(read[name], value) for name, value in small.items())
large = {f"tensor{number}": torch.ones(16 * MIB) for number in range(4)}
before = most_resident()
write_tensors(path, large)
print(json.dumps({"same": is_same, "more": (most_resident() - before) // MIB}))
