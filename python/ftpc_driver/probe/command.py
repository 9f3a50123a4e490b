"""
`python -m ftpc_driver probe FILE.json` counts, with the installed versions and on the CPU, what plans of memory depend
on. The file has `{"config", "optimizer", "device", "variants": [{"trained", "targets", "precision", "attention"}, …]}`,
`config` being a model's `config.json`; each variant is answered with a line, in order.
"""

import json
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ftpc_driver.errors import describe, exit_code, kind_of
from ftpc_driver.events import Events


def main(arguments: Sequence[str]) -> int:
    events = Events()
    try:
        _answer(json.loads(Path(arguments[0]).read_text()), events)
    except Exception as error:
        events.emit("error", rank=0, **describe(error))
        return exit_code(kind_of(error))
    return 0


def _answer(asked: dict[str, Any], events: Events) -> None:
    import torch
    from transformers.utils import logging

    from ftpc_driver.probe.blocks import Variant
    from ftpc_driver.probe.loss import bytes_of_update
    from ftpc_driver.probe.sizes import Architecture
    from ftpc_driver.spec import Optimizer as Options
    from ftpc_driver.training.optimizers import Optimizer

    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    torch.set_num_threads(1)
    options = Options(name=asked["optimizer"], decay=0.01, momentum=0.9)
    make = partial(Optimizer, options, reduce=lambda each: each)
    events.emit("update", **bytes_of_update(make, asked["device"]))
    architecture = Architecture(asked["config"])
    for index, fields in enumerate(asked["variants"]):
        events.emit(**_counted(index, architecture, Variant(**fields)))


def _counted(index: int, architecture: Any, variant: Any) -> dict[str, Any]:
    """What stays uncounted says why: plans then take what is recorded."""
    from ftpc_driver.probe.blocks import bytes_by_term
    from ftpc_driver.probe.loss import bytes_per_logit

    try:
        return {
            "event": "counted",
            "variant": index,
            "saved": bytes_by_term(architecture, variant),
            "logits": round(bytes_per_logit(architecture, variant), 3),
        }
    except Exception as error:
        return {"event": "uncounted", "variant": index, "why": str(error)[:500] or type(error).__name__}
