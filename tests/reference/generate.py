#!/usr/bin/env python3
"""Writes the cases of this folder: models in the language and the values that PyTorch has for them.

    pip install torch==2.13.0
    python3 generate.py

Each case is NAME.nn beside NAME.values in cases/: what goes in and what must come out, computed in double precision. The
prelude promises PyTorch's semantics; these files hold it to that. Nothing else needs PyTorch: the files are kept.
"""

import math
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

FOLDER = pathlib.Path(__file__).resolve().parent / "cases"
SAMPLES = 3


class Case:
    """A model's text, and lines of `kind name value value ...`."""

    def __init__(self, name, batch=SAMPLES):
        self.name = name
        self.batch = batch
        self.head = []
        self.body = []
        self.train = []
        self.lines = [f"samples {batch}"]
        seed = sum(map(ord, name))
        self.generator = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)  # for what modules draw themselves: a case is the same whatever others there are

    def line(self, kind, name, values):
        flat = torch.as_tensor(values).detach().reshape(-1).tolist()
        self.lines.append(" ".join([kind, name] + [repr(v) for v in flat]))

    def random(self, *shape, low=-2.0, high=2.0):
        uniform = torch.rand(shape, dtype=torch.float64, generator=self.generator)
        return (low + (high - low) * uniform).requires_grad_()

    def input(self, name, value, kind="input", type_word="real", classes=""):
        sizes = ", ".join(["batch"] + [str(s) for s in value.shape[1:]])
        self.body.append(f"{kind} {name}: {type_word}[{sizes}]{classes}")
        self.line("input", name, value)
        return value

    def output(self, name, text, value):
        self.body.append(f"output {name} = {text}")
        self.line("output", name, value)

    def metric(self, name, text, value):
        self.body.append(f"metric {name} = {text}")
        self.line("metric", name, value)

    def loss(self, text, value):
        self.body.append(f"loss {text}")
        self.line("loss", "loss", value)

    def function(self, name, text, value, *wrt):
        """An output, and the derivative of its weighted sum with respect to inputs (name, tensor)."""
        value = value.contiguous()
        self.output(name, text, value)
        weights = 1 + torch.arange(value[0].numel(), dtype=torch.float64).reshape(value[0].shape) / 4
        letters = ", ".join(f"i{k}" for k in range(value.dim() - 1))
        linear = " + ".join(
            f"{value[0].stride(k)} * i{k}" for k in range(value.dim() - 1)) or "0"
        index = f"b, {letters}" if letters else "b"
        self.body.append(f"{name}_w[{index}] = {name}[{index}] * (1 + ({linear}) / 4)")
        for x_name, x in wrt:
            gradient, = torch.autograd.grad((value * weights).sum(), x, retain_graph=True)
            self.output(f"{name}_by_{x_name}", f"grad({name}_w, {x_name})", gradient)

    def parameters(self, path, module):
        for name, p in module.named_parameters():
            self.line("param", f"{path}.{name}", p)

    def gradients(self, path, module):
        for name, p in module.named_parameters():
            self.line("gradient", f"{path}.{name}", p.grad)

    def write(self):
        text = [f"# Written by generate.py: PyTorch's values are in {self.name}.values.", ""]
        text += [f"dim batch <= {self.batch + 2}", "", *self.head, f"model {self.name} {{"]
        text += ["  " + line for line in self.body] + ["}"]
        if self.train:
            text += ["", f"train {self.name} {{"] + ["  " + line for line in self.train] + ["}"]
        (FOLDER / f"{self.name}.nn").write_text("\n".join(text) + "\n")
        (FOLDER / f"{self.name}.values").write_text("\n".join(self.lines) + "\n")


# ---- functions of tensors ----


def activations():
    case = Case("activations")
    x = case.random(SAMPLES, 9, low=-4, high=4)
    with torch.no_grad():
        x[0, 0], x[0, 1], x[0, 2], x[1, 0] = 0.0, 30.0, -30.0, -1e-9
    case.input("x", x)
    functions = [
        ("relu", "relu(x)", F.relu(x)),
        ("leaky", "leaky_relu(x)", F.leaky_relu(x)),
        ("leaky_steep", "leaky_relu(x, slope = 0.3)", F.leaky_relu(x, 0.3)),
        ("elu", "elu(x)", F.elu(x)),
        ("elu_half", "elu(x, alpha = 0.5)", F.elu(x, 0.5)),
        ("selu", "selu(x)", F.selu(x)),
        ("swish", "swish(x)", F.silu(x)),
        ("gelu", "gelu(x)", F.gelu(x)),
        ("softplus", "softplus(x)", F.softplus(x, threshold=1e9)),
        ("softplus_two", "softplus(x, beta = 2)", F.softplus(x, 2.0, threshold=1e9)),
        ("log_sigmoid", "log_sigmoid(x)", F.logsigmoid(x)),
        ("square", "square(x)", torch.square(x)),
        ("tan", "tan(x)", torch.tan(x)),
        ("sigmoid", "sigmoid(x)", torch.sigmoid(x)),
        ("tanh", "tanh(x)", torch.tanh(x)),
        ("sin", "sin(x)", torch.sin(x)),
        ("softmax", "softmax(x)", F.softmax(x, -1)),
        ("log_softmax", "log_softmax(x)", F.log_softmax(x, -1)),
    ]
    for name, text, value in functions:
        case.function(f"{name}_y", text, value, ("x", x))
    case.write()


