"""ONNX Runtime: prediction, all optimizations, inputs and outputs bound in place."""

import subprocess
import sys

import onnxruntime

from harness import exchange
from peers.protocol import Peer


class Contender(Peer):
    session = None

    def load(self, parameters, inputs, targets):
        if self.session:
            return
        subprocess.run([sys.executable, "-m", "peers.export_onnx", self.case.name, str(self.folder), "model.onnx"], check=True,
                       stdout=subprocess.DEVNULL)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession("model.onnx", options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in inputs.values()]
        for node, value in zip(self.session.get_inputs(), self.values):
            self.binding.bind_ortvalue_input(node.name, value)
        self.results = {}
        for name, field in self.case.outputs.items():
            self.results[name] = onnxruntime.OrtValue.ortvalue_from_shape_and_type(field.shape, exchange.field_type(field))
            self.binding.bind_ortvalue_output(name, self.results[name])

    def predict(self, count):
        for _ in range(count):
            self.session.run_with_iobinding(self.binding)

    def outputs(self):
        return {name: value.numpy() for name, value in self.results.items()}
