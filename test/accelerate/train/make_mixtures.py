"""Tiny models with experts, of random weights: `python make_mixtures.py FOLDER`."""

import sys
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

COMMON = {
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "num_experts_per_tok": 2,
    "max_position_embeddings": 64,
}
MODELS: dict[str, dict[str, object]] = {
    "mixtral": {"num_local_experts": 4},
    "qwen3_moe": {"num_experts": 4, "moe_intermediate_size": 24, "head_dim": 8},
    # as wide within experts as outside: shapes do not tell inputs from outputs
    "gpt_oss": {"num_local_experts": 4, "intermediate_size": 32, "head_dim": 8},
}

for name, fields in MODELS.items():
    torch.manual_seed(5)
    config = AutoConfig.for_model(name, **{**COMMON, **fields})
    model = AutoModelForCausalLM.from_config(config).float()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, 0, 0.15)
    model.save_pretrained(Path(sys.argv[1]) / name)