def hyperbolic():
    case = Case("hyperbolic")
    x = case.input("x", case.random(SAMPLES, 6))
    case.function("sinh_y", "sinh(x)", torch.sinh(x), ("x", x))
    case.function("cosh_y", "cosh(x)", torch.cosh(x), ("x", x))
    case.write()


def swish_learned():
    case = Case("swish_learned")
    x = case.input("x", case.random(SAMPLES, 4))
    t = case.input("t", case.random(SAMPLES, 4), "target")
    beta = case.random(4)
    case.line("param", "beta", beta)
    case.body.append("param beta: real[4] = ones")
    y = x * torch.sigmoid(beta * x)
    case.output("y", "swish(x, beta = beta)", y)
    loss = F.mse_loss(y, t)
    loss.backward()
    case.loss("mse(y, t)", loss)
    case.line("gradient", "beta", beta.grad)
    case.write()


def shapes():
    case = Case("shapes")
    x = case.input("x", case.random(SAMPLES, 2, 3, 2))
    label = case.input("label", torch.tensor([2, 0, 3]), "input", "class", "(4)")
    case.function("flat", "flatten(x)", torch.flatten(x, 1), ("x", x))
    case.function("folded", "reshape(x, [..., 3, 4])", x.reshape(SAMPLES, 3, 4), ("x", x))
    case.function("joined", "concat(x, 2 * x, axis = 1)", torch.cat([x, 2 * x], 1), ("x", x))
    case.function("joined_last", "concat(x, x * x, x)", torch.cat([x, x * x, x], -1), ("x", x))
    case.output("hot", "one_hot(label)", F.one_hot(label, 4).double())
    case.write()


def second_derivatives():
    case = Case("second_derivatives")
    x = case.input("x", case.random(SAMPLES, 2))
    v = case.input("v", case.random(SAMPLES, 2))
    layer = nn.Linear(2, 3, dtype=torch.float64)
    case.parameters("f", layer)
    case.body.append("f = dense(3)")
    y = torch.tanh(layer(x))
    case.output("y", "x |> f |> tanh", y)
    g, = torch.autograd.grad((y * y).sum(), x, create_graph=True)
    case.body.append("s = y * y")
    case.output("g", "grad(s, x)", g)
    h, = torch.autograd.grad((g * v).sum(), x, create_graph=True)
    case.output("h", "grad(g * v, x)", h)
    case.output("h_forward", "jvp(g, x, v)", h)
    loss = (h * h).mean()
    case.loss("mean(h * h)", loss)
    loss.backward()
    case.gradients("f", layer)
    case.write()


# ---- layers ----


def layer_case(name, x_shape, text, module, path, function=lambda y: y):
    """y = module(x), its derivative by x, a loss, the gradients of its parameters."""
    case = Case(name)
    x = case.input("x", case.random(SAMPLES, *x_shape))
    module = module.double()
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(case.random(*p.shape))
    case.parameters(path, module)
    y = function(module(x))
    case.function("y", text, y, ("x", x))
    t = case.input("t", case.random(*y.shape), "target")
    loss = F.mse_loss(y, t)
    loss.backward()
    case.loss("mse(y, t)", loss)
    case.gradients(path, module)
    case.write()


