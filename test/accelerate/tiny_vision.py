"""What tiny models see with, in the terms of their `vision_config`, and the token of an image."""

# its layers of attention are called as those of the text
VISION: dict[str, object] = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
IMAGE = {"image_token_index": 263}
