"""Memory of a process and those that it started, as the most that they had together."""

import os
import threading
import time


def _processes(root):
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def _proportional(process):
    """Bytes, of which pages that several have count once in all."""
    try:
        with open(f"/proc/{process}/smaps_rollup") as file:
            return sum(1024 * int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except OSError:
        return 0


class Peak:
    """Looks four times a second."""

    def __enter__(self):
        self.bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _look(self):
        while not self._done.is_set():
            self.bytes = max(self.bytes, sum(map(_proportional, _processes(os.getpid()))))
            time.sleep(0.25)