def layers():
    layer_case("dense", (5,), "dense(x, 4)", nn.Linear(5, 4), "dense_1")
    layer_case("dense_plain", (5,), "dense(x, 4, bias = false)", nn.Linear(5, 4, bias=False), "dense_1")
    layer_case("dense_axes", (2, 5), "x |> dense(3)", nn.Linear(5, 3), "dense_1")
    layer_case("dense_one", (1,), "dense(x, 1)", nn.Linear(1, 1), "dense_1")
    convolutions = [
        ("conv_same", (2, 5, 6), "kernel = 3, pad = 1", dict(kernel_size=3, padding=1)),
        ("conv_valid", (2, 5, 6), "kernel = 3", dict(kernel_size=3)),
        ("conv_stride", (2, 7, 6), "kernel = 3, stride = 2, pad = 1", dict(kernel_size=3, stride=2, padding=1)),
        ("conv_dilated", (2, 7, 7), "kernel = 3, dilation = 2, pad = 2", dict(kernel_size=3, dilation=2, padding=2)),
        ("conv_lists", (2, 6, 7), "kernel = [2, 3], stride = [1, 2], pad = [1, 0], dilation = [2, 1]",
         dict(kernel_size=(2, 3), stride=(1, 2), padding=(1, 0), dilation=(2, 1))),
        ("conv_point", (3, 4, 4), "kernel = 1", dict(kernel_size=1)),
        ("conv_point_stride", (3, 5, 6), "kernel = 1, stride = [2, 3]", dict(kernel_size=1, stride=(2, 3))),
        ("conv_plain", (2, 4, 4), "kernel = 2, bias = false", dict(kernel_size=2, bias=False)),
        ("conv_groups", (4, 4, 5), "kernel = 3, pad = 1, groups = 2", dict(kernel_size=3, padding=1, groups=2)),
        ("conv_depthwise", (4, 5, 4), "kernel = 3, stride = 2, pad = 1, groups = 4",
         dict(kernel_size=3, stride=2, padding=1, groups=4)),
    ]
    for name, shape, arguments, options in convolutions:
        module = nn.Conv2d(shape[0], 4, **options)
        layer_case(name, shape, f"x |> conv2d(4, {arguments})", module, "conv2d_1")
    pools = [
        ("max_pool", (2, 4, 6), "max_pool2d(2)", nn.MaxPool2d(2)),
        ("max_pool_odd", (2, 5, 7), "max_pool2d(3, stride = 2, pad = 1)", nn.MaxPool2d(3, 2, 1)),
        ("max_pool_lists", (1, 5, 6), "max_pool2d([2, 3], stride = [1, 2])", nn.MaxPool2d((2, 3), (1, 2))),
        ("avg_pool", (2, 4, 6), "avg_pool2d(2)", nn.AvgPool2d(2)),
        ("avg_pool_pad", (2, 5, 7), "avg_pool2d(3, stride = 2, pad = 1)", nn.AvgPool2d(3, 2, 1)),
        ("avg_pool_lists", (1, 5, 6), "avg_pool2d([3, 2], stride = [2, 1], pad = [1, 0])", nn.AvgPool2d((3, 2), (2, 1), (1, 0))),
        ("global_avg", (3, 4, 5), "global_avg_pool2d", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
        ("global_max", (3, 4, 5), "global_max_pool2d", nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten())),
    ]
    for name, shape, text, module in pools:
        layer_case(name, shape, f"x |> {text}", module, "none")
    layer_case("dropout_off", (5,), "dropout(x, 0.4)", nn.Dropout(0.4).eval(), "none")


def lines_of_pixels():
    """Layers along one axis, images of other sizes."""
    convolutions = [
        ("conv1d_same", (3, 7), "kernel = 3, pad = 1", dict(kernel_size=3, padding=1)),
        ("conv1d_all", (2, 9), "kernel = 3, stride = 2, pad = 2, dilation = 2", dict(kernel_size=3, stride=2, padding=2, dilation=2)),
        ("conv1d_groups", (4, 6), "kernel = 2, groups = 2, bias = false", dict(kernel_size=2, groups=2, bias=False)),
    ]
    for name, shape, arguments, options in convolutions:
        layer_case(name, shape, f"x |> conv1d(4, {arguments})", nn.Conv1d(shape[0], 4, **options), "conv1d_1")
    transposed = [
        ("transpose_plain", (3, 4, 3), "kernel = 3", dict(kernel_size=3)),
        ("transpose_double", (2, 4, 5), "kernel = 4, stride = 2, pad = 1", dict(kernel_size=4, stride=2, padding=1)),
        ("transpose_output_padding", (2, 4, 3), "kernel = 3, stride = 2, pad = 1, output_padding = 1",
         dict(kernel_size=3, stride=2, padding=1, output_padding=1)),
        ("transpose_gaps", (2, 3, 3), "kernel = 2, stride = 3, bias = false", dict(kernel_size=2, stride=3, bias=False)),
        ("transpose_lists", (2, 4, 5), "kernel = [3, 5], stride = [1, 3], pad = [2, 4], output_padding = [0, 2]",
         dict(kernel_size=(3, 5), stride=(1, 3), padding=(2, 4), output_padding=(0, 2))),
    ]
    for name, shape, arguments, options in transposed:
        module = nn.ConvTranspose2d(shape[0], 3, **options)
        layer_case(name, shape, f"x |> conv_transpose2d(3, {arguments})", module, "conv_transpose2d_1")
    others = [
        ("max_pool1d", (2, 7), "max_pool1d(2)", nn.MaxPool1d(2)),
        ("max_pool1d_odd", (2, 7), "max_pool1d(3, stride = 2, pad = 1)", nn.MaxPool1d(3, 2, 1)),
        ("avg_pool1d", (2, 7), "avg_pool1d(2)", nn.AvgPool1d(2)),
        ("avg_pool1d_odd", (2, 7), "avg_pool1d(3, stride = 2, pad = 1)", nn.AvgPool1d(3, 2, 1)),
        ("upsample", (2, 3, 4), "upsample_nearest2d(2)", nn.Upsample(scale_factor=2)),
        ("upsample_lists", (1, 2, 3), "upsample_nearest2d([1, 3])", nn.Upsample(scale_factor=(1, 3))),
        ("pad", (2, 3, 4), "pad2d(1)", nn.ZeroPad2d(1)),
        ("pad_lists", (1, 3, 4), "pad2d([1, 0], after = [2, 3], value = 0.5)", nn.ConstantPad2d((0, 3, 1, 2), 0.5)),
    ]
    for name, shape, text, module in others:
        layer_case(name, shape, f"x |> {text}", module, "none")


