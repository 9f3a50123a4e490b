"""Parts of any model of transformers, found without knowing its architecture."""

from typing import Any

from torch import nn


def causal_model(model: Any) -> Any:
    """The model of transformers within a PEFT model, or itself."""
    return model.get_base_model() if hasattr(model, "peft_config") else model


def decoder_of(model: Any) -> Any:
    """What turns tokens into `last_hidden_state` `[rows, length, width]`: the model without its head."""
    return getattr(model, model.base_model_prefix)


def blocks_of(model: Any) -> nn.ModuleList:
    """The decoder's blocks: the longest of the outermost lists (experts are lists too, within blocks)."""
    lists = [
        (name, module)
        for name, module in decoder_of(model).named_modules()
        if isinstance(module, nn.ModuleList) and len(module) > 0 and "vision" not in name
    ]
    depth = min(name.count(".") for name, _ in lists)
    _, blocks = max(((n, m) for n, m in lists if n.count(".") == depth), key=lambda each: len(each[1]))
    return blocks
