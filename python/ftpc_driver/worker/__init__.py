"""
Evaluation, generation and classification for ftpc: `python -m ftpc_driver worker` answers requests, one JSON object per
line of standard input, by JSON lines on standard output. It ends when standard input does.
"""

import os
import signal
import sys
import threading
from queue import SimpleQueue

from ftpc_driver.errors import describe
from ftpc_driver.worker.lines import Inbox, Lines, Request, requests


def main(_arguments: list[str]) -> int:
    # Ctrl-C in a terminal reaches every process in front; ftpc decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines = Lines(sys.stdout.fileno())
    inbox = Inbox()
    queue: SimpleQueue[Request] = SimpleQueue()

    def read() -> None:
        for request in requests(sys.stdin.buffer):
            if request["do"] in ("end", "cancel"):
                inbox.take(request)
            else:
                queue.put(request)
        # the parent is gone
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    # takes seconds, in which the parent may end
    try:
        from ftpc_driver.worker.command import serve
    except Exception as error:
        _refuse(queue, lines, error)
    else:
        serve(queue, lines, inbox)
    return 0


def _refuse(queue: SimpleQueue[Request], lines: Lines, error: Exception) -> None:
    """Every question is answered with what keeps the packages from loading."""
    lines.write({"ready": True})
    while True:
        lines.write({"id": queue.get()["id"], "error": describe(error)})
