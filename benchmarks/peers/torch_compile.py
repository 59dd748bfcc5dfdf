"""torch.compile at its best: one graph for loss, gradient and update, called through C++.

What is usual, compiling the module's loss and the optimizer's step apart, takes longer on small networks than no compiling at
all, since each of the parts is looked up and guarded by itself. For prediction, parameters are frozen into the graph.
"""

import torch
import torch._inductor.config
from torch.func import functional_call, grad_and_value

from harness.case import Adam
from peers.torch_eager import Contender as Eager


class LossOf(torch.nn.Module):
    """The loss as a module, so that it can be called with other parameters."""

    def __init__(self, case, module):
        super().__init__()
        self.module = module
        self.of = getattr(case, "torch_functional_loss", case.torch_loss)

    def forward(self, inputs, targets):
        return self.of(self.module, inputs, targets)


class Contender(Eager):
    step = None
    compiled = None

    def prepare(self):
        torch._inductor.config.cpp_wrapper = self.case.torch_cpp_wrapper
        torch._inductor.config.layout_optimization = self.task in self.case.channels_last
        if self.task == "train":
            self.values = {name: tensor.detach().clone() for name, tensor in self.module.named_parameters()}
            self.moments = {name: (torch.zeros_like(tensor), torch.zeros_like(tensor)) for name, tensor in self.values.items()}
            self.steps_done = torch.zeros(())
            self.step = self.step or torch.compile(self.make_step())
        else:
            self.module.eval()
            torch._dynamo.reset()    # the parameters are in the compiled graph
            torch._inductor.config.freezing = True
            self.compiled = torch.compile(self.module)

    def make_step(self):
        loss_of = LossOf(self.case, self.module)
        optimizer = self.case.optimizer

        def loss_with(values, inputs, targets):
            named = {f"module.{name}": value for name, value in values.items()}
            return functional_call(loss_of, named, (inputs, targets))

        def sgd(values, moments, steps_done, inputs, targets):
            gradients, loss = grad_and_value(loss_with)(values, inputs, targets)
            for name, value in values.items():
                value.sub_(optimizer.rate * gradients[name])
            return loss

        def adam(values, moments, steps_done, inputs, targets):
            gradients, loss = grad_and_value(loss_with)(values, inputs, targets)
            steps_done.add_(1)
            for name, value in values.items():
                gradient = gradients[name]
                mean, square = moments[name]
                mean.lerp_(gradient, 0.1)
                square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
                root = square.sqrt() / (1 - 0.999 ** steps_done).sqrt() + 1e-8
                value.sub_(optimizer.rate / (1 - 0.9 ** steps_done) * mean / root)
            return loss

        return adam if isinstance(optimizer, Adam) else sgd

    def make_optimizer(self):
        return None    # the update is part of the step

    def train(self, count):
        for _ in range(count):
            loss = self.step(self.values, self.moments, self.steps_done, self.inputs, self.targets)
        return loss.item()

    def predict(self, count):
        with torch.no_grad():
            for _ in range(count):
                self.output = self.compiled(*self.inputs)

    def parameters(self):
        return {name: tensor.numpy() for name, tensor in self.values.items()}
