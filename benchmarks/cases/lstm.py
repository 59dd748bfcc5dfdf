"""A long short-term memory of 64 units, over 64 steps: products of one step wait for those of the step before."""

from harness.case import Adam, Case, Field, Parameter, jax_dense

STEPS, FEATURES, HIDDEN = 64, 16, 64


class Lstm(Case):
    model = "lstm"
    title = "LSTM, 64 steps of 64"
    optimizer = Adam(rate=0.001)
    peers = ("torch", "jax", "onnxruntime")

    def __init__(self, batch):
        super().__init__(f"lstm-b{batch}")
        self.definitions = {"batch": batch}
        self.inputs = {"series": Field((batch, STEPS, FEATURES))}
        self.targets = {"value": Field((batch, 1))}
        self.outputs = {"forecast": Field((batch, 1))}
        gates = 4 * HIDDEN
        for name, shape in (("weight_ih", (gates, FEATURES)), ("weight_hh", (gates, HIDDEN)), ("bias_ih", (gates,)), ("bias_hh", (gates,))):
            self.parameters[f"lstm_1.{name}_l0"] = Parameter(shape, HIDDEN)
        self.multiplications += [batch * STEPS * gates * FEATURES, batch * (STEPS - 1) * gates * HIDDEN]
        self.dense("dense_1", batch, HIDDEN, 1)

    def torch_module(self):
        from torch import nn

        class Twin(nn.Module):
            def __init__(self):
                super().__init__()
                self.lstm_1 = nn.LSTM(FEATURES, HIDDEN, batch_first=True)
                self.dense_1 = nn.Linear(HIDDEN, 1)

            def forward(self, series):
                return self.dense_1(self.lstm_1(series)[0][:, -1])

        return Twin()

    def torch_loss(self, module, inputs, targets):
        from torch.nn import functional
        return functional.mse_loss(module(*inputs), *targets)

    def jax_predict(self, p, series):
        import jax
        from jax.numpy import split, tanh, zeros
        weight = p["lstm_1.weight_hh_l0"].T
        inputs = series @ p["lstm_1.weight_ih_l0"].T + (p["lstm_1.bias_ih_l0"] + p["lstm_1.bias_hh_l0"])

        def step(state, x):
            h, c = state
            i, f, g, o = split(x + h @ weight, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * tanh(g)
            return (jax.nn.sigmoid(o) * tanh(c), c), None

        start = zeros((series.shape[0], HIDDEN), series.dtype)
        (h, _), _ = jax.lax.scan(step, (start, start), inputs.swapaxes(0, 1))
        return jax_dense(p, "dense_1", h)

    def jax_loss(self, p, inputs, targets):
        return ((self.jax_predict(p, *inputs) - targets[0]) ** 2).mean()


CASES = [Lstm(32)]
