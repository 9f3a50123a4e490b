"""Codes of 8-bit moments on a CPU."""

import torch
from torch import Tensor


def use_nearest_codes() -> None:
    """
    On a CPU, bitsandbytes looks codes up in a table that loses the small ones; as on a GPU and in the paper (Dettmers
    et al. 2022, arXiv 2110.02861), a moment shall have the nearest code. A release without such a place keeps its own.
    """
    from bitsandbytes.backends.cpu import ops

    if hasattr(ops, "_quant_blockwise_fp32_direct"):
        ops._quant_blockwise_fp32_direct = _nearest


def _nearest(values: Tensor, code: Tensor, largest: Tensor, out: Tensor, block: int) -> None:
    """Fills `largest` with the largest magnitude of each block, and `out` with codes; `code` ascends."""
    flat = values.flatten()
    blocks = torch.nn.functional.pad(flat, (0, -flat.numel() % block)).view(-1, block)
    largest.copy_(blocks.abs().amax(1))
    scaled = (blocks / largest.unsqueeze(1)).nan_to_num_(0.0)
    codes = torch.bucketize(scaled, (code[1:] + code[:-1]) / 2)
    out.view(-1).copy_(codes.flatten()[: flat.numel()].to(torch.uint8))
