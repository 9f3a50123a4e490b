"""
Dropout and noise are functions of seed, step and micro batch, so that no generator's state is saved. On the CPU they
are those of the embedded engine, number for number (`src/compute/models/decoder/dropout.ts`); elsewhere the device's
own generator draws them, which is faster, from a seed of the micro batch.
"""

import hashlib
from collections.abc import Mapping
from functools import reduce

import torch
from torch import Tensor, nn

WORD = 0xFFFFFFFF

#: Turned around, they let numbers without a sign be compared as if they had one.
SIGNS = 0x80008000

#: Counter of the embedding, which is before layer 0.
EMBEDDED = -1


def seed_of(seed: int, step: int, micro: int) -> int:
    """63 bits; the same whichever rank computes the micro batch."""
    digest = hashlib.blake2b(f"{seed} {step} {micro}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


class Draws:
    """What the random numbers of the micro batch at hand follow from."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._seed = seed
        self._key: tuple[int, ...] = ()
        #: Tokens of the longest row.
        self.longest = 1
        self.are_counted = device.type == "cpu"

    def begin(self, step: int, micro: int, longest: int) -> None:
        self._key = (self._seed, self._seed >> 32, step, micro)
        self.longest = longest
        torch.manual_seed(seed_of(self._seed, step, micro))

    def stream(self, layer: int, module: int) -> int:
        def counted(state: int, counter: int) -> int:
            return _mixed(state * 0x9E3779B1 + counter + 1)

        return reduce(counted, (*self._key, layer, module), 0x6A09E667)


class CountedDropout(nn.Module):
    """Dropout of one linear layer's input `[rows, length, width]`."""

    def __init__(self, rate: float, draws: Draws, layer: int, module: int) -> None:
        super().__init__()
        self._rate, self._draws, self._layer, self._module = rate, draws, layer, module

    def forward(self, states: Tensor) -> Tensor:
        if not self.training:
            return states
        count = states.numel()
        bits = _hashes((count + 1) // 2, self._draws.stream(self._layer, self._module), states.device)
        # each hash decides over two elements, 16 bits each: the lower half comes first
        halves = bits.bitwise_xor_(_signed(SIGNS)).view(torch.int16)[:count]
        kept = halves >= int(self._rate * 65536 + 0.5) - (1 << 15)
        dropped: Tensor = states * kept.view(states.shape) * (1 / (1 - self._rate))
        return dropped


def count_dropout(model: nn.Module, draws: Draws, places: Mapping[str, list[int]]) -> None:
    """Low-rank factors drop what the embedded engine drops. `places`: block of a layer, and number in it, by path."""
    if not draws.are_counted:
        return
    for name, module in model.named_modules():
        place = places.get(name.removeprefix("base_model.model."))
        dropouts = getattr(module, "lora_dropout", None)
        if place is None or dropouts is None or not isinstance(dropouts["default"], nn.Dropout):
            continue
        dropouts["default"] = CountedDropout(dropouts["default"].p, draws, *place)


def add_noise(embedding: nn.Module, alpha: float, draws: Draws) -> None:
    """
    NEFTune (Jain et al. 2023, arXiv 2310.05914), in training only: uniform noise of at most α ÷ √(length·width) on the
    embedded tokens `[rows, length, width]`, for rows that are padded to `length`.
    """

    def hook(module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        if not module.training:
            return output
        bound = alpha / (draws.longest * output.shape[2]) ** 0.5
        if not draws.are_counted:
            return output + torch.empty_like(output).uniform_(-bound, bound)
        rows, length, width = output.shape
        streams = [draws.stream(EMBEDDED, row) for row in range(rows)]
        words = torch.stack([_hashes(length * width, stream, output.device) for stream in streams])
        shares = (words.long() & WORD).double() / 2**32
        noise: Tensor = bound * (2 * shares - 1)
        return output + noise.view(output.shape).to(output.dtype)

    embedding.register_forward_hook(hook)


#: Multipliers of a bijective mixer of 32 bits (triple32 by Chris Wellons).
FACTORS = (0xED5AD4BB, 0xAC4C1B51, 0x31848BAB)
SHIFTS = (17, 11, 15)
LAST_SHIFT = 14


def _mixed(value: int) -> int:
    word = value & WORD
    for shift, factor in zip(SHIFTS, FACTORS, strict=True):
        word = ((word ^ (word >> shift)) * factor) & WORD
    return word ^ (word >> LAST_SHIFT)


def _hashes(count: int, stream: int, device: torch.device) -> Tensor:
    """32 random bits for each number below `count`, as int32, whose products wrap around."""
    return _mix(torch.bitwise_xor(_mixed_numbers(count, device), _signed(stream)))


#: Of all numbers up to the most that were asked for, by device: the first half of what a hash takes.
_known: dict[torch.device, Tensor] = {}


def _mixed_numbers(count: int, device: torch.device) -> Tensor:
    if device not in _known or len(_known[device]) < count:
        _known[device] = _mix(torch.arange(count, dtype=torch.int32, device=device))
    return _known[device][:count]


def _mix(words: Tensor) -> Tensor:
    """In their own memory."""
    for shift, factor in zip(SHIFTS, FACTORS, strict=True):
        words.bitwise_xor_(_shifted(words, shift)).mul_(_signed(factor))
    return words.bitwise_xor_(_shifted(words, LAST_SHIFT))


def _shifted(words: Tensor, shift: int) -> Tensor:
    """Without copies of the sign."""
    return (words >> shift).bitwise_and_(WORD >> shift)


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word
