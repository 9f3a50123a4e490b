"""
`shared_codes.py SPEC ALONE`, on each rank: how many layers of a base that the first rank has quantised for all are, codes and
constants, those of ALONE, a folder that this rank quantises by itself; SPEC may name a folder without weights on other ranks.
"""

import json
import sys
from dataclasses import replace

import torch
from bitsandbytes.functional import dequantize_4bit
from ftpc_driver.models.four_bits import constants_of, layers_in_four_bits
from ftpc_driver.models.load import load_base
from ftpc_driver.models.structure import causal_model
from ftpc_driver.spec import read_spec
from ftpc_driver.training.randomness import Draws
from ftpc_driver.training.ranks import Ranks
from ftpc_driver.training.sharding import shard
from ftpc_driver.training.train import prepared


def same_constants(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[name], value) if isinstance(value, torch.Tensor) else one[name] == value
        for name, value in other.items()
    )


def is_same(layer, other):
    codes = layer.weight.full_tensor().view(torch.uint8)
    expected = other.weight.data.view(torch.uint8)
    weights = [dequantize_4bit(data, of.quant_state) for data, of in ((codes, layer), (expected, other))]
    return (
        torch.equal(codes, expected)
        and same_constants(constants_of(layer), constants_of(other))
        and torch.equal(*weights)
    )


spec = read_spec(sys.argv[1])
ranks = Ranks(spec, print)
torch.set_num_threads(1)
model = causal_model(shard(prepared(spec, ranks, Draws(spec.seed, ranks.device)), spec, ranks))
alone = load_base(replace(spec.model, folder=sys.argv[2]), torch.float32, ranks.device)
pairs = list(zip(layers_in_four_bits(model), layers_in_four_bits(alone), strict=True))
print(json.dumps({"layers": len(pairs), "same": sum(is_same(*pair) for pair in pairs)}))
