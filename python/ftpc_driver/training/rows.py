"""Tokenised rows, read one at a time from their file, and batches of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ftpc_driver.models.loss import Supervised
from ftpc_driver.spec import Padding

IGNORED = -100


class Rows(Protocol):
    """What batches are made of."""

    def length_of(self, row: int) -> int: ...

    def ids(self, row: int) -> Tensor: ...

    def labels(self, row: int) -> Tensor: ...

    def weights(self, row: int) -> Tensor: ...

    @property
    def is_weighted(self) -> bool: ...


class TokenRows:
    """
    `ids`, `labels` int32 `[tokens]`, `offsets` int64 `[rows + 1]`: row r is tokens offsets[r] to offsets[r + 1]. Where
    tokens do not count alike, `weights` float32 `[tokens]`.
    """

    def __init__(self, path: str) -> None:
        file = opened(path)
        self._ids = file.get_slice("ids")
        self._labels = file.get_slice("labels")
        self._weights = file.get_slice("weights") if "weights" in file.keys() else None  # noqa: SIM118
        self._offsets: list[int] = file.get_tensor("offsets").tolist()

    def length_of(self, row: int) -> int:
        return self._offsets[row + 1] - self._offsets[row]

    def ids(self, row: int) -> Tensor:
        found: Tensor = self._ids[self._offsets[row] : self._offsets[row + 1]]
        return found

    @property
    def is_weighted(self) -> bool:
        return self._weights is not None

    def weights(self, row: int) -> Tensor:
        """How much the loss of each token counts."""
        if self._weights is None:
            return torch.ones(self.length_of(row))
        found: Tensor = self._weights[self._offsets[row] : self._offsets[row + 1]]
        return found

    def labels(self, row: int) -> Tensor:
        found: Tensor = self._labels[self._offsets[row] : self._offsets[row + 1]]
        return found


def opened(path: str) -> Any:
    from safetensors import safe_open

    return safe_open(path, framework="pt")


@dataclass(frozen=True)
class Batch:
    #: What the model is called with: `input_ids` `[rows, length]`, `position_ids` where sequences hold several rows.
    inputs: dict[str, Any]
    #: Supervised tokens, each by its weight.
    count: float
    #: Tokens of the longest sequence, without padding.
    longest: int
    #: Supervised tokens of each sequence.
    counts: list[int]


class Batches:
    """
    Makes batches on a device. No attention mask is needed: what pads a row comes after all that is read, and packed
    rows are told apart by positions that start again.
    """

    def __init__(self, rows: Rows, pad_id: int, padding: Padding, first_label: int, device: torch.device) -> None:
        self._rows = rows
        self._pad_id, self._padding = pad_id, padding
        #: The first position of a row whose label counts: 1 for tokens, which follow something, 0 for classes.
        self._first_label = first_label
        self._device = device

    def over(self, rows: Rows) -> "Batches":
        """The same of other rows."""
        return Batches(rows, self._pad_id, self._padding, self._first_label, self._device)

    def supervised(self, sequences: Sequence[Sequence[int]]) -> float:
        """Supervised tokens of some sequences of rows, each by its weight."""
        return sum(self._supervised_in(row) for rows in sequences for row in rows)

    def _supervised_in(self, row: int) -> float:
        counts = self._rows.labels(row)[self._first_label :] != IGNORED
        if not self._rows.is_weighted:
            return int(counts.sum())
        return float(self._rows.weights(row)[self._first_label :][counts].sum(dtype=torch.float64))

    def tokens(self, sequences: Sequence[Sequence[int]]) -> int:
        return sum(self._rows.length_of(row) for rows in sequences for row in rows)

    def make(self, sequences: Sequence[Sequence[int]], count_none: bool = False, apart: bool = False) -> Batch:
        """
        One row of the batch for each sequence of rows; under `count_none` nothing is supervised. `apart`: the loss of
        each token is wanted.
        """
        lengths = [sum(self._rows.length_of(row) for row in rows) for rows in sequences]
        longest = max(lengths)
        shape = (len(sequences), self._padding.length(longest))
        ids = torch.full(shape, self._pad_id, dtype=torch.int64)
        labels = torch.full(shape, IGNORED, dtype=torch.int64)
        # each token of padding is a text of its own
        places = torch.zeros(shape, dtype=torch.int64)
        weights = torch.ones(shape) if self._rows.is_weighted else None
        for index, rows in enumerate(sequences):
            at = 0
            for row in rows:
                end = at + self._rows.length_of(row)
                ids[index, at:end] = self._rows.ids(row)
                labels[index, at + self._first_label : end] = self._rows.labels(row)[self._first_label :]
                places[index, at:end] = torch.arange(end - at)
                if weights is not None:
                    weights[index, at:end] = self._rows.weights(row)
                at = end
        if count_none:
            labels.fill_(IGNORED)
        where = (labels != IGNORED).nonzero()
        counted = None if weights is None else weights[where[:, 0], where[:, 1]]
        inputs: dict[str, Any] = {"input_ids": self._there(ids)}
        if any(len(rows) > 1 for rows in sequences):
            inputs["position_ids"] = self._there(places)
        inputs["supervised"] = Supervised(
            rows=self._there(where[:, 0]),
            positions=self._there(where[:, 1] - self._first_label),
            targets=self._there(labels[where[:, 0], where[:, 1]]),
            length=shape[1],
            weights=None if counted is None else self._there(counted),
            apart=apart,
        )
        count = len(where) if counted is None else float(counted.sum(dtype=torch.float64))
        return Batch(inputs, count, longest, (labels != IGNORED).sum(1).tolist())

    def _there(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._device, non_blocking=True)
