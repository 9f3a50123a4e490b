"""Cross entropy of supervised tokens alone: logits exist for them only, and for a chunk of them at a time."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
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
    #: The losses are wanted one by one, not their sum.
    apart: bool = False


#: `logits` `[n, classes]`, `targets` `[n]`, and the share of each loss that is the mean over all classes → `[n]`.
TokenLosses = Callable[[Tensor, Tensor, float], Tensor]

#: `states` `[n, width]`, `targets` `[n]` → `[n]`.
StateLosses = Callable[[Tensor, Tensor], Tensor]


def cross_entropies(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """In nats."""
    return cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)


def scores(logits: Tensor, _targets: Tensor, _smoothing: float = 0.0) -> Tensor:
    """Of a reward model, whose only logit is what it says."""
    return logits[:, 0]


def attach_loss(
    model: Any, chunk: int | None, smoothing: float = 0.0, of_tokens: TokenLosses = cross_entropies
) -> None:
    """
    From now on `model(…, supervised=Supervised)` gives the sum of the tokens' losses, times their weights, as float32
    `[]`, or each of them `[n]`; without `supervised`, the model computes what it always did. Logits of at most `chunk`
    tokens exist at a time. A frozen head computes them once: the gradient of its states comes with the losses. A
    trained head computes them again in the backward pass. Labels are smoothed in training mode alone.

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

    def losses_of(states: Tensor, targets: Tensor, outputs: Any) -> Tensor:
        share = smoothing if model.training else 0.0
        return of_tokens(logits_of(states, outputs).float(), targets, share)

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
        losses = _in_chunks(partial(losses_of, outputs=outputs), states, supervised.targets, chunk, is_frozen)
        if supervised.weights is not None:
            losses = losses * supervised.weights
        return losses if supervised.apart else losses.sum()

    model.forward = _either(original, loss)


def _either(original: Any, loss: Callable[[Supervised, dict[str, Any]], Tensor]) -> Any:
    """The loss where something is supervised."""

    @wraps(original)
    def forward(supervised: Supervised | None = None, labels: None = None, **inputs: Any) -> Any:
        return original(**inputs) if supervised is None else loss(supervised, inputs)

    return forward


def _in_chunks(losses_of: StateLosses, states: Tensor, targets: Tensor, chunk: int | None, is_frozen: bool) -> Tensor:
    if chunk is None or len(targets) <= chunk:
        return losses_of(states, targets)
    if is_frozen and torch.is_grad_enabled():
        whole: Tensor = _FrozenHead.apply(states, targets, chunk, losses_of)
        return whole
    parts = [slice(start, start + chunk) for start in range(0, len(targets), chunk)]
    return torch.cat([checkpoint(losses_of, states[part], targets[part], use_reentrant=False) for part in parts])


class _FrozenHead(torch.autograd.Function):
    """The losses `[n]` of chunks of states `[n, width]`, and with them the gradient of each by its own state."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, targets: Tensor, chunk: int, losses_of: StateLosses) -> Tensor:
        gradient = torch.empty_like(states)
        found = []
        for start in range(0, len(targets), chunk):
            here = slice(start, start + chunk)
            part = states[here].detach().requires_grad_()
            with torch.enable_grad():
                losses = losses_of(part, targets[here])
                (gradient[here],) = torch.autograd.grad(losses.sum(), part)
            found.append(losses.detach())
        ctx.save_for_backward(gradient)
        return torch.cat(found)

    @staticmethod
    def backward(ctx: Any, scales: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        scaled = torch.mul(gradient, scales.unsqueeze(1), out=torch.empty_like(gradient))
        return scaled, None, None, None


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
