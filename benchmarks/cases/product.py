"""The three matrix products of a dense layer, alone, in the shapes of the perceptrons."""

from harness.case import Case, Field, Parameter

# samples, inputs, outputs
SHAPES = ((64, 784, 128), (128, 784, 512), (512, 2048, 2048))


class Product(Case):
    """Subclasses say which operand is which; all have one method `product(multiply, *operands)`."""

    prepares = False
    peers = ("torch", "jax", "openblas", "onednn")    # those that freeze parameters would have nothing left to compute

    def __init__(self, samples, inputs, outputs):
        super().__init__(f"{self.model}-{samples}x{inputs}x{outputs}")
        self.definitions = {"samples": samples, "inputs": inputs, "outputs": outputs}
        self.multiplications = [samples * inputs * outputs]

    def torch_module(self):
        import torch
        case = self

        class Twin(torch.nn.Module):
            def __init__(self):
                super().__init__()
                for name, parameter in case.parameters.items():
                    setattr(self, name, torch.nn.Parameter(torch.empty(parameter.shape)))

            def forward(self, *inputs):
                return case.product(torch.mm, *[getattr(self, name) for name in case.parameters], *inputs)

        return Twin()

    def numpy_predict(self, *operands, out):
        import functools
        import numpy
        self.product(functools.partial(numpy.matmul, out=out), *operands)

    def jax_predict(self, p, *inputs):
        import jax
        return self.product(jax.numpy.matmul, *[p[name] for name in self.parameters], *inputs)


class Forward(Product):
    model = "product_forward"
    title = "x W'"

    def __init__(self, samples, inputs, outputs):
        super().__init__(samples, inputs, outputs)
        self.inputs = {"x": Field((samples, inputs))}
        self.parameters = {"w": Parameter((outputs, inputs), inputs)}
        self.outputs = {"y": Field((samples, outputs))}

    def product(self, multiply, w, x):
        return multiply(x, w.T)


class Input(Product):
    model = "product_input"
    title = "g W"

    def __init__(self, samples, inputs, outputs):
        super().__init__(samples, inputs, outputs)
        self.inputs = {"g": Field((samples, outputs))}
        self.parameters = {"w": Parameter((outputs, inputs), inputs)}
        self.outputs = {"y": Field((samples, inputs))}

    def product(self, multiply, w, g):
        return multiply(g, w)


class Weight(Product):
    model = "product_weight"
    title = "g' x"

    def __init__(self, samples, inputs, outputs):
        super().__init__(samples, inputs, outputs)
        self.parameters = {"g": Parameter((samples, outputs), samples), "x": Parameter((samples, inputs), 1)}
        self.outputs = {"y": Field((outputs, inputs))}

    def product(self, multiply, g, x):
        return multiply(g.T, x)


CASES = [kind(*shape) for shape in SHAPES for kind in (Forward, Input, Weight)]
