"""Models that are evaluated: a base in memory, on one device or dispatched over all, and the adapter over it."""

import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel, get_peft_model_state_dict
from peft.utils import ModulesToSaveWrapper
from safetensors import safe_open
from torch import Tensor, nn
from transformers import DynamicCache

from ftpc_driver.errors import DriverError
from ftpc_driver.models.kinds import causal_kind
from ftpc_driver.models.load import DTYPES, config_of, load_base
from ftpc_driver.models.stored import stored_quantisation
from ftpc_driver.spec import Model

#: Share of a device's free memory that weights may take there; activations and caches need the rest.
FITS = 0.7
#: Bytes per weight of a base in NF4, with its constants and what stays as it was.
NF4_BYTES = 0.7


@dataclass
class Base:
    spec: Model
    model: Any
    #: Where its inputs go.
    device: torch.device
    #: The PeftModel of the adapter that is over it.
    peft: Any = None
    #: Biases of the base that the adapter has in their place, by the names of the base.
    biases: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class Opened:
    """A model that can be asked: `model` computes, after the virtual tokens of `virtual`."""

    model: Any
    device: torch.device
    vocabulary: int
    #: Names of what its `forward` takes.
    takes: frozenset[str]
    #: The PeftModel of prompt or prefix tuning.
    virtual: Any = None

    @property
    def virtual_tokens(self) -> int:
        return 0 if self.virtual is None else int(self.virtual.active_peft_config.num_virtual_tokens)

    @property
    def has_virtual_cache(self) -> bool:
        return self.virtual is not None and self.virtual.active_peft_config.peft_type == "PREFIX_TUNING"

    @property
    def cache_bytes(self) -> int:
        """Of keys and values per token, about."""
        text = self.model.config.get_text_config()
        heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
        width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
        return int(text.num_hidden_layers * 2 * heads * width * self.model.dtype.itemsize)

    def run(self, inputs: dict[str, Any]) -> Any:
        """The output for what of the inputs the architecture takes."""
        # not every architecture calls it so yet
        names = {"cache": "cache" if "cache" in self.takes else "past_key_values"}
        named = {names.get(name, name): value for name, value in inputs.items()}
        return self.model(**{name: value for name, value in named.items() if name in self.takes})

    def new_cache(self, rows: int) -> Any:
        """Keys and values of no token yet, or of the prefix."""
        if not {"cache", "past_key_values"} & self.takes:
            raise DriverError("model", "its architecture has no key-value cache to answer with")
        if self.has_virtual_cache:
            return self.virtual.get_prompt(batch_size=rows)
        return DynamicCache(config=self.model.config)

    def embeddings(self, ids: Tensor) -> Tensor:
        """Of the virtual tokens, and of the tokens [rows, length] after them."""
        embedded = self.model.get_input_embeddings()(ids)
        prompts = self.virtual.get_prompt(batch_size=ids.shape[0]).to(embedded)
        return torch.cat([prompts, embedded], dim=1)


def open_base(spec: Model, device: str) -> Base:
    """Reads a base, for evaluation."""
    chosen = torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
    model = load_base(spec, DTYPES[spec.dtype], chosen, placement(spec, chosen))
    model.config.use_cache = True
    model.eval()
    first = next(iter(model.parameters())).device
    return Base(spec, model, chosen if first.type == "meta" else first)


def placement(spec: Model, device: torch.device) -> Any:
    """One device where the weights fit, else all that there are, and the host."""
    if device.type == "cpu":
        return {"": "cpu"}
    with torch.device("meta"):
        config = config_of(spec)
        shape = causal_kind(config).from_config(config)
    is_whole = spec.quantisation is None and stored_quantisation(spec) is None
    width = DTYPES[spec.dtype].itemsize if is_whole else NF4_BYTES
    weights = width * sum(parameter.numel() for parameter in shape.parameters())
    free, _ = torch.cuda.mem_get_info(0)
    return {"": 0} if weights < FITS * free else "auto"


def with_adapter(base: Base, folder: str | None) -> Opened:
    """A base with the adapter of a folder, or alone; an adapter that it had is taken off."""
    if base.peft is not None:
        if not base.peft.active_peft_config.is_prompt_learning:
            replaced = _replaced(base.peft.get_base_model())
            base.model = base.peft.unload()
            _put_back(base, replaced)
        base.peft = None
    virtual: Any = None
    if folder is not None:
        if PeftConfig.from_pretrained(folder).to_dict().get("bias", "none") != "none":
            named = base.model.named_parameters()
            base.biases = {name: each.detach().clone() for name, each in named if name.endswith(".bias")}
        base.peft = load_adapter(base.model, folder)
        if base.peft.active_peft_config.is_prompt_learning:
            virtual = base.peft
    model = base.model if base.peft is None else base.peft.get_base_model()
    takes = frozenset(inspect.signature(model.forward).parameters)
    vocabulary = int(model.config.get_text_config().vocab_size)
    return Opened(model, base.device, vocabulary, takes, virtual)


def _replaced(model: nn.Module) -> dict[str, nn.Module]:
    """Modules of a base that an adapter has trained ones in the place of, by their paths."""
    named = model.named_modules()
    return {name: each.original_module for name, each in named if isinstance(each, ModulesToSaveWrapper)}


@torch.no_grad()
def _put_back(base: Base, replaced: dict[str, nn.Module]) -> None:
    """PEFT leaves trained modules and biases in the base."""
    for name, module in replaced.items():
        base.model.set_submodule(name, module)
    for name, value in base.biases.items():
        base.model.get_parameter(name).copy_(value)
    base.biases = {}


def load_adapter(model: Any, folder: str) -> Any:
    """Raises a DriverError where its tensors are not those that the base needs."""
    try:
        peft = PeftModel.from_pretrained(model, folder, is_trainable=False)
    except (ValueError, RuntimeError, KeyError, OSError) as error:
        raise DriverError("model", f"the adapter does not fit the base: {error}") from error
    peft.eval()
    with safe_open(Path(folder) / "adapter_model.safetensors", "pt") as file:
        found = set(file.keys())
    wanted = set(get_peft_model_state_dict(peft, save_embedding_layers=False))
    if wanted != found:
        names = ", ".join(sorted(wanted ^ found)[:8])
        raise DriverError("model", f"the adapter and the base have different tensors: {names}")
    return peft
