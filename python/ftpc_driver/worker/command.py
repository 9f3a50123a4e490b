"""
`python -m ftpc_driver worker`: evaluates, answers and classifies for ftpc. One request per line on standard input, JSON
lines on standard output. It ends when standard input does.
"""

import base64
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from math import isfinite
from queue import SimpleQueue
from typing import Any, TypeVar

import torch

from ftpc_driver.errors import DriverError, describe, kind_of
from ftpc_driver.spec import Model, parse
from ftpc_driver.worker import evaluation, generation
from ftpc_driver.worker.lines import Lines, Request, requests
from ftpc_driver.worker.opened import Base, Opened, open_base, with_adapter
from ftpc_driver.worker.sampling import Sampling

T = TypeVar("T")
ALIVE_SECONDS = 5.0


class CancelledError(Exception):
    """Nobody waits for the answer any more."""


class Worker:
    """What is open, and what is being done."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.base: Base | None = None
        self.opened: Opened | None = None
        self.work = 0
        """Raised with every part of a request that is done: a worker that hangs raises it no more."""
        #: Rows of the request that is being done whose answers nobody needs longer.
        self.ended: set[int] = set()
        self.current: int | None = None
        self.cancelled = False
        #: Tokens of a batch for which memory was enough, by what is done.
        self.most_tokens: dict[str, int] = {}

    @property
    def model(self) -> Opened:
        if self.opened is None:
            raise DriverError("bug", "no model is open")
        return self.opened

    def control(self, request: Request) -> None:
        """Of the thread that reads: concerns only the request that is being done."""
        if request["id"] == self.current:
            self.cancelled = self.cancelled or request["do"] == "cancel"
            self.ended |= set(request.get("rows", []))

    def look(self) -> None:
        self.work += 1
        if self.cancelled:
            raise CancelledError

    def in_parts(self, do: str, items: Sequence[T], tokens: Callable[[T], int], run: Callable[[list[T]], None]) -> None:
        """Runs a batch at once, or in halves where memory does not suffice. The longest items come first."""
        if not items:
            return
        self.look()
        size = len(items) * max(map(tokens, items))
        try:
            if len(items) == 1 or size <= self.most_tokens.get(do, size):
                run(list(items))
                return
        except (RuntimeError, MemoryError) as error:
            if kind_of(error) != "out_of_memory" or len(items) == 1:
                raise
            self.most_tokens[do] = size // 2
            self.lines.write({"note": f"out of memory with {len(items)} rows: the batch is halved"})
        free_memory()
        half = (len(items) + 1) // 2
        self.in_parts(do, items[:half], tokens, run)
        self.in_parts(do, items[half:], tokens, run)


def free_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def open_model(worker: Worker, request: Request) -> Any:
    """The base stays where only the adapter is another one."""
    spec = parse(Model, request["model"], "model")
    worker.opened = None
    if worker.base is None or worker.base.spec != spec:
        worker.base = None
        free_memory()
        worker.base = open_base(spec, request["device"])
    adapter = request.get("adapter")
    worker.opened = with_adapter(worker.base, None if adapter is None else adapter["folder"])
    worker.most_tokens = {}
    cuda = worker.opened.device.type == "cuda"
    return {
        "device": worker.opened.device.type,
        "devices": sorted({str(parameter.device) for parameter in worker.opened.model.parameters()}),
        "free": torch.cuda.mem_get_info(worker.opened.device)[0] if cuda else None,
        "vocabulary": worker.opened.vocabulary,
        "virtual_tokens": worker.opened.virtual_tokens,
    }


def loss(worker: Worker, request: Request) -> Any:
    found: list[dict[str, float]] = []
    worker.in_parts(
        "loss",
        request["rows"],
        lambda row: len(row["ids"]),
        lambda rows: found.extend(evaluation.losses(worker.model, rows, request["pad_id"])),
    )
    return found


def classify(worker: Worker, request: Request) -> Any:
    found: list[list[float | None]] = []

    def run(rows: list[list[int]]) -> None:
        logits = evaluation.classify(worker.model, rows, request["pad_id"]).tolist()
        found.extend([value if isfinite(value) else None for value in own] for own in logits)

    worker.in_parts("classify", request["rows"], len, run)
    return found


def generate(worker: Worker, request: Request) -> Any:
    rows = [generation.Row(**row) for row in request["rows"]]
    by_number = {row.number: row for row in rows}
    sampling = request.get("sampling")
    choice = generation.Choice(
        frozenset(request["stop_ids"]),
        None if sampling is None else Sampling(**sampling),
        request.get("repetition_penalty", 1.0),
    )

    def look() -> None:
        worker.look()
        while worker.ended:
            by_number[worker.ended.pop()].ended = True

    def told(tokens: list[tuple[int, int]]) -> None:
        worker.lines.write({"id": request["id"], "tokens": tokens})

    worker.in_parts(
        "generate",
        rows,
        lambda row: len(row.prompt) + row.limit,
        lambda part: generation.generate(worker.model, part, choice, told, look),
    )
    return None


def logits(worker: Worker, request: Request) -> Any:
    """A line for each token: its logits as little-endian float32 in base64."""
    for values in evaluation.token_logits(worker.model, request["ids"]):
        text = base64.b64encode(values.numpy().astype("<f4").tobytes()).decode("ascii")
        worker.lines.write({"id": request["id"], "logits": text})
    return None


DOES: dict[str, Callable[[Worker, Request], Any]] = {
    "open": open_model,
    "loss": loss,
    "classify": classify,
    "generate": generate,
    "logits": logits,
}


def answer(worker: Worker, request: Request) -> dict[str, Any]:
    try:
        return {"value": DOES[request["do"]](worker, request)}
    except CancelledError:
        return {"error": {"kind": "cancelled", "message": ""}}
    except Exception as error:
        found = describe(error)
        if found["kind"] == "out_of_memory":
            free_memory()
        # what transformers says of a folder that it cannot read is for the user
        if request["do"] == "open" and found["kind"] == "bug" and isinstance(error, (OSError, ValueError, KeyError)):
            found = {"kind": "model", "message": str(error)}
        return {"error": found}


def main(_arguments: list[str]) -> int:
    # Ctrl-C in a terminal reaches every process in front; ftpc decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines = Lines(sys.stdout.fileno())
    worker = Worker(lines)
    queue: SimpleQueue[Request] = SimpleQueue()

    def read() -> None:
        for request in requests(sys.stdin.buffer):
            if request["do"] in ("end", "cancel"):
                worker.control(request)
            else:
                queue.put(request)
        # the parent is gone, or does not need us longer
        os._exit(0)

    def live() -> None:
        while True:
            time.sleep(ALIVE_SECONDS)
            lines.write({"alive": worker.work})

    threading.Thread(target=read, daemon=True).start()
    threading.Thread(target=live, daemon=True).start()
    lines.write({"ready": True})
    while True:
        request = queue.get()
        worker.ended, worker.cancelled = set(), False
        worker.current = request["id"]
        found = answer(worker, request)
        worker.current = None
        worker.work += 1
        lines.write({"id": request["id"], **found})
