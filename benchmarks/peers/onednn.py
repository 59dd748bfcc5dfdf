"""oneDNN's matrix product, through its C interface: the matmul primitive of the operands as they lie in memory.

https://oneapi-src.github.io/oneDNN/dev_guide_matmul.html has the operation; the numbers below are those of dnnl_types.h, version 3.
"""

import ctypes
import importlib.metadata

import numpy

from harness.environment import DISTRIBUTION
from peers.protocol import Peer

CPU, FLOAT32, IN_ORDER = 1, 3, 1
SOURCE, DESTINATION, WEIGHTS = 1, 17, 33


class Argument(ctypes.Structure):
    _fields_ = [("name", ctypes.c_int), ("memory", ctypes.c_void_p)]


class Library:
    """libdnnl; a call that fails is an exception, and one that makes an object returns it."""

    def __init__(self):
        files = importlib.metadata.files(DISTRIBUTION["onednn"])
        self.functions = ctypes.CDLL(str(next(file for file in files if file.name == "libdnnl.so.3").locate()))

    def call(self, name, *arguments):
        status = self.functions[f"dnnl_{name}"](*arguments)
        if status != 0:
            raise RuntimeError(f"dnnl_{name}: status {status}")

    def make(self, name, *arguments):
        made = ctypes.c_void_p()
        self.call(name, ctypes.byref(made), *arguments)
        return made


class Contender(Peer):
    def load(self, parameters, inputs, targets):
        self.library = Library()
        self.engine = self.library.make("engine_create", CPU, ctypes.c_size_t(0))
        self.stream = self.library.make("stream_create", self.engine, IN_ORDER)
        self.operands = [*parameters.values(), *inputs.values()]
        self.result = numpy.empty(*[field.shape for field in self.case.outputs.values()], numpy.float32)
        self.case.product(self.prepare, *self.operands)

    def describe(self, array):
        axes = ctypes.c_int64 * 12
        strides = [stride // array.itemsize for stride in array.strides]
        return self.library.make("memory_desc_create_with_strides", array.ndim, axes(*array.shape), FLOAT32, axes(*strides))

    def prepare(self, left, right):
        """Makes the primitive of the product of two matrices, which may be transposed views."""
        arrays = {SOURCE: left, WEIGHTS: right, DESTINATION: self.result}
        kinds = {name: self.describe(array) for name, array in arrays.items()}
        description = self.library.make("matmul_primitive_desc_create", self.engine, kinds[SOURCE], kinds[WEIGHTS], None,
                                        kinds[DESTINATION], None)
        self.primitive = self.library.make("primitive_create", description)
        self.arguments = (Argument * len(arrays))(*[
            Argument(name, self.library.make("memory_create", kinds[name], self.engine, ctypes.c_void_p(array.ctypes.data)))
            for name, array in arrays.items()])

    def predict(self, count):
        for _ in range(count):
            self.library.call("primitive_execute", self.primitive, self.stream, len(self.arguments), self.arguments)
            self.library.call("stream_wait", self.stream)

    def outputs(self):
        return dict(zip(self.case.outputs, [self.result]))
