"""A loss with second derivatives: differentiation inside of what is differentiated."""

import math

from harness.case import Adam, Case, Field, jax_dense


class Physics(Case):
    model = "physics"
    title = "physics loss, u'' inside"
    optimizer = Adam(rate=0.001)
    torch_cpp_wrapper = False    # PyTorch 2.13: `aoti_torch_cpu_mm_out API call failed` in the products of the second derivative

    def __init__(self, batch):
        super().__init__(f"physics-b{batch}")
        self.definitions = {"batch": batch}
        self.inputs = {"x": Field((batch, 1))}
        self.outputs = {"solution": Field((batch, 1))}
        self.dense("dense_1", batch, 1, 16)
        self.dense("dense_2", batch, 16, 16)
        self.dense("dense_3", batch, 16, 1)

    def operations(self, task):
        # How often the contractions run depends on how the second derivative is taken.
        return 0 if task == "train" else super().operations(task)

    def torch_module(self):
        from torch import nn

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.dense_1 = nn.Linear(1, 16)
                self.dense_2 = nn.Linear(16, 16)
                self.dense_3 = nn.Linear(16, 1)

            def forward(self, x):
                h = self.dense_2(self.dense_1(x).tanh()).tanh()
                return x * (1 - x) * self.dense_3(h)

        return Twin()

    def torch_loss(self, module, inputs, targets):
        import torch
        x = inputs[0].detach().requires_grad_()
        u = module(x)
        slope, = torch.autograd.grad(u.sum(), x, create_graph=True)
        curvature, = torch.autograd.grad(slope.sum(), x, create_graph=True)
        return ((curvature + math.pi ** 2 * torch.sin(math.pi * x)) ** 2).mean()

    def torch_functional_loss(self, module, inputs, targets):
        """The same for torch.compile, which cannot see through autograd.grad: forward over forward, sample by sample being equal."""
        import torch
        from torch.func import jvp
        x = inputs[0]
        ones = torch.ones_like(x)

        def slope(at):
            return jvp(module, (at,), (ones,))[1]

        curvature = jvp(slope, (x,), (ones,))[1]
        return ((curvature + math.pi ** 2 * torch.sin(math.pi * x)) ** 2).mean()

    def jax_predict(self, p, x):
        from jax.numpy import tanh
        h = tanh(jax_dense(p, "dense_2", tanh(jax_dense(p, "dense_1", x))))
        return x * (1 - x) * jax_dense(p, "dense_3", h)

    def jax_loss(self, p, inputs, targets):
        import jax
        x = inputs[0]
        ones = jax.numpy.ones_like(x)

        def slope(at):
            return jax.jvp(lambda t: self.jax_predict(p, t), (at,), (ones,))[1]

        curvature = jax.jvp(slope, (x,), (ones,))[1]
        return ((curvature + math.pi ** 2 * jax.numpy.sin(math.pi * x)) ** 2).mean()


CASES = [Physics(64)]
