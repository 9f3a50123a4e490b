"""A base model of transformers with an adapter of PEFT over it, as the specification names them."""

from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from ftpc_driver.errors import DriverError, kind_of
from ftpc_driver.models.four_bits import as_stored, keep_products, quantised_on, use_running_blocks
from ftpc_driver.models.gguf import read_gguf
from ftpc_driver.models.kinds import causal_kind
from ftpc_driver.models.names import file_names, is_bias_of_base
from ftpc_driver.models.outline import materialise, outline
from ftpc_driver.models.stored import stored_quantisation
from ftpc_driver.models.structure import is_text
from ftpc_driver.spec import Adapter, Model
from ftpc_driver.versions import require

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

#: A rank reads a base for itself; or for the others too, into the memory of the host; or another has done so.
Reads = Literal["own", "for_all", "nothing"]

#: How settings of dropout end.
DROPS = ("dropout", "pdrop", "layerdrop")

#: Heads stay as they are in a quantised base.
HEADS = ["lm_head", "score", "classifier", "embed_out"]


def load_base(
    model: Model, compute: torch.dtype, device: torch.device, placement: Any = None, reads: Reads = "own"
) -> Any:
    """
    The base, frozen, in training mode. `compute`: what products of quantised weights are computed in; `placement`:
    accelerate's device map, where the base is not to be in the host's memory.
    """
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    stored = _stored(model, compute)
    options: dict[str, Any] = {
        "config": config_of(model, stored),
        "dtype": DTYPES[model.dtype],
        "attn_implementation": model.attention,
        "local_files_only": True,
    }
    there = torch.device("cpu") if reads == "for_all" else device
    if stored is not None:
        # it stays as it is, whatever else is asked for
        options["device_map"] = {"": there}
    elif model.quantisation is not None:
        options |= _quantised(model, compute, there)
    if placement is not None:
        options["device_map"] = placement
    if model.attention == "flash_attention_2":
        require("flash_attn", "attention = flash")
    kind = causal_kind(options["config"]) if model.task == "causal" else AutoModelForSequenceClassification
    is_quantised = stored is None and model.quantisation is not None
    with quantised_on(device) if reads == "for_all" and is_quantised else nullcontext():
        base = _made(kind, model, options, reads)
    if stored is not None:
        as_stored(base, DTYPES[model.dtype], compute)
    if stored is not None or model.quantisation is not None:
        keep_products(base, compute)
    base.config.use_cache = False
    keep_all(base)
    base.requires_grad_(False)
    return base


def keep_all(base: Any) -> None:
    """Only an adapter drops: what `config.json` says of dropout (GPT-2: a tenth, three times) is not applied."""
    for module in base.modules():
        if isinstance(module, _DropoutNd):
            module.p = 0.0
        for name, value in vars(module).items():
            if name.endswith(DROPS) and isinstance(value, float):
                setattr(module, name, 0.0)
    for config in {id(one): one for one in (base.config, base.config.get_text_config())}.values():
        for name, value in config.to_dict().items():
            if name.endswith(DROPS) and isinstance(value, float):
                setattr(config, name, 0.0)


