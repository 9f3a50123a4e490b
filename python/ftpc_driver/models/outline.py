"""Models without weights, on the meta device: of a base that another process reads."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ftpc_driver.models.four_bits import quantised_outline


def outline(kind: Any, folder: str, options: dict[str, Any]) -> Any:
    """The modules that `kind.from_pretrained` would make; `kind`: an `AutoModel…` of transformers."""
    from transformers import AutoConfig

    made, read = ("dtype", "attn_implementation"), ("quantization_config", "device_map")
    given = {name: each for name, each in options.items() if name not in (*made, *read)}
    config = AutoConfig.from_pretrained(folder, **given)
    with torch.device("meta"):
        model = kind.from_config(config, **{name: options[name] for name in made})
    if "quantization_config" in options:
        quantised_outline(model, options["quantization_config"])
    return model


@torch.no_grad()
def materialise(model: nn.Module, device: torch.device, wanted: Callable[[nn.Parameter], bool]) -> None:
    """Gives the wanted parameters of an outline memory, of no values yet. Tied ones stay tied."""
    made: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is None or not parameter.is_meta or not wanted(parameter):
                continue
            if id(parameter) not in made:
                empty = torch.empty_like(parameter, device=device)
                made[id(parameter)] = nn.Parameter(empty, requires_grad=parameter.requires_grad)
            module._parameters[name] = made[id(parameter)]
