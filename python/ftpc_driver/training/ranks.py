"""The ranks that train together, and what they agree on."""

import os
from collections.abc import Callable
from datetime import timedelta

import torch
from torch import Tensor
from torch import distributed as dist

from ftpc_driver.errors import DriverError
from ftpc_driver.spec import Spec

#: How long a collective waits for a rank that does not come; the parent notices a silent rank sooner.
PATIENCE = timedelta(minutes=30)


class Ranks:
    """This process among `world`; a world of 1 needs no peers."""

    def __init__(self, spec: Spec, note: Callable[[str], None]) -> None:
        """`note`: told what is waited for, where that is on other machines."""
        self.rank = int(os.environ.get("RANK", "0"))
        self.local = int(os.environ.get("LOCAL_RANK", "0"))
        self.world = spec.world
        launched = int(os.environ.get("WORLD_SIZE", "1"))
        if launched != spec.world:
            raise DriverError("distributed", f"the specification says {spec.world} ranks; {launched} were started")
        self.device = self._own_device(spec.device)
        nodes = launched // int(os.environ.get("LOCAL_WORLD_SIZE", launched))
        if nodes > 1 and self.local == 0:
            place = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
            note(f"waits until the ranks of all {nodes} nodes have met at {place}")
        if spec.world > 1 or spec.sharding.kind == "fsdp":
            self._meet(spec.device)

    def _own_device(self, kind: str) -> torch.device:
        if kind == "cpu":
            return torch.device("cpu")
        if not torch.cuda.is_available():
            raise DriverError("package", "CUDA is not available to torch: no GPU, no driver, or a build for CPUs")
        if torch.cuda.device_count() <= self.local:
            raise DriverError(
                "distributed",
                f"rank {self.rank} wants GPU {self.local}; there are {torch.cuda.device_count()}",
            )
        torch.cuda.set_device(self.local)
        return torch.device("cuda", self.local)

    def _meet(self, kind: str) -> None:
        # numbers that the host decides by go over gloo, so that no GPU waits for them
        backend = "gloo" if kind == "cpu" else "cpu:gloo,cuda:nccl"
        if self.world > 1:
            dist.init_process_group(backend, timeout=PATIENCE)
        else:
            dist.init_process_group(backend, store=torch._C._distributed_c10d.HashStore(), rank=0, world_size=1)

    @property
    def first(self) -> bool:
        return self.rank == 0

    def turns(self, count: int, in_step: bool) -> range:
        """
        Which of `count` pieces of work are this rank's: every `world`-th. `in_step`: each has as many as the others,
        and those beyond the last are for nothing but company.
        """
        return range(self.rank, -(-count // self.world) * self.world if in_step else count, self.world)

    def sum(self, values: list[float]) -> list[float]:
        """Sums over all ranks, in float64."""
        if self.world == 1:
            return values
        total = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(total)
        return total.tolist()

    def gather(self, value: float) -> list[float]:
        """The value of every rank."""
        return self.sum([value if rank == self.rank else 0.0 for rank in range(self.world)])

    def add_up(self, tensors: list[Tensor]) -> None:
        """Replaces each tensor by its sum over the ranks, all in one collective."""
        if self.world == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        for tensor, part in zip(tensors, torch.split(flat, [each.numel() for each in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def share(self, tensor: Tensor) -> None:
        """Gives a tensor of the host the values that the first rank has."""
        if self.world > 1:
            dist.broadcast(tensor, src=0)

    def barrier(self) -> None:
        self.sum([0.0])
