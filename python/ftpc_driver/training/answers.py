"""What a model that is being trained answers to rows of its validation; the parent says what that is worth."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ftpc_driver.models.structure import causal_model, evaluating
from ftpc_driver.parent import Parent
from ftpc_driver.spec import Answers, Spec
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.rows import TokenRows
from ftpc_driver.training.state import AnswersMeasured, Repetition
from ftpc_driver.worker.evaluation import classify
from ftpc_driver.worker.generation import Choice, Row, groups, grow
from ftpc_driver.worker.opened import Opened

#: Tokens that are told of in one event, about.
TOLD = 20_000


@dataclass
class Together(Opened):
    """Where blocks are gathered from all ranks, each computes whenever another does."""

    ranks: Ranks | None = None

    def run(self, inputs: dict[str, Any]) -> Any:
        if self.ranks is not None:
            self.ranks.sum([1.0])
        return super().run(inputs)

    def idle(self) -> None:
        """Until no rank computes any longer."""
        token = torch.zeros((1, 1), dtype=torch.int64, device=self.device)
        nothing = {"input_ids": token, "attention_mask": torch.ones_like(token), "use_cache": False}
        while self.ranks is not None and self.ranks.sum([0.0])[0] > 0:
            super().run(nothing)


class Answering:
    """The answers of the model as it is then; batch j belongs to rank j modulo world."""

    def __init__(
        self, spec: Spec, answers: Answers, model: nn.Module, file: str, ranks: Ranks, autocast: Callable[[], Any]
    ) -> None:
        self._spec, self._answers, self._model = spec, answers, model
        self._rows, self._ranks, self._autocast = TokenRows(file), ranks, autocast

    def answers(self) -> list[list[int]]:
        """Tokens of the answer to each row, or its class alone; on every rank all of them."""
        with evaluating(self._model), torch.no_grad(), self._autocast(), _whole(self._model):
            opened = self._opened()
            own: dict[int, list[int]] = {}
            for batch in self._answers.batches[self._ranks.rank :: self._ranks.world]:
                own |= self._classes(opened, batch) if self._spec.model.labels else self._grown(opened, batch)
            opened.idle()
        return self._gathered(own)

    def _opened(self) -> Together:
        model = causal_model(self._model)
        adapter = getattr(self._model, "active_peft_config", None)
        return Together(
            model=model,
            device=self._ranks.device,
            vocabulary=int(model.config.get_text_config().vocab_size),
            takes=frozenset(inspect.signature(model.forward).parameters),
            virtual=self._model if adapter is not None and adapter.is_prompt_learning else None,
            ranks=self._ranks if self._spec.sharding.kind == "fsdp" else None,
        )

    def _grown(self, opened: Opened, batch: list[int]) -> dict[int, list[int]]:
        rows = [Row(at, self._prompt(at), self._answers.limits[at], at) for at in batch if self._answers.limits[at] > 0]
        for group in groups(opened, rows):
            grow(opened, group, Choice(frozenset(self._answers.stop_ids)), lambda _told: None, lambda: None)
        return {row.number: row.ids for row in rows}

    def _classes(self, opened: Opened, batch: list[int]) -> dict[int, list[int]]:
        logits = classify(opened, [self._prompt(at) for at in batch], self._spec.pad_id)
        return {at: [int(row.argmax())] for at, row in zip(batch, logits, strict=True)}

    def _prompt(self, at: int) -> list[int]:
        ids: list[int] = self._rows.ids(self._answers.rows[at])[: self._answers.prompts[at]].tolist()
        return ids

    def _gathered(self, own: dict[int, list[int]]) -> list[list[int]]:
        """Of each row, a number more than there are tokens in its answer, and these."""
        width = 1 + max([1, *self._answers.limits])
        table = torch.zeros((len(self._answers.rows), width), dtype=torch.float64)
        for at, ids in own.items():
            table[at, : len(ids) + 1] = torch.tensor([len(ids), *ids], dtype=torch.float64)
        summed = torch.tensor(self._ranks.sum(table.flatten().tolist())).view_as(table).long().tolist()
        return [row[1 : row[0] + 1] for row in summed]


@contextmanager
def _whole(model: Any) -> Iterator[None]:
    """Within it, what a sharded model has besides its blocks is whole: the model within it is called by itself."""
    if not hasattr(model, "unshard"):
        yield
        return
    model.unshard()
    try:
        yield
    finally:
        model.reshard()


class AnswersJudge:
    """Tells the parent of this rank what was answered, and all ranks what it says of that."""

    def __init__(self, answering: Answering, answers: Answers, ranks: Ranks, parent: Parent, emit: Any) -> None:
        self._answering, self._answers, self._ranks = answering, answers, ranks
        self._parent, self._emit = parent, emit

    def __call__(self, step: int, loss: float) -> AnswersMeasured | None:
        answers = self._answering.answers()
        told = self._tell(step, loss, answers) if self._ranks.first else None
        metrics = self._answers.metrics
        repetition = {} if told is None else told.get("repetition", {})
        figures = [0.0] * (len(metrics) + 4)
        if told is not None:
            figures = [1.0, *(told["metrics"][name] for name in metrics)]
            figures += [float(repetition.get(name, 0)) for name in ("share", "usual", "tooMuch")]
        known, *values = self._ranks.sum(figures)
        if known == 0:
            return None
        share, usual, too_much = values[-3:]
        measured = AnswersMeasured(metrics=dict(zip(metrics, values, strict=False)))
        if self._answers.watches_repetition:
            measured["repetition"] = Repetition(share=share, usual=usual, tooMuch=too_much > 0)
        return measured

    def _tell(self, step: int, loss: float, answers: list[list[int]]) -> Any:
        part: list[list[int]] = []
        for at, ids in enumerate(answers):
            part.append(ids)
            last = at + 1 == len(answers)
            if last or sum(map(len, part)) > TOLD:
                self._emit("answers", step=step, loss=loss, answers=part, last=last)
                part = []
        return self._parent.measured()
