"""Files that are on the disk, complete, once they have their names."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from torch import Tensor

MANIFEST = "manifest.json"


def sync(path: Path) -> None:
    """Waits until a file, or the entries of a folder, are on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, allow_nan=False) + "\n")
    sync(path)


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Of one tensor under two names, both are written; no other is copied that lies in the memory of the host."""
    from safetensors.torch import save_file

    written: dict[str, Tensor] = {}
    memory = set[int]()
    for name, tensor in tensors.items():
        value = tensor.detach().cpu().contiguous()
        # safetensors takes no two tensors that share memory
        written[name] = value.clone() if value.untyped_storage().data_ptr() in memory else value
        memory.add(value.untyped_storage().data_ptr())
    save_file(written, path)
    sync(path)


def replace(partial: Path, path: Path) -> None:
    """Gives a finished file or folder its name; a folder that has it already is removed."""
    if path.is_dir():
        shutil.rmtree(path)
    partial.rename(path)
    sync(path.parent)


def write_manifest(folder: Path, **facts: Any) -> None:
    """What belongs to a folder, by sizes and digests; written last."""
    files = {
        path.name: {"sha256": digest(path), "size": path.stat().st_size}
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }
    write_json(folder / MANIFEST, {"version": 1, **facts, "files": files})


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """The manifest, if the folder is as it says; `None` if a byte is missing or another."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        whole = all(
            (folder / name).stat().st_size == known["size"] and digest(folder / name) == known["sha256"]
            for name, known in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return manifest if whole else None


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
