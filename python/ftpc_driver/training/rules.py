"""Optimisers that torch has none of, in float32 and in the embedded engine's order of operations."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

#: Sums a tensor over the ranks that hold parts of a parameter, in place.
Reduce = Callable[[Tensor], Tensor]


class _Rule(torch.optim.Optimizer):
    """Updates every parameter by itself."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group, parameter, gradient in self._all():
            self.update(group, parameter, gradient, self.state[parameter])

    def update(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: dict[str, Tensor]) -> None:
        raise NotImplementedError

    def _all(self) -> Iterator[tuple[dict[str, Any], Tensor, Tensor]]:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    yield group, parameter, parameter.grad


class Lion(_Rule):
    """Chen et al. 2023, arXiv 2302.06675: a step of one size in the direction of the interpolated momentum's sign."""

    def __init__(self, groups: list[dict[str, Any]], betas: tuple[float, float]) -> None:
        super().__init__(groups, {"lr": 0.0, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def update(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: dict[str, Tensor]) -> None:
        (beta1, beta2), rate = group["betas"], group["lr"]
        momentum = state.setdefault("m", torch.zeros_like(parameter))
        direction = (momentum * beta1 + gradient * (1 - beta1)).sign_()
        parameter.mul_(1 - rate * group["weight_decay"]).sub_(direction, alpha=rate)
        momentum.mul_(beta2).add_(gradient, alpha=1 - beta2)


class Adafactor(_Rule):
    """
    Shazeer and Stern 2018, arXiv 1804.04235, with a rate from outside (`scale_parameter=False, relative_step=False`):
    of a matrix `[rows, columns]` only means of squared gradients over rows and columns are kept. `reduce` completes
    sums where a parameter's rows lie on several ranks.
    """

    #: Added to squared gradients.
    smallest = 1e-30

    def __init__(self, groups: list[dict[str, Any]], reduce: Reduce) -> None:
        super().__init__(groups, {"lr": 0.0, "weight_decay": 0.0})
        self._reduce = reduce

    @torch.no_grad()
    def update(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor, state: dict[str, Tensor]) -> None:
        step = state.setdefault("step", torch.zeros(()))
        step += 1
        keep = 1 - float(step) ** -0.8
        update = (self._of_vector if parameter.dim() < 2 else self._of_matrix)(gradient, state, keep)
        size, count = self._sums(update.square().sum(), update.numel())
        # an update's root mean square is at most 1
        scale = group["lr"] / max(1.0, (size / count) ** 0.5)
        parameter.mul_(1 - group["weight_decay"] * group["lr"]).sub_(update.view_as(parameter), alpha=scale)

    def _of_vector(self, gradient: Tensor, state: dict[str, Tensor], keep: float) -> Tensor:
        squares = state.setdefault("v", torch.zeros_like(gradient))
        squares.mul_(keep).add_(gradient.square() + self.smallest, alpha=1 - keep)
        return gradient / squares.sqrt()

    def _of_matrix(self, gradient: Tensor, state: dict[str, Tensor], keep: float) -> Tensor:
        matrix = gradient.reshape(-1, gradient.shape[-1])
        squares = matrix.square() + self.smallest
        rows = state.setdefault("row", squares.new_zeros(squares.shape[0]))
        columns = state.setdefault("column", squares.new_zeros(squares.shape[1]))
        rows.mul_(keep).add_(squares.mean(1), alpha=1 - keep)
        sums = self._reduce(torch.cat([squares.sum(0), rows.sum().reshape(1), squares.new_tensor([len(squares)])]))
        columns.mul_(keep).add_(sums[:-2] / sums[-1], alpha=1 - keep)
        mean = sums[-2] / sums[-1]
        return matrix / ((rows / mean).sqrt().unsqueeze(1) * columns.sqrt())

    def _sums(self, squares: Tensor, count: int) -> tuple[float, float]:
        size, total = self._reduce(torch.stack([squares, squares.new_tensor(float(count))])).tolist()
        return size, total
