"""Lion (Chen et al. 2023, arXiv 2302.06675), in float32 and in the order of operations of the embedded engine."""

from collections.abc import Callable, Iterable
from typing import Any

import torch


class Lion(torch.optim.Optimizer):
    """A step of one size in the direction of the interpolated momentum's sign."""

    def __init__(self, groups: Iterable[dict[str, Any]], betas: tuple[float, float]) -> None:
        super().__init__(groups, {"lr": 0.0, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            (beta1, beta2), rate = group["betas"], group["lr"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if "m" not in state:
                    state["m"] = torch.zeros_like(parameter)
                momentum, gradient = state["m"], parameter.grad
                direction = (momentum * beta1 + gradient * (1 - beta1)).sign_()
                parameter.mul_(1 - rate * group["weight_decay"]).sub_(direction, alpha=rate)
                momentum.mul_(beta2).add_(gradient, alpha=1 - beta2)
