"""PiSSA (Meng et al. 2024, arXiv 2404.02948): training begins with the principal parts of the weights themselves."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear


@torch.no_grad()
def take_off(model: nn.Module) -> None:
    """
    Takes the product of the adapter's factors, as they are now, off the frozen weights: from float32 weights in place,
    from others by a second, frozen branch, since their rounding would lose it.
    """
    layers: list[Any] = [module for module in model.modules() if hasattr(module, "lora_A")]
    for layer in layers:
        down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        scale = layer.scaling["default"]
        base = layer.get_base_layer()
        if base.weight.dtype == torch.float32 and type(base) is not _linear4bit():
            product = scale * (up @ down)
            if not base.weight.is_meta:
                base.weight -= product.T if layer.fan_in_fan_out else product
        else:
            base.register_forward_hook(_without(down.clone(), up.clone() * scale))


def _without(down: Tensor, up: Tensor) -> Any:
    """`down` `[rank, inputs]`, `up` `[outputs, rank]`."""

    def hook(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        hidden = inputs[0].to(down.dtype)
        return output - linear(linear(hidden, down), up).to(output.dtype)

    return hook


def _linear4bit() -> Any:
    try:
        from bitsandbytes.nn import Linear4bit
    except ImportError:
        return None
    return Linear4bit
