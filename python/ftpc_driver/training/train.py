"""A rank's training from its specification to its result."""

import contextlib
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

from ftpc_driver.errors import DriverError
from ftpc_driver.events import Events
from ftpc_driver.models.load import add_adapter, train_whole
from ftpc_driver.models.loss import attach_loss, cross_entropies, scores
from ftpc_driver.models.names import file_names
from ftpc_driver.models.pissa import take_off
from ftpc_driver.models.recompute import recompute
from ftpc_driver.models.structure import blocks_of, causal_model
from ftpc_driver.objectives.other_model import Asking
from ftpc_driver.objectives.preferring import Preferring
from ftpc_driver.objectives.references import References, as_reference, references
from ftpc_driver.objectives.texts import Texts
from ftpc_driver.parent import Parent
from ftpc_driver.spec import Preferences, Reference, Spec
from ftpc_driver.training.answers import Answering, AnswersJudge
from ftpc_driver.training.checkpoints import Checkpoints
from ftpc_driver.training.learning import Learning, Writing
from ftpc_driver.training.loop import Interrupted, Loop
from ftpc_driver.training.memory import memory_of, peak_of
from ftpc_driver.training.optimizers import Optimizer
from ftpc_driver.training.randomness import Draws, add_noise, count_dropout
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.results import write_results
from ftpc_driver.training.rows import Batches, TokenRows
from ftpc_driver.training.sharding import Trained, shard, watch_blocks
from ftpc_driver.training.shared_base import read_base
from ftpc_driver.training.step import Stepper
from ftpc_driver.training.validation import validated


def train(spec: Spec, versions: Mapping[str, str | None], events: Events, parent: Parent) -> None:
    """Emits everything from `start` to `done`, or to `interrupted`."""
    ranks = Ranks(spec, lambda text: events.emit("note", text=text))
    parent.sign(lambda: events.emit("alive", rank=ranks.rank, **memory_of(ranks.device)))
    draws = Draws(spec.seed, ranks.device)
    folder = Path(spec.folder)

    def emit(event: str, **fields: Any) -> None:
        """Events of the training, which are those of the first rank."""
        if ranks.first:
            events.emit(event, **fields)

    def emit_end(event: str, **fields: Any) -> None:
        """How it ended is said once on each machine: to whoever watches the ranks there."""
        if ranks.local == 0:
            events.emit(event, **fields)

    try:
        # before the base is there, next to which it would be in memory
        others = _said_by_other(spec, ranks, parent, emit)
        model = shard(prepared(spec, ranks, draws), spec, ranks).train()
        watch_blocks(model, parent.advance)
        trained = Trained(file_names(model))
        optimizer = Optimizer(spec.optimizer, trained.parts, _sum if trained.is_sharded else _same)
        checkpoints = Checkpoints(
            folder / "checkpoints",
            spec.digest,
            spec.keep,
            ranks,
            trained,
            optimizer,
            note=lambda text: emit("note", text=text),
        )
        # what a reference says is asked before the model is what a checkpoint has
        loop = _loop(spec, ranks, model, checkpoints, optimizer, trained, draws, parent, emit, others)
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
            trained=sum(parameter.numel() for parameter in trained.parameters.values()),
        )
        state, ending = loop.run(resumed)
    except Interrupted as stop:
        emit_end("interrupted", step=stop.step, saved=stop.step > 0)
        return
    whole = causal_model(model) if spec.trained == "full" else None
    write_results(folder / "result", state, checkpoints, trained, whole, ranks)
    rss, cuda = peak_of(ranks.device)
    emit_end("done", ending=ending, step=state["step"], peak={"rss": ranks.gather(rss), "cuda": ranks.gather(cuda)})
    ranks.barrier()


