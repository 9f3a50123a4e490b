"""`python -m ftpc_driver inspect FOLDER [FILE.gguf]`: the structure of a model as a JSON object; no weight is read."""

import re
from collections.abc import Sequence
from typing import Any

from ftpc_driver.errors import describe, exit_code, kind_of
from ftpc_driver.events import Events

#: Layers that hold several projections in one matrix.
_FUSED = re.compile(r"(?:^|\.)(?:qkv_proj|c_attn|query_key_value|gate_up_proj|Wqkv|W_pack)$")

#: What chooses the experts of a token: as an adapter's target it would change who is asked, not what is said.
_ROUTER = re.compile(r"(?:^|\.)(?:router|gate|shared_expert_gate)$")


def main(arguments: Sequence[str]) -> int:
    events = Events()
    try:
        folder, *rest = arguments
        events.emit("model", **structure(folder, rest[0] if rest else None))
    except Exception as error:
        events.emit("error", rank=0, **describe(error))
        return exit_code(kind_of(error))
    return 0


def structure(folder: str, gguf: str | None = None) -> dict[str, Any]:
    """What the text part of a model consists of, by its paths in transformers."""
    import torch
    from transformers import AutoConfig

    from ftpc_driver.errors import DriverError
    from ftpc_driver.models.kinds import causal_kind
    from ftpc_driver.models.structure import blocks_path, is_text

    try:
        options = {} if gguf is None else {"gguf_file": gguf}
        config = AutoConfig.from_pretrained(folder, local_files_only=True, **options)
        with torch.device("meta"):
            model = causal_kind(config).from_config(config)
    except (OSError, ValueError, KeyError) as error:
        raise DriverError("model", f"transformers knows no such model: {error}") from error
    text, path = config.get_text_config(), blocks_path(model)
    blocks = model.get_submodule(path)
    names = {id(module): name for name, module in model.named_modules()}
    head = model.get_output_embeddings()
    linear = [_linear(name, module) for name, module in model.named_modules() if _is_linear(module)]
    linear = [each for each in linear if each["path"].startswith(f"{path}.") and is_text(each["path"])]
    return {
        "model_type": config.model_type,
        "class": type(model).__name__,
        "vocabulary": text.vocab_size,
        "positions": getattr(text, "max_position_embeddings", None),
        "width": text.hidden_size,
        "experts": _experts(text),
        "blocks": {"class": type(blocks[0]).__name__, "count": len(blocks), "path": path},
        "embedding": names[id(model.get_input_embeddings())],
        "head": None if head is None else names[id(head)],
        "tied": bool(getattr(text, "tie_word_embeddings", False)),
        "senses": [name for name, _ in model.named_modules() if not is_text(name) and name.count(".") < 2],
        "linear": linear,
        "targets": sorted({each["path"].rsplit(".", 1)[-1] for each in linear if not each["router"]}),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def _is_linear(module: Any) -> bool:
    from torch.nn import Linear

    return isinstance(module, Linear) or type(module).__name__ == "Conv1D"


def _linear(path: str, module: Any) -> dict[str, Any]:
    """GPT-2's `Conv1D` keeps its weights `[inputs, outputs]`."""
    transposed = type(module).__name__ == "Conv1D"
    first, second = module.weight.shape
    return {
        "path": path,
        "in": first if transposed else second,
        "out": second if transposed else first,
        "transposed": transposed,
        "fused": _FUSED.search(path) is not None,
        "router": _ROUTER.search(path) is not None,
    }


def _experts(config: Any) -> int | None:
    names = ("num_local_experts", "num_experts", "n_routed_experts")
    return next((value for name in names if (value := getattr(config, name, None)) is not None), None)
