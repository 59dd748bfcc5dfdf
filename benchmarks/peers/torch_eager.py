"""PyTorch as it comes: the graph is made anew in each step. Fused optimizers, which are its fastest."""

import torch

from harness.case import Adam
from peers.protocol import Peer


class Contender(Peer):
    def __init__(self, case, threads, folder):
        super().__init__(case, threads, folder)
        torch.set_num_threads(threads)

    def load(self, parameters, inputs, targets):
        self.module = self.case.torch_module()
        self.module.load_state_dict({name: torch.from_numpy(array) for name, array in parameters.items()})
        self.inputs = [torch.from_numpy(array) for array in inputs.values()]
        # cross_entropy wants 64-bit classes
        self.targets = [torch.from_numpy(array) if array.dtype.kind == "f" else torch.from_numpy(array).long()
                        for array in targets.values()]
        if self.task in self.case.channels_last:
            self.module = self.module.to(memory_format=torch.channels_last)
            self.inputs = [array.to(memory_format=torch.channels_last) for array in self.inputs]
        if self.task == "train":
            self.optimizer = self.make_optimizer()
        self.prepare()

    def make_optimizer(self):
        kind = torch.optim.Adam if isinstance(self.case.optimizer, Adam) else torch.optim.SGD
        return kind(self.module.parameters(), lr=self.case.optimizer.rate, fused=True)

    def prepare(self):
        """For those that compile."""

    def loss(self):
        return self.case.torch_loss(self.module, self.inputs, self.targets)

    def update(self):
        self.optimizer.step()

    def train(self, count):
        for _ in range(count):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss()
            loss.backward()
            self.update()
        return loss.item()

    def predict(self, count):
        with torch.inference_mode():
            for _ in range(count):
                self.output = self.module(*self.inputs)

    def parameters(self):
        return {name: tensor.detach().numpy() for name, tensor in self.module.named_parameters()}

    def outputs(self):
        return dict(zip(self.case.outputs, [self.output.numpy()]))