def _loop(
    spec: Spec,
    ranks: Ranks,
    model: nn.Module,
    checkpoints: Checkpoints,
    optimizer: Optimizer,
    trained: Trained,
    draws: Draws,
    parent: Parent,
    emit: Callable[..., None],
    others: Mapping[str, References],
) -> Loop:
    autocast = _autocast(spec, ranks)
    wanted = spec.preferences

    def learning(file: str, reference: Reference | None) -> Learning:
        rows = TokenRows(file) if wanted is None else Texts(file)
        first_label = 0 if spec.model.task == "classifier" else 1
        batches = Batches(rows, spec.pad_id, spec.padding, first_label, ranks.device)
        if wanted is None or not isinstance(rows, Texts):
            return Writing(model, batches, ranks, autocast)
        preferring = _preferring(spec, wanted, model, rows, batches, ranks, autocast)
        preferring.references = others.get(file)
        if reference is not None and preferring.references is None:
            pause, told = _asking(ranks, parent, emit)
            preferring.pause = pause
            with as_reference(model, is_its_start=spec.trained == "full" or spec.pissa, ranks=ranks):
                preferring.references = references(reference, len(rows), preferring.ask, ranks, told)
        preferring.pause = parent.advance
        return preferring

    def stopping() -> bool:
        return parent.stop

    learned = learning(spec.rows.file, None if wanted is None else wanted.reference)
    stepper = Stepper(spec, ranks, model, trained, optimizer, learned, autocast, draws, parent.advance, stopping)
    validation, measure, judge = spec.validation, None, None
    if validation is not None and validation.batches:
        held_out = learning(validation.file, None if wanted is None else wanted.validation_reference)
        in_step = spec.sharding.kind == "fsdp"
        measure = partial(validated, model, held_out, validation, ranks, in_step, parent.advance)
        if spec.answers is not None:
            answering = Answering(spec, spec.answers, model, validation.file, ranks, autocast)
            judge = AnswersJudge(answering, spec.answers, ranks, parent, emit)
    return Loop(
        spec=spec,
        ranks=ranks,
        stepper=stepper,
        checkpoints=checkpoints,
        validate=measure,
        measure_answers=judge,
        stopping=stopping,
        emit=emit,
        memory=lambda: memory_of(ranks.device),
    )


def _autocast(spec: Spec, ranks: Ranks) -> Callable[[], Any]:
    if spec.precision == "bf16":
        return partial(torch.autocast, ranks.device.type, torch.bfloat16)
    return contextlib.nullcontext


def _said_by_other(spec: Spec, ranks: Ranks, parent: Parent, emit: Callable[..., None]) -> Mapping[str, References]:
    """By the files of rows; nothing where the base is the reference."""
    wanted = spec.preferences
    if wanted is None or wanted.other is None or wanted.reference is None:
        return {}
    asking = Asking(spec, wanted, wanted.other, ranks, _autocast(spec, ranks), *_asking(ranks, parent, emit))
    found = {spec.rows.file: asking.of(spec.rows.file, wanted.reference)}
    if spec.validation is not None and wanted.validation_reference is not None:
        found[spec.validation.file] = asking.of(spec.validation.file, wanted.validation_reference)
    asking.close()
    return found


def _asking(
    ranks: Ranks, parent: Parent, emit: Callable[..., None]
) -> tuple[Callable[[], None], Callable[[int, int], None]]:
    """What is called between micro batches, and when a piece of what is asked is known."""

    def pause() -> None:
        """While the reference is asked, nothing is lost by an end."""
        parent.advance()
        if ranks.world == 1 and parent.stop:
            raise Interrupted(0)

    def told(done: int, total: int) -> None:
        emit("reference", done=done, total=total)
        if ranks.sum([float(parent.stop)])[0] > 0:
            raise Interrupted(0)

    return pause, told


def _preferring(
    spec: Spec,
    wanted: Preferences,
    model: nn.Module,
    texts: Texts,
    batches: Batches,
    ranks: Ranks,
    autocast: Callable[[], Any],
) -> Preferring:
    return Preferring(
        objective=wanted.objective,
        model=model,
        texts=texts,
        batches=batches,
        limit=wanted.limit,
        ranks=ranks,
        in_step=spec.sharding.kind == "fsdp",
        autocast=autocast,
        pause=lambda: None,
    )


def prepared(spec: Spec, ranks: Ranks, draws: Draws) -> nn.Module:
    """The model as it is trained, not yet shared by the ranks."""
    compute = torch.bfloat16 if spec.precision == "bf16" else torch.float32
    base = read_base(spec, compute, ranks)
    if spec.trained == "full":
        model: nn.Module = train_whole(base, None if spec.head is None else spec.head.file)
    elif spec.adapter is None:
        raise DriverError("bug", "the specification trains an adapter and names none")
    else:
        model = add_adapter(base, spec.adapter)
        count_dropout(model, draws, spec.dropout or {})
    if spec.pissa:
        take_off(model)
    transformer = causal_model(model)
    recompute(blocks_of(transformer)[: spec.checkpointed_blocks])
    gives_scores = spec.preferences is not None and spec.preferences.objective.kind == "reward"
    of_tokens = scores if gives_scores else cross_entropies
    attach_loss(transformer, spec.logits_chunk, spec.label_smoothing, of_tokens)
    if spec.neftune is not None:
        add_noise(transformer.get_input_embeddings(), spec.neftune, draws)
    return model


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _sum(tensor: Tensor) -> Tensor:
    dist.all_reduce(tensor)
    return tensor
