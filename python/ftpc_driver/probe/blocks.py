"""Bytes per token that autograd saves of a block, as a sum of products with the block's widths."""

import contextlib
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from ftpc_driver.errors import DriverError
from ftpc_driver.models.kinds import causal_kind
from ftpc_driver.models.load import DTYPES, keep_all
from ftpc_driver.models.structure import decoder_of
from ftpc_driver.probe.sizes import TERMS, Architecture, Size
from ftpc_driver.probe.storages import Storages

#: Of the factors of an adapter. What another rank takes is known.
RANK = 8
#: What is counted at a size that nothing was fitted to may be off by as much.
MOST_ERROR = 0.005


@dataclass(frozen=True)
class Variant:
    """What decides how a block computes, besides its architecture."""

    trained: Literal["adapter", "full"]
    #: Ends of the paths of the linear layers with an adapter, as PEFT takes them.
    targets: list[str] | None
    precision: Literal["f32", "bf16"]
    attention: Literal["eager", "sdpa", "flash_attention_2"]

    def autocast(self) -> Any:
        return torch.autocast("cpu", torch.bfloat16) if self.precision == "bf16" else contextlib.nullcontext()


def bytes_by_term(architecture: Architecture, variant: Variant) -> dict[str, float]:
    """Fitted to all sizes but the last, which has to agree."""
    sizes = list(architecture.sizes())
    counted = [saved_per_token(architecture, size, variant) for size in sizes]
    terms = torch.tensor([size.terms() for size in sizes], dtype=torch.float64)
    values = torch.tensor(counted, dtype=torch.float64)
    # widths that an architecture ties to one another share what is found for them
    fitted = torch.linalg.lstsq(terms[:-1], values[:-1].unsqueeze(1), driver="gelsd").solution[:, 0]
    error = float((terms @ fitted - values).abs().div(values).max())
    if error > MOST_ERROR:
        raise DriverError("model", f"what its blocks save is no sum of their widths: {100 * error:.1f} % are left")
    return dict(zip(TERMS, (round(value, 6) for value in fitted.tolist()), strict=True))


def saved_per_token(architecture: Architecture, size: Size, variant: Variant) -> float:
    """Of one block, in the mean over its kinds: what a second period of blocks adds, per row that is added."""
    models = {periods: tiny_model(architecture.config(size, periods), variant) for periods in (1, 2)}
    counted = {
        (periods, rows): _saved(model, rows, size.length, variant)
        for periods, model in models.items()
        for rows in (2, 4)
    }
    added = counted[2, 4] - counted[2, 2] - counted[1, 4] + counted[1, 2]
    return added / (2 * size.length * architecture.blocks_per_period)


def _saved(model: nn.Module, rows: int, length: int, variant: Variant) -> int:
    """Bytes that are left of a forward pass when it is over, parameters aside."""
    ids = torch.ones((rows, length), dtype=torch.int64)
    decoder = decoder_of(model)
    storages = Storages()
    with variant.autocast(), storages:
        storages.add([*model.parameters(), *model.buffers()])
        before = storages.bytes
        outputs = decoder(input_ids=ids, use_cache=False)
        left = storages.bytes - before
        del outputs
    return left


def tiny_model(config: Any, variant: Variant) -> Any:
    """In training mode, with factors in float32, as the driver has them; the model of transformers that is within."""
    kind = causal_kind(config)
    # kernels for GPUs save what the CPU's fused one does
    attention = "sdpa" if variant.attention == "flash_attention_2" else variant.attention
    frozen = "bfloat16" if variant.precision == "bf16" and variant.trained == "adapter" else "float32"
    torch.manual_seed(0)
    try:
        base = kind.from_config(config, dtype=DTYPES[frozen], attn_implementation=attention)
    except ValueError as error:
        if "attention" not in str(error).lower():
            raise
        # as the driver takes it
        base = kind.from_config(config, dtype=DTYPES[frozen], attn_implementation="eager")
    keep_all(base)
    base.config.use_cache = False
    if variant.trained == "full":
        return base.train()
    from peft import LoraConfig, get_peft_model

    base.requires_grad_(False)
    if not variant.targets:
        # virtual tokens come before the blocks, or into them
        base.enable_input_require_grads()
        return base.train()
    lora = LoraConfig(r=RANK, target_modules=variant.targets, task_type="CAUSAL_LM")
    return get_peft_model(base, lora).train().get_base_model()
