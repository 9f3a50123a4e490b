"""The specification of a training, version 1, as the parent writes it."""

import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ftpc_driver.errors import DriverError

VERSION = 1


@dataclass(frozen=True)
class Sharding:
    kind: Literal["none", "ddp", "fsdp"]
    #: Frozen weights, and with them what else is sharded, wait on the host.
    offload: bool = False


@dataclass(frozen=True)
class Quantisation:
    type: Literal["nf4"]
    double: bool


@dataclass(frozen=True)
class GgufTensor:
    """A tensor of a model, by its name in files of Hugging Face, and where a GGUF file has it."""

    name: str
    stored: str
    shape: list[int]
    #: Which it is of a stack of tensors.
    member: int | None = None
    #: It is stored `[inputs, outputs]`.
    transposed: bool = False
    #: One was added.
    one_more: bool = False
    #: In blocks of these rows, the first two axes are stored the other way round.
    axes: list[int] | None = None


@dataclass(frozen=True)
class Gguf:
    #: In the folder of the model.
    file: str
    #: What its `config.json` would say.
    config: dict[str, Any]
    tensors: list[GgufTensor]


@dataclass(frozen=True)
class Model:
    folder: str
    #: Left out of a folder in Hugging Face layout.
    gguf: Gguf | None
    task: Literal["causal", "classifier"]
    labels: list[str] | None
    #: Of frozen weights.
    dtype: Literal["float32", "bfloat16"]
    quantisation: Quantisation | None
    attention: Literal["eager", "sdpa", "flash_attention_2"]


@dataclass(frozen=True)
class Adapter:
    folder: str


@dataclass(frozen=True)
class Head:
    file: str


@dataclass(frozen=True)
class Rows:
    file: str


@dataclass(frozen=True)
class Validation:
    file: str
    #: Rows of each batch.
    batches: list[list[int]]
    #: Where the objective reads them: prompts with the answers of others, in batches.
    others: list[list[list[int]]] | None = None


@dataclass(frozen=True)
class Best:
    """What of a validation the best one is best by, instead of the loss."""

    metric: str
    higher_is_better: bool


@dataclass(frozen=True)
class Answers:
    """Rows of the validation that are answered; the parent measures the answers."""

    #: Numbers of the rows in the file of the validation.
    rows: list[int]
    #: Tokens of each that come before its answer, and tokens of its answer at most.
    prompts: list[int]
    limits: list[int]
    #: Places in `rows` that are answered together.
    batches: list[list[int]]
    stop_ids: list[int]
    #: What the parent tells of the answers.
    metrics: list[str]
    watches_repetition: bool


