"""One optimiser step over a global batch, of which this rank computes its share."""

import contextlib
import math
from collections.abc import Callable
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from ftpc_driver.errors import DriverError
from ftpc_driver.models.packing import check_packing
from ftpc_driver.models.structure import causal_model, evaluating
from ftpc_driver.spec import Spec
from ftpc_driver.training.optimizers import Optimizer
from ftpc_driver.training.randomness import Draws
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.rows import Batches
from ftpc_driver.training.sharding import Trained


class PlannedStep(TypedDict):
    """A line of the file of steps."""

    rate: float
    epoch: float
    #: Micro batches of sequences of rows.
    micro: list[list[list[int]]]


class Abandoned(Exception):  # noqa: N818
    """A rank that is alone was told to stop within a step, which has changed nothing."""


class Taken(TypedDict):
    loss: float
    grad_norm: float
    tokens: int


class Stepper:
    """
    The loss of a step is the sum of cross entropies over the supervised tokens of the whole global batch, divided by
    their number. Micro batch j belongs to rank j modulo world; under fsdp a rank without one computes a batch that
    counts for nothing, since its peers wait for its part of the weights.
    """

    def __init__(
        self,
        spec: Spec,
        ranks: Ranks,
        model: nn.Module,
        trained: Trained,
        optimizer: Optimizer,
        batches: Batches,
        draws: Draws,
        advance: Callable[[], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._spec, self._ranks, self._model = spec, ranks, model
        self._trained, self._optimizer, self._batches = trained, optimizer, batches
        self._draws = draws
        self._advance, self._stopping = advance, stopping
        self._keeps_apart = False
        self.autocast: Callable[[], Any] = contextlib.nullcontext
        if spec.precision == "bf16":
            self.autocast = lambda: torch.autocast(ranks.device.type, torch.bfloat16)

    def take(self, step: int, planned: PlannedStep) -> Taken:
        """Parameters change only at the end, so that a step that fails has changed nothing."""
        micro = planned["micro"]
        if not self._keeps_apart and any(len(rows) > 1 for sequences in micro for rows in sequences):
            self._check_packing()
        supervised = sum(self._batches.supervised(sequences) for sequences in micro)
        scale = 1 / supervised if supervised > 0 else 0.0
        self._trained.clear()
        total = self._accumulate(step, micro, scale)
        (loss,) = self._ranks.sum([total.item() * scale])
        if not math.isfinite(loss):
            raise not_finite("loss", loss, step, planned["rate"])
        norm = self._clipped()
        if not math.isfinite(norm):
            raise not_finite("gradient norm", norm, step, planned["rate"])
        self._optimizer.step(planned["rate"])
        tokens = sum(self._batches.tokens(sequences) for sequences in micro)
        return Taken(loss=loss, grad_norm=norm, tokens=tokens)

    def _check_packing(self) -> None:
        vocabulary = causal_model(self._model).config.get_text_config().vocab_size
        exact = self._spec.precision == "f32" and self._spec.model.dtype == "float32"
        with evaluating(self._model), self.autocast():
            check_packing(self._model, vocabulary, 1e-5 if exact else 5e-3, lambda each: each.to(self._ranks.device))
        self._keeps_apart = True

    def _accumulate(self, step: int, micro: list[list[list[int]]], scale: float) -> Tensor:
        """The sum of this rank's losses; their gradients are scaled and added up."""
        rank, world = self._ranks.rank, self._ranks.world
        total = torch.zeros((), device=self._ranks.device)
        rounds = range(rank, len(micro), world)
        if self._spec.sharding.kind == "fsdp":
            rounds = range(rank, math.ceil(len(micro) / world) * world, world)
        for index in rounds:
            self._advance()
            if self._ranks.world == 1 and self._stopping():
                raise Abandoned
            idle = index >= len(micro)
            batch = self._batches.make(micro[-1] if idle else micro[index], count_none=idle)
            self._draws.begin(step, index, batch.longest)
            with self.autocast():
                loss = self._model(**batch.inputs)
            (loss * scale).backward()
            total += loss.detach()
        return total

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
