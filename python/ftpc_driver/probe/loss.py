"""Bytes per logit of the loss, and what the update of an optimiser makes besides its state."""

from typing import Any

import torch
from torch import nn

from ftpc_driver.models.loss import Supervised, attach_loss
from ftpc_driver.probe.blocks import Variant, tiny_model
from ftpc_driver.probe.sizes import Architecture
from ftpc_driver.probe.storages import Storages

VOCABULARIES, ROWS, LENGTH = (4096, 8192), (2, 4), 32


def bytes_per_logit(architecture: Architecture, variant: Variant) -> float:
    """At its fullest: what more tokens take for each token of a vocabulary."""
    size = next(iter(architecture.sizes()))
    peaks = {
        (vocabulary, rows): _peak(tiny_model(architecture.config(size, 1, vocabulary), variant), rows, variant)
        for vocabulary in VOCABULARIES
        for rows in ROWS
    }
    (less, more), (few, many) = VOCABULARIES, ROWS
    added = peaks[more, many] - peaks[more, few] - peaks[less, many] + peaks[less, few]
    return added / ((more - less) * (many - few) * LENGTH)


def _peak(model: Any, rows: int, variant: Variant) -> int:
    attach_loss(model, None)
    shape = (rows, LENGTH)
    where = torch.ones(shape).nonzero()
    ids = torch.ones(shape, dtype=torch.int64)
    supervised = Supervised(where[:, 0], where[:, 1], ids.flatten(), LENGTH)
    storages = Storages()
    with storages:
        storages.add([*model.parameters(), *model.buffers()])
        storages.peaks.clear()
        storages.begin("step")
        with variant.autocast():
            loss = model(input_ids=ids, supervised=supervised)
        loss.backward()
    return storages.peaks["step"]


def bytes_of_update(make: Any, device: str) -> dict[str, float]:
    """
    Of an optimiser's second step, per number: of all that are trained, and of the largest tensor alone. `make`: gives
    the optimiser for parameters by their names; `device`: whose defaults it has.
    """
    alike, apart = _update(make, device, [64, 64, 64, 64]), _update(make, device, [128, 64, 32, 32])
    # alike = 256 all + 64 largest, apart = 256 all + 128 largest; in rows of 64 numbers
    largest = (apart - alike) / (64 * 64)
    return {"all": (alike - 64 * 64 * largest) / (256 * 64), "largest": largest}


def _update(make: Any, device: str, rows: list[int]) -> int:
    parameters = {f"part{index}.weight": nn.Parameter(torch.ones(count, 64)) for index, count in enumerate(rows)}
    optimizer = make(parameters)
    for parameter in parameters.values():
        parameter.grad = torch.ones_like(parameter)
    for group in optimizer.groups:
        # where nothing is asked for, GPUs update all tensors at once
        if device == "cuda" and group.get("foreach", False) is None and not group.get("fused"):
            group["foreach"] = True
    optimizer.step(1e-3)
    storages = Storages()
    with storages:
        gradients = [parameter.grad for parameter in parameters.values() if parameter.grad is not None]
        storages.add([*parameters.values(), *gradients, *optimizer.state().values()])
        there = storages.bytes
        storages.peaks.clear()
        storages.begin("step")
        optimizer.step(1e-3)
    return storages.peaks["step"] - there
