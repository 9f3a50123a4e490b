"""Parts of any model of transformers, found without knowing its architecture."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

#: Parts of models with eyes or ears, which text alone never passes through.
_OTHER_SENSES = re.compile(r"(?:^|\.)(?:vision|visual|audio|image|speech|multi_?modal)[a-z_]*(?:\.|$)")


def is_text(name: str) -> bool:
    """Whether a module or parameter of this name is of the part that text passes through."""
    return _OTHER_SENSES.search(name) is None


def causal_model(model: Any) -> Any:
    """The model of transformers within a PEFT model, or itself."""
    return model.get_base_model() if hasattr(model, "peft_config") else model


def decoder_of(model: Any) -> Any:
    """What turns tokens into `last_hidden_state` `[rows, length, width]`: the model without its head."""
    return getattr(model, model.base_model_prefix)


def blocks_path(model: Any) -> str:
    """Path of the decoder's blocks: the longest of the outermost lists (experts are lists too, within blocks)."""
    lists = [
        (name, len(module))
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) > 0 and is_text(name)
    ]
    depth = min(name.count(".") for name, _ in lists)
    path: str
    path, _ = max((each for each in lists if each[0].count(".") == depth), key=lambda each: each[1])
    return path


def blocks_of(model: Any) -> list[nn.Module]:
    return list(model.get_submodule(blocks_path(model)))


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """No dropout, no noise. Layers in 4 bits stay as they are: on a CPU, they would repack their weights for good."""
    changed = [module for module in model.modules() if type(module).__name__ != "Linear4bit"]
    for module in changed:
        module.training = False
    try:
        yield
    finally:
        for module in changed:
            module.training = True
