"""What memory bounds: elementwise chains and softmax, on 128 MiB that are read and 128 MiB that are written."""

from harness.case import Case, Field, Parameter


class Elementwise(Case):
    """Subclasses have the twins."""

    prepares = False
    rows, columns = 8192, 4096

    def __init__(self):
        super().__init__(self.model)
        self.definitions = {"rows": self.rows, "columns": self.columns}
        self.inputs = {"x": Field((self.rows, self.columns))}
        self.outputs = {"y": Field((self.rows, self.columns))}
        self.bytes_moved = 2 * 4 * self.rows * self.columns


class Chain(Elementwise):
    model = "chain"
    title = "scale, shift, leaky ReLU, add"

    def __init__(self):
        super().__init__()
        self.parameters = {"scale": Parameter((self.columns,), 1), "shift": Parameter((self.columns,), 1)}

    def torch_module(self):
        import torch
        case = self

        class Twin(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = torch.nn.Parameter(torch.empty(case.columns))
                self.shift = torch.nn.Parameter(torch.empty(case.columns))

            def forward(self, x):
                return case.torch_end(self.scale * x + self.shift, x)

        return Twin()

    def torch_end(self, h, x):
        import torch
        return torch.maximum(h, 0.1 * h) * 0.5 + x

    def jax_predict(self, p, x):
        import jax
        h = p["scale"] * x + p["shift"]
        return jax.numpy.maximum(h, 0.1 * h) * 0.5 + x


class SwishChain(Chain):
    model = "swish_chain"
    title = "scale, shift, swish, add"

    def torch_end(self, h, x):
        from torch.nn import functional
        return functional.silu(h) + x

    def jax_predict(self, p, x):
        import jax
        return jax.nn.silu(p["scale"] * x + p["shift"]) + x


class SoftmaxRows(Elementwise):
    model = "softmax_rows"
    title = "softmax of rows"
    rows, columns = 32768, 1024

    def torch_module(self):
        from torch import nn
        return nn.Softmax(dim=-1)

    def jax_predict(self, p, x):
        import jax
        return jax.nn.softmax(x)


CASES = [Chain(), SwishChain(), SoftmaxRows()]
