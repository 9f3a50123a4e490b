"""A rank's training from its specification to its result."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ftpc_driver.errors import DriverError
from ftpc_driver.events import Events
from ftpc_driver.models.load import add_adapter, load_base, train_whole
from ftpc_driver.models.loss import attach_loss
from ftpc_driver.models.names import file_names
from ftpc_driver.models.structure import causal_model
from ftpc_driver.parent import Parent
from ftpc_driver.spec import Spec
from ftpc_driver.training.checkpoints import Checkpoints
from ftpc_driver.training.loop import Interrupted, Loop
from ftpc_driver.training.memory import memory_of, peak_of
from ftpc_driver.training.optimizers import Optimizer
from ftpc_driver.training.randomness import add_noise
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.results import write_results
from ftpc_driver.training.rows import Batches, TokenRows
from ftpc_driver.training.step import Stepper
from ftpc_driver.training.validation import validation_loss


def train(spec: Spec, versions: Mapping[str, str | None], events: Events, parent: Parent) -> None:
    """Emits everything from `start` to `done`, or to `interrupted`."""
    ranks = Ranks(spec)
    model = prepared(spec, ranks)
    trained = file_names(model)
    optimizer = Optimizer(spec.optimizer, trained)
    folder = Path(spec.folder)

    def emit(event: str, **fields: Any) -> None:
        """Events of the training, which are those of the first rank."""
        if ranks.first:
            events.emit(event, **fields)

    checkpoints = Checkpoints(
        folder / "checkpoints",
        spec.digest,
        spec.keep,
        ranks,
        trained,
        optimizer,
        note=lambda text: emit("note", text=text),
    )
    loop = _loop(spec, ranks, model, checkpoints, optimizer, list(trained.values()), parent, emit)
    resumed = checkpoints.resume()
    events.emit(
        "start",
        pid=os.getpid(),
        rank=ranks.rank,
        world=ranks.world,
        device=str(ranks.device),
        sharding=spec.sharding.kind,
        versions=versions,
        resumed=None if resumed is None else resumed["step"],
        trained=sum(parameter.numel() for parameter in trained.values()),
    )
    parent.sign(lambda: events.emit("alive", rank=ranks.rank))
    try:
        state, ending = loop.run(resumed)
    except Interrupted as stop:
        emit("interrupted", step=stop.step, saved=stop.step > 0)
        return
    if ranks.first:
        write_results(folder / "result", state, checkpoints, trained)
    rss, cuda = peak_of(ranks.device)
    emit("done", ending=ending, step=state["step"], peak={"rss": ranks.gather(rss), "cuda": ranks.gather(cuda)})


def _loop(
    spec: Spec,
    ranks: Ranks,
    model: nn.Module,
    checkpoints: Checkpoints,
    optimizer: Optimizer,
    trained: list[nn.Parameter],
    parent: Parent,
    emit: Callable[..., None],
) -> Loop:
    first_label = 0 if spec.model.task == "classifier" else 1
    in_step = spec.sharding.kind in ("fsdp", "zero3")

    def batches(file: str) -> Batches:
        return Batches(TokenRows(file), spec.pad_id, first_label, ranks.device)

    stepper = Stepper(spec, ranks, model, trained, optimizer, batches(spec.rows.file), parent.advance)
    validation = spec.validation
    measure = None
    if validation is not None and validation.batches:
        held_out = batches(validation.file)
        measure = partial(
            validation_loss, model, validation, held_out, ranks, in_step, stepper.autocast, parent.advance
        )
    return Loop(
        spec=spec,
        ranks=ranks,
        stepper=stepper,
        checkpoints=checkpoints,
        validation_loss=measure,
        stopping=lambda: parent.stop,
        emit=emit,
        memory=lambda: memory_of(ranks.device),
    )


def prepared(spec: Spec, ranks: Ranks) -> nn.Module:
    """The model as it is trained, on this rank's device."""
    compute = torch.bfloat16 if spec.precision == "bf16" else torch.float32
    base = load_base(spec.model, compute, ranks.device)
    if spec.trained == "full":
        model: nn.Module = train_whole(base)
    elif spec.adapter is None:
        raise DriverError("bug", "the specification trains an adapter and names none")
    else:
        model = add_adapter(base, spec.adapter)
    transformer = causal_model(model)
    attach_loss(transformer, spec.logits_chunk)
    if spec.neftune is not None:
        add_noise(transformer.get_input_embeddings(), spec.neftune)
    return model.to(ranks.device).train()
