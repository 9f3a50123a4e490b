"""What the parent process tells a rank, and how a rank shows that it is getting on."""

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from ftpc_driver.errors import FAILED

#: Seconds between two signs of life.
ALIVE = 5.0

#: Seconds that are waited before looking whether to stop.
LOOK = 0.2

#: `prctl`: the signal that the kernel sends to a process whose parent has died.
PR_SET_PDEATHSIG = 1


class Parent:
    """`stop` is set by SIGTERM, SIGINT or a line `{"stop":true}`; the end of the parent ends the process."""

    def __init__(self) -> None:
        self.stop = False
        self._measured: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._progress = 0

    def watch(self) -> None:
        for which in (signal.SIGTERM, signal.SIGINT):
            signal.signal(which, self._stopped)
        if os.environ.get("FTPC_PARENT") == "1":
            _die_with_parent()
            threading.Thread(target=self._read, daemon=True).start()

    def measured(self) -> dict[str, Any] | None:
        """What the parent has measured of the answers that it was told; `None` where it says to stop instead."""
        while not self.stop:
            self.advance()
            with contextlib.suppress(Empty):
                return self._measured.get(timeout=LOOK)
        return None

    def advance(self) -> None:
        """Called by the main thread before each piece of work: whoever stops calling it hangs."""
        self._progress += 1

    def sign(self, alive: Callable[[], None]) -> None:
        """Calls `alive` from a thread of its own, as long as the main thread advances."""
        threading.Thread(target=self._sign, args=(alive,), daemon=True).start()

    def _sign(self, alive: Callable[[], None]) -> None:
        seen = -1
        while True:
            threading.Event().wait(ALIVE)
            if self._progress != seen:
                seen = self._progress
                alive()

    def _stopped(self, _signal: int, _frame: FrameType | None) -> None:
        self.stop = True

    def _read(self) -> None:
        with open(0, "rb", buffering=0, closefd=False) as stdin:
            for line in stdin:
                try:
                    message = json.loads(line)
                except ValueError:
                    continue
                if isinstance(message, dict) and message.get("stop") is True:
                    self.stop = True
                if isinstance(message, dict) and "measured" in message:
                    self._measured.put(message["measured"])
        os._exit(FAILED)


def _die_with_parent() -> None:
    """A stopped rank reads no end of stdin, but the kernel ends it all the same."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.environ.get("FTPC_PARENT_PID")
    if parent is not None and parent != str(os.getppid()):
        os._exit(FAILED)
