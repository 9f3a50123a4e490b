"""What a training leaves behind: the best tensors, the last ones, and its state."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from ftpc_driver.training.checkpoints import Checkpoints
from ftpc_driver.training.files import replace, sync, write_json, write_tensors
from ftpc_driver.training.state import State

BEST = "best.safetensors"
LAST = "last.safetensors"


def write_results(folder: Path, state: State, checkpoints: Checkpoints, parameters: Mapping[str, nn.Parameter]) -> None:
    """`best` has the lowest validation loss, or is the last where nothing was validated. The state is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    best, partial = state["best"], folder / "tensors.partial"
    write_tensors(partial, dict(parameters))
    replace(partial, folder / LAST)
    of_best = (
        folder / LAST if best is None or best["step"] == state["step"] else checkpoints.parameters_of(best["step"])
    )
    shutil.copyfile(of_best, partial)
    sync(partial)
    replace(partial, folder / BEST)
    write_json(folder / "state.partial", state)
    replace(folder / "state.partial", folder / "state.json")
