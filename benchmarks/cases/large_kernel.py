"""31x31 convolutions: where a Fourier transform takes fewer operations than the definition."""

from harness.case import Case, Field, Sgd, jax_dense

SIDE, KERNEL, CHANNELS = 64, 31, 8


class LargeKernel(Case):
    model = "large_kernel"
    title = "31x31 convolutions"
    channels_last = ("predict",)
    optimizer = Sgd(rate=0.01)

    def __init__(self, batch):
        super().__init__(f"large_kernel-b{batch}")
        self.definitions = {"batch": batch}
        self.inputs = {"image": Field((batch, 3, SIDE, SIDE))}
        self.targets = {"label": Field((batch,), classes=10)}
        self.outputs = {"logits": Field((batch, 10))}
        self.conv2d("conv2d_1", batch * SIDE * SIDE, 3, CHANNELS, KERNEL)
        self.conv2d("conv2d_2", batch * SIDE * SIDE, CHANNELS, CHANNELS, KERNEL)
        self.dense("dense_1", batch, CHANNELS, 10)

    def torch_module(self):
        from torch import nn

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv2d_1 = nn.Conv2d(3, CHANNELS, KERNEL, padding=KERNEL // 2)
                self.conv2d_2 = nn.Conv2d(CHANNELS, CHANNELS, KERNEL, padding=KERNEL // 2)
                self.dense_1 = nn.Linear(CHANNELS, 10)

            def forward(self, image):
                return self.dense_1(self.conv2d_2(self.conv2d_1(image).relu()).relu().mean((2, 3)))

        return Twin()

    def jax_predict(self, p, x):
        from jax.nn import relu
        h = relu(self.jax_conv2d(p, "conv2d_1", x, pad=KERNEL // 2))
        h = relu(self.jax_conv2d(p, "conv2d_2", h, pad=KERNEL // 2))
        return jax_dense(p, "dense_1", h.mean((2, 3)))


CASES = [LargeKernel(4)]
