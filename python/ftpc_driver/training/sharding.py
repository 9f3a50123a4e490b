"""How ranks share a model (FSDP2), and the trained tensors as this rank holds them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ftpc_driver.models.structure import blocks_of, causal_model
from ftpc_driver.spec import Spec
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.shared_base import as_read, is_shared, share_out


def shard(model: nn.Module, spec: Spec, ranks: Ranks) -> nn.Module:
    """
    Each rank holds a part of every block, and gathers a block while it computes it. An adapter's tensors are small and
    lie whole on every rank, as without sharding: their gradients are summed once a step, and a checkpoint of them fits
    any number of ranks.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import CPUOffloadPolicy, OffloadPolicy, fully_shard

    if spec.sharding.kind != "fsdp":
        return model.to(ranks.device)
    whole = set[nn.Parameter]()
    if spec.trained == "adapter":
        whole = {parameter for parameter in model.parameters() if parameter.requires_grad}
        for parameter in whole:
            parameter.data = parameter.data.to(ranks.device)
    options: dict[str, Any] = {
        "mesh": init_device_mesh(ranks.device.type, (ranks.world,)),
        "ignored_params": whole,
        "offload_policy": CPUOffloadPolicy() if spec.sharding.offload else OffloadPolicy(),
    }
    sharded: list[Any] = [*blocks_of(causal_model(model)), model]
    read = as_read(model) if is_shared(spec) and ranks.first else {}
    for module in sharded:
        fully_shard(module, **options)
    if is_shared(spec):
        share_out(model, read, ranks, torch.device("cpu") if spec.sharding.offload else ranks.device)
        for module in sharded:
            # FSDP takes note of parameters that are others by now
            module._apply(lambda tensor: tensor, recurse=False)
    for module in sharded:
        # a step divides by its own tokens, so that gradients are summed
        module.set_gradient_divide_factor(1.0)
        module.set_force_sum_reduction_for_comms(True)
    return model


def local(tensor: Any) -> Tensor:
    """The part of a tensor that this rank holds: all of it, unless it is sharded."""
    part: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return part


class Trained:
    """The trained tensors by their names in files. `parts` is what this rank updates; it is the model's own memory."""

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        self.parameters = parameters
        self.is_sharded = any(hasattr(parameter, "to_local") for parameter in parameters.values())
        self.parts = {
            name: nn.Parameter(local(parameter.detach())) if self.is_sharded else parameter
            for name, parameter in parameters.items()
        }

    def clear(self) -> None:
        for parameter in self._both():
            parameter.grad = None

    def gradients(self) -> list[Tensor]:
        """Of every part, in order; of what no row has touched they are 0."""
        for parameter, part in zip(self.parameters.values(), self.parts.values(), strict=True):
            if parameter.grad is None:
                part.grad = torch.zeros_like(part)
            elif part is not parameter:
                part.grad = local(parameter.grad)
        return [part.grad for part in self.parts.values() if part.grad is not None]

    def _both(self) -> Iterable[nn.Parameter]:
        yield from self.parameters.values()
        yield from self.parts.values()


def own_rows(whole: Tensor, ranks: Ranks) -> Tensor:
    """This rank's part of a tensor, cut along its first axis as FSDP2 cuts."""
    size = -(-whole.shape[0] // ranks.world)
    return whole[ranks.rank * size : (ranks.rank + 1) * size]


def watch_blocks(model: nn.Module, advance: Callable[[], None]) -> None:
    """Every block, forward and backward, shows that the rank is getting on."""

    def hook(_module: nn.Module, _inputs: object, output: Any) -> None:
        advance()
        states = output[0] if isinstance(output, tuple) else output
        if isinstance(states, Tensor) and states.requires_grad:
            states.register_hook(lambda _gradient: advance())  # type: ignore[no-untyped-call]

    for block in blocks_of(causal_model(model)):
        block.register_forward_hook(hook)
