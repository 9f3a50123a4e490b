"""
Losses of answers by the sums of their log-probabilities, as `src/compute/training/objectives` has them. Sources: DPO
arXiv 2305.18290, with label smoothing as in its authors' code; IPO 2310.12036, by token; hinge 2305.10425; ORPO
2403.07691; SimPO 2405.14734; KTO 2402.01306; reward models: Bradley and Terry, as in 2203.02155.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ftpc_driver.spec import Objective


@dataclass(frozen=True)
class Answers:
    """Of some texts, each `[texts]` in float64."""

    #: Sums of the log-probabilities of the answers' tokens, in nats; of a reward model, the scores of the texts.
    sums: Tensor
    #: Tokens of the answers.
    tokens: Tensor
    #: The same sums under the reference; 0 where there is none.
    references: Tensor

    @property
    def ratios(self) -> Tensor:
        return self.sums - self.references

    @property
    def means(self) -> Tensor:
        return self.sums / self.tokens.clamp(min=1)

    @property
    def mean_ratios(self) -> Tensor:
        return self.ratios / self.tokens.clamp(min=1)


@dataclass(frozen=True)
class Pairs:
    """Losses `[pairs]`, and the rewards of both answers."""

    losses: Tensor
    chosen: Tensor
    rejected: Tensor


def pairwise(objective: Objective, chosen: Answers, rejected: Answers) -> Pairs:
    return PAIRWISE[objective.kind](objective, chosen, rejected)


def _dpo(objective: Objective, chosen: Answers, rejected: Answers) -> Pairs:
    beta = objective.beta
    losses = DPO[objective.loss](objective, chosen, rejected)
    return Pairs(losses, beta * chosen.ratios, beta * rejected.ratios)


def _sigmoid(objective: Objective, chosen: Answers, rejected: Answers) -> Tensor:
    margins = objective.beta * (chosen.ratios - rejected.ratios)
    wrong = objective.label_smoothing
    return -(1 - wrong) * logsigmoid(margins) - wrong * logsigmoid(-margins)


def _ipo(objective: Objective, chosen: Answers, rejected: Answers) -> Tensor:
    return (chosen.mean_ratios - rejected.mean_ratios - 1 / (2 * objective.beta)).square()


def _hinge(objective: Objective, chosen: Answers, rejected: Answers) -> Tensor:
    return torch.relu(1 - objective.beta * (chosen.ratios - rejected.ratios))


def _orpo(objective: Objective, chosen: Answers, rejected: Answers) -> Pairs:
    """Without the cross entropy of prompt and chosen answer, which counts over the whole batch."""
    # the odds of what is certain are infinite: it is taken to be certain but for 1e-12
    own, other = chosen.means.clamp(max=-1e-12), rejected.means.clamp(max=-1e-12)
    odds = own - other - (torch.log(-torch.expm1(own)) - torch.log(-torch.expm1(other)))
    return Pairs(-objective.beta * logsigmoid(odds), objective.beta * own, objective.beta * other)


def _simpo(objective: Objective, chosen: Answers, rejected: Answers) -> Pairs:
    own, other = objective.beta * chosen.means, objective.beta * rejected.means
    return Pairs(-logsigmoid(own - other - objective.gamma), own, other)


def _reward(_objective: Objective, chosen: Answers, rejected: Answers) -> Pairs:
    return Pairs(-logsigmoid(chosen.sums - rejected.sums), chosen.sums, rejected.sums)


PAIRWISE: dict[str, Callable[[Objective, Answers, Answers], Pairs]] = {
    "dpo": _dpo,
    "orpo": _orpo,
    "simpo": _simpo,
    "reward": _reward,
}

DPO: dict[str, Callable[[Objective, Answers, Answers], Tensor]] = {"sigmoid": _sigmoid, "ipo": _ipo, "hinge": _hinge}


def labelled(objective: Objective, answers: Answers, good: Tensor, kl: float) -> tuple[Tensor, Tensor]:
    """Losses and rewards of answers that are good or bad; `kl`: how far policy and reference are apart, 0 or more."""
    signs = torch.where(good, 1.0, -1.0).double()
    weights = torch.where(good, objective.desirable, objective.undesirable).double()
    losses = weights * (1 - torch.sigmoid(signs * objective.beta * (answers.ratios - kl)))
    return losses, objective.beta * answers.ratios


def cross_entropy_weight(objective: Objective) -> float:
    """Of the mean cross entropy of the chosen texts' supervised tokens, which is learned as well."""
    return {"dpo": objective.sft, "orpo": 1.0}.get(objective.kind, 0.0)
