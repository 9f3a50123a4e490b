"""Names of trained tensors: as PEFT writes them into its files, and as the embedded engine calls them."""

from torch import nn

#: What PEFT puts before the names of the base's modules.
PREFIX = "base_model.model."

#: PEFT's name for the trained tensor of a prompt or a prefix, whatever its module is called.
PROMPT = "prompt_embeddings"


def file_names(model: nn.Module) -> dict[str, nn.Parameter]:
    """Trained tensors by their names in files, in the model's order; a tied tensor is there once."""
    config = getattr(model, "peft_config", {}).get("default")
    alone = config is not None and config.is_prompt_learning and not getattr(config, "prefix_projection", False)
    return {
        PROMPT if alone else _plain(name): parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def _plain(name: str) -> str:
    """Without the name of the adapter, which PEFT leaves out."""
    return (
        name.replace(".modules_to_save.default.", ".")
        .replace(".default.", ".")
        # factors of an embedding are parameters by themselves
        .removesuffix(".default")
        .replace("lora_magnitude_vector.weight", "lora_magnitude_vector")
    )


def is_bias_of_base(file_name: str) -> bool:
    """Of a layer, not of what an adapter adds to one."""
    return file_name.endswith(".bias") and ".lora_" not in file_name


def own_name(file_name: str) -> str:
    """Name of a tensor in the embedded engine, by which decay and rate of a parameter are decided."""
    return file_name.removeprefix(PREFIX)
