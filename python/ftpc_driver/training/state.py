"""The state of a training except its tensors: the JSON of the embedded engine, field for field."""

from typing import TypedDict


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


class Measured(TypedDict):
    step: int
    loss: float


class State(TypedDict):
    #: Optimiser steps taken.
    step: int
    #: The last step after which validation and checkpoint were done.
    checked: int
    #: The step with the lowest validation loss.
    best: Measured | None
    #: Validations since the best one.
    stale: int
    #: Time spent so far, over all runs.
    seconds: float
    steps: list[StepRecord]
    validations: list[Measured]


def fresh_state() -> State:
    return State(step=0, checked=0, best=None, stale=0, seconds=0.0, steps=[], validations=[])
