"""PyTorch in double precision: nobody's peer, but what all are compared with."""

import numpy
import torch

from peers.torch_eager import Contender as Eager


def with_reals(arrays, precision):
    return {name: array.astype(precision) if array.dtype.kind == "f" else array for name, array in arrays.items()}


class Contender(Eager):
    def load(self, parameters, inputs, targets):
        torch.set_default_dtype(torch.float64)
        super().load(*(with_reals(arrays, numpy.float64) for arrays in (parameters, inputs, targets)))

    def parameters(self):
        return with_reals(super().parameters(), numpy.float32)

    def outputs(self):
        return with_reals(super().outputs(), numpy.float32)
