"""The optimisers of the language; decay and rates go by the names of parameters, as in the embedded engine."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer as TorchOptimizer

from ftpc_driver.models.names import own_name
from ftpc_driver.spec import Optimizer as Options
from ftpc_driver.training.lion import Lion

#: Parameters without weight decay in transformers' Trainer: such names, and every LayerNorm (GPT-2's `ln_1`).
_NOT_DECAYED = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)|(?:^|\.)ln_", re.I)


def decays(name: str) -> bool:
    return _NOT_DECAYED.search(name) is None


def is_faster(name: str, parameter: Tensor) -> bool:
    """Whether LoRA+ trains it at its higher rate, as PEFT's `create_loraplus_optimizer` groups them."""
    return "lora_B" in name or parameter.dim() == 1


class Optimizer:
    """One optimiser of torch over all trained tensors. Its state is told by `SLOT.NAME`."""

    def __init__(self, options: Options, parameters: Mapping[str, nn.Parameter]) -> None:
        self._parameters = parameters
        self._inner = MAKERS[options.name](_groups(options, parameters), options)

    def step(self, rate: float) -> None:
        for group in self._inner.param_groups:
            group["lr"] = rate * group["faster"]
        self._inner.step()

    def clear(self) -> None:
        self._inner.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """Every tensor and number of the state."""
        return {
            f"{slot}.{name}": value if isinstance(value, Tensor) else torch.tensor(value)
            for name, parameter in self._parameters.items()
            for slot, value in self._inner.state[parameter].items()
            if slot not in CONSTANTS
        }

    def fill(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        for key, value in state.items():
            slot, name = key.split(".", 1)
            parameter = self._parameters[name]
            numbers = slot in NUMBERS
            on = parameter.device if value.dim() > 0 else value.device
            self._inner.state[parameter][slot] = value.item() if numbers else value.clone().to(on)


#: What of a state follows from the kind of optimiser.
CONSTANTS = {"qmap1", "qmap2"}
#: What is a number and no tensor in some optimisers of bitsandbytes and transformers.
NUMBERS: set[str] = set()


def _groups(options: Options, parameters: Mapping[str, nn.Parameter]) -> list[dict[str, Any]]:
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        own = own_name(name)
        groups.setdefault((decays(own), is_faster(own, parameter)), []).append(parameter)
    return [
        {
            "params": some,
            "weight_decay": options.decay if decayed else 0.0,
            "faster": options.lora_plus if faster else 1.0,
        }
        for (decayed, faster), some in groups.items()
    ]


def _adamw(groups: Iterable[dict[str, Any]], options: Options) -> TorchOptimizer:
    betas = (options.beta1, options.beta2)
    return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=options.epsilon, fused=True)


def _sgd(groups: Iterable[dict[str, Any]], options: Options) -> TorchOptimizer:
    return torch.optim.SGD(groups, lr=0.0, momentum=options.momentum)


def _lion(groups: Iterable[dict[str, Any]], options: Options) -> TorchOptimizer:
    return Lion(groups, (options.beta1, options.beta2))


MAKERS: dict[str, Callable[[Iterable[dict[str, Any]], Options], TorchOptimizer]] = {
    "adamw": _adamw,
    "sgd": _sgd,
    "lion": _lion,
}
