"""One optimiser step over a global batch, of which this rank computes its share."""

import math
from collections.abc import Callable
from typing import Any, NotRequired, TypedDict

import torch
from torch import nn

from ftpc_driver.errors import DriverError
from ftpc_driver.models.packing import check_packing
from ftpc_driver.models.structure import causal_model, evaluating
from ftpc_driver.spec import Spec
from ftpc_driver.training.learning import Learned, Learning, Share
from ftpc_driver.training.optimizers import Optimizer
from ftpc_driver.training.randomness import Draws
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.sharding import Trained


class PlannedStep(TypedDict):
    """A line of the file of steps."""

    rate: float
    epoch: float
    #: Micro batches of sequences of rows.
    micro: list[list[list[int]]]
    #: Where the objective reads them: prompts with the answers of others, in batches.
    others: NotRequired[list[list[list[int]]]]


class Abandoned(Exception):  # noqa: N818
    """A rank that is alone was told to stop within a step, which has changed nothing."""


class Taken(TypedDict):
    learned: Learned
    grad_norm: float
    tokens: int


class Stepper:
    """
    Micro batch j belongs to rank j modulo world; under fsdp a rank without one computes a batch that counts for
    nothing, since its peers wait for its part of the weights.
    """

    def __init__(
        self,
        spec: Spec,
        ranks: Ranks,
        model: nn.Module,
        trained: Trained,
        optimizer: Optimizer,
        learning: Learning,
        autocast: Callable[[], Any],
        draws: Draws,
        advance: Callable[[], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._spec, self._ranks, self._model = spec, ranks, model
        self._trained, self._optimizer, self._learning = trained, optimizer, learning
        self._autocast, self._draws = autocast, draws
        self._advance, self._stopping = advance, stopping
        self._keeps_apart = False

    def take(self, step: int, planned: PlannedStep) -> Taken:
        """Parameters change only at the end, so that a step that fails has changed nothing."""
        micro = planned["micro"]
        if not self._keeps_apart and any(len(rows) > 1 for sequences in micro for rows in sequences):
            self._check_packing()
        share = self._learning.share(micro, planned.get("others"))
        self._trained.clear()
        self._accumulate(step, micro, share)
        learned = share.learned()
        if not math.isfinite(learned.loss):
            raise not_finite("loss", learned.loss, step, planned["rate"])
        norm = self._clipped()
        if not math.isfinite(norm):
            raise not_finite("gradient norm", norm, step, planned["rate"])
        self._optimizer.step(planned["rate"])
        tokens = sum(self._learning.tokens(sequences) for sequences in micro)
        return Taken(learned=learned, grad_norm=norm, tokens=tokens)

    def _check_packing(self) -> None:
        vocabulary = causal_model(self._model).config.get_text_config().vocab_size
        exact = self._spec.precision == "f32" and self._spec.model.dtype == "float32"
        with evaluating(self._model), self._autocast():
            check_packing(self._model, vocabulary, 1e-5 if exact else 5e-3, lambda each: each.to(self._ranks.device))
        self._keeps_apart = True

    def _accumulate(self, step: int, micro: list[list[list[int]]], share: Share) -> None:
        """Adds up the gradients of this rank's micro batches."""
        for index in self._ranks.turns(len(micro), self._spec.sharding.kind == "fsdp"):
            self._advance()
            if self._ranks.world == 1 and self._stopping():
                raise Abandoned
            idle = index >= len(micro)
            sequences = micro[-1 if idle else index]
            batch = share.batch(sequences, idle)
            self._draws.begin(step, index, batch.longest)
            share.loss(batch, sequences, idle).backward()  # type: ignore[no-untyped-call]

    def _clipped(self) -> float:
        """The global norm of the gradients, summed over the ranks; they then have at most the norm that is allowed."""
        gradients = self._trained.gradients()
        if not self._trained.is_sharded:
            self._ranks.add_up(gradients)
        squares = torch.stack(torch._foreach_norm(gradients)).double().square().sum().item()
        norm = math.sqrt(self._ranks.sum([squares])[0] if self._trained.is_sharded else squares)
        limit = self._spec.clip
        if limit is not None and norm + 1e-6 > limit and math.isfinite(norm):
            torch._foreach_mul_(gradients, limit / (norm + 1e-6))
        return norm


def not_finite(what: str, value: float, step: int, rate: float) -> DriverError:
    said = "not a number" if math.isnan(value) else "infinite"
    text = f"the {what} of step {step} is {said}; its learning rate was {rate}"
    return DriverError("not_finite", text, step=step, what=what, value=str(value), rate=rate)
