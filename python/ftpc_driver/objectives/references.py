"""What a model that does not learn says of answers: asked before training, a piece at a time, and kept."""

import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ftpc_driver.models.names import file_names
from ftpc_driver.models.structure import evaluating
from ftpc_driver.objectives.texts import Pair
from ftpc_driver.spec import Reference
from ftpc_driver.training.files import manifest_of, replace, sync, write_manifest, write_tensors
from ftpc_driver.training.ranks import Ranks

SUMS = "sums.safetensors"

#: Micro batches of pairs → the sum of each answer's log-probabilities, in order; the same on all ranks.
Ask = Callable[[Sequence[Sequence[Pair]]], list[float]]


class References:
    """Sums of log-probabilities by pairs; `rows`: of the file, whose numbers pairs have."""

    def __init__(self, pairs: list[Pair], sums: list[float], rows: int) -> None:
        self._rows = rows
        keys = torch.tensor([self._key(pair) for pair in pairs], dtype=torch.int64)
        self._keys, order = keys.sort()
        self._sums = torch.tensor(sums, dtype=torch.float64)[order]

    def of(self, pairs: Sequence[Pair]) -> Tensor:
        """`[pairs]`, of pairs that were asked."""
        keys = torch.tensor([self._key(pair) for pair in pairs], dtype=torch.int64)
        return self._sums[torch.searchsorted(self._keys, keys)]

    def _key(self, pair: Pair) -> int:
        asked, answered = pair
        return asked * self._rows + answered


def references(wanted: Reference, rows: int, ask: Ask, ranks: Ranks, told: Callable[[int, int], None]) -> References:
    """
    Answers to all that will be asked for. Pieces are always cut in one way, so that a training which was stopped
    among them ends with the same bytes. `told`: how many pairs are known, and of how many.
    """
    pairs: list[Pair] = []
    sums: list[float] = []
    folder = Path(wanted.folder)
    with Path(wanted.file).open() as lines:
        for number, line in enumerate(lines):
            micro: list[list[Pair]] = json.loads(line)
            piece = [pair for batch in micro for pair in batch]
            path = folder / f"{number:06d}"
            found = _kept(path, len(piece), ranks)
            pairs += piece
            if found is None:
                found = ask(micro)
                if ranks.first:
                    _keep(path, found)
                told(len(pairs), wanted.pairs)
            sums += found
    ranks.barrier()
    return References(pairs, sums, rows)


def _kept(path: Path, count: int, ranks: Ranks) -> list[float] | None:
    """What the first rank finds, on all of them."""
    from safetensors.torch import load_file

    known = ranks.first and manifest_of(path) is not None
    values = load_file(path / SUMS)["sums"].tolist() if known else [0.0] * count
    there, *found = ranks.sum([float(known), *values])
    return found if there > 0 else None


def _keep(path: Path, sums: list[float]) -> None:
    partial = path.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_tensors(partial / SUMS, {"sums": torch.tensor(sums, dtype=torch.float64)})
    write_manifest(partial)
    sync(partial)
    replace(partial, path)


@contextmanager
def as_reference(model: Any, is_its_start: bool, ranks: Ranks) -> Iterator[nn.Module]:
    """
    Within it, a model that has not learned yet is the base alone. `is_its_start`: what is trained begins as the base
    says, since it is the base's own weights or was taken off them.
    """
    if is_its_start:
        with evaluating(model), torch.no_grad():
            yield model
        return
    with _own_biases(model, ranks), evaluating(model), torch.no_grad(), warnings.catch_warnings():
        # PEFT warns of the biases that are put back here
        warnings.filterwarnings("ignore", message=".*disabling adapter layers with bias")
        with model.disable_adapter():
            yield model


@contextmanager
def _own_biases(model: Any, ranks: Ranks) -> Iterator[None]:
    """PEFT trains biases in their place: without its adapter, a model would still have those of the adapter."""
    own: dict[str, Tensor] = model.biases_of_base
    parameters = {name: parameter for name, parameter in file_names(model).items() if name in own}
    trained = {name: parameter.data for name, parameter in parameters.items()}
    for name, parameter in parameters.items():
        # where the first rank reads the base alone, the others have none
        ranks.share(own[name])
        parameter.data = own[name].to(parameter.device)
    try:
        yield
    finally:
        for name, parameter in parameters.items():
            parameter.data = trained[name]
