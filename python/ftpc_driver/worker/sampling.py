"""How the next token is chosen: the same rules, and the same draws by a seed, as those of the embedded engine
(src/compute/evaluation/generation/sampling.ts and seeded-random.ts), for all rows of a batch at a time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

Random = Callable[[], float]
MASK = 0xFFFFFFFF


@dataclass(frozen=True)
class Sampling:
    temperature: float
    seed: int
    #: 0: all.
    top_k: int = 0
    #: 1: all.
    top_p: float = 1.0
    #: 0: all.
    min_p: float = 0.0


def seeded_random(seed: int, stream: int = 0) -> Random:
    """sfc32 (Chris Doty-Humphrey, PractRand): uniform numbers in [0, 1) that a seed and a stream fix."""
    a, b, c, counter = seed & MASK, (seed >> 32) & MASK, stream & MASK, 1

    def draw() -> int:
        nonlocal a, b, c, counter
        total = (a + b + counter) & MASK
        counter = (counter + 1) & MASK
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & MASK
        c = (((c << 21) | (c >> 11)) + total) & MASK
        return total

    for _ in range(16):
        draw()
    return lambda: draw() / 2**32


def penalise_repetition(logits: Tensor, seen: Iterable[int], penalty: float) -> None:
    """Positive logits [vocab] of tokens that occurred are divided, negative ones multiplied (Keskar et al. 2019), in
    place."""
    ids = torch.tensor(sorted(seen), device=logits.device)
    values = logits[ids]
    factor = torch.tensor(penalty, dtype=logits.dtype, device=logits.device)
    logits[ids] = torch.where(values < 0, values * factor, values / factor)


def greedy(logits: Tensor) -> Tensor:
    """The likeliest token of each row of [rows, vocab], the first of equals."""
    ids = torch.arange(logits.shape[-1], device=logits.device)
    best = logits.amax(dim=-1, keepdim=True)
    return torch.where(logits == best, ids, logits.shape[-1]).amin(dim=-1)


def are_numbers(logits: Tensor) -> bool:
    """Whether each row of [rows, vocab] has a likeliest token: nothing is NaN or infinite, but for excluded tokens."""
    return bool((logits < torch.inf).all() and (logits > -torch.inf).any(dim=-1).all())


def sample(logits: Tensor, uniforms: list[float], sampling: Sampling) -> Tensor:
    """Draws a token for each row of float32 [rows, vocab] by a uniform number in [0, 1): temperature, top-k, top-p
    and min-p in transformers' order, computed in float64."""
    wide = logits.double()
    scores = (wide - wide.amax(dim=-1, keepdim=True)) / sampling.temperature
    if 0 < sampling.top_k < scores.shape[-1]:
        least = scores.topk(sampling.top_k, dim=-1).values[:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    if sampling.top_p < 1:
        scores = scores.masked_fill(unlikely(scores, sampling.top_p), -torch.inf)
    weights = scores.exp()
    if sampling.min_p > 0:
        weights = weights.masked_fill(weights < sampling.min_p, 0)
    reached = weights.cumsum(dim=-1)
    uniform = torch.tensor(uniforms, dtype=torch.float64, device=logits.device).unsqueeze(-1)
    drawn = (reached > uniform * reached[:, -1:]) & (weights > 0)
    # where rounding leaves none: the last token that may be drawn
    ids = torch.arange(scores.shape[-1], device=logits.device)
    last = torch.where(weights > 0, ids, -1).amax(dim=-1)
    first = torch.where(drawn, ids, scores.shape[-1]).amin(dim=-1)
    return torch.where(first < scores.shape[-1], first, last)


def unlikely(scores: Tensor, share: float) -> Tensor:
    """The unlikeliest as long as their probabilities together are at most 1 - share, never the likeliest; of equals
    the last go. Shares are compared in float32, as in transformers."""
    width = scores.shape[-1]
    # ascending by score, and the last of equals before the first
    order = width - 1 - scores.flip(-1).argsort(dim=-1, stable=True)
    weights = scores.gather(-1, order).exp()
    shares = (weights / weights.sum(dim=-1, keepdim=True)).float().double()
    limit = float(torch.tensor(1 - share, dtype=torch.float32))
    out = shares.cumsum(dim=-1).float() <= limit
    out[:, -1] = False
    # the first that is kept ends the run
    out = out.int().cummin(dim=-1).values.bool()
    return torch.zeros_like(out).scatter(-1, order, out)
