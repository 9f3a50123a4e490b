"""What a training learns from: the share that a rank computes of a global batch, and what all shares come to."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.rows import Batch, Batches
from ftpc_driver.training.state import PreferenceFigures

#: Sequences of rows, as a micro batch has them.
Sequences = Sequence[Sequence[int]]


class Learned(NamedTuple):
    loss: float
    preference: PreferenceFigures | None = None


class Share(Protocol):
    """
    Of a global batch: `batch` makes one of its micro batches, and `loss` computes that as a part of the whole, whose
    losses and gradients are the sums of the parts'. `idle`: the micro batch is computed and counts for nothing.
    """

    def batch(self, sequences: Sequences, idle: bool) -> Batch: ...

    def loss(self, batch: Batch, sequences: Sequences, idle: bool) -> Tensor: ...

    def learned(self) -> Learned:
        """Of the parts of all ranks together."""
        ...


class Learning(Protocol):
    def share(self, micro: Sequence[Sequences], others: Sequence[Sequence[Sequence[int]]] | None) -> Share:
        """`others`: prompts with the answers of others, in batches; all ranks call it together."""
        ...

    def tokens(self, sequences: Sequences) -> int: ...


class Writing:
    """
    The loss is the sum of cross entropies over the supervised tokens of the whole global batch, divided by their
    number.
    """

    def __init__(self, model: nn.Module, batches: Batches, ranks: Ranks, autocast: Callable[[], Any]) -> None:
        self.model, self.batches, self.ranks, self.autocast = model, batches, ranks, autocast

    def share(self, micro: Sequence[Sequences], others: object = None) -> "WritingShare":
        return WritingShare(self, sum(self.batches.supervised(sequences) for sequences in micro))

    def tokens(self, sequences: Sequences) -> int:
        return self.batches.tokens(sequences)


class WritingShare:
    def __init__(self, writing: Writing, supervised: float) -> None:
        self._writing = writing
        self._scale = 1 / supervised if supervised > 0 else 0.0
        self._total = torch.zeros((), dtype=torch.float64, device=writing.ranks.device)

    def batch(self, sequences: Sequences, idle: bool) -> Batch:
        return self._writing.batches.make(sequences, count_none=idle)

    def loss(self, batch: Batch, sequences: Sequences, idle: bool) -> Tensor:
        with self._writing.autocast():
            loss: Tensor = self._writing.model(**batch.inputs)
        self._total += loss.detach()
        return loss * self._scale

    def learned(self) -> Learned:
        (loss,) = self._writing.ranks.sum([self._total.item() * self._scale])
        return Learned(loss)
