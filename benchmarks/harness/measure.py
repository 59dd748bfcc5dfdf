"""One case, one task, one number of threads: start all contenders, compare them, time them in turns."""

import datetime
import shutil
import statistics
import sys

from harness import check, exchange, others
from harness.compiler import CompileError
from harness.worker import WorkerError

# Whose results the others are compared with: the first that is there.
REFERENCES = ("torch-double", "torch", "jax", "openblas", "nnc-gcc", "nnc-clang")


class Run:
    """A contender's worker and what is known of it."""

    def __init__(self, contender):
        self.contender = contender
        self.worker = None
        self.losses = []
        self.found = {}
        self.loop = 1
        self.result = {"title": contender.title, "seconds": []}

    def fail(self, error):
        self.result["failure"] = str(error)
        print(f"    {self.contender.title}: {error}", file=sys.stderr)
        self.stop()

    def stop(self):
        if self.worker:
            self.worker.stop()
            self.worker = None


def measure(case, task, threads, contenders, judge, options):
    """The result of one row of the report; `judge` is a contender that is compared with and not timed, or None."""
    folder = options.build / "tensors" / case.name
    exchange.make_start(case, folder)
    runs = [Run(contender) for contender in contenders if contender.serves(case, task)]
    judges = [Run(judge)] if judge and judge.serves(case, task) else []
    try:
        for run in judges:
            attempt(run, begin, case, task, threads, folder, options)
            run.stop()
        for run in runs:
            attempt(run, begin, case, task, threads, folder, options)
        reference = compare_all(case, task, folder, runs, judges)
        for run in runs:
            attempt(run, calibrate, task, options.seconds)
        watch = others.Watch([run.worker.process.pid for run in runs if run.worker])
        for repetition in range(options.repetitions):
            # another one begins each time, so that nobody always follows the same neighbour
            first = repetition % max(len(runs), 1)
            for run in runs[first:] + runs[:first]:
                attempt(run, repeat, task)
        share = watch.share()
        for run in runs:
            attempt(run, finish)
    finally:
        for run in runs + judges:
            run.stop()
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "case": case.name,
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "title": case.title,
        "task": task,
        "threads": threads,
        "operations": case.operations(task),
        "bytes": case.bytes_moved if task == "predict" else 0,
        "reference": reference,
        "others": share,
        "contenders": {run.contender.key: run.result for run in runs},
    }


def attempt(run, action, *arguments):
    """A contender that fails is shown with its failure; the others go on."""
    if "failure" in run.result:
        return
    try:
        action(run, *arguments)
    except (CompileError, WorkerError) as error:
        run.fail(error)


def begin(run, case, task, threads, folder, options):
    """From nothing to the first finished step, then the steps that are compared."""
    run.worker, seconds_before, figures = run.contender.start(case, task, threads, folder)
    run.worker.do("load")
    first = run.worker.ask(f"{task} 1")
    run.result.update(figures, seconds_to_first_step=seconds_before + run.worker.age())
    if task == "train":
        last = run.worker.ask(f"train {check.STEPS - 1}")
        run.losses = [first["loss"], last["loss"]]
    saved = folder / run.contender.key
    saved.mkdir(exist_ok=True)
    run.worker.do(f"save {saved}")
    run.found = check.results(case, task, saved)
    shutil.rmtree(saved)


def compare_all(case, task, folder, runs, judges):
    """Compares every run with the reference; the reference's name."""
    alive = {run.contender.key: run for run in judges + runs if "failure" not in run.result}
    key = next((name for name in REFERENCES if name in alive), None)
    if key is None:
        return None
    start = exchange.read_parameters(case, folder)
    reference = alive[key]
    for run in runs:
        if "failure" in run.result:
            continue
        run.result["check"] = check.compare(task, start, run.losses, run.found, reference.losses, reference.found)
        if not run.result["check"]["passed"]:
            print(f"    {run.contender.title}: DIFFERS from {reference.contender.title}: {run.result['check']}", file=sys.stderr)
    for run in runs:
        run.found = {}
    return key


def calibrate(run, task, seconds):
    """As many iterations as fill the time, found by doubling; also warms up."""
    while True:
        taken = run.worker.ask(f"{task} {run.loop}")["seconds"]
        if taken >= seconds / 4:
            run.loop = max(1, round(run.loop * seconds / taken))
            return
        run.loop *= 2


def repeat(run, task):
    if task == "train":
        run.worker.do("load")    # each repetition trains from the start, so numbers stay as they are in a training
        run.worker.ask("train 1")
    taken = run.worker.ask(f"{task} {run.loop}")["seconds"]
    run.result["seconds"].append(taken / run.loop)


def finish(run):
    seconds = sorted(run.result["seconds"])
    memory = run.worker.ask("memory")
    quartiles = statistics.quantiles(seconds, n=4) if len(seconds) > 1 else [seconds[0]] * 3
    run.result.update(
        median=statistics.median(seconds), fastest=seconds[0], slowest=seconds[-1],
        lower_quartile=quartiles[0], upper_quartile=quartiles[2], iterations=run.loop,
        memory_bytes=int(1024 * (memory["peak_kib"] - memory["base_kib"])))
