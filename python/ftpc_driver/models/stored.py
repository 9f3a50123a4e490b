"""What a training needs besides torch, transformers and PEFT, told without importing any of them."""

import json
from pathlib import Path
from typing import Any

from ftpc_driver.spec import Model, Spec


def needs_bitsandbytes(spec: Spec) -> bool:
    """For weights or moments in 4 or 8 bits; a base may be stored so already."""
    other = spec.preferences.other if spec.preferences is not None else None
    models = [spec.model] if other is None else [spec.model, other.model]
    optimizer = spec.optimizer
    return (
        optimizer.name == "adamw8bit"
        or optimizer.paged
        or any(model.quantisation is not None or stored_quantisation(model) is not None for model in models)
    )


def stored_quantisation(model: Model) -> dict[str, Any] | None:
    """What `config.json` says of weights that bitsandbytes stored in 4 bits."""
    if model.gguf is not None:
        return None
    try:
        config = json.loads((Path(model.folder) / "config.json").read_text())
    except (OSError, ValueError):
        # told when it is read
        return None
    found = config.get("quantization_config") if isinstance(config, dict) else None
    return found if isinstance(found, dict) and found.get("load_in_4bit") is True else None
