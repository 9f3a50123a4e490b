"""The loss of rows that are not trained on, weighted by tokens."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ftpc_driver.models.structure import evaluating
from ftpc_driver.spec import Validation
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.rows import Batches


def validation_loss(
    model: nn.Module,
    validation: Validation,
    batches: Batches,
    ranks: Ranks,
    in_step: bool,
    autocast: Callable[[], Any],
    advance: Callable[[], None],
) -> float:
    """
    Mean cross entropy over all supervised tokens, in nats: no batch counts more than its tokens. Batch j belongs to
    rank j modulo world; `in_step`: every rank computes as many batches as the others.
    """
    planned = validation.batches
    last = math.ceil(len(planned) / ranks.world) * ranks.world if in_step else len(planned)
    total = torch.zeros((), dtype=torch.float64, device=ranks.device)
    count = 0.0
    with evaluating(model), torch.no_grad(), autocast():
        for index in range(ranks.rank, last, ranks.world):
            advance()
            idle = index >= len(planned)
            batch = batches.make([[row] for row in planned[-1 if idle else index]], count_none=idle)
            total += model(**batch.inputs)
            count += batch.count
    loss, tokens = ranks.sum([total.item(), count])
    return loss / tokens if tokens > 0 else 0.0
