"""
Writes `src/compute/models/config/transformers-types.ts`: which `model_type`s transformers has a causal language model for, or one
that also sees and is given text alone, and in which version. Run it after another version of transformers is locked:

    python scripts/models/model_types.py
"""

from pathlib import Path

import transformers
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

#: No decoders of text alone: encoders with a causal head, and models that also need another input.
LEFT_OUT = {"bert", "bert-generation", "big_bird", "camembert", "data2vec-text", "electra", "ernie", "git", "megatron-bert",
            "musicgen", "musicgen_melody", "rembert", "roberta", "roberta-prelayernorm", "roc_bert", "roformer", "speech_to_text_2",
            "trocr", "xlm-roberta", "xlm-roberta-xl", "xlm", "xlnet", "xmod", "whisper", "bart", "bigbird_pegasus", "blenderbot",
            "blenderbot-small", "marian", "mbart", "mvp", "pegasus", "plbart", "prophetnet", "xlm-prophetnet", "qdqbert",
            "reformer", "transfo-xl"}

#: Models that also see, without a causal language model of their own, that were tried.
SEEING = {"mistral3"}

LINES = """/** `model_type`s that transformers has a causal language model for; written by `scripts/models/model_types.py`. */
export const TRANSFORMERS_VERSION = '%s';

export const TRANSFORMERS_TYPES: ReadonlySet<string> = new Set([
%s
]);
"""


def main() -> None:
    names = sorted(set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES) - LEFT_OUT | SEEING)
    text = LINES % (transformers.__version__, "\n".join(f"  '{name}'," for name in names))
    Path(__file__).parents[2].joinpath("src/compute/models/config/transformers-types.ts").write_text(text)


if __name__ == "__main__":
    main()
