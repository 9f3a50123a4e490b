"""
`odd_rows.py FOLDER`: how far logits of a GPT-2 in NF4, as the driver opens it, are from those of plain float32 weights. Those
are what bitsandbytes makes of the transposed weights as rows of one block each, which no kernel mistakes.
"""

import json
import sys

import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
from ftpc_driver.models.load import load_base
from ftpc_driver.spec import Model, Quantisation
from transformers import GPT2LMHeadModel

IDS = torch.tensor([[1, 17, 4, 35, 33, 33, 20, 8, 2, 31]])


def through_nf4(weight, double):
    codes, state = quantize_4bit(
        weight.T.contiguous().view(-1, 64), blocksize=64, quant_type="nf4", compress_statistics=double
    )
    return dequantize_4bit(codes, state).view(weight.T.shape).T


@torch.no_grad()
def apart(folder, double):
    plain = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32).eval()
    for name, weight in plain.named_parameters():
        if ".h." in name and weight.dim() == 2:
            weight.copy_(through_nf4(weight, double))
    expected = plain(IDS).logits
    spec = Model(folder, None, "causal", None, "float32", Quantisation("nf4", double), "eager")
    base = load_base(spec, torch.float32, torch.device("cpu"))
    training = base.train()(IDS).logits
    evaluation = base.eval()(IDS).logits
    return [((found - expected).abs().max() / expected.abs().max()).item() for found in (training, evaluation)]


torch.set_num_threads(1)
print(json.dumps({kind: apart(sys.argv[1], kind == "double") for kind in ("single", "double")}))
