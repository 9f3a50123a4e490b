"""A tiny Gemma 3 that also sees, of random weights: `python make_seeing.py FOLDER`."""

import sys

import torch
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

TEXT = {
    "vocab_size": 264,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "sliding_window": 8,
    "query_pre_attn_scalar": 8,
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

torch.manual_seed(3)
config = Gemma3Config(text_config=TEXT, vision_config=VISION, mm_tokens_per_image=4, image_token_index=263)
model = Gemma3ForConditionalGeneration(config).float()
for parameter in model.parameters():
    if parameter.dim() > 1:
        torch.nn.init.normal_(parameter, 0, 0.15)
model.save_pretrained(sys.argv[1])
