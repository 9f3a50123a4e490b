"""`python -m ftpc_driver train SPEC.json`: one rank of a training."""

import os
from collections.abc import Sequence

from ftpc_driver.errors import FAILED, describe, exit_code, kind_of, leave
from ftpc_driver.events import Events
from ftpc_driver.models.stored import needs_bitsandbytes
from ftpc_driver.parent import Parent
from ftpc_driver.spec import read_spec
from ftpc_driver.versions import check_versions, leave_out


def main(arguments: Sequence[str]) -> int:
    """Every failure ends in one `error` event; no trace reaches stdout but within it."""
    events, parent = Events(), Parent()
    parent.watch()
    rank = int(os.environ.get("RANK", "0"))
    try:
        (path,) = arguments
        spec = read_spec(path)
        versions = check_versions(spec.versions)
        if not needs_bitsandbytes(spec):
            leave_out("bitsandbytes")
        # torch is imported only now: a wrong version is told within a tenth of a second
        from ftpc_driver.training.train import train

        train(spec, versions, events, parent)
    except BaseException as error:
        events.emit("error", rank=rank, **describe(error))
        leave(exit_code(kind_of(error)))
        return FAILED
    leave(0)
    return 0
