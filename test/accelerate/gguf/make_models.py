"""
Tiny models of architectures that the embedded engine has no graph for, each as a folder of transformers and as a GGUF file:
`python make_models.py FOLDER TOKENIZER`. Tensors have the names of the `gguf` package; what llama.cpp's converter does to them
(`convert_hf_to_gguf.py`) is written down here.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, get_tensor_name_map
from gguf.constants import MODEL_ARCH_NAMES
from gguf.quants import quantize
from transformers import AutoConfig, AutoModelForCausalLM

COMMON: dict[str, Any] = {
    "vocab_size": 264,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "max_position_embeddings": 64,
    "bos_token_id": 1,
    "eos_token_id": 258,
    "pad_token_id": 257,
    "rope_parameters": {"rope_type": "default", "rope_theta": 50000.0},
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
# by `general.architecture`: `model_type`, and more of the config
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("mixtral", {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": None}),
    "olmo2": ("olmo2", {}),
    "qwen2moe": ("qwen2_moe", {**EXPERTS, "shared_expert_intermediate_size": 48}),
    "qwen3moe": ("qwen3_moe", {**EXPERTS, "norm_topk_prob": True, "head_dim": 32}),
    "stablelm": (
        "stablelm",
        {"rope_parameters": {"rope_type": "default", "rope_theta": 50000.0, "partial_rotary_factor": 0.25}},
    ),
    "starcoder2": ("starcoder2", {"use_bias": True, "sliding_window": None}),
}


def byte_alphabet() -> list[str]:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    shown, extra = {}, 0
    for byte in range(256):
        shown[byte] = chr(byte) if byte in printable else chr(256 + extra)
        extra += byte not in printable
    return [shown[byte] for byte in range(256)]


def stored(name: str, tensor: torch.Tensor, arch: str, config: Any) -> dict[str, np.ndarray]:
    """By the names that the `gguf` package knows, as the converter writes it."""
    values = tensor.numpy()
    if name.endswith("experts.gate_up_proj"):
        gate, up = np.split(values, 2, axis=1)
        at = name.removesuffix("gate_up_proj")
        return {f"{at}gate_proj.weight": gate, f"{at}up_proj.weight": up}
    if name.endswith("experts.down_proj"):
        return {f"{name}.weight": values}
    if name.endswith("shared_expert_gate.weight"):
        return {name: values[0]}
    if arch == "llama":
        for part, heads in (("q_proj", config.num_attention_heads), ("k_proj", config.num_key_value_heads)):
            if f".{part}." in name:
                rows = values.reshape(heads, 2, -1, values.shape[1])
                return {name: rows.swapaxes(1, 2).reshape(values.shape)}
    return {name: values}


def hyperparameters(writer: GGUFWriter, arch: str, config: Any) -> None:
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rope = config.rope_parameters
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_rope_dimension_count(int(head * rope.get("partial_rotary_factor", 1)))
    if arch == "stablelm":
        writer.add_layer_norm_eps(config.layer_norm_eps)
        writer.add_parallel_residual(config.use_parallel_residual)
    elif arch == "starcoder2":
        writer.add_layer_norm_eps(config.norm_epsilon)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if arch == "qwen3moe":
        writer.add_key_length(head)
        writer.add_value_length(head)
    experts = getattr(config, "num_local_experts", None) or getattr(config, "num_experts", None)
    if experts is not None:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(config.num_experts_per_tok)
    if arch.startswith("qwen"):
        writer.add_expert_feed_forward_length(config.moe_intermediate_size)
    if arch == "qwen2moe":
        writer.add_expert_shared_feed_forward_length(config.shared_expert_intermediate_size)


def vocabulary(writer: GGUFWriter, config: Any) -> None:
    # a list of merges is not empty in such files
    tokens = [*byte_alphabet(), "ab", *(f"<{number}>" for number in range(257, config.vocab_size))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.NORMAL if at <= 256 else TokenType.CONTROL for at in range(len(tokens))])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_pad_token_id(config.pad_token_id)


@torch.no_grad()
def make(arch: str, folder: Path, tokenizer: Path) -> None:
    model_type, more = MODELS[arch]
    torch.manual_seed(3)
    config = AutoConfig.for_model(model_type, **{**COMMON, **more})
    model = AutoModelForCausalLM.from_config(config).float().eval()
    for parameter in model.parameters():
        # fresh norms and biases say nothing
        parameter.add_(torch.randn_like(parameter) * (0.15 if parameter.dim() > 1 else 0.2))
    names = get_tensor_name_map(
        next(key for key, value in MODEL_ARCH_NAMES.items() if value == arch), config.num_hidden_layers
    )
    writer = GGUFWriter(folder / "model.gguf", arch)
    hyperparameters(writer, arch, config)
    vocabulary(writer, config)
    # half of the matrices in blocks, which both engines and the folder have the values of
    written = 0
    for key, tensor in list(model.state_dict().items()):
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if tensor.dim() > 1:
            written += 1
            if written % 2 == 0:
                tensor.copy_(tensor.half().float())
        for name, values in stored(key, tensor, arch, config).items():
            target = names.get_name(name, try_suffixes=(".weight", ".bias"))
            assert target is not None, name
            kind = GGMLQuantizationType.F16 if tensor.dim() > 1 and written % 2 == 0 else GGMLQuantizationType.F32
            writer.add_tensor(target, quantize(np.ascontiguousarray(values), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model.save_pretrained(folder / "base")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / file, folder / "base" / file)


for arch in MODELS:
    place = Path(sys.argv[1]) / arch
    place.mkdir(parents=True)
    make(arch, place, Path(sys.argv[2]))
