"""Cross entropy of supervised tokens alone: logits exist for them only, and for a chunk of them at a time."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from ftpc_driver.models.structure import decoder_of


@dataclass(frozen=True)
class Supervised:
    """What is predicted in a batch `[rows, length]`."""

    #: Rows and positions that are read, each `[n]`.
    rows: Tensor
    positions: Tensor
    #: Tokens, or classes, that come out there `[n]`.
    targets: Tensor
    #: Tokens of each row of the batch, padding included.
    length: int


def attach_loss(model: Any, chunk: int | None) -> None:
    """
    From now on `model(…, supervised=Supervised)` gives the sum of cross entropies, in nats, as float32 `[]`.

    The model's own head computes the logits, with whatever it does to them (soft caps, scales): its own forward runs
    over a decoder that hands out given states. A classifier's layer is read at the supervised token. The forward is
    replaced within the module, so that hooks of sharding and of adapters stay around it.
    """
    decoder, original = decoder_of(model), model.forward
    score = getattr(model, "score", None)

    def logits_of(states: Tensor, outputs: Any) -> Tensor:
        """`[n, width]` → `[n, classes]`"""
        if score is not None:
            return score(states)  # type: ignore[no-any-return]
        given = copy.copy(outputs)
        given.last_hidden_state = states.unsqueeze(0)
        with giving(decoder, given):
            return original(input_ids=None, use_cache=False).logits[0]  # type: ignore[no-any-return]

    def loss_of(states: Tensor, targets: Tensor, outputs: Any) -> Tensor:
        return cross_entropy(logits_of(states, outputs).float(), targets, reduction="sum")

    def forward(supervised: Supervised, labels: None = None, **inputs: Any) -> Tensor:
        given = {name: value for name, value in inputs.items() if value is not None}
        outputs = decoder(**given | {"use_cache": False})
        hidden = outputs.last_hidden_state
        # virtual tokens come before the text
        start = hidden.shape[1] - supervised.length
        states = hidden[supervised.rows, supervised.positions + start]
        # all that a head asks for but the states, which nothing need hold any longer
        outputs = copy.copy(outputs)
        outputs.last_hidden_state = states[:0]
        targets = supervised.targets
        if chunk is None or len(targets) <= chunk:
            return loss_of(states, targets, outputs)
        total = torch.zeros((), device=hidden.device)
        for part, wanted in zip(torch.split(states, chunk), torch.split(targets, chunk), strict=True):
            total = total + checkpoint(loss_of, part, wanted, outputs, use_reentrant=False)
        return total

    model.forward = forward


@contextmanager
def giving(module: Any, result: Any) -> Iterator[None]:
    """Within it, calling the module gives `result` and computes nothing."""
    before = module.__dict__.get("forward")
    module.forward = lambda *_args, **_options: result
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before