def joined():
    case = Case("joined")
    a, b = case.input("a", case.random(SAMPLES, 2, 3)), case.input("b", case.random(SAMPLES, 2, 3))
    c = case.input("c", case.random(SAMPLES, 4, 3))
    case.body.append("pair = append([a], 2 * b)")
    inputs = (("a", a), ("b", b))
    pair = [a, 2 * b]
    case.function("cat", "concat(pair, axis = 1)", torch.cat(pair, 1), *inputs)
    case.function("cat_last", "concat(pair)", torch.cat(pair, -1), *inputs)
    case.function("cat_more", "concat(c, pair, a, axis = 1)", torch.cat([c, *pair, a], 1), *inputs, ("c", c))
    case.function("front", "stack(pair, axis = 1)", torch.stack(pair, 1), *inputs)
    case.function("middle", "stack(a, b, a * b, axis = 2)", torch.stack([a, b, a * b], 2), *inputs)
    case.function("last", "stack([a, tanh(b)], axis = -1)", torch.stack([a, torch.tanh(b)], -1), *inputs)
    case.function("before", "stack([a, b], axis = -2)", torch.stack([a, b], -2), *inputs)
    case.body.append("steps = []")
    case.body.append("for t in 0..4 { h[s, k] = c[s, t, k] * (t + 1)\n  steps = append(steps, h) }")
    steps = [c[:, t] * (t + 1) for t in range(4)]
    case.function("steps_front", "stack(steps, axis = 1)", torch.stack(steps, 1), ("c", c))
    case.function("steps_flat", "concat(steps, axis = 1)", torch.cat(steps, 1), ("c", c))
    case.write()


def normalisation():
    layer_case("layer_norm", (5,), "layer_norm(x)", nn.LayerNorm(5), "layer_norm_1")
    layer_case("layer_norm_axes", (2, 4), "x |> layer_norm(eps = 0.1, bias = false)", nn.LayerNorm(4, 0.1, bias=False), "layer_norm_1")
    layer_case("layer_norm_plain", (5,), "layer_norm(x, affine = false)", nn.LayerNorm(5, elementwise_affine=False), "none")
    layer_case("rms_norm", (2, 5), "rms_norm(x)", nn.RMSNorm(5, 2.0**-23), "rms_norm_1")
    layer_case("rms_norm_plain", (5,), "rms_norm(x, eps = 0.1, affine = false)", nn.RMSNorm(5, 0.1, False), "none")
    layer_case("group_norm", (6, 2, 3), "group_norm(x, 2)", nn.GroupNorm(2, 6), "group_norm_1")
    layer_case("group_norm_one", (2, 3, 2), "group_norm(x, 1, affine = false)", nn.GroupNorm(1, 2, affine=False), "none")
    layer_case("group_norm_channels", (3, 3, 2), "group_norm(x, 3, eps = 0.01)", nn.GroupNorm(3, 3, 0.01), "group_norm_1")
    layer_case("instance_norm", (2, 3, 4), "instance_norm2d(x)", nn.InstanceNorm2d(2), "none")
    layer_case("instance_norm_affine", (2, 3, 2), "instance_norm2d(x, affine = true)", nn.InstanceNorm2d(2, affine=True), "instance_norm2d_1")


def embedding():
    case = Case("embedding")
    token = case.input("token", torch.tensor([[4, 0], [1, 4], [0, 0]]), "input", "index", "(5)")
    label = case.input("label", torch.tensor([2, 0, 1]), "input", "class", "(3)")
    tokens, labels = nn.Embedding(5, 3).double(), nn.Embedding(3, 2).double()
    case.parameters("embedding_1", tokens)
    case.parameters("embedding_2", labels)
    e, l = tokens(token), labels(label)
    case.output("e", "token |> embedding(3)", e)
    case.output("l", "label |> embedding(2)", l)
    loss = torch.tanh(e).square().mean() + l.square().mean()
    loss.backward()
    case.loss("mean(tanh(e)^2) + mean(l^2)", loss)
    case.gradients("embedding_1", tokens)
    case.gradients("embedding_2", labels)
    case.write()


class Attention(nn.MultiheadAttention):
    """Self-attention: batch first, without the weights among the results."""

    def __init__(self, features, heads, causal=False, **options):
        super().__init__(features, heads, batch_first=True, **options)
        self.causal = causal

    def forward(self, x):
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if self.causal else None
        return super().forward(x, x, x, need_weights=False, attn_mask=later)[0]


