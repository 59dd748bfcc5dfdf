"""What a case says about itself; the cases are in the folder `cases`."""

import importlib
import math
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "cases"

# In the order of the report: from the smallest network to pieces of networks.
MODULES = ("parabola", "physics", "perceptron", "deep_perceptron", "wide_perceptron", "lenet", "vgg", "mobile", "large_kernel",
           "lstm", "product", "elementwise")


@dataclass(frozen=True)
class Field:
    """An input, target or output. Classes are numbers from 0 to classes - 1; 0 classes: reals."""
    shape: tuple
    classes: int = 0

    @property
    def c_type(self):
        return "int32_t" if self.classes else "float"

    @property
    def size(self):
        return math.prod(self.shape)


@dataclass(frozen=True)
class Parameter:
    """A tensor that is trained; its initial values are uniform in +-1 / sqrt(fan_in)."""
    shape: tuple
    fan_in: int


@dataclass(frozen=True)
class Sgd:
    rate: float


@dataclass(frozen=True)
class Adam:
    rate: float


class Case:
    """A model at one batch size.

    Parameters have nnc's names, which are the attributes of the twin module in PyTorch too, so that one folder of raw files serves
    all contenders. Subclasses import PyTorch and JAX inside of their methods: the harness itself needs neither, and a worker
    only its own.
    """

    model = None             # NAME: the model is cases/NAME.nn, and `model NAME` in it
    title = None
    optimizer = None         # without one, the case is prediction only
    predicts = True
    prepares = True          # does prediction read parameters that were prepared once?
    peers = ("torch", "torch-compile", "jax", "onnxruntime")
    channels_last = ()       # the tasks in which peers are faster with channels as the last axis of images, as measured
    torch_cpp_wrapper = True    # does torch.compile's way through C++ work?
    definitions = {}         # what `nnc -D` gets

    def __init__(self, name):
        self.name = name
        self.task = None             # in a worker: what it was started for
        self.inputs = {}
        self.targets = {}
        self.outputs = {}
        self.parameters = {}
        self.multiplications = []    # of each contraction, the first layer's first
        self.bytes_moved = 0         # by prediction, of cases that memory bounds

    @property
    def source(self):
        return FOLDER / f"{self.model}.nn"

    @property
    def tasks(self):
        return (["train"] if self.optimizer else []) + (["predict"] if self.predicts else [])

    def operations(self, task):
        """Floating-point operations of the contractions; the first layer's input wants no gradient."""
        forward = 2 * sum(self.multiplications)
        return 3 * forward - 2 * self.multiplications[0] if task == "train" and forward else forward

    def dense(self, name, samples, inputs, outputs):
        """Notes the parameters and the work of a dense layer."""
        self.parameters[f"{name}.weight"] = Parameter((outputs, inputs), inputs)
        self.parameters[f"{name}.bias"] = Parameter((outputs,), inputs)
        self.multiplications.append(samples * inputs * outputs)

    def conv2d(self, name, places, inputs, outputs, kernel, groups=1):
        """The same of a convolution; `places` counts the pixels of its results, over all samples."""
        fan_in = inputs // groups * kernel * kernel
        self.parameters[f"{name}.weight"] = Parameter((outputs, inputs // groups, kernel, kernel), fan_in)
        self.parameters[f"{name}.bias"] = Parameter((outputs,), fan_in)
        self.multiplications.append(places * outputs * fan_in)

    def torch_module(self):
        """A torch.nn.Module: inputs to output."""
        raise NotImplementedError

    def torch_loss(self, module, inputs, targets):
        from torch.nn import functional
        return functional.cross_entropy(module(*inputs), *targets)

    def jax_predict(self, p, *inputs):
        """The output; `p` holds the parameters by name."""
        raise NotImplementedError

    def jax_conv2d(self, p, name, x, pad=0, groups=1):
        import jax
        settings = {"window_strides": (1, 1), "padding": [(pad, pad)] * 2, "feature_group_count": groups}
        if self.task not in self.channels_last:
            y = jax.lax.conv_general_dilated(x, p[f"{name}.weight"], **settings)
            return y + p[f"{name}.bias"][:, None, None]
        # XLA moves the transpositions to where they cost least; between layers they meet and vanish.
        y = jax.lax.conv_general_dilated(x.transpose(0, 2, 3, 1), p[f"{name}.weight"].transpose(2, 3, 1, 0),
                                         dimension_numbers=("NHWC", "HWIO", "NHWC"), **settings)
        return (y + p[f"{name}.bias"]).transpose(0, 3, 1, 2)

    def jax_loss(self, p, inputs, targets):
        import jax
        logits = self.jax_predict(p, *inputs)
        return -jax.numpy.mean(jax.nn.log_softmax(logits)[jax.numpy.arange(logits.shape[0]), targets[0]])


def jax_dense(p, name, x):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def jax_max_pool(x):
    """The largest of each 2x2 window."""
    import jax
    return jax.lax.reduce_window(x, -jax.numpy.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def all_cases():
    return [case for module in MODULES for case in importlib.import_module(f"cases.{module}").CASES]


def find_case(name):
    for case in all_cases():
        if case.name == name:
            return case
    raise KeyError(name)