def config_of(model: Model, stored: dict[str, Any] | None = None) -> Any:
    """What the model's files say, but for its labels, and how it is `stored` in four bits."""
    from transformers import CONFIG_MAPPING, AutoConfig

    options: dict[str, Any] = {}
    if model.task == "classifier":
        labels = model.labels or []
        options |= {"id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)}}
    try:
        if model.gguf is not None:
            kind = CONFIG_MAPPING[model.gguf.config["model_type"]]
            return kind.from_dict(_with_floats(kind, model.gguf.config), **options)
        config = AutoConfig.from_pretrained(model.folder, local_files_only=True, **options)
    except (OSError, ValueError, KeyError) as error:
        raise DriverError("model", f"transformers cannot read the config of {model.folder}: {error}") from error
    if stored is not None:
        config.quantization_config = stored
    return config


def _with_floats(kind: Any, config: dict[str, Any]) -> dict[str, Any]:
    """JSON has one type of numbers, and transformers wants floats where its fields are (5.24)."""
    types = {field.name: str(field.type) for field in fields(kind)}
    floats = {name for name, text in types.items() if "float" in text and "int" not in text}
    return {name: float(each) if name in floats and type(each) is int else each for name, each in config.items()}


def _made(kind: Any, model: Model, options: dict[str, Any], reads: Reads) -> Any:
    """Attention is plain where the architecture has no other."""
    try:
        if reads == "nothing":
            return outline(kind, options, getattr(options["config"], "quantization_config", None))
        return _read(kind, model, options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if kind_of(error) != "bug":
            raise
        if model.attention != "eager" and "attention" in str(error).lower():
            return _made(kind, replace(model, attention="eager"), options | {"attn_implementation": "eager"}, reads)
        raise DriverError("model", f"transformers cannot load {model.folder}: {error}") from error


def _read(kind: Any, model: Model, options: dict[str, Any]) -> Any:
    """Whole: what a file lacks, transformers would make up, and so it would, here, what has another shape."""
    options = options | {"output_loading_info": True, "ignore_mismatched_sizes": True}
    if model.gguf is None:
        base, info = kind.from_pretrained(model.folder, **options)
    else:
        require("gguf", "a GGUF base")
        tensors = read_gguf(model.folder, model.gguf, options["dtype"])
        with torch.device("meta"):
            kind = type(kind.from_config(options["config"]))
        base, info = kind.from_pretrained(None, state_dict=tensors, **options)
    lacking = _lacking(info)
    if model.task == "classifier":
        lacking = {name: why for name, why in lacking.items() if not any(head in name for head in HEADS)}
    if lacking:
        named = "; ".join(f"{name} {why}" for name, why in sorted(lacking.items())[:5])
        raise DriverError("model", f"{model.folder} does not have the tensors of its config: {named}")
    return base


def _lacking(info: dict[str, Any]) -> dict[str, str]:
    """By the names of tensors, what is wrong with them."""
    misshapen = info["mismatched_keys"]
    return {name: "is missing" for name in info["missing_keys"]} | {
        name: f"has the shape {list(found)} instead of {list(wanted)}" for name, found, wanted in misshapen
    }


def _stored(model: Model, compute: torch.dtype) -> dict[str, Any] | None:
    """How a base is stored in four bits; its products are computed in `compute`, whatever it was saved with."""
    stored = stored_quantisation(model)
    if stored is None:
        return None
    require("bitsandbytes", "a base in four bits")
    use_running_blocks()
    return stored | {"bnb_4bit_compute_dtype": str(compute).removeprefix("torch.")}


def _quantised(model: Model, compute: torch.dtype, device: torch.device) -> dict[str, Any]:
    require("bitsandbytes", "a base in NF4")
    use_running_blocks()
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=model.quantisation is not None and model.quantisation.double,
        bnb_4bit_compute_dtype=compute,
        # sharding cuts what is stored, and cuts floats alone
        bnb_4bit_quant_storage=DTYPES[model.dtype],
        llm_int8_skip_modules=HEADS,
    )
    return {"quantization_config": config, "device_map": {"": device}}


def add_adapter(base: Any, adapter: Adapter) -> Any:
    """A PEFT model whose trained tensors are those of the folder, in float32."""
    from peft import PeftConfig, get_peft_model

    config = PeftConfig.from_pretrained(adapter.folder)
    config.inference_mode = False
    model = get_peft_model(base, config)
    materialise(model, torch.device("cpu"), lambda parameter: parameter.requires_grad)
    names = file_names(model)
    # an adapter that training goes on from has others, and a reference computes with these
    model.biases_of_base = {
        name: parameter.detach().float().clone() for name, parameter in names.items() if is_bias_of_base(name)
    }
    fill(names, read_tensors(Path(adapter.folder) / "adapter_model.safetensors"))
    _keep_types(model)
    return model


def read_tensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    tensors: dict[str, Tensor] = load_file(path)
    return tensors


@torch.no_grad()
def fill(names: dict[str, nn.Parameter], tensors: dict[str, Tensor]) -> None:
    """
    Gives every parameter the value of its name in a file. Both must have the same names and shapes. Those of an outline
    get theirs from the rank that has read the base.
    """
    missing, unknown = sorted(set(names) - set(tensors)), sorted(set(tensors) - set(names))
    if missing or unknown:
        text = "; ".join(
            f"{what}: {', '.join(some[:3])} ({len(some)})"
            for what, some in (("not in the file", missing), ("not in the model", unknown))
            if some
        )
        raise DriverError("model", f"the trained tensors do not fit the model: {text}")
    for name, parameter in names.items():
        value = tensors[name]
        if value.shape != parameter.shape:
            wanted = f"the model wants {list(parameter.shape)}"
            raise DriverError("model", f"{name} has shape {list(value.shape)}; {wanted}")
        if parameter.is_meta:
            continue
        parameter.data = value.to(device=parameter.device, dtype=torch.float32, copy=True)


def _keep_types(model: nn.Module) -> None:
    """What is trained of the base computes in float32; what it hands to a base of another type is of that type."""
    from peft.utils import ModulesToSaveWrapper

    for module in model.modules():
        bias = module._parameters.get("bias")
        if bias is None or not bias.requires_grad:
            continue
        if type(module).__name__ == "Linear4bit":
            module.forward = _beside_its_bias(module, module.forward)
        elif isinstance(module, nn.LayerNorm):
            # a kernel takes weight and bias of one type
            module.weight.data = module.weight.data.float()

    for wrapper in (each for each in model.modules() if isinstance(each, ModulesToSaveWrapper)):
        dtype = wrapper.original_module.weight.dtype
        if dtype == torch.float32:
            continue
        if isinstance(wrapper.original_module, nn.Embedding):
            wrapper.register_forward_hook(lambda _module, _inputs, output, dtype=dtype: output.to(dtype))
        else:
            wrapper.register_forward_pre_hook(lambda _module, inputs: (inputs[0].float(), *inputs[1:]))


def _beside_its_bias(layer: Any, original: Any) -> Any:
    """bitsandbytes would turn a bias into the type of the input, for good: it is added to the output here."""

    def forward(*args: Any, **options: Any) -> Tensor:
        bias = layer._parameters["bias"]
        layer._parameters["bias"] = None
        try:
            output: Tensor = original(*args, **options)
        finally:
            layer._parameters["bias"] = bias
        biased: Tensor = output + bias.to(output.dtype)
        return biased

    return forward


def train_whole(base: Any, head: str | None) -> Any:
    """Every weight of the text part is trained, in float32; `head`: a file of what does not begin as in the base."""
    for name, parameter in base.named_parameters():
        if is_text(name):
            parameter.requires_grad_(True)
    if head is not None:
        tensors, names = read_tensors(Path(head)), file_names(base)
        fill({name: names[name] for name in tensors if name in names}, tensors)
    return base
