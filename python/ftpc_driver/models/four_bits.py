"""Weights in NF4: of a base that one rank reads for all, and on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_longlong
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

#: Outputs that bitsandbytes packs together for its products in bfloat16.
_PACKED_ROWS = 32


def use_running_blocks() -> None:
    """
    bitsandbytes quantises a matrix in blocks that run on from row to row. With AVX-512, its CPU kernel looks constants
    up as if every row began a block: rows whose length is no multiple of 64 get those of other weights (0.50.2). Here
    it is handed rows of one block, or all as one row. A release without such a place keeps its own.
    """
    from bitsandbytes.backends.cpu import ops

    if hasattr(ops, "lib") and not isinstance(ops.lib, _RunningBlocks):
        ops.lib = _RunningBlocks(ops.lib)


class _RunningBlocks:
    """The native library of bitsandbytes, with kernels that dequantise NF4 of any shape."""

    def __init__(self, native: Any) -> None:
        self._native = native

    def __getattr__(self, name: str) -> Any:
        kernel = getattr(self._native, name)
        return _running(kernel) if name.startswith("cdequantize_blockwise_cpu_nf4_") else kernel


def _running(kernel: Any) -> Any:
    def call(codes: Any, constants: Any, out: Any, block: c_longlong, rows: c_longlong, width: c_longlong) -> None:
        if width.value % block.value:
            values = rows.value * width.value
            width = c_longlong(values if values % block.value else block.value)
            rows = c_longlong(values // width.value)
        kernel(codes, constants, out, block, rows, width)

    return call


def keep_products(model: nn.Module, compute: torch.dtype) -> None:
    """
    In evaluation on a CPU with AVX512-BF16, bitsandbytes packs every matrix for products in bfloat16, whatever type it
    was told to compute in, and fails where outputs are no multiple of 32 or inputs none of a block: such layers, and
    all of a model that computes in float32, are dequantised, as in training.
    """
    for layer in layers_in_four_bits(model):
        inputs, outputs, block = layer.in_features, layer.out_features, layer.weight.blocksize
        if compute != torch.bfloat16 or inputs % block or outputs % _PACKED_ROWS:
            layer.support_avx512bf16_for_cpu = False


def as_stored(model: nn.Module, dtype: torch.dtype, compute: torch.dtype) -> None:
    """
    Of a base whose files are in four bits: what is not quantised gets the type that is asked for, in which transformers
    leaves it as the file has it (5.24). Codes mean values of the type that the weights had before, which bitsandbytes
    takes in the backward pass alone (0.50.2); here they do in both.
    """
    layers = layers_in_four_bits(model)
    codes = {id(layer.weight) for layer in layers}
    for parameter in model.parameters():
        if id(parameter) not in codes and parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype)
    for layer in layers:
        layer.forward = _rounded(layer, layer.forward, compute)


def _rounded(layer: Any, original: Any, compute: torch.dtype) -> Any:
    def forward(inputs: Tensor) -> Tensor:
        from bitsandbytes.nn.modules import fix_4bit_weight_quant_state_from_module

        fix_4bit_weight_quant_state_from_module(layer)
        state = layer.weight.quant_state
        if state.dtype == compute:
            same: Tensor = original(inputs)
            return same
        output: Tensor = _Product.apply(inputs.to(compute), layer.weight.data, state)
        return (output if layer.bias is None else output + layer.bias.to(output.dtype)).to(inputs.dtype)

    return forward


class _Product(torch.autograd.Function):
    """With the values that codes stand for, which are made of them in each pass."""

    @staticmethod
    def forward(context: Any, inputs: Tensor, codes: Tensor, state: Any) -> Tensor:
        context.codes, context.state = codes, state
        return linear(inputs, _values(codes, state, inputs.dtype))

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        return gradient @ _values(context.codes, context.state, gradient.dtype), None, None


def _values(codes: Tensor, state: Any, dtype: torch.dtype) -> Tensor:
    from bitsandbytes.functional import dequantize_4bit

    values: Tensor = dequantize_4bit(codes, state)
    return values.to(dtype)


def layers_in_four_bits(model: nn.Module) -> list[Any]:
    """Not PEFT's layers around them, whose class has the same name."""
    from_library = [module for module in model.modules() if type(module).__module__.startswith("bitsandbytes.")]
    return [module for module in from_library if type(module).__name__ == "Linear4bit"]


def quantised_outline(model: Any, config: Any, is_stored: bool) -> None:
    """
    Makes of an outline one of the model that transformers would quantise, or read in four bits; its codes are of no
    values yet.
    """
    from transformers.quantizers.quantizer_bnb_4bit import Bnb4BitHfQuantizer

    quantizer = Bnb4BitHfQuantizer(config, pre_quantized=is_stored)
    quantizer.preprocess_model(model, device_map=None)
    for layer in layers_in_four_bits(model):
        layer.weight = _codes_of(layer)
    quantizer.postprocess_model(model)


def _codes_of(layer: Any) -> Any:
    """Of the weights that a layer of an outline would have."""
    from bitsandbytes.functional import QuantState
    from bitsandbytes.nn import Params4bit

    weight, outline = layer.weight, torch.device("meta")
    # two codes in a byte, and so many bytes in each of the numbers that they are stored as
    numbers = -(-weight.numel() // (2 * weight.quant_storage.itemsize))
    layer.quant_state = QuantState(
        absmax=torch.empty(-(-weight.numel() // weight.blocksize), device=outline),
        shape=weight.shape,
        code=torch.empty(16, device=outline),
        blocksize=weight.blocksize,
        quant_type=weight.quant_type,
        # those of a base that is stored so have that of their codes
        dtype=weight.dtype if weight.is_floating_point() else torch.float32,
    )
    codes: Any = Params4bit(
        torch.empty((numbers, 1), dtype=weight.quant_storage, device=outline),
        requires_grad=False,
        quant_state=layer.quant_state,
        blocksize=weight.blocksize,
        compress_statistics=weight.compress_statistics,
        quant_type=weight.quant_type,
        quant_storage=weight.quant_storage,
        module=layer,
        bnb_quantized=True,
    )
    # DoRA measures a copy of the weights, which bitsandbytes would make of values
    codes.__deepcopy__ = lambda _memo: codes
    return codes


def constants_of(layer: Any) -> dict[str, Any]:
    """What its codes are dequantised with, in the memory of the host."""
    state: dict[str, Any] = layer.quant_state.as_dict()
    return {name: value.cpu() if isinstance(value, Tensor) else value for name, value in state.items()}


def take_constants(layer: Any, constants: dict[str, Any], device: torch.device) -> None:
    from bitsandbytes.functional import QuantState

    layer.quant_state = QuantState.from_dict(constants, device)


@contextmanager
def quantised_on(device: torch.device) -> Iterator[None]:
    """Within it, transformers quantises on a device what it reads into the memory of the host, and leaves it there."""
    from transformers.integrations.bitsandbytes import Bnb4bitQuantize

    convert = Bnb4bitQuantize.convert

    def there(self: Any, read: dict[str, Any], *more: Any, **options: Any) -> dict[str, Any]:
        moved = {
            name: [each.to(device) for each in value] if isinstance(value, list) else value.to(device)
            for name, value in read.items()
        }
        return {name: value.to("cpu") for name, value in convert(self, moved, *more, **options).items()}

    Bnb4bitQuantize.convert = there
    try:
        yield
    finally:
        Bnb4bitQuantize.convert = convert
