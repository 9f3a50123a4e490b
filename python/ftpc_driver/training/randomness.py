"""Seeds of dropout and noise: functions of step and micro batch, so that no generator's state is saved."""

import hashlib

import torch
from torch import Tensor, nn


def seed_of(seed: int, step: int, micro: int) -> int:
    """63 bits; the same whichever rank computes the micro batch."""
    digest = hashlib.blake2b(f"{seed} {step} {micro}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def add_noise(embedding: nn.Module, alpha: float) -> None:
    """
    NEFTune (Jain et al. 2023, arXiv 2310.05914), in training only: uniform noise of at most α ÷ √(length·width) on the
    embedded tokens `[rows, length, width]`, padding counted, as transformers' `neftune_post_forward_hook` adds it.
    """

    def hook(module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        if not module.training:
            return output
        bound = alpha / (output.shape[1] * output.shape[2]) ** 0.5
        return output + torch.empty_like(output).uniform_(-bound, bound)

    embedding.register_forward_hook(hook)
