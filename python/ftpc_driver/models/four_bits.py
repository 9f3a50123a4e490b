"""Weights in NF4 on a CPU."""

from ctypes import c_longlong
from typing import Any

import torch
from torch import nn

#: Outputs that bitsandbytes packs together for its products in bfloat16.
_PACKED_ROWS = 32


def use_running_blocks() -> None:
    """
    bitsandbytes quantises a matrix in blocks that run on from row to row. With AVX-512, its CPU kernel looks constants
    up as if every row began a block: rows whose length is no multiple of 64 get those of other weights (0.50.2). Here
    it is handed rows of one block, or all as one row. A release without such a place keeps its own.
    """
    from bitsandbytes.backends.cpu import ops

    if hasattr(ops, "lib") and not isinstance(ops.lib, _RunningBlocks):
        ops.lib = _RunningBlocks(ops.lib)


class _RunningBlocks:
    """The native library of bitsandbytes, with kernels that dequantise NF4 of any shape."""

    def __init__(self, native: Any) -> None:
        self._native = native

    def __getattr__(self, name: str) -> Any:
        kernel = getattr(self._native, name)
        return _running(kernel) if name.startswith("cdequantize_blockwise_cpu_nf4_") else kernel


def _running(kernel: Any) -> Any:
    def call(codes: Any, constants: Any, out: Any, block: c_longlong, rows: c_longlong, width: c_longlong) -> None:
        if width.value % block.value:
            values = rows.value * width.value
            width = c_longlong(values if values % block.value else block.value)
            rows = c_longlong(values // width.value)
        kernel(codes, constants, out, block, rows, width)

    return call


def keep_products(model: nn.Module, compute: torch.dtype) -> None:
    """
    In evaluation on a CPU with AVX512-BF16, bitsandbytes packs every matrix for products in bfloat16, whatever type it
    was told to compute in, and fails where outputs are no multiple of 32 or inputs none of a block: such layers, and
    all of a model that computes in float32, are dequantised, as in training.
    """
    layers: list[Any] = [module for module in model.modules() if type(module).__name__ == "Linear4bit"]
    for layer in layers:
        inputs, outputs, block = layer.in_features, layer.out_features, layer.weight.blocksize
        if compute != torch.bfloat16 or inputs % block or outputs % _PACKED_ROWS:
            layer.support_avx512bf16_for_cpu = False
