"""Tiny models of the architecture of a `config.json`, in several sizes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ftpc_driver.errors import DriverError

#: Fields of experts' widths and numbers, by any of their names.
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
_CHOSEN = ("num_experts_per_tok", "num_experts_per_token", "moe_k", "experts_per_token")
_INNER = ("intermediate_size", "moe_intermediate_size", "n_inner", "ffn_hidden_size", "ffn_dim")
#: What has a meaning of its own at each size.
_OF_ITS_SIZE = ("quantization_config", "auto_map", "architectures", "torch_dtype", "dtype", "pad_token_id")
#: Its blocks differ from one another, or in widths that plans do not know of.
_UNKNOWN = ("kv_lora_rank", "q_lora_rank", "block_configs", "shared_expert_intermediate_size", "n_shared_experts")
_MOST_KINDS = 8


@dataclass(frozen=True)
class Size:
    hidden: int = 64
    heads: int = 4
    key_heads: int = 2
    head_dim: int = 16
    inner: int = 96
    length: int = 32

    def terms(self) -> list[float]:
        """What bytes per token may be proportional to; `[8]`, in the order of `TERMS`."""
        queries, keys = self.heads * self.head_dim, self.key_heads * self.head_dim
        own = [self.hidden, queries, keys, self.inner, self.heads, self.key_heads, self.heads * self.length]
        return [1.0, *map(float, own)]


TERMS = ("constant", "hidden", "queries", "keys", "inner", "heads", "keyHeads", "scores")


class Architecture:
    """`fields`: a `config.json`, of which only the sizes are replaced."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        from transformers import AutoConfig

        unknown = [name for name in _UNKNOWN if fields.get(name)]
        if unknown:
            raise DriverError("model", f"blocks with {', '.join(unknown)} have widths of their own")
        kept = {name: value for name, value in fields.items() if name not in _OF_ITS_SIZE}
        kind = kept.pop("model_type", None)
        whole = AutoConfig.for_model(kind, **_plain_positions(kept))
        self._config = whole.get_text_config()
        self._kinds = len(_period(getattr(self._config, "layer_types", None) or [""]))

    def sizes(self) -> Iterator[Size]:
        """One in which every other differs in one thing, these others, and one in which everything differs."""
        first = self._possible(Size())
        yield first
        for changed in (
            replace(first, hidden=128),
            replace(first, head_dim=32),
            replace(first, heads=8, key_heads=8 if first.key_heads == first.heads else first.key_heads),
            replace(first, key_heads=first.key_heads if first.key_heads in (1, first.heads) else 4, heads=8),
            replace(first, inner=160),
            replace(first, length=64),
        ):
            yield self._possible(changed)
        last = Size(hidden=192, heads=12, key_heads=6, head_dim=16, inner=224, length=48)
        yield self._possible(replace(last, key_heads={1: 1, first.heads: 12}.get(first.key_heads, 6)))

    def config(self, size: Size, periods: int, vocabulary: int = 64) -> Any:
        """Of so many blocks of each of its kinds."""
        import copy

        config = copy.deepcopy(self._config)
        layers = periods * self._kinds
        self._set(config, ("hidden_size",), size.hidden)
        self._set(config, ("num_attention_heads",), size.heads)
        self._set(config, ("num_key_value_heads", "num_kv_heads"), size.key_heads)
        self._set(config, ("head_dim",), size.head_dim)
        self._set(config, _INNER, size.inner)
        self._set(config, ("num_hidden_layers",), layers)
        self._set(config, ("max_position_embeddings",), 512)
        self._set(config, _EXPERTS, 2 * self.chosen)
        self._set(config, ("vocab_size",), vocabulary)
        if getattr(config, "layer_types", None):
            config.layer_types = list(config.layer_types)[: self._kinds] * periods
        for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
            setattr(config, name, 1)
        return config

    @property
    def chosen(self) -> int:
        """Experts of a token."""
        found = [getattr(self._config, name) for name in _CHOSEN if getattr(self._config, name, None)]
        return int(found[0]) if found else 1

    @property
    def blocks_per_period(self) -> int:
        return self._kinds

    def _possible(self, size: Size) -> Size:
        """As the architecture can have it: heads without a width of their own, or without shared keys."""
        config, heads = self._config, self._config.num_attention_heads
        if getattr(config, "head_dim", None) is None or not _is_given(config, "head_dim"):
            size = replace(size, head_dim=size.hidden // size.heads)
        own = getattr(config, "num_key_value_heads", None) or getattr(config, "num_kv_heads", None) or heads
        if own == heads:
            return replace(size, key_heads=size.heads)
        return replace(size, key_heads=1) if own == 1 else size

    @staticmethod
    def _set(config: Any, names: tuple[str, ...], value: int) -> None:
        for name in names:
            if getattr(config, name, None) is not None or (name == "n_inner" and hasattr(config, name)):
                setattr(config, name, value)


def _is_given(config: Any, name: str) -> bool:
    """Whether a class of configurations has a field of this name, rather than works it out."""
    return name in config.to_dict()


def _plain_positions(fields: dict[str, Any]) -> dict[str, Any]:
    """Positions that are stretched have factors for each width."""
    stretched = {"rope_scaling", "rope_parameters"}
    theta = (fields.get("rope_parameters") or {}).get("rope_theta", fields.get("rope_theta"))
    kept = {name: value for name, value in fields.items() if name not in stretched}
    return kept if theta is None else kept | {"rope_theta": theta}


def _period(kinds: list[str]) -> list[str]:
    """The shortest list of which a longer one is repetitions, the last of them cut off."""
    for size in range(1, min(len(kinds), _MOST_KINDS) + 1):
        if all(kind == kinds[index % size] for index, kind in enumerate(kinds)):
            return kinds[:size]
    raise DriverError("model", "its kinds of blocks do not take turns")
