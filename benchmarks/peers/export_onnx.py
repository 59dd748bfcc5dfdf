"""Writes a case as an ONNX file: `python -m peers.export_onnx CASE FOLDER FILE`. A process of its own, so that PyTorch's memory does not
count for ONNX Runtime."""

import sys
import warnings
from pathlib import Path

import torch

from harness import exchange
from harness.case import find_case


def main():
    name, folder, file = sys.argv[1:]
    case = find_case(name)
    module = case.torch_module()
    module.load_state_dict({key: torch.from_numpy(array) for key, array in exchange.read_parameters(case, Path(folder)).items()})
    inputs = tuple(torch.from_numpy(array) for array in exchange.read_fields(case.inputs, Path(folder)).values())
    warnings.simplefilter("ignore")    # the newer exporter wants a package more, and gives the same graph for these
    torch.onnx.export(module.eval(), inputs, file, input_names=list(case.inputs), output_names=list(case.outputs), dynamo=False)


main()
