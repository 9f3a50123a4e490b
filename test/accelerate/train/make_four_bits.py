"""
Tiny models of architectures that the embedded engine has no graph for, as transformers and bitsandbytes save them in 4 bits
(`base`; experts stay in bfloat16), and with the values that codes stand for, in float32 (`values`): `python make_four_bits.py FOLDER`.
"""

import sys
from pathlib import Path

import torch
from bitsandbytes.functional import dequantize_4bit
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig

# rows are multiples of 64 values: the CPU code of bitsandbytes 0.50.2 is wrong for others
COMMON = {
    "vocab_size": 64,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 128,
    "max_position_embeddings": 128,
}
MODELS: dict[str, dict[str, object]] = {
    "olmo2": {},
    "qwen3_moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "head_dim": 16},
}


@torch.no_grad()
def make(name: str, folder: Path, nested: bool) -> None:
    torch.manual_seed(5)
    config = AutoConfig.for_model(name, **COMMON, **MODELS[name])
    model = AutoModelForCausalLM.from_config(config).float()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, 0, 0.1)
    model.bfloat16().save_pretrained(folder / "whole")
    options = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=nested
    )
    quantised = AutoModelForCausalLM.from_pretrained(
        folder / "whole", quantization_config=options, device_map={"": "cpu"}, dtype=torch.bfloat16
    )
    quantised.save_pretrained(folder / "base")
    values = model.float()
    for path, parameter in quantised.named_parameters():
        state = getattr(parameter, "quant_state", None)
        whole = parameter if state is None else dequantize_4bit(parameter.data, state)
        values.get_parameter(path).copy_(whole.float())
    values.save_pretrained(folder / "values")


for name in MODELS:
    make(name, Path(sys.argv[1]) / name, nested=name == "olmo2")
