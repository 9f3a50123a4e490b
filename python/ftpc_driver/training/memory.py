"""Memory of this process and of its GPU, in bytes."""

import os
import resource
from pathlib import Path
from typing import Any

import torch

PAGE = os.sysconf("SC_PAGE_SIZE")


def memory_of(device: torch.device) -> dict[str, Any]:
    """`rss` now; `memory` of the device: what tensors hold, and what the allocator has taken."""
    rss = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE if os.name == "posix" else 0
    if device.type != "cuda":
        return {"memory": None, "rss": rss}
    allocated, reserved = torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device)
    return {"memory": {"allocated": allocated, "reserved": reserved}, "rss": rss}


def peak_of(device: torch.device) -> tuple[int, int]:
    """The most that the process, and the allocator of its GPU, had at any time."""
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return rss, torch.cuda.max_memory_reserved(device) if device.type == "cuda" else 0
