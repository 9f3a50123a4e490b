"""Checkpoints: complete under their names, or absent."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ftpc_driver.training.files import manifest_of, replace, write_json, write_manifest, write_tensors
from ftpc_driver.training.optimizers import Optimizer
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.state import State

PARAMETERS = "parameters.safetensors"
OPTIMIZER = "optimizer.safetensors"
STATE = "state.json"


class Checkpoints:
    """
    `checkpoints/step-000050/` holds the trained tensors, the optimiser's state and the training's. Trained tensors are
    the same on every rank, so the first rank writes; all read.
    """

    def __init__(
        self,
        folder: Path,
        digest: str,
        keep: int,
        ranks: Ranks,
        parameters: Mapping[str, nn.Parameter],
        optimizer: Optimizer,
        note: Callable[[str], None],
    ) -> None:
        self._folder, self._digest, self._keep = folder, digest, keep
        self._ranks, self._parameters, self._optimizer = ranks, parameters, optimizer
        self._note = note
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, state: State) -> Path:
        """Writes the state under its step, then removes what is no longer kept."""
        path = self._path(state["step"])
        if self._ranks.first:
            partial = path.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            write_tensors(partial / PARAMETERS, dict(self._parameters))
            write_tensors(partial / OPTIMIZER, self._optimizer.state())
            write_json(partial / STATE, {"version": 1, "digest": self._digest, "state": state})
            write_manifest(partial, world=self._ranks.world)
            replace(partial, path)
            self._prune(state)
        self._ranks.barrier()
        return path

    def resume(self) -> State | None:
        """Fills parameters and optimiser from the newest usable checkpoint whose best one is still there."""
        found = self._newest() if self._ranks.first else 0
        (step,) = self._ranks.sum([float(found)])
        if step == 0:
            return None
        path = self._path(int(step))
        self._fill(path)
        self._optimizer.fill(_tensors(path / OPTIMIZER))
        state: State = json.loads((path / STATE).read_text())["state"]
        return state

    def parameters_of(self, step: int) -> Path:
        """The file of the trained tensors of a step's checkpoint."""
        return self._path(step) / PARAMETERS

    @torch.no_grad()
    def _fill(self, path: Path) -> None:
        for name, value in _tensors(path / PARAMETERS).items():
            self._parameters[name].copy_(value)

    def _path(self, step: int) -> Path:
        return self._folder / f"step-{step:06d}"

    def _newest(self) -> int:
        """The step to resume from, 0 if there is none. Digests of files are computed for what is to be used alone."""
        whole: dict[int, bool] = {}

        def usable(step: int) -> bool:
            if step not in whole:
                whole[step] = manifest_of(self._path(step)) is not None
                if not whole[step]:
                    self._note(f"the checkpoint of step {step} is damaged: not used")
            return whole[step]

        states = self._states()
        for step in sorted(states, reverse=True):
            best = states[step]["best"]
            if usable(step) and (best is None or (best["step"] in states and usable(best["step"]))):
                return step
        return 0

    def _states(self) -> dict[int, State]:
        """States of the checkpoints that belong to this training, by their steps."""
        states: dict[int, State] = {}
        foreign = 0
        for path in self._folder.glob("step-*"):
            if path.suffix == ".partial":
                shutil.rmtree(path, ignore_errors=True)
                continue
            stored = _json(path / STATE)
            if stored is not None and stored.get("digest") == self._digest:
                states[stored["state"]["step"]] = stored["state"]
            else:
                foreign += 1
        if foreign > 0:
            which = "a checkpoint" if foreign == 1 else f"{foreign} checkpoints"
            self._note(f"{which} of other settings, rows or base: not used")
        return states

    def _prune(self, state: State) -> None:
        best = state["best"]["step"] if state["best"] is not None else None
        steps = sorted((int(path.name[5:]) for path in self._folder.glob("step-" + "[0-9]" * 6)), reverse=True)
        for step in steps[self._keep :]:
            if step != best:
                shutil.rmtree(self._path(step), ignore_errors=True)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _tensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    tensors: dict[str, Tensor] = load_file(path)
    return tensors
