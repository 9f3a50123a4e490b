"""Models without weights, on the meta device: of a base that another process reads."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ftpc_driver.models.four_bits import quantised_outline


def outline(kind: Any, options: dict[str, Any], stored: dict[str, Any] | None) -> Any:
    """
    The modules that `kind.from_pretrained` would make; `kind`: an `AutoModel…` of transformers, `stored`: how its
    weights are stored in four bits.
    """
    from transformers.quantizers.auto import AutoQuantizationConfig

    with torch.device("meta"):
        model = kind.from_config(
            options["config"], **{name: options[name] for name in ("dtype", "attn_implementation")}
        )
    if stored is not None:
        quantised_outline(model, AutoQuantizationConfig.from_dict(stored), is_stored=True)
    elif "quantization_config" in options:
        quantised_outline(model, options["quantization_config"], is_stored=False)
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
