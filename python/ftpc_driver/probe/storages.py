"""The bytes of all storages of tensors that exist, at every operation of torch."""

import weakref
from collections.abc import Iterable
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Storages(TorchDispatchMode):
    """
    Within it, `bytes` is what tensors take, and `peaks` the most of it by the phase that was begun. Nothing is rounded
    as a device's allocator would; what kernels take for themselves is not seen.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0
        self.peaks: dict[str, int] = {}
        self._phase = "begin"
        self._sizes = weakref.WeakKeyDictionary[Any, list[int]]()
        self._resize = torch.UntypedStorage.resize_

    def begin(self, phase: str) -> None:
        self._phase = phase
        self._note()

    def add(self, tensors: Iterable[Tensor]) -> None:
        """Tensors that were there before."""
        for tensor in tensors:
            self._watch(tensor)

    def __enter__(self) -> Self:
        """Sharding frees what it has gathered by making it empty."""

        def resize(storage: Any, size: int) -> Any:
            result = self._resize(storage, size)
            if storage in self._sizes:
                self._set(self._sizes[storage], storage.nbytes())
            return result

        torch.UntypedStorage.resize_ = resize  # type: ignore[method-assign, assignment]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        torch.UntypedStorage.resize_ = self._resize  # type: ignore[method-assign]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._watch(leaf)
        return result

    def _watch(self, tensor: Tensor) -> None:
        local = tensor.to_local() if hasattr(tensor, "to_local") else tensor
        storage = local.untyped_storage()
        if storage in self._sizes:
            return
        size = [0]
        self._sizes[storage] = size
        weakref.finalize(storage, self._set, size, 0)
        self._set(size, storage.nbytes())

    def _set(self, size: list[int], value: int) -> None:
        """`size`: of a storage, as it was."""
        self.bytes += value - size[0]
        size[0] = value
        self._note()

    def _note(self) -> None:
        self.peaks[self._phase] = max(self.peaks.get(self._phase, 0), self.bytes)


def in_backward() -> bool:
    return bool(torch._C._current_graph_task_id() != -1)
