"""The loss of a global batch of preferences, a micro batch at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ftpc_driver.models.structure import evaluating
from ftpc_driver.objectives.formulas import Answers, cross_entropy_weight, labelled, pairwise
from ftpc_driver.objectives.references import References
from ftpc_driver.objectives.texts import Mismatched, Pair, Texts
from ftpc_driver.spec import Objective
from ftpc_driver.training.learning import Learned, Sequences
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.rows import Batch, Batches
from ftpc_driver.training.state import PreferenceFigures


@dataclass
class Preferring:
    """
    Means are over the rows, and cross entropies over the tokens, of the whole global batch: how that is cut into micro
    batches, and shared by ranks, changes nothing.
    """

    objective: Objective
    model: nn.Module
    texts: Texts
    batches: Batches
    #: Tokens of a prompt with the answer of another, at most.
    limit: int
    ranks: Ranks
    #: Every rank computes whenever another does.
    in_step: bool
    autocast: Callable[[], Any]
    #: Called before each micro batch of `ask`; may raise.
    pause: Callable[[], None]
    references: References | None = None

    def share(self, micro: Sequence[Sequences], others: Sequence[Sequence[Pair]] | None) -> "PreferenceShare":
        kl = None if others is None else self._divergence(others)
        return PreferenceShare(self, [row for sequences in micro for (row,) in sequences], kl)

    def tokens(self, sequences: Sequences) -> int:
        return self.batches.tokens(sequences)

    def ask(self, micro: Sequence[Sequence[Pair]]) -> list[float]:
        """The sum of each answer's log-probabilities, in order, on all ranks. Without gradients."""
        starts = [0]
        for pairs in micro:
            starts.append(starts[-1] + len(pairs))
        sums = [0.0] * starts[-1]
        for index in self.ranks.turns(len(micro), self.in_step):
            self.pause()
            idle = index >= len(micro)
            pairs = micro[-1 if idle else index]
            rows = Mismatched(self.texts, pairs, self.limit)
            batch = self.batches.over(rows).make([[row] for row in range(len(pairs))], count_none=idle, apart=True)
            with self.autocast():
                losses: Tensor = self.model(**batch.inputs)
            if not idle:
                found = [-piece.sum() for piece in torch.split(losses.double(), batch.counts)]
                sums[starts[index] : starts[index + 1]] = torch.stack(found).tolist()
        return self.ranks.sum(sums)

    def referred(self, texts: Sequence[int]) -> Tensor:
        """`[texts]`: what the reference says of their answers, 0 where there is none."""
        if self.references is None:
            return torch.zeros(len(texts), dtype=torch.float64, device=self.ranks.device)
        return self.references.of([(text, text) for text in texts]).to(self.ranks.device)

    def _divergence(self, others: Sequence[Sequence[Pair]]) -> float:
        """How far the policy is from the reference, by answers to other prompts; never below 0, and a constant."""
        if self.references is None:
            return 0.0
        with evaluating(self.model), torch.no_grad():
            sums = torch.tensor(self.ask(others), dtype=torch.float64)
        ratios = sums - self.references.of([pair for pairs in others for pair in pairs])
        return max(0.0, float(ratios.mean()))


class PreferenceShare:
    def __init__(self, preferring: Preferring, texts: list[int], kl: float | None) -> None:
        self._preferring, self._kl = preferring, kl
        own = preferring.texts
        self._rows = len(texts) // 2 if own.are_pairs else len(texts)
        weight = cross_entropy_weight(preferring.objective)
        chosen = [[text] for text in texts if own.is_good(text)]
        self._per_token = weight and weight / max(1, preferring.batches.supervised(chosen))
        # loss; sums and numbers of the rewards of chosen and of rejected answers; pairs in their right order
        self._tally = torch.zeros(6, dtype=torch.float64, device=preferring.ranks.device)

    def batch(self, sequences: Sequences, idle: bool) -> Batch:
        return self._preferring.batches.make(sequences, count_none=idle, apart=True)

    def loss(self, batch: Batch, sequences: Sequences, idle: bool) -> Tensor:
        own = self._preferring
        with own.autocast():
            losses: Tensor = own.model(**batch.inputs)
        if idle:
            return losses.sum()
        texts = [row for (row,) in sequences]
        pieces = torch.split(losses.double(), batch.counts)
        answers = [
            piece[max(0, len(piece) - own.texts.answer_of(row)) :] for piece, row in zip(pieces, texts, strict=True)
        ]
        # the model gives cross entropies, which are log-probabilities with the other sign, but scores as they are
        sign = 1 if own.objective.kind == "reward" else -1
        found = Answers(
            sums=sign * torch.stack([answer.sum() for answer in answers]),
            tokens=losses.new_tensor([len(answer) for answer in answers], dtype=torch.float64),
            references=own.referred(texts),
        )
        if own.texts.are_pairs:
            return self._of_pairs(found, torch.stack([piece.sum() for piece in pieces[: len(texts) // 2]]))
        return self._of_judged(found, [own.texts.is_good(text) for text in texts])

    def _of_pairs(self, answers: Answers, cross_entropies: Tensor) -> Tensor:
        """The first half is chosen; `cross_entropies`: of all of its supervised tokens."""
        half = len(cross_entropies)
        chosen, rejected = (
            Answers(answers.sums[side], answers.tokens[side], answers.references[side])
            for side in (slice(half), slice(half, None))
        )
        pairs = pairwise(self._preferring.objective, chosen, rejected)
        loss = pairs.losses.sum() / self._rows + self._per_token * cross_entropies.sum()
        right = (pairs.chosen > pairs.rejected).sum()
        self._count(loss, pairs.chosen, pairs.rejected, right)
        return loss

    def _of_judged(self, answers: Answers, are_good: list[bool]) -> Tensor:
        good = torch.tensor(are_good, device=answers.sums.device)
        losses, rewards = labelled(self._preferring.objective, answers, good, self._kl or 0.0)
        loss = losses.sum() / self._rows
        self._count(loss, rewards[good], rewards[~good], loss.new_zeros(()))
        return loss

    def _count(self, loss: Tensor, chosen: Tensor, rejected: Tensor, right: Tensor) -> None:
        counted = [loss.new_tensor(float(len(rewards))) for rewards in (chosen, rejected)]
        figures = [loss, chosen.sum(), counted[0], rejected.sum(), counted[1], right.double()]
        self._tally += torch.stack(figures).detach()

    def learned(self) -> Learned:
        loss, chosen, good, rejected, bad, right = self._preferring.ranks.sum(self._tally.tolist())
        figures = PreferenceFigures()
        if good > 0:
            figures["chosen"] = chosen / good
        if bad > 0:
            figures["rejected"] = rejected / bad
        if self._preferring.texts.are_pairs and self._rows > 0:
            figures["accuracy"] = right / self._rows
        if self._kl is not None:
            figures["kl"] = self._kl
        return Learned(loss, figures)
