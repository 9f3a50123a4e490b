"""What is there to compute with, tried out: one JSON line for `ftpc doctor`."""

import sys
import warnings
from typing import Any

import torch

from ftpc_driver.events import Events
from ftpc_driver.versions import installed

# NF4 of numbers that are normally distributed is off by a tenth of their deviation on average.
NF4_ERROR = 0.2


def main(_arguments: list[str]) -> int:
    events = Events()
    warnings.simplefilter("ignore")
    events.emit(
        "facts",
        python=sys.version.split()[0],
        torch=torch.__version__,
        cuda=torch.version.cuda,
        gpus=gpus(),
        unusable=unusable(),
        nccl=nccl(),
        flash_attn=installed("flash_attn"),
        deepspeed=installed("deepspeed"),
        bitsandbytes=bitsandbytes(),
    )
    return 0


def gpus() -> list[dict[str, Any]]:
    if not torch.cuda.is_available():
        return []
    found = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        free, total = torch.cuda.mem_get_info(index)
        found.append(
            {
                "name": properties.name,
                "capability": f"{properties.major}.{properties.minor}",
                "memory": total,
                "free": free,
            }
        )
    return found


def unusable() -> str | None:
    """Why torch was built for CUDA and finds no GPU, where it says."""
    if torch.version.cuda is None or torch.cuda.is_available():
        return None
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return str(error).split("\n")[0]
    return None


def nccl() -> str | None:
    if not torch.cuda.is_available() or not torch.distributed.is_nccl_available():
        return None
    version = torch.cuda.nccl.version()  # type: ignore[no-untyped-call]
    return ".".join(str(part) for part in version)


def bitsandbytes() -> str | None:
    """Nothing where a matrix is quantised and read back as it should be on the device, else what is wrong."""
    if installed("bitsandbytes") is None:
        return "it is not installed"
    try:
        from bitsandbytes.functional import dequantize_4bit, quantize_4bit

        device = "cuda" if torch.cuda.is_available() else "cpu"
        weights = torch.randn(64, 64, generator=torch.Generator().manual_seed(7)).to(device)
        codes, state = quantize_4bit(weights, quant_type="nf4")
        error = (dequantize_4bit(codes, state) - weights).abs().mean().item()
        return None if error < NF4_ERROR else f"weights are off by {error:.2f} on average"
    except Exception as error:
        return f"{type(error).__name__}: {error}".split("\n")[0]
