"""LeNet-5 at batch 1 and 64: convolutions with few channels."""

from harness.case import Case, Field, Sgd, jax_dense, jax_max_pool


class Lenet(Case):
    model = "lenet"
    title = "LeNet-5"
    optimizer = Sgd(rate=0.01)

    def __init__(self, batch):
        super().__init__(f"lenet-b{batch}")
        self.channels_last = ("train", "predict") if batch > 1 else ()
        self.definitions = {"batch": batch}
        self.inputs = {"image": Field((batch, 1, 28, 28))}
        self.targets = {"label": Field((batch,), classes=10)}
        self.outputs = {"logits": Field((batch, 10))}
        self.conv2d("conv2d_1", batch * 28 * 28, 1, 6, kernel=5)
        self.conv2d("conv2d_2", batch * 10 * 10, 6, 16, kernel=5)
        self.dense("dense_1", batch, 400, 120)
        self.dense("dense_2", batch, 120, 84)
        self.dense("dense_3", batch, 84, 10)

    def torch_module(self):
        from torch import nn
        from torch.nn import functional

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv2d_1 = nn.Conv2d(1, 6, 5, padding=2)
                self.conv2d_2 = nn.Conv2d(6, 16, 5)
                self.dense_1 = nn.Linear(400, 120)
                self.dense_2 = nn.Linear(120, 84)
                self.dense_3 = nn.Linear(84, 10)

            def forward(self, image):
                h = functional.max_pool2d(self.conv2d_1(image).tanh(), 2)
                h = functional.max_pool2d(self.conv2d_2(h).tanh(), 2)
                h = self.dense_2(self.dense_1(h.flatten(1)).tanh())
                return self.dense_3(h.tanh())

        return Twin()

    def jax_predict(self, p, image):
        from jax.numpy import tanh
        h = jax_max_pool(tanh(self.jax_conv2d(p, "conv2d_1", image, pad=2)))
        h = jax_max_pool(tanh(self.jax_conv2d(p, "conv2d_2", h)))
        h = tanh(jax_dense(p, "dense_1", h.reshape(h.shape[0], -1)))
        h = tanh(jax_dense(p, "dense_2", h))
        return jax_dense(p, "dense_3", h)


CASES = [Lenet(1), Lenet(64)]
