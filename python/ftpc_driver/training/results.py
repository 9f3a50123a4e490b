"""What a training leaves behind: the best tensors, the last ones, and its state."""

import shutil
from pathlib import Path
from typing import Any

from ftpc_driver.training.checkpoints import Checkpoints
from ftpc_driver.training.files import replace, sync, write_json, write_tensors
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.sharding import Trained
from ftpc_driver.training.state import State


def write_results(
    folder: Path, state: State, checkpoints: Checkpoints, trained: Trained, whole: Any, ranks: Ranks
) -> None:
    """
    `best` has the lowest validation loss, or is the last where nothing was validated. `whole`: the model of
    transformers, if every weight of it was trained; `None` for an adapter. The state is written last.
    """
    if ranks.first:
        folder.mkdir(parents=True, exist_ok=True)
    best = state["best"]["step"] if state["best"] is not None else state["step"]
    if whole is not None:
        _write_model(folder / "last", whole, ranks)
        if best != state["step"]:
            checkpoints.fill(best)
            _write_model(folder / "best", whole, ranks)
        elif ranks.first:
            _copy(folder / "last", folder / "best")
    elif ranks.first:
        partial = folder / "tensors.partial"
        write_tensors(partial, dict(trained.parts))
        replace(partial, folder / "last.safetensors")
        last = best == state["step"]
        _copy(folder / "last.safetensors" if last else checkpoints.file_of(best), folder / "best.safetensors")
    if ranks.first:
        write_json(folder / "state.partial", state)
        replace(folder / "state.partial", folder / "state.json")


def _write_model(folder: Path, model: Any, ranks: Ranks) -> None:
    """All weights, under the names that transformers has in files, gathered one after another on the first rank."""
    whole: dict[int, Any] = {}
    tensors: dict[str, Any] = {}
    for name, tensor in model.state_dict().items():
        key = id(tensor) if not hasattr(tensor, "to_local") else tensor.to_local().data_ptr()
        if key not in whole:
            gathered = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
            whole[key] = gathered.detach().cpu() if ranks.first else gathered.new_empty(0)
        tensors[name] = whole[key]
    if not ranks.first:
        return
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial, state_dict=tensors)
    for path in partial.iterdir():
        sync(path)
    replace(partial, folder)


def _copy(source: Path, target: Path) -> None:
    partial = target.with_suffix(".partial")
    if source.is_dir():
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(source, partial)
    else:
        shutil.copyfile(source, partial)
        sync(partial)
    replace(partial, target)