@dataclass(frozen=True)
class Padding:
    """Sequences are padded to a multiple of `bucket`, but not beyond `limit`."""

    bucket: int
    limit: int

    def length(self, tokens: int) -> int:
        return max(tokens, min(self.limit, -(-tokens // self.bucket) * self.bucket))


@dataclass(frozen=True)
class Optimizer:
    name: Literal["adamw", "adamw8bit", "adafactor", "lion", "sgd"]
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    decay: float = 0.0
    momentum: float = 0.0
    #: Rate of LoRA's B and of vectors over that of the rest.
    lora_plus: float = 1.0
    #: State in memory that the driver pages to the host.
    paged: bool = False


@dataclass(frozen=True)
class Plateau:
    """Rates are multiplied by `factor`, down to `low` of them, when validations stop finding a better loss."""

    factor: float
    #: Validations in a row without a better loss that are let pass.
    patience: int
    #: Fraction of the best loss by which a better one is below it.
    threshold: float
    low: float


@dataclass(frozen=True)
class Objective:
    """What is learned of answers: the numbers that an objective has none of are left out."""

    kind: Literal["dpo", "orpo", "simpo", "kto", "reward"]
    beta: float = 0.0
    loss: Literal["sigmoid", "ipo", "hinge"] = "sigmoid"
    #: Share of the pairs whose order is taken to be wrong.
    label_smoothing: float = 0.0
    #: Weight of the cross entropy of the chosen answers.
    sft: float = 0.0
    gamma: float = 0.0
    #: Weights of good and of bad answers.
    desirable: float = 1.0
    undesirable: float = 1.0


@dataclass(frozen=True)
class Reference:
    """What a model that does not learn is asked before training."""

    #: A line for each piece: micro batches of pairs, the row that is asked and the row whose answer follows.
    file: str
    #: Pairs of all pieces.
    pairs: int
    #: Where its answers are kept.
    folder: str


@dataclass(frozen=True)
class OtherModel:
    """A reference model that is not the base: asked before training, then released."""

    model: Model
    adapter: Adapter | None
    #: Tokens that it reads at most.
    positions: int


@dataclass(frozen=True)
class Preferences:
    """Rows are texts, whose last tokens are the answer: of pairs, each chosen one is followed by the rejected one."""

    objective: Objective
    #: Tokens of a prompt with the answer of another, at most.
    limit: int
    #: Left out where the objective compares with nothing.
    reference: Reference | None
    validation_reference: Reference | None
    #: What is asked; left out, the base.
    other: OtherModel | None = None


@dataclass(frozen=True)
class Spec:
    version: int
    folder: str
    versions: dict[str, str | None]
    digest: str
    world: int
    device: Literal["cpu", "cuda"]
    sharding: Sharding
    model: Model
    precision: Literal["f32", "bf16"]
    trained: Literal["adapter", "full"]
    adapter: Adapter | None
    #: What a classifier's own layer begins with where every weight is trained.
    head: Head | None
    pissa: bool
    rows: Rows
    validation: Validation | None
    pad_id: int
    padding: Padding
    steps: str
    total_steps: int
    every: int
    keep: int
    patience: int | None
    plateau: Plateau | None
    wall: float | None
    optimizer: Optimizer
    clip: float | None
    neftune: float | None
    seed: int
    checkpointed_blocks: int = 0
    logits_chunk: int | None = None
    #: Steps between two validations; left out, `every`.
    validate_every: int | None = None
    best: Best | None = None
    #: Training ends when answers repeat themselves.
    ends_repeating: bool = False
    answers: Answers | None = None
    #: Left out where writing is learned.
    preferences: Preferences | None = None
    #: Block and number in it of each linear layer whose input may be dropped, by its path.
    dropout: dict[str, list[int]] | None = None
    #: Share of the loss that is the mean over all tokens of the vocabulary, or over all labels.
    label_smoothing: float = 0.0


def read_spec(path: str) -> Spec:
    try:
        value = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise DriverError("bug", f"the specification {path} cannot be read: {error}") from None
    if isinstance(value, dict) and value.get("version") != VERSION:
        raise DriverError(
            "versions", f"the specification has version {value.get('version')}; this driver reads {VERSION}"
        )
    spec = parse(Spec, value, "specification")
    assert isinstance(spec, Spec)
    return spec


def parse(kind: Any, value: Any, at: str) -> Any:
    """A value of JSON as the type says. Fields that are unknown are as wrong as those that are missing."""
    origin = get_origin(kind)
    if origin is UnionType:
        inner = next(part for part in get_args(kind) if part is not type(None))
        return None if value is None else parse(inner, value, at)
    if is_dataclass(kind):
        return _record(kind, value, at)
    if origin is Literal:
        return _checked(value in get_args(kind), value, at, f"one of {', '.join(map(str, get_args(kind)))}")
    if origin is list:
        _checked(isinstance(value, list), value, at, "a list")
        (inner,) = get_args(kind)
        if inner is int and all(type(each) is int for each in value):  # rows by the million
            return value
        return [parse(inner, each, f"{at}[{index}]") for index, each in enumerate(value)]
    if origin is dict:
        return _checked(isinstance(value, dict), value, at, "an object")
    if kind is float:
        _checked(isinstance(value, (int, float)) and not isinstance(value, bool), value, at, "a number")
        return float(value)
    return _checked(type(value) is kind, value, at, f"of type {kind.__name__}")


def _record(kind: Any, value: Any, at: str) -> Any:
    _checked(isinstance(value, dict), value, at, "an object")
    types = get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    unknown = sorted(set(value) - known)
    if unknown:
        raise DriverError("bug", f"{at} has unknown fields: {', '.join(unknown)}")
    read = {name: parse(types[name], each, f"{at}.{name}") for name, each in value.items()}
    try:
        return kind(**read)
    except TypeError as error:
        raise DriverError("bug", f"{at}: {error}") from None


def _checked(holds: bool, value: Any, at: str, wanted: str) -> Any:
    if not holds:
        raise DriverError("bug", f"{at} is {json.dumps(value)[:80]}; it must be {wanted}")
    return value
