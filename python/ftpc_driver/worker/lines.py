"""JSON lines between the worker and ftpc."""

import json
import os
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

Request = dict[str, Any]


class Lines:
    """Standard output for our lines alone: whatever libraries print goes to standard error from now on."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = os.dup(descriptor)
        os.dup2(2, descriptor)
        self.lock = threading.Lock()

    def write(self, line: dict[str, Any]) -> None:
        data = memoryview(json.dumps(line, separators=(",", ":"), allow_nan=False).encode() + b"\n")
        with self.lock:
            try:
                while data:
                    data = data[os.write(self.descriptor, data) :]
            except BrokenPipeError:
                os._exit(0)


class Inbox:
    """What is said of requests while they wait or are done: by the thread that reads."""

    def __init__(self) -> None:
        self.cancelled: set[int] = set()
        #: Pairs of a request and a row whose answer nobody needs longer.
        self.ended: set[tuple[int, int]] = set()

    def take(self, request: Request) -> None:
        if request["do"] == "cancel":
            self.cancelled.add(request["id"])
        else:
            # a set that is read elsewhere is not changed
            self.ended = self.ended | {(request["id"], row) for row in request["rows"]}


def requests(source: BinaryIO) -> Iterator[Request]:
    for line in source:
        yield json.loads(line)
