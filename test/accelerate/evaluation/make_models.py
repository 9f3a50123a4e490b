"""
Tiny models of architectures that the embedded engine has no graph for, each with an adapter of PEFT, and what transformers and
PEFT make of them: `python make_models.py FOLDER TOKENIZER`.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
)

sys.path.insert(0, str(Path(__file__).parents[1]))
from tiny_vision import IMAGE, VISION

COMMON = {
    "vocab_size": 264,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "bos_token_id": 1,
    "eos_token_id": 258,
    "pad_token_id": 257,
}
GATED = {"intermediate_size": 48, "num_key_value_heads": 2}
EXPERTS = {"num_experts_per_tok": 2}
ROPE = {
    "rope_type": "yarn",
    "rope_theta": 1e6,
    "factor": 4.0,
    "original_max_position_embeddings": 16,
    "beta_fast": 32.0,
    "beta_slow": 1.0,
    "mscale": 1.0,
    "mscale_all_dim": 1.0,
    "llama_4_scaling_beta": 0.1,
}
SLIDING = {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"], "head_dim": 8}
MODELS: dict[str, dict[str, object]] = {
    "mixtral": {**GATED, **EXPERTS, "num_local_experts": 4},
    "qwen3_moe": {**GATED, **EXPERTS, "num_experts": 4, "moe_intermediate_size": 24, "head_dim": 8},
    "olmo2": GATED,
    "falcon": {"num_kv_heads": 1, "multi_query": True, "new_decoder_architecture": False, "bias": True},
    "gemma3_text": {**GATED, **SLIDING, "query_pre_attn_scalar": 8},
    "gpt_oss": {**GATED, **EXPERTS, **SLIDING, "num_local_experts": 4},
    "mistral3": {**GATED, "model_type": "ministral3", "head_dim": 8, "rope_parameters": ROPE},
}
#: What those see with that have no causal language model of their own.
SEEING: dict[str, dict[str, object]] = {"mistral3": {**VISION, "model_type": "pixtral"}}
ADAPTERS: dict[str, dict[str, object]] = {
    "mixtral": {"target_modules": ["q_proj", "v_proj"], "use_dora": True},
    "qwen3_moe": {"target_modules": "all-linear", "use_rslora": True},
    "olmo2": {"target_modules": "all-linear", "modules_to_save": ["lm_head"]},
    "falcon": {"target_modules": ["query_key_value", "dense_h_to_4h"], "bias": "all"},
    "gemma3_text": {"target_modules": "all-linear", "modules_to_save": ["embed_tokens"]},
    # as ftpc names them: those that see have layers of the same names
    "mistral3": {
        "target_modules": ["q_proj", "v_proj", "up_proj", "down_proj"],
        "exclude_modules": r"(?:.*\.)?(?:vision|multi_modal).*",
    },
    "gpt_oss": {
        "target_modules": ["q_proj", "o_proj"],
        "target_parameters": ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"],
        "rank_pattern": {"o_proj": 2, "experts.down_proj": 3},
        "alpha_pattern": {"q_proj": 3},
    },
}
PROMPTS = [list(b"What is MIT?"), list(b"A"), list(b"Permission is hereby")]
ANSWER = 8


def randomise(module: torch.nn.Module, deviation: float) -> None:
    for parameter in module.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, 0, deviation)


def greedy(model: torch.nn.Module) -> list[list[int]]:
    answers = []
    for prompt in PROMPTS:
        ids = model.generate(  # type: ignore[operator]
            input_ids=torch.tensor([prompt]), max_new_tokens=ANSWER, do_sample=False, eos_token_id=258, pad_token_id=257
        )[0, len(prompt) :].tolist()
        answers.append([token for token in ids if token != 258])
    return answers


def config_of(name: str) -> PreTrainedConfig:
    text = {**COMMON, **MODELS[name]}
    if name not in SEEING:
        return AutoConfig.for_model(name, **text)
    sees = {"vision_config": SEEING[name], "tie_word_embeddings": False, **IMAGE}
    return AutoConfig.for_model(name, text_config=text, **sees)


@torch.no_grad()
def make(name: str, folder: Path, tokenizer: Path) -> dict[str, object]:
    torch.manual_seed(7)
    kind = AutoModelForImageTextToText if name in SEEING else AutoModelForCausalLM
    base = kind.from_config(config_of(name)).float().eval()
    randomise(base, 0.15)
    base.save_pretrained(folder / "base")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / file, folder / "base" / file)
    plain = greedy(base)
    ids = torch.tensor([PROMPTS[0]])
    loss = float(base(input_ids=ids, labels=ids).loss)
    tuned = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, task_type="CAUSAL_LM", **ADAPTERS[name])).eval()
    for parameter in tuned.parameters():
        if parameter.requires_grad:
            parameter += 0.2 * torch.randn_like(parameter) * (1 if parameter.dim() > 1 else 0.1)
    tuned.save_pretrained(folder / "adapter", save_embedding_layers=False)
    adapted = greedy(tuned)
    logits = tuned(input_ids=ids).logits[0]
    tuned.merge_and_unload().save_pretrained(folder / "merged")
    return {
        "base": plain,
        "tuned": adapted,
        "loss": loss,
        "scale": float(logits.abs().max()),
    }


LABELS = ["praise", "blame", "neither"]


@torch.no_grad()
def make_classifier(folder: Path) -> None:
    """An adapter with a head over labels for the base that is in `folder`."""
    torch.manual_seed(11)
    base = AutoModelForSequenceClassification.from_pretrained(
        folder / "base", num_labels=len(LABELS), dtype=torch.float32
    )
    config = LoraConfig(r=4, lora_alpha=8, task_type="SEQ_CLS", target_modules=["q_proj", "v_proj"])
    tuned = get_peft_model(base, config).eval()
    for parameter in tuned.parameters():
        if parameter.requires_grad:
            parameter += 0.2 * torch.randn_like(parameter)
    tuned.save_pretrained(folder / "classifier", save_embedding_layers=False)
    names = {str(number): label for number, label in enumerate(LABELS)}
    (folder / "classifier" / "labels.json").write_text(json.dumps({"id2label": names}))
    tuned.merge_and_unload().save_pretrained(folder / "merged-classifier")


def main() -> None:
    folder, tokenizer = Path(sys.argv[1]), Path(sys.argv[2])
    found = {name: make(name, folder / name, tokenizer) for name in MODELS}
    make_classifier(folder / "mixtral")
    (folder / "expected.json").write_text(json.dumps({"prompts": PROMPTS, "models": found}))


main()
