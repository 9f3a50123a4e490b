"""Tiny models that also see, of random weights: `python make_seeing.py FOLDER gemma3|mistral3`."""

import sys

import torch
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    PreTrainedConfig,
)

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
# its layers of attention are called as those of the text
VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
IMAGE = {"image_token_index": 263}


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
