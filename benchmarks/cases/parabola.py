"""1-10-1 at batch 256: what is left when there is next to nothing to compute."""

from harness.case import Case, Field, Sgd, jax_dense


class Parabola(Case):
    model = "parabola"
    title = "parabola 1-10-1"
    optimizer = Sgd(rate=0.05)

    def __init__(self, batch):
        super().__init__(f"parabola-b{batch}")
        self.definitions = {"batch": batch}
        self.inputs = {"x": Field((batch, 1))}
        self.targets = {"t": Field((batch, 1))}
        self.outputs = {"y": Field((batch, 1))}
        self.dense("dense_1", batch, 1, 10)
        self.dense("dense_2", batch, 10, 1)

    def torch_module(self):
        from torch import nn

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.dense_1 = nn.Linear(1, 10)
                self.dense_2 = nn.Linear(10, 1)

            def forward(self, x):
                return self.dense_2(self.dense_1(x).relu())

        return Twin()

    def torch_loss(self, module, inputs, targets):
        from torch.nn import functional
        return functional.mse_loss(module(*inputs), *targets)

    def jax_predict(self, p, x):
        import jax
        return jax_dense(p, "dense_2", jax.nn.relu(jax_dense(p, "dense_1", x)))

    def jax_loss(self, p, inputs, targets):
        return ((self.jax_predict(p, *inputs) - targets[0]) ** 2).mean()


CASES = [Parabola(256)]
