"""Tiny models that also see, of random weights: `python make_seeing.py FOLDER gemma3|mistral3`."""

import sys
from pathlib import Path

import torch
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    PreTrainedConfig,
)

sys.path.insert(0, str(Path(__file__).parents[1]))
from tiny_vision import IMAGE, VISION

TEXT = {
    "vocab_size": 264,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}


def gemma3() -> PreTrainedConfig:
    text = {**TEXT, "sliding_window": 8, "query_pre_attn_scalar": 8}
    return Gemma3Config(text_config=text, vision_config=VISION, mm_tokens_per_image=4, **IMAGE)


def mistral3() -> PreTrainedConfig:
    text, vision = {**TEXT, "model_type": "mistral"}, {**VISION, "model_type": "pixtral"}
    return Mistral3Config(text_config=text, vision_config=vision, tie_word_embeddings=False, **IMAGE)


KINDS = {
    "gemma3": (Gemma3ForConditionalGeneration, gemma3),
    "mistral3": (Mistral3ForConditionalGeneration, mistral3),
}

torch.manual_seed(3)
kind, config = KINDS[sys.argv[2]]
model = kind(config()).float()
for parameter in model.parameters():
    if parameter.dim() > 1:
        torch.nn.init.normal_(parameter, 0, 0.15)
model.save_pretrained(sys.argv[1])
