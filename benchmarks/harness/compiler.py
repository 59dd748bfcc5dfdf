"""Builds nnc; makes a program of a case with nnc and a C compiler."""

import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from harness.options import ROOT

NATIVE = Path(__file__).resolve().parent.parent / "native"
C_FLAGS = ["-std=gnu11", "-O3", "-march=native"]


class CompileError(Exception):
    """With the first message of the compiler that failed."""


@dataclass
class Program:
    path: Path
    nnc_seconds: float
    c_seconds: float
    workspace: dict    # bytes by entry point

    @property
    def bytes_on_disk(self):
        return self.path.stat().st_size


def build_nnc(build):
    """A Release build of this tree."""
    folder = build / "nnc"
    for command in (["cmake", "-S", ROOT, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DNNC_TESTS=OFF"],
                    ["cmake", "--build", folder, "--target", "nnc"]):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"benchmarks/run: nnc cannot be built\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return folder / "nnc"


def first_message(text):
    lines = [line for line in text.strip().splitlines() if line]
    return next((line for line in lines if "error" in line), lines[0] if lines else "no message")


def run(command, folder):
    """The seconds that it took."""
    start = time.perf_counter()
    try:
        done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        raise CompileError(f"{Path(command[0]).name}: not done in 600 s") from None
    if done.returncode != 0:
        raise CompileError(f"{Path(command[0]).name} ended with status {done.returncode}: {first_message(done.stderr)}")
    return time.perf_counter() - start


def c_flags(threads):
    return C_FLAGS + (["-fopenmp"] if threads > 1 else [])


def entries(case, task):
    """The functions that native/driver.c calls for a task; a peer too compiles what it is asked for."""
    if task == "train":
        return ["state_init", "train_step"]
    return ["prepare"] * case.prepares + ["predict"]


def nnc_command(nnc, options, case, task, threads):
    definitions = [word for name, size in case.definitions.items() for word in ("-D", f"{name}={size}")]
    return [nnc, case.source, "-o", "model.c", f"--threads={threads}", *shlex.split(options),
            f"--entries={','.join(entries(case, task))}", *definitions]


def make_program(nnc, options, case, task, compiler, threads, folder):
    """Compiles what the task needs of the case, from its .nn file to an executable."""
    folder.mkdir(parents=True, exist_ok=True)
    nnc_seconds = run(nnc_command(nnc, options, case, task, threads), folder)
    header = (folder / "model.h").read_text()
    (folder / "case.h").write_text(glue(case, task, header))
    flags = c_flags(threads)
    c_seconds = run([compiler, *flags, "model.c", "-c", "-o", "model.o"], folder)
    c_seconds += run([compiler, *flags, "-I.", '-DCASE_GLUE="case.h"', NATIVE / "driver.c", "model.o", "-o", "program", "-lm"],
                     folder)
    return Program(folder / "program", nnc_seconds, c_seconds, workspace_sizes(case, header))


def glue(case, task, header):
    """What native/driver.c must know of the case, whose generated header this is."""
    def each(fields):
        return " ".join(f"EACH({name}, {field.c_type}, {field.size})" for name, field in fields.items())

    capitals = case.model.upper()
    predicts = case.predicts and task == "predict"
    return "\n".join([
        '#include "model.h"',
        f"#define CASE(name) {case.model}_##name",
        f"#define CASE_INPUTS(EACH) {each(case.inputs)}",
        f"#define CASE_TARGETS(EACH) {each(case.targets)}",
        f"#define CASE_OUTPUTS(EACH) {each(case.outputs if predicts else {})}",
        f"#define CASE_PARAMETERS {capitals}_PARAMS_COUNT",
        f"#define CASE_WORKSPACE {capitals}_WORKSPACE",
        f"#define CASE_TRAINS {int(task == 'train')}",
        f"#define CASE_PREDICTS {int(predicts)}",
        f"#define CASE_PREPARES {int(f'{case.model}_prepare(' in header)}",
    ]) + "\n"


def workspace_sizes(case, header):
    """Bytes of workspace by task, from the generated header."""
    sizes = {}
    for task, entry in (("train", "TRAIN_STEP"), ("predict", "PREDICT")):
        marker = f"{case.model.upper()}_{entry}_WORKSPACE = "
        if marker in header:
            sizes[task] = int(header.split(marker)[1].split()[0])
    return sizes


def make_tool(name, compiler, threads, folder):
    """Compiles native/NAME.c."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{compiler}-{threads}"
    run([compiler, *c_flags(threads), NATIVE / f"{name}.c", "-o", path], folder)
    return path


def version(command):
    return subprocess.run([str(command), "--version"], capture_output=True, text=True).stdout.splitlines()[0]
