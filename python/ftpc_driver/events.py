"""The event stream: one JSON object per line on the file descriptor that was stdout when the process started."""

import json
import os
from typing import Any


class Events:
    """Owns stdout. What libraries print goes to stderr, so that nothing but events is ever read as one."""

    def __init__(self) -> None:
        self._fd = os.dup(1)
        os.dup2(2, 1)

    def emit(self, event: str, **fields: Any) -> None:
        """One write per line: lines of several threads do not mix."""
        line = json.dumps({"event": event, **fields}, allow_nan=False, ensure_ascii=False) + "\n"
        data = line.encode()
        while data:
            data = data[os.write(self._fd, data) :]
