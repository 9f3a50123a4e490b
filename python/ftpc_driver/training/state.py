"""The state of a training except its tensors: the JSON of the embedded engine, field for field."""

from typing import NotRequired, TypedDict

from ftpc_driver.spec import Spec


class PreferenceFigures(TypedDict):
    """Means over the rows of a batch of preferences."""

    #: Rewards of chosen and of rejected, or of good and of bad answers; absent where there are none.
    chosen: NotRequired[float]
    rejected: NotRequired[float]
    #: Share of the pairs whose chosen answer has the higher reward.
    accuracy: NotRequired[float]
    #: How far the model is from the reference by answers to other prompts, in nats each.
    kl: NotRequired[float]


class StepRecord(TypedDict):
    #: From 1.
    step: int
    #: Passes over the rows after this step.
    epoch: float
    #: Mean over the supervised tokens of the global batch, in nats.
    loss: float
    learningRate: float
    #: Before clipping.
    gradNorm: float
    #: Tokens without padding.
    tokens: int
    seconds: float
    #: Of preferences.
    preference: NotRequired[PreferenceFigures]


class Repetition(TypedDict):
    #: Of what answers say, the part that they have said before; and that of the references.
    share: float
    usual: float
    tooMuch: bool


class AnswersMeasured(TypedDict):
    #: By metric.
    metrics: dict[str, float]
    repetition: NotRequired[Repetition]


class Measured(TypedDict):
    step: int
    loss: float
    metrics: NotRequired[dict[str, float]]
    repetition: NotRequired[Repetition]


class State(TypedDict):
    #: Optimiser steps taken.
    step: int
    #: The last step after which validation and checkpoint were done.
    checked: int
    #: The best validation: the one with the lowest loss, or the best by the metric that was chosen.
    best: Measured | None
    #: Validations since the best one.
    stale: int
    #: Time spent so far, over all runs.
    seconds: float
    steps: list[StepRecord]
    validations: list[Measured]


def fresh_state() -> State:
    return State(step=0, checked=0, best=None, stale=0, seconds=0.0, steps=[], validations=[])


def take_in(state: State, measured: Measured, spec: Spec) -> bool:
    """Adds a validation to the state; whether it is the best so far. Answers that end a training are never the best."""
    counts = not (spec.ends_repeating and _repeats(measured))
    best = counts and (state["best"] is None or _is_better(measured, state["best"], spec))
    state["validations"].append(measured)
    state["best"] = measured if best else state["best"]
    state["stale"] = 0 if best else state["stale"] + 1
    return best


def repeats(state: State, spec: Spec) -> bool:
    """Whether a training ends as its answers repeat themselves: in two validations in a row, or in the last one."""
    if not spec.ends_repeating:
        return False
    last, before = ([None, None] + state["validations"])[-1:-3:-1]
    return _repeats(last) and (_repeats(before) or state["step"] >= spec.total_steps)


def _repeats(measured: Measured | None) -> bool:
    return measured is not None and "repetition" in measured and measured["repetition"]["tooMuch"]


def _is_better(one: Measured, other: Measured, spec: Spec) -> bool:
    if spec.best is None:
        return one["loss"] < other["loss"]
    a, b = (each["metrics"][spec.best.metric] for each in (one, other))
    return a > b if spec.best.higher_is_better else a < b
