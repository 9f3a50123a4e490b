"""Another model than the base as the reference: opened when something is asked of it, and let go of before training."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ftpc_driver.models.load import add_adapter
from ftpc_driver.models.loss import attach_loss
from ftpc_driver.models.structure import causal_model, evaluating
from ftpc_driver.objectives.preferring import Preferring
from ftpc_driver.objectives.references import References, references
from ftpc_driver.objectives.texts import Pair, Texts
from ftpc_driver.spec import OtherModel, Preferences, Reference, Spec
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.rows import Batches
from ftpc_driver.training.sharding import shard, watch_blocks
from ftpc_driver.training.shared_base import read_base


class Asking:
    """What it says of the answers of one file after another."""

    def __init__(
        self,
        spec: Spec,
        wanted: Preferences,
        other: OtherModel,
        ranks: Ranks,
        autocast: Callable[[], Any],
        pause: Callable[[], None],
        told: Callable[[int, int], None],
    ) -> None:
        self._spec, self._wanted, self._other, self._ranks = spec, wanted, other, ranks
        self._autocast, self._pause, self._told = autocast, pause, told
        self._model: nn.Module | None = None

    def of(self, file: str, reference: Reference) -> References:
        texts = Texts(file)

        def ask(micro: Sequence[Sequence[Pair]]) -> list[float]:
            model = self._opened()
            with evaluating(model), torch.no_grad():
                return self._preferring(model, texts).ask(micro)

        return references(reference, len(texts), ask, self._ranks, self._told)

    def close(self) -> None:
        self._model = None
        gc.collect()
        if self._ranks.device.type == "cuda":
            torch.cuda.empty_cache()

    def _opened(self) -> nn.Module:
        """All ranks open it at the same time: what is known, is known to all of them."""
        if self._model is None:
            # shared by the ranks as a base under an adapter is
            own = replace(self._spec, model=self._other.model, trained="adapter")
            compute = torch.bfloat16 if own.precision == "bf16" else torch.float32
            model = read_base(own, compute, self._ranks)
            if self._other.adapter is not None:
                model = add_adapter(model, self._other.adapter)
            attach_loss(causal_model(model), own.logits_chunk)
            self._model = shard(model, own, self._ranks).train()
            watch_blocks(self._model, self._pause)
        return self._model

    def _preferring(self, model: nn.Module, texts: Texts) -> Preferring:
        spec = self._spec
        padding = replace(spec.padding, limit=min(spec.padding.limit, self._other.positions))
        return Preferring(
            objective=self._wanted.objective,
            model=model,
            texts=texts,
            batches=Batches(texts, spec.pad_id, padding, 1, self._ranks.device),
            limit=self._wanted.limit,
            ranks=self._ranks,
            in_step=spec.sharding.kind == "fsdp",
            autocast=self._autocast,
            pause=self._pause,
        )
