"""784-512-512-10 with Adam at batch 128: the optimizer moves more memory than the data."""

from harness.case import Adam, Case, Field, jax_dense


class DeepPerceptron(Case):
    model = "deep_perceptron"
    title = "MLP 784-512-512-10, Adam"
    optimizer = Adam(rate=0.001)

    def __init__(self, batch):
        super().__init__(f"deep_perceptron-b{batch}")
        self.definitions = {"batch": batch}
        self.inputs = {"image": Field((batch, 784))}
        self.targets = {"label": Field((batch,), classes=10)}
        self.outputs = {"logits": Field((batch, 10))}
        self.dense("dense_1", batch, 784, 512)
        self.dense("dense_2", batch, 512, 512)
        self.dense("dense_3", batch, 512, 10)

    def torch_module(self):
        from torch import nn

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.dense_1 = nn.Linear(784, 512)
                self.dense_2 = nn.Linear(512, 512)
                self.dense_3 = nn.Linear(512, 10)

            def forward(self, image):
                return self.dense_3(self.dense_2(self.dense_1(image).relu()).relu())

        return Twin()

    def jax_predict(self, p, image):
        from jax.nn import relu
        h = relu(jax_dense(p, "dense_2", relu(jax_dense(p, "dense_1", image))))
        return jax_dense(p, "dense_3", h)


CASES = [DeepPerceptron(128)]
