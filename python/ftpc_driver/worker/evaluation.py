"""What a model makes of rows: losses per row, logits over labels, logits of every token."""

from math import isfinite
from typing import Any, TypedDict

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ftpc_driver.worker.opened import Opened

IGNORED = -100


class TokenRow(TypedDict):
    ids: list[int]
    labels: list[int]


def padded(rows: list[list[int]], fill: int, device: torch.device) -> Tensor:
    """[rows, length], padded at the right."""
    length = max(map(len, rows))
    return torch.tensor([row + [fill] * (length - len(row)) for row in rows], device=device)


def forward(opened: Opened, ids: list[list[int]], pad_id: int, keep: Tensor | None = None) -> Any:
    """The output for texts of any lengths; logits only at the positions `keep`, if the architecture can."""
    tokens = padded(ids, pad_id, opened.device)
    lengths = torch.tensor([len(row) for row in ids], device=opened.device)
    mask = (torch.arange(tokens.shape[1], device=opened.device) < lengths[:, None]).long()
    virtual = opened.virtual_tokens
    mask = torch.cat([mask.new_ones((len(ids), virtual)), mask], dim=1)
    inputs: dict[str, Any] = {"attention_mask": mask, "use_cache": False}
    if opened.virtual is None:
        inputs["input_ids"] = tokens
    elif opened.has_virtual_cache:
        inputs |= {"input_ids": tokens, "cache": opened.new_cache(len(ids)), "use_cache": True}
        inputs["position_ids"] = torch.arange(virtual, mask.shape[1], device=opened.device)[None]
    else:
        inputs["inputs_embeds"] = opened.embeddings(tokens)
    if keep is not None:
        inputs["logits_to_keep"] = keep
    return opened.run(inputs)


@torch.inference_mode()
def losses(opened: Opened, rows: list[TokenRow], pad_id: int) -> list[dict[str, float | None]]:
    """Sum of the cross entropy in nats and number of the supervised tokens of each row."""
    labels = padded([row["labels"] for row in rows], IGNORED, opened.device)
    # position t predicts t + 1, and nothing the first
    targets = labels[:, 1:]
    places = (targets != IGNORED).any(dim=0).nonzero().squeeze(1)
    if places.numel() == 0:
        return [{"sum": 0.0, "tokens": 0} for _ in rows]
    shift = 0 if opened.virtual is None or opened.has_virtual_cache else opened.virtual_tokens
    can_keep = "logits_to_keep" in opened.takes
    output = forward(opened, [row["ids"] for row in rows], pad_id, places + shift if can_keep else None)
    logits = output.logits if can_keep else output.logits[:, places + shift]
    wanted = targets[:, places].to(logits.device)
    flat = cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="none")
    sums = flat.view_as(wanted).double().sum(dim=1).tolist()
    counts = (wanted != IGNORED).sum(dim=1).tolist()
    return [
        {"sum": total if isfinite(total) else None, "tokens": count} for total, count in zip(sums, counts, strict=True)
    ]


@torch.inference_mode()
def classify(opened: Opened, ids: list[list[int]], pad_id: int) -> Tensor:
    """Logits [texts, labels] in float32, read at the last token of each text that is not `pad_id`."""
    opened.model.config.pad_token_id = pad_id
    return forward(opened, ids, pad_id).logits.float().cpu()  # type: ignore[no-any-return]


@torch.inference_mode()
def token_logits(opened: Opened, ids: list[int]) -> Tensor:
    """[tokens, vocab] in float32; for a classifier [1, labels]."""
    logits = forward(opened, [ids], 0).logits[0].float().cpu()
    return logits[-len(ids) :] if logits.dim() == 2 else logits[None]  # type: ignore[no-any-return]
