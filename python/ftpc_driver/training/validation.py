"""What a training comes to on rows that it does not learn from."""

from collections.abc import Callable

import torch
from torch import nn

from ftpc_driver.models.structure import evaluating
from ftpc_driver.spec import Validation
from ftpc_driver.training.learning import Learned, Learning
from ftpc_driver.training.ranks import Ranks


def validated(
    model: nn.Module,
    learning: Learning,
    validation: Validation,
    ranks: Ranks,
    in_step: bool,
    advance: Callable[[], None],
) -> Learned:
    """
    As of one global batch: no micro batch counts more than its rows or tokens. Micro batch j belongs to rank j modulo
    world; `in_step`: every rank computes as many of them as the others.
    """
    micro = [[[row] for row in batch] for batch in validation.batches]
    with evaluating(model), torch.no_grad():
        share = learning.share(micro, validation.others)
        for index in ranks.turns(len(micro), in_step):
            advance()
            idle = index >= len(micro)
            sequences = micro[-1 if idle else index]
            share.loss(share.batch(sequences, idle), sequences, idle)
        return share.learned()