def state_case(name, layer, module, states):
    """A recurrence that goes on from given states and gives its last ones, and their derivatives by the first ones."""
    case = Case(name)
    x = case.input("x", case.random(SAMPLES, 3, 2))
    module = module.double()
    case.parameters(f"{layer}_1", module)
    first = [case.input(f"{s}0", case.random(SAMPLES, module.hidden_size)) for s in states]
    given = [s.unsqueeze(0).contiguous() for s in first]
    y, last = module(x, given[0] if len(states) == 1 else tuple(given))
    last = [s.squeeze(0) for s in (last if isinstance(last, tuple) else (last,))]
    options = ", ".join(f"{s}0 = {s}0" for s in states)
    case.body.append(f"y, {', '.join(states)} = x |> {layer}({module.hidden_size}, {options}, return_state = true)")
    for s, value in zip(["y", *states], [y, *last]):
        case.body.append(f"output {s}")
        case.line("output", s, value)
    total = sum(torch.tanh(value).sum() * (k + 1) for k, value in enumerate([y, *last]))
    text = " + ".join(f"{k + 1} * sum(tanh({s}))" for k, s in enumerate(["y", *states]))
    for s, value in zip(states, first):
        case.output(f"by_{s}0", f"grad({text}, {s}0)", torch.autograd.grad(total, value, retain_graph=True)[0])
    total.backward()
    case.loss(text, total)
    case.gradients(f"{layer}_1", module)
    case.write()


def sequences():
    case = Case("scaled_dot_product")
    q = case.input("q", case.random(SAMPLES, 2, 4, 3))
    k = case.input("k", case.random(SAMPLES, 2, 5, 3))
    v = case.input("v", case.random(SAMPLES, 2, 5, 2))
    inputs = (("q", q), ("k", k), ("v", v))
    attend = F.scaled_dot_product_attention
    case.function("y", "scaled_dot_product_attention(q, k, v)", attend(q, k, v), *inputs)
    case.function("z", "scaled_dot_product_attention(q, k, v, scale = 0.7)", attend(q, k, v, scale=0.7), *inputs)
    case.function("c", "scaled_dot_product_attention(q, k, v, causal = true)", attend(q, k, v, is_causal=True), *inputs)
    case.write()
    path = "multi_head_attention_1"
    layer_case("attention", (4, 6), "multi_head_attention(x, 2)", Attention(6, 2), path)
    layer_case("attention_one", (3, 2), "x |> multi_head_attention(1, bias = false)", Attention(2, 1, bias=False), path)
    layer_case("attention_causal", (4, 6), "x |> multi_head_attention(3, causal = true)", Attention(6, 3, causal=True), path)
    hidden = (lambda result: result[0])
    layer_case("lstm", (4, 3), "lstm(x, 2)", nn.LSTM(3, 2, batch_first=True), "lstm_1", hidden)
    layer_case("lstm_plain", (1, 3), "x |> lstm(2, bias = false)", nn.LSTM(3, 2, bias=False, batch_first=True), "lstm_1", hidden)
    layer_case("gru", (4, 3), "gru(x, 2)", nn.GRU(3, 2, batch_first=True), "gru_1", hidden)
    layer_case("gru_plain", (2, 3), "x |> gru(2, bias = false)", nn.GRU(3, 2, bias=False, batch_first=True), "gru_1", hidden)
    layer_case("lstm_one", (6, 1), "lstm(x, 1)", nn.LSTM(1, 1, batch_first=True), "lstm_1", hidden)
    layer_case("gru_one", (6, 1), "gru(x, 1)", nn.GRU(1, 1, batch_first=True), "gru_1", hidden)
    state_case("lstm_state", "lstm", nn.LSTM(2, 3, batch_first=True), "hc")
    state_case("gru_state", "gru", nn.GRU(2, 3, batch_first=True), "h")


def networks():
    case = Case("lenet_small")
    x = case.input("image", case.random(SAMPLES, 1, 10, 10))
    label = case.input("label", torch.tensor([1, 0, 2]), "target", "class", "(3)")
    conv, dense = nn.Conv2d(1, 3, 3, padding=1).double(), nn.Linear(75, 3).double()
    case.parameters("conv2d_1", conv)
    case.parameters("dense_1", dense)
    logits = dense(torch.flatten(F.max_pool2d(torch.tanh(conv(x)), 2), 1))
    case.body.append("logits = image |> conv2d(3, kernel = 3, pad = 1) |> tanh |> max_pool2d(2) |> flatten |> dense(3)")
    case.output("probabilities", "softmax(logits)", F.softmax(logits, -1))
    loss = F.cross_entropy(logits, label)
    loss.backward()
    case.loss("cross_entropy(logits, label)", loss)
    case.gradients("conv2d_1", conv)
    case.gradients("dense_1", dense)
    case.metric("hits", "accuracy(logits, label)", (logits.argmax(-1) == label).double().mean())
    case.write()


