"""GGUF files, whose tensors are where ftpc says: names and layout depend on the architecture."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ftpc_driver.errors import DriverError
from ftpc_driver.spec import Gguf, GgufTensor


def read_gguf(folder: str, gguf: Gguf, dtype: torch.dtype) -> dict[str, Tensor]:
    """The tensors by their names in files of Hugging Face, dequantised in float32."""
    from gguf import GGUFReader

    path = Path(folder) / gguf.file
    stored = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    lacking = [each.stored for each in gguf.tensors if each.stored not in stored]
    if lacking:
        raise DriverError("model", f"tensors of {path} are missing: {', '.join(lacking[:5])}")
    return {each.name: _placed(stored[each.stored], each).to(dtype) for each in gguf.tensors}


def _placed(stored: Any, wanted: GgufTensor) -> Tensor:
    from gguf import dequantize

    # of numbers that are not quantised, it may be a part of the file
    data = stored.data if wanted.member is None else stored.data[wanted.member]
    values: Tensor = torch.from_numpy(dequantize(data, stored.tensor_type).astype("float32", copy=True))
    if wanted.transposed:
        values = values.T
    if wanted.one_more:
        values -= 1
    if wanted.axes is not None:
        first, second, rows = wanted.axes
        values = values.reshape(-1, second, first, rows, *values.shape[1:]).transpose(1, 2)
    return values.reshape(wanted.shape).contiguous()
