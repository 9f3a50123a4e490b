"""What a training needs besides torch, transformers and PEFT, told without importing any of them."""

import json
from pathlib import Path

from ftpc_driver.spec import Spec


def needs_bitsandbytes(spec: Spec) -> bool:
    """For weights or moments in 4 or 8 bits; a base may be stored so already."""
    model, optimizer = spec.model, spec.optimizer
    return (
        model.quantisation is not None
        or optimizer.name == "adamw8bit"
        or optimizer.paged
        or _is_quantised(model.folder)
    )


def _is_quantised(folder: str) -> bool:
    try:
        config = json.loads((Path(folder) / "config.json").read_text())
    except (OSError, ValueError):
        # of GGUF, or told when it is read
        return False
    return isinstance(config, dict) and config.get("quantization_config") is not None
