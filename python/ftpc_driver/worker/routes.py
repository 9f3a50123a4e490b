"""Which experts a mixture asks for each token, so that other weights can be asked along the same way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

#: What is done about a text's experts: they are noted; or those that were noted are asked again.
Routing = Literal["noted", "repeated"]

#: With which every router of transformers chooses (5.24).
_CHOOSING = (torch.topk, torch.Tensor.topk)


class Routes:
    """Choices by text. They are in the memory of the host: 48 layers of 32 tokens with 8 experts are 96 KiB."""

    def __init__(self) -> None:
        self._noted: dict[tuple[int, ...], list[Tensor]] = {}

    @contextmanager
    def over(self, ids: list[int], routing: Routing | None) -> Iterator[None]:
        """
        Within it, what is computed of a text notes its choices, or repeats them: a router that rounding moves may
        prefer another of two experts that are next to equal, after which all that follows differs.
        """
        if routing is None:
            yield
            return
        text = tuple(ids)
        mode = _Noting() if routing == "noted" else _Repeating(self._noted[text])
        with mode:
            yield
        if isinstance(mode, _Noting):
            self._noted[text] = mode.choices


class _Noting(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.choices: list[Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **kwargs or {})
        if func in _CHOOSING:
            self.choices.append(found.indices.cpu())
        return found


class _Repeating(TorchFunctionMode):
    def __init__(self, choices: list[Tensor]) -> None:
        super().__init__()
        self._choices = iter(choices)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in _CHOOSING:
            return func(*args, **kwargs or {})
        return _chosen(next(self._choices), *args, **kwargs or {})


def _chosen(choice: Tensor, input: Tensor, k: int, dim: int = -1, **_order: bool) -> Any:
    """As `torch.topk` gives it, of an earlier choice."""
    indices = choice.to(input.device)
    return torch.return_types.topk((input.gather(dim, indices), indices))
