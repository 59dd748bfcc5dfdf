"""784-128-10 at batch 1 and 64."""

from harness.case import Case, Field, Sgd, jax_dense


class Perceptron(Case):
    model = "perceptron"
    title = "MLP 784-128-10"
    optimizer = Sgd(rate=0.01)

    def __init__(self, batch):
        super().__init__(f"perceptron-b{batch}")
        self.definitions = {"batch": batch}
        self.inputs = {"image": Field((batch, 784))}
        self.targets = {"label": Field((batch,), classes=10)}
        self.outputs = {"logits": Field((batch, 10))}
        self.dense("dense_1", batch, 784, 128)
        self.dense("dense_2", batch, 128, 10)

    def torch_module(self):
        from torch import nn

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.dense_1 = nn.Linear(784, 128)
                self.dense_2 = nn.Linear(128, 10)

            def forward(self, image):
                return self.dense_2(self.dense_1(image).relu())

        return Twin()

    def jax_predict(self, p, image):
        import jax
        return jax_dense(p, "dense_2", jax.nn.relu(jax_dense(p, "dense_1", image)))


CASES = [Perceptron(1), Perceptron(64)]
