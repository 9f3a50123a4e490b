"""Answers of many prompts at a time: each row's tokens are chosen by its own draws, and told as they come."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ftpc_driver.errors import DriverError
from ftpc_driver.worker.opened import Opened
from ftpc_driver.worker.sampling import (
    Random,
    Sampling,
    are_numbers,
    greedy,
    penalise_repetition,
    sample,
    seeded_random,
)

WORTH_MOVING = 0.25
"""Share of the rows that must have ended before the keys and values of the others are moved together."""


@dataclass
class Row:
    #: By which it is told.
    number: int
    prompt: list[int]
    #: Tokens of its answer at most.
    limit: int
    #: Of its draws.
    stream: int
    ids: list[int] = field(default_factory=list)
    ended: bool = False
    random: Random | None = None
    #: Drawn and not used yet: memory may run out between the two.
    uniform: float | None = None
    seen: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Choice:
    """How tokens are chosen, and which end an answer."""

    stop_ids: frozenset[int]
    sampling: Sampling | None = None
    repetition_penalty: float = 1.0


Told = Callable[[list[tuple[int, int]]], None]
"""Gets the row and the token of each row that is still growing, a step at a time."""


@torch.inference_mode()
def generate(opened: Opened, rows: list[Row], choice: Choice, told: Told, look: Callable[[], None]) -> None:
    """Grows the rows that have not ended, whatever they have already. `look`, called before each step, may end rows."""
    for row in rows:
        if row.random is None and choice.sampling is not None:
            row.random = seeded_random(choice.sampling.seed, row.stream)
        if choice.repetition_penalty != 1 and not row.seen:
            row.seen = set(row.prompt)
    for group in groups(opened, [row for row in rows if not row.ended]):
        grow(opened, group, choice, told, look)


def groups(opened: Opened, rows: list[Row]) -> Iterator[list[Row]]:
    """Rows that are padded to one length. After virtual tokens nothing is padded: they come first."""
    if opened.virtual is None:
        yield rows
        return
    for length in sorted({len(row.prompt) + len(row.ids) for row in rows}):
        yield [row for row in rows if len(row.prompt) + len(row.ids) == length]


def grow(opened: Opened, rows: list[Row], choice: Choice, told: Told, look: Callable[[], None]) -> None:
    if not rows:
        return
    cache = opened.new_cache(len(rows))
    texts = [row.prompt + row.ids for row in rows]
    length = max(map(len, texts))
    ids = torch.tensor([[0] * (length - len(text)) + text for text in texts], device=opened.device)
    mask = torch.tensor([[0] * (length - len(text)) + [1] * len(text) for text in texts], device=opened.device)
    mask = torch.cat([mask.new_ones((len(rows), opened.virtual_tokens)), mask], dim=1)
    is_first = True
    while True:
        look()
        left = [at for at, row in enumerate(rows) if not row.ended]
        if not left:
            return
        if not is_first:
            if len(rows) - len(left) >= WORTH_MOVING * len(rows):
                kept = torch.tensor(left, device=opened.device)
                cache.batch_select_indices(kept)
                mask = mask[kept]
                rows = [rows[at] for at in left]
            ids = torch.tensor([[(row.ids or row.prompt)[-1]] for row in rows], device=opened.device)
            mask = torch.cat([mask, mask.new_ones((len(rows), 1))], dim=1)
        take(rows, step(opened, ids, mask, cache, is_first), choice, told)
        is_first = False


def step(opened: Opened, ids: Tensor, mask: Tensor, cache: Any, is_first: bool) -> Tensor:
    """Logits `[rows, vocab]` in float32 after the last of new tokens `[rows, n]`; `mask` is of all tokens so far."""
    embeds = is_first and opened.virtual is not None and not opened.has_virtual_cache
    new = opened.embeddings(ids) if embeds else ids
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -new.shape[1] :]
    inputs: dict[str, Any] = {
        "inputs_embeds" if embeds else "input_ids": new,
        "attention_mask": mask,
        "position_ids": positions,
        "cache": cache,
        "use_cache": True,
        "logits_to_keep": 1,
    }
    output = opened.run(inputs)
    return output.logits[:, -1].float().to(opened.device)  # type: ignore[no-any-return]


def take(rows: list[Row], logits: Tensor, choice: Choice, told: Told) -> None:
    """Every row that has not ended chooses its next token; one that ends an answer is told and is not part of it."""
    growing = [at for at, row in enumerate(rows) if not row.ended]
    logits = logits[torch.tensor(growing, device=logits.device)]
    if choice.repetition_penalty != 1:
        for own, at in zip(logits, growing, strict=True):
            penalise_repetition(own, rows[at].seen, choice.repetition_penalty)
    if not are_numbers(logits):
        raise DriverError("not_finite", "the model gave a logit that is not finite")
    chosen = draw([rows[at] for at in growing], logits, choice).tolist()
    for at, token in zip(growing, chosen, strict=True):
        row = rows[at]
        row.uniform = None
        if token in choice.stop_ids:
            row.ended = True
            continue
        row.ids.append(token)
        row.seen.add(token)
        row.ended = len(row.ids) >= row.limit
    told([(rows[at].number, token) for at, token in zip(growing, chosen, strict=True)])


def draw(rows: list[Row], logits: Tensor, choice: Choice) -> Tensor:
    if choice.sampling is None:
        return greedy(logits)
    for row in rows:
        if row.uniform is None and row.random is not None:
            row.uniform = row.random()
    return sample(logits, [row.uniform or 0.0 for row in rows], choice.sampling)
