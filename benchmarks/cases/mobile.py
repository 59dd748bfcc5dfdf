"""Two MobileNet blocks: 1x1 convolutions are matrix products, depthwise ones are bound by memory."""

from harness.case import Case, Field, Sgd, jax_dense

CHANNELS, WIDE, SIDE = 32, 128, 28


class Mobile(Case):
    model = "mobile"
    title = "MobileNet blocks 28x28x32"
    channels_last = ("train", "predict")
    optimizer = Sgd(rate=0.01)

    def __init__(self, batch):
        super().__init__(f"mobile-b{batch}")
        self.definitions = {"batch": batch}
        self.inputs = {"image": Field((batch, CHANNELS, SIDE, SIDE))}
        self.targets = {"label": Field((batch,), classes=10)}
        self.outputs = {"logits": Field((batch, 10))}
        places = batch * SIDE * SIDE
        for block in (1, 2):
            self.conv2d(f"block_{block}.conv2d_1", places, CHANNELS, WIDE, kernel=1)
            self.conv2d(f"block_{block}.conv2d_2", places, WIDE, WIDE, kernel=3, groups=WIDE)
            self.conv2d(f"block_{block}.conv2d_3", places, WIDE, CHANNELS, kernel=1)
        self.dense("dense_1", batch, CHANNELS, 10)

    def torch_module(self):
        from torch import nn

        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv2d_1 = nn.Conv2d(CHANNELS, WIDE, 1)
                self.conv2d_2 = nn.Conv2d(WIDE, WIDE, 3, padding=1, groups=WIDE)
                self.conv2d_3 = nn.Conv2d(WIDE, CHANNELS, 1)

            def forward(self, x):
                return x + self.conv2d_3(self.conv2d_2(self.conv2d_1(x).relu()).relu())

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.block_1 = Block()
                self.block_2 = Block()
                self.dense_1 = nn.Linear(CHANNELS, 10)

            def forward(self, image):
                return self.dense_1(self.block_2(self.block_1(image)).mean((2, 3)))

        return Twin()

    def jax_predict(self, p, x):
        from jax.nn import relu
        for block in ("block_1", "block_2"):
            h = relu(self.jax_conv2d(p, f"{block}.conv2d_1", x))
            h = relu(self.jax_conv2d(p, f"{block}.conv2d_2", h, pad=1, groups=WIDE))
            x = x + self.jax_conv2d(p, f"{block}.conv2d_3", h)
        return jax_dense(p, "dense_1", x.mean((2, 3)))


CASES = [Mobile(32)]
