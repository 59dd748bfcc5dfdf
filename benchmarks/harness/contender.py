"""Who is measured: nnc with each C compiler, and the peers."""

import os
import shutil
import sys
from pathlib import Path

from harness import compiler, environment
from harness.worker import Worker

BENCHMARKS = Path(__file__).resolve().parent.parent
TITLES = {
    "torch": "PyTorch eager",
    "torch-compile": "torch.compile",
    "jax": "JAX jit",
    "onnxruntime": "ONNX Runtime",
    "openblas": "OpenBLAS",
    "onednn": "oneDNN",
    "torch-double": "PyTorch in double precision",
}
MODULES = {"torch": "torch_eager", "torch-compile": "torch_compile", "jax": "jax_jit", "onnxruntime": "onnx_runtime",
           "openblas": "openblas", "onednn": "onednn", "torch-double": "torch_double"}


def processors(threads):
    """As many processors as threads, so that one thread means one processor for all that a framework starts."""
    return sorted(os.sched_getaffinity(0))[-threads:]


class Nnc:
    """nnc's C, compiled by one C compiler."""

    is_nnc = True

    def __init__(self, nnc, options, c_compiler, build):
        self.key = f"nnc-{c_compiler}"
        self.title = f"nnc + {c_compiler}"
        self.nnc = nnc
        self.options = options
        self.c_compiler = c_compiler
        self.build = build

    def missing(self):
        return None if shutil.which(self.c_compiler) else f"{self.c_compiler} is not installed"

    def serves(self, case, task):
        return True

    def start(self, case, task, threads, folder):
        """A worker, the seconds before its start, and more figures."""
        place = self.build / "programs" / case.name / f"{task}-{self.c_compiler}-{threads}"
        program = compiler.make_program(self.nnc, self.options, case, task, self.c_compiler, threads, place)
        worker = Worker([program.path, folder], environment.variables(threads), place, place / f"{task}.log", processors(threads))
        return worker, program.nnc_seconds + program.c_seconds, {
            "nnc_seconds": program.nnc_seconds,
            "c_seconds": program.c_seconds,
            "bytes_on_disk": program.bytes_on_disk,
            "workspace_bytes": program.workspace.get(task, 0),
        }


class PythonPeer:
    """A peer in the virtual environment."""

    is_nnc = False

    def __init__(self, key, build):
        self.key = key
        self.title = TITLES[key]
        self.build = build

    def missing(self):
        return environment.missing(self.key)

    def serves(self, case, task):
        return self.key in case.peers and (task == "predict" or self.key != "onnxruntime")

    def start(self, case, task, threads, folder):
        place = self.build / "peers" / self.key / f"{case.name}-{task}-{threads}"
        shutil.rmtree(place, ignore_errors=True)    # what was compiled before would make the start look short
        place.mkdir(parents=True)
        variables = environment.peer_variables(threads, BENCHMARKS, place / "inductor")
        worker = Worker([sys.executable, "-m", "peers.worker", MODULES[self.key], case.name, task, threads, folder], variables,
                        place, place / "log", processors(threads))
        return worker, 0.0, {"bytes_on_disk": environment.bytes_on_disk(self.key)}


class Reference(PythonPeer):
    """What the contenders' results are compared with; it is not timed."""

    def __init__(self, build):
        super().__init__("torch-double", build)

    def serves(self, case, task):
        return "torch" in case.peers
