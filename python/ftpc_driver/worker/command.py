"""What the worker does about each request."""

import base64
import threading
import time
from collections.abc import Callable, Sequence
from math import isfinite
from queue import SimpleQueue
from typing import Any, TypeVar

import torch

from ftpc_driver.errors import DriverError, describe, kind_of
from ftpc_driver.spec import Model, parse
from ftpc_driver.versions import check_versions
from ftpc_driver.worker import evaluation, generation
from ftpc_driver.worker.lines import Inbox, Lines, Request
from ftpc_driver.worker.opened import Base, Opened, open_base, with_adapter
from ftpc_driver.worker.routes import Routes
from ftpc_driver.worker.sampling import Sampling

T = TypeVar("T")
ALIVE_SECONDS = 5.0


class CancelledError(Exception):
    """Nobody waits for the answer any more."""


class Worker:
    """What is open, and what is being done."""

    def __init__(self, lines: Lines, inbox: Inbox) -> None:
        self.lines = lines
        self.inbox = inbox
        self.base: Base | None = None
        self.opened: Opened | None = None
        #: Raised with every part of a request that is done: a worker that hangs raises it no more.
        self.work = 0
        self.current = 0
        #: Tokens of a batch for which memory was enough, by what is done.
        self.most_tokens: dict[str, int] = {}
        self.routes = Routes()

    @property
    def model(self) -> Opened:
        if self.opened is None:
            raise DriverError("bug", "no model is open")
        return self.opened

    def look(self) -> None:
        self.work += 1
        if self.current in self.inbox.cancelled:
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
    check_versions(request.get("versions", {}))
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
        "cache_bytes": worker.opened.cache_bytes,
    }


def loss(worker: Worker, request: Request) -> Any:
    found: list[dict[str, float | None]] = []
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
        for _, number in [pair for pair in worker.inbox.ended if pair[0] == request["id"]]:
            by_number[number].ended = True

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
    with worker.routes.over(request["ids"], request.get("routing")):
        found = evaluation.token_logits(worker.model, request["ids"])
    for values in found:
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
        worker.look()
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


def serve(queue: SimpleQueue[Request], lines: Lines, inbox: Inbox) -> None:
    """Answers requests in their order, for ever."""
    worker = Worker(lines, inbox)

    def live() -> None:
        while True:
            time.sleep(ALIVE_SECONDS)
            lines.write({"alive": worker.work})

    threading.Thread(target=live, daemon=True).start()
    lines.write({"ready": True})
    while True:
        request = queue.get()
        worker.current = request["id"]
        found = answer(worker, request)
        worker.work += 1
        lines.write({"id": request["id"], **found})
