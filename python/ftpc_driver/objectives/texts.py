"""Texts that end in an answer, and prompts with the answers of others."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ftpc_driver.training.rows import IGNORED, TokenRows, opened

#: A row that is asked, and the row whose answer follows: of a row's own text twice the same.
Pair = Sequence[int]


class Texts(TokenRows):
    """`answers` int32 `[rows]`: tokens of each answer, the last ones. `good` int32 `[rows]`: where they are judged."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        file = opened(path)
        self._answers: list[int] = file.get_tensor("answers").tolist()
        judged = "good" in file.keys()  # noqa: SIM118
        self._good: list[int] | None = file.get_tensor("good").tolist() if judged else None

    @property
    def are_pairs(self) -> bool:
        return self._good is None

    def __len__(self) -> int:
        return len(self._answers)

    def answer_of(self, row: int) -> int:
        return self._answers[row]

    def is_good(self, row: int) -> bool:
        """Whether the answer is a good one, or the chosen one of its pair."""
        return row % 2 == 0 if self._good is None else self._good[row] == 1


class Mismatched:
    """Prompts with the answers of others, numbered in their order, as rows of which the answers are supervised."""

    is_weighted = False

    def __init__(self, texts: Texts, pairs: Sequence[Pair], limit: int) -> None:
        self._texts, self._pairs, self._limit = texts, pairs, limit

    def _prompt(self, row: int) -> int:
        return self._texts.length_of(row) - self._texts.answer_of(row)

    def length_of(self, row: int) -> int:
        asked, answered = self._pairs[row]
        return min(self._limit, self._prompt(asked) + self._texts.answer_of(answered))

    def ids(self, row: int) -> Tensor:
        asked, answered = self._pairs[row]
        prompt, answer = self._prompt(asked), self._prompt(answered)
        return torch.cat([self._texts.ids(asked)[:prompt], self._texts.ids(answered)[answer:]])[: self._limit]

    def labels(self, row: int) -> Tensor:
        asked, answered = self._pairs[row]
        answer = self._texts.labels(answered)[self._prompt(answered) :]
        return torch.cat([answer.new_full((self._prompt(asked),), IGNORED), answer])[: self._limit]

    def weights(self, row: int) -> Tensor:
        return torch.ones(self.length_of(row))
