"""A network of 3x3 convolutions on 32x32 colour images."""

from harness.case import Case, Field, Sgd, jax_dense, jax_max_pool

CHANNELS = (3, 32, 64, 128)


class Vgg(Case):
    model = "vgg"
    title = "VGG-style CNN 32x32x3"
    channels_last = ("train", "predict")
    optimizer = Sgd(rate=0.01)

    def __init__(self, batch):
        super().__init__(f"vgg-b{batch}")
        self.definitions = {"batch": batch}
        self.inputs = {"image": Field((batch, 3, 32, 32))}
        self.targets = {"label": Field((batch,), classes=10)}
        self.outputs = {"logits": Field((batch, 10))}
        side = 32
        for stage in (1, 2, 3):
            self.conv2d(f"stage_{stage}.conv2d_1", batch * side * side, CHANNELS[stage - 1], CHANNELS[stage], kernel=3)
            self.conv2d(f"stage_{stage}.conv2d_2", batch * side * side, CHANNELS[stage], CHANNELS[stage], kernel=3)
            side //= 2
        self.dense("dense_1", batch, 128 * side * side, 256)
        self.dense("dense_2", batch, 256, 10)

    def torch_module(self):
        from torch import nn
        from torch.nn import functional

        class Stage(nn.Module):
            def __init__(self, inputs, channels):
                super().__init__()
                self.conv2d_1 = nn.Conv2d(inputs, channels, 3, padding=1)
                self.conv2d_2 = nn.Conv2d(channels, channels, 3, padding=1)

            def forward(self, x):
                return functional.max_pool2d(self.conv2d_2(self.conv2d_1(x).relu()).relu(), 2)

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.stage_1 = Stage(CHANNELS[0], CHANNELS[1])
                self.stage_2 = Stage(CHANNELS[1], CHANNELS[2])
                self.stage_3 = Stage(CHANNELS[2], CHANNELS[3])
                self.dense_1 = nn.Linear(128 * 4 * 4, 256)
                self.dense_2 = nn.Linear(256, 10)

            def forward(self, image):
                h = self.stage_3(self.stage_2(self.stage_1(image)))
                return self.dense_2(self.dense_1(h.flatten(1)).relu())

        return Twin()

    def jax_predict(self, p, h):
        from jax.nn import relu
        for stage in (1, 2, 3):
            h = relu(self.jax_conv2d(p, f"stage_{stage}.conv2d_1", h, pad=1))
            h = jax_max_pool(relu(self.jax_conv2d(p, f"stage_{stage}.conv2d_2", h, pad=1)))
        return jax_dense(p, "dense_2", relu(jax_dense(p, "dense_1", h.reshape(h.shape[0], -1))))


CASES = [Vgg(32)]
