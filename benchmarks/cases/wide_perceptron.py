"""2048-2048-2048 at batch 512: all should sit at the peak of the matrix product."""

from harness.case import Case, Field, Sgd, jax_dense


class WidePerceptron(Case):
    model = "wide_perceptron"
    title = "MLP 2048-2048-2048"
    optimizer = Sgd(rate=1)

    def __init__(self, batch):
        super().__init__(f"wide_perceptron-b{batch}")
        self.definitions = {"batch": batch}
        self.inputs = {"x": Field((batch, 2048))}
        self.targets = {"t": Field((batch, 2048))}
        self.outputs = {"y": Field((batch, 2048))}
        self.dense("dense_1", batch, 2048, 2048)
        self.dense("dense_2", batch, 2048, 2048)

    def torch_module(self):
        from torch import nn

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.dense_1 = nn.Linear(2048, 2048)
                self.dense_2 = nn.Linear(2048, 2048)

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


CASES = [WidePerceptron(512)]