def shared():
    case = Case("shared")
    a, b = case.input("a", case.random(SAMPLES, 3)), case.input("b", case.random(SAMPLES, 3))
    layer = nn.Linear(3, 2).double()
    case.parameters("enc", layer)
    case.body.append("enc = dense(2)")
    u, v = torch.tanh(layer(a)), torch.tanh(layer(b))
    case.body += ["u = a |> enc |> tanh", "v = b |> enc |> tanh"]
    case.output("distance", "(u - v)^2", (u - v) ** 2)
    loss = F.mse_loss(u, v)
    loss.backward()
    case.loss("mse(u, v)", loss)
    case.gradients("enc", layer)
    case.write()


def adversaries():
    """A generator and its critic in one model: the critic's parameters have no derivative where the generator learns."""
    case = Case("adversaries")
    a, b = case.input("a", case.random(SAMPLES, 3)), case.input("b", case.random(SAMPLES, 4))
    maker, inner, outer = nn.Linear(3, 4).double(), nn.Linear(4, 5).double(), nn.Linear(5, 1).double()
    for path, layer in (("maker", maker), ("critic.inner", inner), ("critic.outer", outer)):
        case.parameters(path, layer)
    case.head += ["layer judge(x: real[..., K]) {", "  inner = dense(5)", "  outer = dense(1)",
                  "  return x |> inner |> tanh |> outer", "}", ""]
    case.body += ["maker = dense(4)", "critic = judge()", "fixed = stop_gradient(critic)", "fake = a |> maker |> tanh"]

    def judge(x):
        return outer(torch.tanh(inner(x)))

    fake = torch.tanh(maker(a))
    case.output("score", "critic(b)", judge(b))
    loss = F.softplus(-judge(b)).mean() + F.softplus(judge(fake.detach())).mean()
    loss.backward()
    for layer in (inner, outer):
        layer.requires_grad_(False)
    fooled = F.softplus(-judge(fake)).mean()
    fooled.backward()
    case.loss("mean(softplus(-critic(b))) + mean(softplus(critic(stop_gradient(fake)))) + "
              "mean(softplus(-fixed(fake)))", loss + fooled)
    for path, layer in (("maker", maker), ("critic.inner", inner), ("critic.outer", outer)):
        case.gradients(path, layer)
    case.write()


def batch_norms():
    """Batch statistics in training, running ones in evaluation; these follow in the steps."""
    for name, shape, text, norm in (
            ("batch_norm1d", (5,), "batch_norm1d", nn.BatchNorm1d(5)),
            ("batch_norm1d_steps", (3, 4), "batch_norm1d(momentum = 0.2)", nn.BatchNorm1d(3, momentum=0.2)),
            ("batch_norm2d", (3, 4, 2), "batch_norm2d(momentum = 0.3, eps = 1e-3)", nn.BatchNorm2d(3, 1e-3, 0.3)),
            ("batch_norm_plain", (3, 2, 2), "batch_norm2d(affine = false)", nn.BatchNorm2d(3, affine=False))):
        case = Case(name)
        x, t = case.input("x", case.random(SAMPLES, *shape)), case.input("t", case.random(SAMPLES, 2), "target")
        dense, norm = nn.Linear(math.prod(shape), 2).double(), norm.double()
        with torch.no_grad():
            for p in norm.parameters():
                p.copy_(case.random(*p.shape, low=0.5, high=2))
            norm.running_mean.copy_(case.random(shape[0], low=-1, high=1))
            norm.running_var.copy_(case.random(shape[0], low=0.5, high=2))
        path = text.split("(")[0] + "_1"
        case.parameters(path, norm)
        case.parameters("dense_1", dense)
        buffers = [("running_mean", norm.running_mean), ("running_var", norm.running_var)]
        for buffer, value in buffers:
            case.line("param", f"{path}.{buffer}", value)

        def run():
            return dense(torch.flatten(norm(x), 1))

        norm.eval()
        case.output("y", f"x |> {text} |> flatten |> dense(2)", run())
        case.loss("mse(y, t)", F.mse_loss(run(), t))
        norm.train()
        optimizer = torch.optim.SGD(list(norm.parameters()) + list(dense.parameters()), 0.05, momentum=0.9)
        case.train = ["optimizer sgd(momentum = 0.9)", "rate 0.05"]
        for step in range(4):
            optimizer.zero_grad()
            F.mse_loss(run(), t).backward()
            if step == 0:
                case.gradients(path, norm)
                case.gradients("dense_1", dense)
                case.lines.append("steps 4 4")
            optimizer.step()
        for module_path, module in ((path, norm), ("dense_1", dense)):
            for parameter, p in module.named_parameters():
                case.line("after", f"{module_path}.{parameter}", p)
        for buffer, value in buffers:
            case.line("after", f"{path}.{buffer}", value)
        case.write()


