"""Checkpoints: complete under their names, or absent."""

import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from ftpc_driver.training.files import manifest_of, replace, sync, write_json, write_manifest
from ftpc_driver.training.optimizers import Optimizer
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.sharding import Trained
from ftpc_driver.training.state import State
from ftpc_driver.training.tensors import Parts

PARAMETERS = "parameters"
OPTIMIZER = "optimizer"
STATE = "state.json"


class Checkpoints:
    """`checkpoints/step-000050/` holds the trained tensors, the optimiser's state and the training's."""

    def __init__(
        self,
        folder: Path,
        digest: str,
        keep: int,
        ranks: Ranks,
        trained: Trained,
        optimizer: Optimizer,
        note: Callable[[str], None],
    ) -> None:
        self._folder, self._digest, self._keep = folder, digest, keep
        self._ranks, self._trained, self._optimizer = ranks, trained, optimizer
        self._parts = Parts(ranks, trained.is_sharded)
        self._note = note
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, state: State) -> Path:
        """Writes the state under its step, then removes what is no longer kept."""
        path, first = self._path(state["step"]), self._ranks.first
        partial = path.with_suffix(".partial")
        if first:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
        self._ranks.barrier()
        self._parts.write(partial / PARAMETERS, dict(self._trained.parts))
        self._parts.write(partial / OPTIMIZER, self._optimizer.state())
        self._ranks.barrier()
        if first:
            write_json(partial / STATE, {"version": 1, "digest": self._digest, "state": state})
            write_manifest(partial, world=self._ranks.world, sharded=self._trained.is_sharded)
            sync(partial)
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
        self.fill(int(step))
        self._optimizer.fill(self._parts.read(path / OPTIMIZER))
        state: State = json.loads((path / STATE).read_text())["state"]
        return state

    @torch.no_grad()
    def fill(self, step: int) -> None:
        """Gives the trained tensors the values of a step's checkpoint."""
        for name, value in self._parts.read(self._path(step) / PARAMETERS).items():
            self._trained.parts[name].copy_(value)

    def file_of(self, step: int) -> Path:
        """The file of the trained tensors of a step's checkpoint, where they are not sharded."""
        return self._parts.files(self._path(step) / PARAMETERS)[0]

    def _path(self, step: int) -> Path:
        return self._folder / f"step-{step:06d}"

    def _newest(self) -> int:
        """The step to resume from, 0 if there is none. Only of what may be used are the files' digests computed."""
        states = self._states()
        whole: dict[int, bool] = {}

        def usable(step: int) -> bool:
            if step not in whole:
                whole[step] = self._is_usable(step)
            return whole[step]

        for step in sorted(states, reverse=True):
            best = states[step]["best"]
            if usable(step) and (best is None or (best["step"] in states and usable(best["step"]))):
                return step
        return 0

    def _is_usable(self, step: int) -> bool:
        manifest = manifest_of(self._path(step))
        if manifest is None:
            self._note(f"the checkpoint of step {step} is damaged: not used")
        elif not self._parts.can_read(self._path(step) / OPTIMIZER, manifest["world"]):
            self._note(f"the checkpoint of step {step} fits {manifest['world']} ranks alone: not used")
            return False
        return manifest is not None

    def _states(self) -> dict[int, State]:
        """States of the checkpoints that belong to this training, by their steps."""
        states: dict[int, State] = {}
        foreign = 0
        for path in self._folder.glob("step-*"):
            if not re.fullmatch(r"step-\d{6}(\.partial)?", path.name):
                continue
            if path.suffix == ".partial":
                shutil.rmtree(path, ignore_errors=True)
                continue
            stored = _json(path / STATE)
            if stored is not None and stored.get("digest") == self._digest:
                states[int(path.name[5:])] = stored["state"]
            else:
                foreign += 1
        if foreign > 0:
            which = "a checkpoint" if foreign == 1 else f"{foreign} checkpoints"
            self._note(f"{which} of other settings, rows or base: not used")
        return states

    def _prune(self, state: State) -> None:
        best = state["best"]["step"] if state["best"] is not None else None
        for step in sorted(_steps(self._folder), reverse=True)[self._keep :]:
            if step != best:
                shutil.rmtree(self._path(step), ignore_errors=True)


def _steps(folder: Path) -> Iterable[int]:
    return (int(path.name[5:]) for path in folder.glob("step-" + "[0-9]" * 6))


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
