"""The commands that a worker answers: the same as those of native/driver.c, which describes them."""

import os
import sys
import time
from pathlib import Path

from harness import exchange


class Peer:
    """A contender in Python. Subclasses are made after their framework is imported."""

    def __init__(self, case, threads, folder):
        self.case = case
        self.task = case.task
        self.threads = threads
        self.folder = folder    # of the tensors

    def load(self, parameters, inputs, targets):
        """Takes arrays by name; starts the optimizer anew."""
        raise NotImplementedError

    def train(self, count):
        """Runs steps until they are done; returns the last step's loss, taken before its update."""
        raise NotImplementedError

    def predict(self, count):
        raise NotImplementedError

    def parameters(self):
        """The parameters by name, as arrays."""
        raise NotImplementedError

    def outputs(self):
        """The outputs by name, of the last prediction."""
        raise NotImplementedError


def status_kib(key):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(key):
                return int(line.split()[1])
    return 0


def forget_peak():
    """What the import took is not counted."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def serve(peer):
    """Answers commands until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)    # what frameworks print is no answer
    base = status_kib("VmRSS")
    forget_peak()
    print("ready", file=answers)
    for line in sys.stdin:
        command, *arguments = line.split()
        try:
            print(answer(peer, command, arguments, base), file=answers)
        except Exception as error:    # whatever a framework raises is the harness's to report
            print("error", type(error).__name__, str(error).replace("\n", " ")[:400], file=answers)


def answer(peer, command, arguments, base):
    case, folder = peer.case, peer.folder
    if command == "load":
        peer.load(exchange.read_parameters(case, folder), exchange.read_fields(case.inputs, folder),
                  exchange.read_fields(case.targets, folder))
        return "ok"
    if command == "train":
        start = time.perf_counter()
        loss = peer.train(int(arguments[0]))
        return f"seconds {time.perf_counter() - start:.9g} loss {loss:.9g}"
    if command == "predict":
        start = time.perf_counter()
        peer.predict(int(arguments[0]))
        return f"seconds {time.perf_counter() - start:.9g}"
    if command == "save":
        results = peer.parameters() if peer.task == "train" else peer.outputs()
        for name, array in results.items():
            exchange.write(Path(arguments[0]), name, array)
        return "ok"
    if command == "memory":
        return f"base_kib {base} peak_kib {status_kib('VmHWM')}"
    raise ValueError(f"unknown command: {command}")
