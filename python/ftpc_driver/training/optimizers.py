"""The optimisers of the language; decay and rates go by the names of parameters, as in the embedded engine."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer as TorchOptimizer

from ftpc_driver.errors import DriverError
from ftpc_driver.models.names import own_name
from ftpc_driver.spec import Optimizer as Options
from ftpc_driver.training.eight_bits import use_nearest_codes
from ftpc_driver.training.rules import Adafactor, Lion, Reduce
from ftpc_driver.versions import require

#: Parameters without weight decay in transformers' Trainer: such names, and every LayerNorm (GPT-2's `ln_1`).
_NOT_DECAYED = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)|(?:^|\.)ln_", re.I)

#: Tensors whose 8-bit moments would round to 0 next to rows of tokens that did come up.
_EMBEDDING = re.compile(r"(?:^|\.)(?:embed_tokens|embed_in|wte|wpe)\.weight$|^prompt_")

Group = dict[str, Any]


def decays(name: str) -> bool:
    return _NOT_DECAYED.search(name) is None


def is_faster(name: str, parameter: Tensor) -> bool:
    """Whether LoRA+ trains it at its higher rate, as PEFT's `create_loraplus_optimizer` groups them."""
    return "lora_B" in name or parameter.dim() == 1


class Optimizer:
    """One optimiser of torch over what this rank holds of the trained tensors. Its state is told by `SLOT.NAME`."""

    def __init__(self, options: Options, parts: Mapping[str, nn.Parameter], reduce: Reduce) -> None:
        self._parts = parts
        self._inner = MAKERS[options.name](_groups(options, parts), options, reduce)
        if options.name == "adamw8bit":
            _keep_embeddings_exact(parts)

    @property
    def groups(self) -> list[Group]:
        return self._inner.param_groups

    def step(self, rate: float) -> None:
        for group in self.groups:
            group["lr"] = rate * group["faster"]
        self._inner.step()

    def state(self) -> dict[str, Tensor]:
        """Every tensor and number of the state."""
        return {
            f"{slot}.{name}": value if isinstance(value, Tensor) else torch.tensor(value)
            for name, part in self._parts.items()
            for slot, value in self._inner.state[part].items()
        }

    def fill(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        counts = type(self._inner).__module__.startswith("bitsandbytes")
        for key, value in state.items():
            slot, name = key.split(".", 1)
            part = self._parts[name]
            number = value.dim() == 0
            there = value.clone() if number else value.to(part.device, copy=True)
            self._inner.state[part][slot] = int(value) if number and counts else there


def _groups(options: Options, parts: Mapping[str, nn.Parameter]) -> list[Group]:
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, part in parts.items():
        own = own_name(name)
        groups.setdefault((decays(own), is_faster(own, part)), []).append(part)
    return [
        {
            "params": some,
            "weight_decay": options.decay if decayed else 0.0,
            "faster": options.lora_plus if faster else 1.0,
        }
        for (decayed, faster), some in groups.items()
    ]


def _adamw(groups: list[Group], options: Options, _reduce: Reduce) -> TorchOptimizer:
    betas = (options.beta1, options.beta2)
    if options.paged:
        made: TorchOptimizer = _bitsandbytes(groups, "PagedAdamW")(groups, betas=betas, eps=options.epsilon)
        return made
    return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=options.epsilon, fused=True)


def _adamw8bit(groups: list[Group], options: Options, _reduce: Reduce) -> TorchOptimizer:
    kind = _bitsandbytes(groups, "PagedAdamW8bit" if options.paged else "AdamW8bit")
    if groups[0]["params"][0].device.type == "cpu":
        use_nearest_codes()
    made: TorchOptimizer = kind(groups, betas=(options.beta1, options.beta2), eps=options.epsilon)
    return made


def _bitsandbytes(groups: list[Group], name: str) -> Any:
    require("bitsandbytes", f"the optimiser {name}")
    import bitsandbytes

    device = groups[0]["params"][0].device
    if name.startswith("Paged") and device.type != "cuda":
        raise DriverError("package", f"bitsandbytes has no {name} for {device.type}: a paged state needs CUDA")
    return getattr(bitsandbytes.optim, name)


def _keep_embeddings_exact(parts: Mapping[str, nn.Parameter]) -> None:
    from bitsandbytes.optim import GlobalOptimManager

    exact = [part for name, part in parts.items() if _EMBEDDING.search(own_name(name))]
    if exact:
        manager = GlobalOptimManager.get_instance()
        manager.register_parameters(exact)
        manager.override_config(exact, "optim_bits", 32)


def _sgd(groups: list[Group], options: Options, _reduce: Reduce) -> TorchOptimizer:
    return torch.optim.SGD(groups, lr=0.0, momentum=options.momentum)


def _lion(groups: list[Group], options: Options, _reduce: Reduce) -> TorchOptimizer:
    return Lion(groups, (options.beta1, options.beta2))


def _adafactor(groups: list[Group], _options: Options, reduce: Reduce) -> TorchOptimizer:
    return Adafactor(groups, reduce)


MAKERS: dict[str, Callable[[list[Group], Options, Reduce], TorchOptimizer]] = {
    "adamw": _adamw,
    "adamw8bit": _adamw8bit,
    "adafactor": _adafactor,
    "lion": _lion,
    "sgd": _sgd,
}
