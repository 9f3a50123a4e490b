"""Blocks whose activations are computed twice instead of being kept."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def recompute(blocks: Iterable[nn.Module]) -> None:
    """
    The backward pass of these blocks runs their forward once more. The forward within a block is replaced, so that
    hooks of sharding stay outside; the keys and values of a prefix are handed over as a copy: blocks add to them.
    """
    for block in blocks:
        block.forward = _recomputed(block, block.forward)


def _recomputed(block: nn.Module, original: Any) -> Any:
    def forward(*args: Any, **options: Any) -> Any:
        if not (block.training and torch.is_grad_enabled()):
            return original(*args, **options)

        def run(*given: Any) -> Any:
            return original(*given, **{name: _own(value) for name, value in options.items()})

        return checkpoint(run, *args, use_reentrant=False)

    return forward


def _own(value: Any) -> Any:
    """A copy of a cache that shares its tensors."""
    if not hasattr(value, "layers"):
        return value
    own = copy.copy(value)
    own.layers = [copy.copy(layer) for layer in value.layers]
    return own
