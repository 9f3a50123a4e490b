"""Failures by their kinds, so that the parent can say what to do about each."""

import errno
import os
import re
import sys
import traceback
from types import ModuleType
from typing import Literal

Kind = Literal[
    "versions", "out_of_memory", "not_finite", "package", "import", "disk_full", "model", "distributed", "bug"
]

#: Nothing was computed: the environment is not the one that the specification was made for.
ENVIRONMENT = 3
FAILED = 4


class DriverError(Exception):
    """A failure whose kind is known where it is found."""

    def __init__(self, kind: Kind, message: str, **facts: object) -> None:
        """`facts`: further fields of the event, such as the step."""
        super().__init__(message)
        self.kind: Kind = kind
        self.facts = facts


def kind_of(error: BaseException) -> Kind:
    """The kind of whatever was raised, also by libraries, which tell memory and disk by text alone."""
    if isinstance(error, DriverError):
        return error.kind
    if _is_out_of_memory(error):
        return "out_of_memory"
    if _is_disk_full(error):
        return "disk_full"
    if isinstance(error, ImportError) or _is_hollow(error):
        return "import"
    return "distributed" if _is_distributed(error) else "bug"


def exit_code(kind: Kind) -> int:
    return ENVIRONMENT if kind in ("versions", "package", "import") else FAILED


def describe(error: BaseException) -> dict[str, object]:
    """The fields of an `error` event."""
    kind = kind_of(error)
    fields: dict[str, object] = {"kind": kind, "message": str(error)[:2000] or type(error).__name__}
    fields |= getattr(error, "facts", {})
    if kind in ("bug", "distributed"):
        fields["trace"] = "".join(traceback.format_exception(error))[-4000:]
    return fields


#: The linker says that a library does not fit, and of one on a disk from which nothing may be executed why.
_MEMORY = re.compile(
    r"can(?:'|no)t allocate memory(?! in static TLS)|not enough memory|out of memory|CUBLAS_STATUS_ALLOC_FAILED"
    r"|failed to map segment from shared object(?!: )",
    re.I,
)
_DISK = re.compile(r"os error (27|28|122)|No space left on device|Disk quota exceeded|File too large", re.I)
_DISTRIBUTED = re.compile(r"gloo|nccl|Connection (closed|reset|refused)|ProcessGroup|rendezvous|TCPStore", re.I)


def _is_out_of_memory(error: BaseException) -> bool:
    torch = sys.modules.get("torch")
    # a torch without its files has no names
    if isinstance(error, (MemoryError, getattr(torch, "OutOfMemoryError", MemoryError))):
        return True
    return isinstance(error, (RuntimeError, OSError, ImportError)) and (
        getattr(error, "errno", None) == errno.ENOMEM or _MEMORY.search(str(error)) is not None
    )


def _is_hollow(error: BaseException) -> bool:
    """A package whose `__init__.py` is gone is imported, and has nothing in it."""
    module = getattr(error, "obj", None) if isinstance(error, AttributeError) else None
    return isinstance(module, ModuleType) and hasattr(module, "__path__") and getattr(module, "__file__", None) is None


def _is_disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    return _DISK.search(str(error)) is not None


def _is_distributed(error: BaseException) -> bool:
    torch = sys.modules.get("torch")
    of_ranks = getattr(getattr(torch, "distributed", None), "DistError", None)
    if of_ranks is not None and isinstance(error, of_ranks):
        return True
    return isinstance(error, RuntimeError) and _DISTRIBUTED.search(str(error)) is not None


def leave(code: int) -> None:
    """Ends at once: a rank must not wait in a collective that its peers will never enter."""
    sys.stderr.flush()
    os._exit(code)
