"""A contender's process, seen from the harness."""

import os
import select
import subprocess
import time


class WorkerError(Exception):
    """What the worker said, or that it said nothing."""


class Worker:
    """Started with a command; answers one line for each line. Times are of the wall clock."""

    LONGEST = 1200.0    # seconds for one answer

    def __init__(self, command, variables, folder, log, processors=None):
        self.start_time = time.perf_counter()
        self.log = log
        with open(log, "w") as errors:
            self.process = subprocess.Popen(
                [str(word) for word in command], env=variables, cwd=folder, text=True, bufsize=1,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                preexec_fn=(lambda: os.sched_setaffinity(0, processors)) if processors else None)
        self.expect("ready")

    def age(self):
        return time.perf_counter() - self.start_time

    def read_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], self.LONGEST)
        if not ready:
            self.stop()
            raise WorkerError(f"no answer in {self.LONGEST:.0f} s")
        line = self.process.stdout.readline().strip()
        if not line:
            code = self.process.wait()
            raise WorkerError(f"ended with status {code}; {self.last_words()}")
        if line.startswith("error"):
            raise WorkerError(line[len("error "):])
        return line

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "no message"

    def expect(self, word):
        line = self.read_line()
        if line != word:
            raise WorkerError(f"answered `{line}`, not `{word}`")

    def ask(self, command):
        """The answer's numbers by name."""
        self.tell(command)
        words = self.read_line().split()
        return {name: float(value) for name, value in zip(words[::2], words[1::2])}

    def do(self, command):
        self.tell(command)
        self.expect("ok")

    def tell(self, command):
        try:
            self.process.stdin.write(command + "\n")
        except BrokenPipeError:
            raise WorkerError(f"ended with status {self.process.wait()}; {self.last_words()}") from None

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
