"""Whether a model keeps packed texts apart: some architectures of transformers do not, without a word."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ftpc_driver.errors import DriverError
from ftpc_driver.models.loss import Supervised

#: Tokens of the two texts of the probe.
FIRST, SECOND = 16, 12


@torch.no_grad()
def check_packing(model: nn.Module, vocabulary: int, tolerance: float, there: Callable[[Any], Any]) -> None:
    """
    The loss of a text must not depend on the text before it in the same sequence. `tolerance` is relative: experts
    compute other groups of tokens together. `there` moves a tensor to the model's device. All ranks call it together.
    """
    one, other = (_loss(model, vocabulary, start, there) for start in (1, 7))
    if abs(one - other) > tolerance * abs(one):
        text = "the architecture reads across packed texts: train it without packing"
        raise DriverError("model", f"{text} (a text's loss is {one:.6f} after one text, {other:.6f} after another)")


def _loss(model: nn.Module, vocabulary: int, start: int, there: Callable[[Any], Any]) -> float:
    """The loss of the second text, after a first one that depends on `start`."""
    first = [(start + 3 * index) % vocabulary for index in range(FIRST)]
    second = [(5 + 2 * index) % vocabulary for index in range(SECOND)]
    positions = torch.arange(FIRST, FIRST + SECOND - 1)
    supervised = Supervised(
        rows=there(torch.zeros_like(positions)),
        positions=there(positions),
        targets=there(torch.tensor(second[1:])),
        length=FIRST + SECOND,
    )
    loss: torch.Tensor = model(
        input_ids=there(torch.tensor([first + second])),
        position_ids=there(torch.tensor([[*range(FIRST), *range(SECOND)]])),
        supervised=supervised,
    )
    return float(loss)
