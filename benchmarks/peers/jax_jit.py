"""JAX: the whole step is one compiled function, whose parameters are updated in place."""

import os

# One thread is one for XLA only when it is told so before it starts.
if os.environ.get("OMP_NUM_THREADS") == "1":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax
import jax.numpy
import numpy

from harness.case import Adam
from peers.protocol import Peer

# A step on the CPU runs in the calling thread: handing it over would cost small networks more than their work.
jax.config.update("jax_cpu_enable_async_dispatch", False)


class Contender(Peer):
    step = None

    def load(self, parameters, inputs, targets):
        self.values = {name: jax.numpy.array(array) for name, array in parameters.items()}
        self.moments = {}
        if isinstance(self.case.optimizer, Adam):
            self.moments = {name: (jax.numpy.zeros_like(value), jax.numpy.zeros_like(value)) for name, value in self.values.items()}
        self.steps_done = jax.numpy.zeros((), jax.numpy.int32)
        self.inputs = [jax.numpy.array(array) for array in inputs.values()]
        self.targets = [jax.numpy.array(array) for array in targets.values()]
        if not self.step:
            self.step = jax.jit(self.make_step(), donate_argnums=(0, 1, 2))
            self.forward = jax.jit(self.case.jax_predict)

    def make_step(self):
        optimizer = self.case.optimizer
        loss_and_gradient = jax.value_and_grad(self.case.jax_loss)

        def sgd(values, moments, steps_done, inputs, targets):
            loss, gradients = loss_and_gradient(values, inputs, targets)
            return loss, {name: value - optimizer.rate * gradients[name] for name, value in values.items()}, moments, steps_done

        def adam(values, moments, steps_done, inputs, targets):
            loss, gradients = loss_and_gradient(values, inputs, targets)
            steps_done = steps_done + 1
            new_values, new_moments = {}, {}
            for name, value in values.items():
                mean, square = moments[name]
                mean = 0.9 * mean + 0.1 * gradients[name]
                square = 0.999 * square + 0.001 * gradients[name] ** 2
                root = jax.numpy.sqrt(square / (1 - 0.999 ** steps_done)) + 1e-8
                new_values[name] = value - optimizer.rate * mean / (1 - 0.9 ** steps_done) / root
                new_moments[name] = mean, square
            return loss, new_values, new_moments, steps_done

        return adam if isinstance(optimizer, Adam) else sgd

    def train(self, count):
        for _ in range(count):
            loss, self.values, self.moments, self.steps_done = self.step(
                self.values, self.moments, self.steps_done, self.inputs, self.targets)
        return float(loss)

    def predict(self, count):
        for _ in range(count):
            self.output = self.forward(self.values, *self.inputs)
        self.output.block_until_ready()

    def parameters(self):
        return {name: numpy.asarray(value) for name, value in self.values.items()}

    def outputs(self):
        return dict(zip(self.case.outputs, [numpy.asarray(self.output)]))
