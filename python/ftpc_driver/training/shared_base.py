"""A base that the first rank alone reads: the others get their parts of it from there, and never have it whole."""

from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

from ftpc_driver.models.four_bits import constants_of, layers_in_four_bits, take_constants
from ftpc_driver.models.load import Reads, load_base
from ftpc_driver.models.outline import materialise
from ftpc_driver.spec import Spec
from ftpc_driver.training.ranks import Ranks


def is_shared(spec: Spec) -> bool:
    """Also of a base in 4 bits, which the first rank alone quantises."""
    return spec.sharding.kind == "fsdp" and spec.world > 1


def read_base(spec: Spec, compute: torch.dtype, ranks: Ranks) -> Any:
    """The base of a specification, or its outline on ranks that read nothing."""
    if not is_shared(spec):
        return load_base(spec.model, compute, ranks.device)
    reads: Reads = "for_all" if ranks.first else "nothing"
    base = load_base(spec.model, compute, ranks.device, reads=reads)
    _untie_as_read(base, ranks)
    return base


def _untie_as_read(base: nn.Module, ranks: Ranks) -> None:
    """A config may tie what the files hold as two tensors that differ: transformers reads two, and an outline ties."""
    own = _first_names(base)
    read = [own if ranks.first else None]
    dist.broadcast_object_list(read, src=0, device=torch.device("cpu"))
    for name, first in (read[0] or {}).items():
        if first == name and own[name] != name:
            module, _, last = name.rpartition(".")
            tied = base.get_parameter(name)
            apart = nn.Parameter(torch.empty_like(tied), requires_grad=tied.requires_grad)
            base.get_submodule(module)._parameters[last] = apart


def _first_names(model: nn.Module) -> dict[str, str]:
    """Of every name of a parameter, the first that it has."""
    first: dict[int, str] = {}
    named = model.named_parameters(remove_duplicate=False)
    return {name: first.setdefault(id(parameter), name) for name, parameter in named}


def as_read(model: nn.Module) -> dict[str, Tensor]:
    """What has been read, by the names of parameters: it stays where it is, wherever these are moved."""
    return {name: parameter.data for name, parameter in model.named_parameters()}


@torch.no_grad()
def share_out(model: nn.Module, whole: dict[str, Tensor], ranks: Ranks, device: torch.device) -> None:
    """
    Fills what is sharded of a model, whose parameters on all ranks but the first are an outline. `whole`: what the
    first has read, by the names of parameters; emptied. `device`: where shards are.
    """
    materialise(model, device, lambda _parameter: True)
    for name, parameter in model.named_parameters():
        if hasattr(parameter, "to_local"):
            rows = -(-parameter.shape[0] // ranks.world)
            own = torch.zeros((rows, *parameter.shape[1:]), dtype=parameter.dtype)
            read = whole.pop(name, None)
            pieces = None if read is None else [_padded(read[rank * rows :][:rows], own) for rank in range(ranks.world)]
            dist.scatter(_bytes(own), pieces, src=0)
            local = parameter.to_local()
            local.copy_(own[: len(local)])
    for layer in layers_in_four_bits(model):
        constants = [constants_of(layer) if ranks.first else None]
        dist.broadcast_object_list(constants, src=0, device=torch.device("cpu"))
        if constants[0] is not None:
            take_constants(layer, constants[0], ranks.device)
    for module in model.modules():
        for name, buffer in module._buffers.items():
            if buffer is not None:
                there = torch.empty_like(buffer, device="cpu") if buffer.is_meta else buffer.cpu()
                dist.broadcast(_bytes(there), src=0)
                module._buffers[name] = there.to(ranks.device)


def _padded(piece: Tensor, like: Tensor) -> Tensor:
    """The last parts have fewer rows, or none."""
    whole = torch.zeros_like(like)
    whole[: len(piece)] = piece
    return _bytes(whole)


def _bytes(tensor: Tensor) -> Tensor:
    """The same memory: no backend knows every type of numbers."""
    return tensor.view(-1).view(torch.uint8)
