"""Tensors of a checkpoint: one file where every rank holds them all, else a file per rank with its rows."""

from pathlib import Path

import torch
from torch import Tensor

from ftpc_driver.models.load import read_tensors
from ftpc_driver.training.files import write_tensors
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.sharding import own_rows

#: Slots of an optimiser that are cut into blocks of a rank's own rows: they fit the number of ranks that wrote them.
_BLOCKWISE = ("absmax", "qmap")

#: Slots that are whole on every rank, besides numbers.
_WHOLE = ("column.", "qmap")


class Parts:
    """Writes and reads what this rank holds of named tensors."""

    def __init__(self, ranks: Ranks, is_sharded: bool) -> None:
        self._ranks, self._is_sharded = ranks, is_sharded

    def write(self, stem: Path, tensors: dict[str, Tensor]) -> None:
        """Under `STEM.safetensors`, or `STEM-00000.safetensors` and so on."""
        if self._is_sharded:
            write_tensors(Path(f"{stem}-{self._ranks.rank:05d}.safetensors"), tensors)
        elif self._ranks.first:
            write_tensors(Path(f"{stem}.safetensors"), tensors)

    def files(self, stem: Path) -> list[Path]:
        return sorted(stem.parent.glob(f"{stem.name}*.safetensors"))

    def can_read(self, stem: Path, world: int) -> bool:
        """Whether what `world` ranks have written can be cut for these."""
        if not self._is_sharded or world == self._ranks.world:
            return True
        return not any(name.startswith(_BLOCKWISE) for name in _names(self.files(stem)[0]))

    def read(self, stem: Path) -> dict[str, Tensor]:
        files = self.files(stem)
        if not self._is_sharded or len(files) == self._ranks.world:
            return read_tensors(files[self._ranks.rank if self._is_sharded else 0])
        return {name: self._recut(name, files) for name in _names(files[0])}

    def _recut(self, name: str, files: list[Path]) -> Tensor:
        """This rank's rows of a tensor whose rows lie in several files."""
        pieces = [_tensor(path, name) for path in files]
        if pieces[0].dim() == 0 or name.startswith(_WHOLE):
            return pieces[0]
        return own_rows(torch.cat(pieces), self._ranks)


def _names(path: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return list(file.keys())


def _tensor(path: Path, name: str) -> Tensor:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        tensor: Tensor = file.get_tensor(name)
    return tensor
