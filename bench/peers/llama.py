"""The Llama of random weights that steps are measured on, and its adapter."""

import re
from pathlib import Path

from peft import LoraConfig
from transformers import LlamaConfig, LlamaForCausalLM


def llama(shape):
    """`shape`: the config as ftpc has it."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape["vocabSize"],
            hidden_size=shape["hiddenSize"],
            intermediate_size=shape["intermediateSize"],
            num_hidden_layers=shape["layers"],
            num_attention_heads=shape["heads"],
            head_dim=shape["headDim"],
            num_key_value_heads=shape["keyValueHeads"],
            tie_word_embeddings=shape["tieEmbeddings"],
            max_position_embeddings=shape["maxPositions"],
            rms_norm_eps=shape["normEpsilon"],
        )
    )


def lora(rank):
    return LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")


def peak_bytes():
    """The most that this process was resident with."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1)) * 1024
