"""The order of a training: steps, validations, checkpoints, endings; as `src/compute/training/loop.ts` has it."""

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from ftpc_driver.spec import Plateau, Spec
from ftpc_driver.training.checkpoints import Checkpoints
from ftpc_driver.training.learning import Learned
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.state import (
    AnswersMeasured,
    Measured,
    PreferenceFigures,
    State,
    StepRecord,
    fresh_state,
    repeats,
    take_in,
)
from ftpc_driver.training.step import Abandoned, PlannedStep, Stepper, not_finite

Ending = Literal["steps", "patience", "wall", "repetition"]


class Interrupted(Exception):  # noqa: N818
    """A stop was asked for; what was computed is saved."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}")
        self.step = step


@dataclass(frozen=True)
class Loop:
    spec: Spec
    ranks: Ranks
    stepper: Stepper
    checkpoints: Checkpoints
    #: What the validation comes to; `None` where there is none.
    validate: Callable[[], Learned] | None
    #: Measures what the model answers, by the step and its validation loss; `None`: the ranks are to stop.
    measure_answers: Callable[[int, float], AnswersMeasured | None] | None
    #: Whether this rank was told to stop.
    stopping: Callable[[], bool]
    emit: Callable[..., None]
    #: Fields of a step's event about memory.
    memory: Callable[[], dict[str, Any]]

    def run(self, resumed: State | None) -> tuple[State, Ending]:
        """Trains to the end. Whether to stop, and how late it is, is asked of all ranks together, once a step."""
        spec, state = self.spec, resumed or fresh_state()
        planned = _planned(spec.steps, state["step"])
        before, start = state["seconds"], time.monotonic()
        saved = state["step"]

        def agree() -> bool:
            """Sets the time that was spent as the first rank has it; whether any rank is to stop."""
            spent = before + time.monotonic() - start if self.ranks.first else 0.0
            stop, state["seconds"] = self.ranks.sum([float(self.stopping()), spent])
            return stop > 0

        while True:
            stop = agree()
            ending = _ending(state, spec)
            validates = ending is not None or state["step"] % (spec.validate_every or spec.every) == 0
            due = state["step"] > state["checked"] and (validates or state["step"] % spec.every == 0)
            if stop:
                if saved < state["step"]:
                    self._save(state)
                raise Interrupted(state["step"])
            if due:
                if validates and not self._validate(state):
                    continue
                state["checked"] = saved = state["step"]
                agree()
                self._save(state)
            elif ending is not None:
                return state, ending
            else:
                with contextlib.suppress(Abandoned):
                    self._step(state, next(planned))

    def _step(self, state: State, planned: PlannedStep) -> None:
        step, start = state["step"] + 1, time.monotonic()
        if self.spec.plateau is not None:
            fallen = after_plateaus(self.spec.plateau, [each["loss"] for each in state["validations"]])
            planned = {**planned, "rate": planned["rate"] * fallen}
        taken = self.stepper.take(step, planned)
        learned = taken["learned"]
        record = StepRecord(
            step=step,
            epoch=planned["epoch"],
            loss=learned.loss,
            learningRate=planned["rate"],
            gradNorm=taken["grad_norm"],
            tokens=taken["tokens"],
            seconds=time.monotonic() - start,
        )
        if learned.preference is not None:
            record["preference"] = learned.preference
        state["step"] = step
        state["steps"].append(record)
        self.emit("step", **record, **self.memory())

    def _validate(self, state: State) -> bool:
        """Whether it came to its end: a stop may come before it."""
        if self.validate is None:
            return True
        loss, preference = self.validate()
        step = state["step"]
        if not math.isfinite(loss):
            raise not_finite("validation loss", loss, step, state["steps"][-1]["learningRate"])
        measured = Measured(step=step, loss=loss)
        if preference is not None:
            measured["metrics"] = _named(preference)
        if self.measure_answers is not None:
            of_answers = self.measure_answers(step, loss)
            if of_answers is None:
                return False
            measured = Measured(step=step, loss=loss, **of_answers)
        best = take_in(state, measured, self.spec)
        self.emit("validation", **measured, best=best)
        return True

    def _save(self, state: State) -> None:
        path = self.checkpoints.save(state)
        self.emit("checkpoint", step=state["step"], path=str(path))


def _named(figures: PreferenceFigures) -> dict[str, float]:
    """As metrics of the validation are called."""
    names = {"chosen": "reward_chosen", "rejected": "reward_rejected", "accuracy": "reward_accuracy", "kl": "kl"}
    return {name: value for figure, name in names.items() if (value := figures.get(figure)) is not None}  # type: ignore[misc]


def _ending(state: State, spec: Spec) -> Ending | None:
    if repeats(state, spec):
        return "repetition"
    if state["step"] >= spec.total_steps:
        return "steps"
    if spec.patience is not None and state["stale"] >= spec.patience:
        return "patience"
    if spec.wall is not None and state["step"] > 0 and state["seconds"] >= spec.wall:
        return "wall"
    return None


def after_plateaus(plateau: Plateau, losses: list[float]) -> float:
    """What is left of the rate after these validations, as PyTorch's `ReduceLROnPlateau` has it."""
    best, worse, left = math.inf, 0, 1.0
    for loss in losses:
        if loss < best * (1 - plateau.threshold):
            best, worse = loss, 0
        else:
            worse += 1
        if worse > plateau.patience:
            left, worse = max(left * plateau.factor, plateau.low), 0
    return left


def _planned(path: str, done: int) -> Iterator[PlannedStep]:
    """The steps that are still to be taken, read a line at a time."""
    with Path(path).open() as lines:
        for line in islice(lines, done, None):
            yield json.loads(line)