# ---- losses and metrics ----


def losses():
    case = Case("losses")
    y, t = case.random(SAMPLES, 4), case.input("t", case.random(SAMPLES, 4))
    with torch.no_grad():
        y[2, 2] = 0.0
    case.input("y", y)
    p = case.input("p", case.random(SAMPLES, 4, low=0.05, high=0.95))
    q = case.random(SAMPLES, 4, low=0.0, high=1.0)
    with torch.no_grad():
        q[0, 0], q[1, 1] = 0.0, 1.0
    case.input("q", q)
    spread = case.input("spread", case.random(SAMPLES, 4, low=0.1, high=2.0))
    label = case.input("label", torch.tensor([3, 0, 1]), "input", "class", "(4)")
    weights = torch.tensor([2.0, 0.0, 0.5, 1.0], dtype=torch.float64)
    functions = [
        ("mse", "mse(y, t)", F.mse_loss(y, t), y),
        ("l1", "l1(y, t)", F.l1_loss(y, t), y),
        ("huber", "huber(y, t)", F.huber_loss(y, t), y),
        ("huber_half", "huber(y, t, delta = 0.5)", F.huber_loss(y, t, delta=0.5), y),
        ("bce", "binary_cross_entropy(p, q)", F.binary_cross_entropy(p, q), p),
        ("bce_logits", "binary_cross_entropy_with_logits(y, q)", F.binary_cross_entropy_with_logits(y, q), y),
        ("ce", "cross_entropy(y, label)", F.cross_entropy(y, label), y),
        ("ce_smooth", "cross_entropy(y, label, label_smoothing = 0.1)",
         F.cross_entropy(y, label, label_smoothing=0.1), y),
        ("ce_weighted", "cross_entropy(y, label, weight = [2, 0, 0.5, 1])", F.cross_entropy(y, label, weights), y),
        ("ce_both", "cross_entropy(y, label, weight = [2, 0, 0.5, 1], label_smoothing = 0.2)",
         F.cross_entropy(y, label, weights, label_smoothing=0.2), y),
        ("ce_hot", "cross_entropy_one_hot(y, q)", F.cross_entropy(y, q), y),
        ("nll", "gaussian_nll(y, t, spread)", F.gaussian_nll_loss(y, t, spread), y),
        ("nll_spread", "gaussian_nll(y, t, spread)", F.gaussian_nll_loss(y, t, spread), spread),
        ("nll_eps", "gaussian_nll(y, t, spread, eps = 0.5)", F.gaussian_nll_loss(y, t, spread, eps=0.5), spread),
        ("nll_full", "gaussian_nll(y, t, spread, full = true)", F.gaussian_nll_loss(y, t, spread, full=True), y),
        ("kl", "kl_divergence(log_softmax(y), q)", F.kl_div(F.log_softmax(y, -1), q, reduction="batchmean"), y),
    ]
    names = {id(y): "y", id(p): "p", id(spread): "spread"}
    for name, text, value, wrt in functions:
        case.body.append(f"{name}_l = {text}")
        gradient, = torch.autograd.grad(value, wrt, retain_graph=True)
        case.output(f"{name}_g", f"grad({name}_l, {names[id(wrt)]})", gradient)
        case.metric(name, f"{name}_l", value)
    case.metric("mae", "mean_absolute_error(y, t)", F.l1_loss(y, t))
    case.metric("squared", "mean_squared_error(y, t)", F.mse_loss(y, t))
    case.metric("hits", "accuracy(y, label)", (y.argmax(-1) == label).double().mean())
    case.body.append("param w: real = 1")
    case.line("param", "w", torch.ones(1))
    case.loss("mse_l * w", F.mse_loss(y, t))
    case.write()


def probabilities_at_the_ends():
    case = Case("certain_probabilities")
    p = torch.tensor([[0.0, 1.0, 0.0, 1.0]] * SAMPLES, dtype=torch.float64)
    t = torch.tensor([[0.0, 1.0, 1.0, 0.0]] * SAMPLES, dtype=torch.float64)
    case.input("p", p)
    case.input("t", t)
    case.output("same", "p", p)
    case.loss("binary_cross_entropy(p, t)", F.binary_cross_entropy(p, t))
    case.write()


# ---- training ----


