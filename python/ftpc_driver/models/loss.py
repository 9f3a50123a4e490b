"""Cross entropy of supervised tokens alone: logits exist for them only, and for a chunk of them at a time."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
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
    #: How much each loss counts, `[n]`; none: all alike.
    weights: Tensor | None = None


def summed_loss(logits: Tensor, targets: Tensor, weights: Tensor | None, smoothing: float = 0.0) -> Tensor:
    """
    `logits` `[n, classes]`, `targets` and `weights` `[n]`: the sum of the losses, each times its weight. `smoothing`:
    share of each loss that is the mean over all classes.
    """
    if weights is None:
        return cross_entropy(logits, targets, reduction="sum", label_smoothing=smoothing)
    return (cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing) * weights).sum()


def part_of(weights: Tensor | None, part: slice) -> Tensor | None:
    return None if weights is None else weights[part]


def attach_loss(model: Any, chunk: int | None, smoothing: float = 0.0) -> None:
    """
    From now on `model(…, supervised=Supervised)` gives the sum of cross entropies, in nats, times their weights, as
    float32 `[]`; without `supervised`, the model computes what it always did. Logits of at most `chunk` tokens exist at
    a time. A frozen head computes them once: the gradient of its states comes with the loss. A trained head computes
    them again in the backward pass. Labels are smoothed in training mode alone.

    The model's own head computes the logits, with whatever it does to them (soft caps, scales): its own forward runs
    over a decoder that hands out given states. A classifier's layer is read at the supervised token. The forward is
    replaced within the module, so that hooks of sharding and of adapters stay around it.
    """
    decoder, original = decoder_of(model), model.forward
    score = getattr(model, "score", None)
    head = model.get_output_embeddings() if score is None else score
    is_frozen = head is not None and not any(parameter.requires_grad for parameter in head.parameters())

    def logits_of(states: Tensor, outputs: Any) -> Tensor:
        """`[n, width]` → `[n, classes]`"""
        if score is not None:
            return score(states)  # type: ignore[no-any-return]
        given = copy.copy(outputs)
        given.last_hidden_state = states.unsqueeze(0)
        with giving(decoder, given):
            return original(input_ids=None, use_cache=False).logits[0]  # type: ignore[no-any-return]

    def loss_of(states: Tensor, targets: Tensor, weights: Tensor | None, outputs: Any) -> Tensor:
        share = smoothing if model.training else 0.0
        return summed_loss(logits_of(states, outputs).float(), targets, weights, share)

    def loss(supervised: Supervised, inputs: dict[str, Any]) -> Tensor:
        given = {name: value for name, value in inputs.items() if value is not None}
        outputs = decoder(**given | {"use_cache": False})
        hidden = outputs.last_hidden_state
        # virtual tokens come before the text
        start = hidden.shape[1] - supervised.length
        states = hidden[supervised.rows, supervised.positions + start]
        # all that a head asks for but the states, which nothing need hold any longer
        outputs = copy.copy(outputs)
        outputs.last_hidden_state = states[:0]
        targets, weights = supervised.targets, supervised.weights
        if chunk is None or len(targets) <= chunk:
            return loss_of(states, targets, weights, outputs)
        if is_frozen and torch.is_grad_enabled():
            whole: Tensor = _FrozenHead.apply(
                states, targets, weights, chunk, lambda part, wanted, counts: loss_of(part, wanted, counts, outputs)
            )
            return whole
        total = torch.zeros((), device=hidden.device)
        for start in range(0, len(targets), chunk):
            part = slice(start, start + chunk)
            counts = part_of(weights, part)
            total = total + checkpoint(loss_of, states[part], targets[part], counts, outputs, use_reentrant=False)
        return total

    model.forward = _either(original, loss)


def _either(original: Any, loss: Callable[[Supervised, dict[str, Any]], Tensor]) -> Any:
    """The loss where something is supervised."""

    @wraps(original)
    def forward(supervised: Supervised | None = None, labels: None = None, **inputs: Any) -> Any:
        return original(**inputs) if supervised is None else loss(supervised, inputs)

    return forward


class _FrozenHead(torch.autograd.Function):
    """The sum of the losses of chunks of states `[n, width]`, and with it the states' gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        targets: Tensor,
        weights: Tensor | None,
        chunk: int,
        loss_of: Callable[[Tensor, Tensor, Tensor | None], Tensor],
    ) -> Tensor:
        gradient = torch.empty_like(states)
        total = torch.zeros((), device=states.device)
        for start in range(0, len(targets), chunk):
            part = states[start : start + chunk].detach().requires_grad_()
            with torch.enable_grad():
                here = slice(start, start + chunk)
                loss = loss_of(part, targets[here], part_of(weights, here))
            (gradient[start : start + chunk],) = torch.autograd.grad(loss, part)
            total += loss.detach()
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, None, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * scale, None, None, None, None


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
