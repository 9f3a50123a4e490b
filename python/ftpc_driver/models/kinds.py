"""Which class of transformers a model is read into."""

from typing import Any


def causal_kind(config: Any) -> Any:
    """
    The `AutoModel…` that predicts tokens. Some architectures that also see have no causal language model of their own
    (Mistral 3): they are read as what answers to images, too, and given text alone.
    """
    from transformers import (
        MODEL_FOR_CAUSAL_LM_MAPPING,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
    )

    if type(config) in MODEL_FOR_CAUSAL_LM_MAPPING or type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return AutoModelForCausalLM
    return AutoModelForImageTextToText