def training_case(name, optimizer_text, make_optimizer, rate="0.05", make_schedule=None, steps=6, planned=6, clip=None):
    """Some steps of a small network; the parameters behind them."""
    case = Case(name)
    x, t = case.input("x", case.random(SAMPLES, 3)), case.input("t", case.random(SAMPLES, 2), "target")
    first, second = nn.Linear(3, 4).double(), nn.Linear(4, 2).double()
    for path, module in (("dense_1", first), ("dense_2", second)):
        with torch.no_grad():
            for p in module.parameters():
                p.copy_(case.random(*p.shape, low=-1, high=1))
        case.parameters(path, module)
    case.output("y", "x |> dense(4) |> tanh |> dense(2)", second(torch.tanh(first(x))))
    case.loss("mse(y, t)", F.mse_loss(second(torch.tanh(first(x))), t))
    case.train = [f"optimizer {optimizer_text}", f"rate {rate}"] + ([f"clip_norm {clip}"] if clip else [])
    optimizer = make_optimizer(list(first.parameters()) + list(second.parameters()))
    schedule = make_schedule(optimizer) if make_schedule else None
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(second(torch.tanh(first(x))), t).backward()
        if clip:
            nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], clip)
        optimizer.step()
        if schedule is not None:
            schedule.step()
    case.lines.append(f"steps {steps} {planned}")
    for path, module in (("dense_1", first), ("dense_2", second)):
        for parameter, p in module.named_parameters():
            case.line("after", f"{path}.{parameter}", p)
    case.write()


def optimizers():
    o = torch.optim
    training_case("sgd", "sgd()", lambda p: o.SGD(p, 0.05))
    training_case("sgd_decay", "sgd(weight_decay = 0.1)", lambda p: o.SGD(p, 0.05, weight_decay=0.1))
    training_case("clip_some", "sgd(momentum = 0.9)", lambda p: o.SGD(p, 0.3, momentum=0.9), rate="0.3", clip=0.5)
    training_case("clip_never", "adam()", lambda p: o.Adam(p, 0.05), clip=100.0)
    training_case("sgd_momentum", "sgd(momentum = 0.9)", lambda p: o.SGD(p, 0.05, momentum=0.9))
    training_case("sgd_nesterov", "sgd(momentum = 0.8, nesterov = true, weight_decay = 0.01)",
                  lambda p: o.SGD(p, 0.05, momentum=0.8, nesterov=True, weight_decay=0.01))
    training_case("rmsprop", "rmsprop(weight_decay = 0.02)", lambda p: o.RMSprop(p, 0.05, weight_decay=0.02))
    training_case("rmsprop_centered", "rmsprop(alpha = 0.9, momentum = 0.5, centered = true, eps = 1e-3)",
                  lambda p: o.RMSprop(p, 0.05, alpha=0.9, momentum=0.5, centered=True, eps=1e-3))
    training_case("adagrad", "adagrad()", lambda p: o.Adagrad(p, 0.05))
    training_case("adagrad_decay", "adagrad(lr_decay = 0.1, weight_decay = 0.02, initial_accumulator_value = 0.3)",
                  lambda p: o.Adagrad(p, 0.05, lr_decay=0.1, weight_decay=0.02, initial_accumulator_value=0.3))
    training_case("adam", "adam()", lambda p: o.Adam(p, 0.05))
    training_case("adam_decay", "adam(beta1 = 0.8, beta2 = 0.95, eps = 1e-4, weight_decay = 0.05)",
                  lambda p: o.Adam(p, 0.05, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.05))
    training_case("adamw", "adamw()", lambda p: o.AdamW(p, 0.05))
    training_case("adamw_decay", "adamw(weight_decay = 0.3)", lambda p: o.AdamW(p, 0.05, weight_decay=0.3))


def warm_cosine(step):
    """A rise of 2 steps, then half a cosine over the other 8."""
    return (step + 1) / 2 if step < 2 else 0.5 * (1 + math.cos(math.pi * (step - 2) / 8))


def schedules():
    s, sgd = torch.optim.lr_scheduler, (lambda p: torch.optim.SGD(p, 0.1))
    training_case("rate_constant", "sgd()", sgd, "constant(rate = 0.1)")
    training_case("rate_step", "sgd()", sgd, "step(from = 0.1, every = 2, factor = 0.5)",
                  lambda o: s.StepLR(o, 2, 0.5))
    training_case("rate_exponential", "sgd()", sgd, "exponential(from = 0.1, factor = 0.9)",
                  lambda o: s.ExponentialLR(o, 0.9))
    training_case("rate_cosine", "sgd()", sgd, "cosine(from = 0.1, to = 0.01)",
                  lambda o: s.CosineAnnealingLR(o, 8, 0.01), steps=8, planned=8)
    training_case("rate_warmup", "sgd()", sgd, "cosine(from = 0.1, warmup = 2)",
                  lambda o: s.LambdaLR(o, warm_cosine), steps=10, planned=10)
    training_case("rate_one_cycle", "sgd()", sgd, "one_cycle(peak = 0.2)",
                  lambda o: s.OneCycleLR(o, 0.2, total_steps=10, cycle_momentum=False), steps=10, planned=10)


def main():
    FOLDER.mkdir(exist_ok=True)
    for write in (activations, hyperbolic, swish_learned, shapes, second_derivatives, layers, networks, shared, adversaries, batch_norms, losses,
                  probabilities_at_the_ends, optimizers, schedules, lines_of_pixels, normalisation, embedding, joined, sequences):
        write()


if __name__ == "__main__":
    main()
