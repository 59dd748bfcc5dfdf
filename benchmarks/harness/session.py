"""The whole run, from the options to the reports."""

import datetime
import shutil
import sys

from harness import compiler, environment, figures, machine, measure, report
from harness.case import all_cases
from harness.contender import Nnc, PythonPeer, Reference


def run(options):
    cases = [case for case in all_cases() if not options.cases or any(case.name.startswith(name) for name in options.cases)]
    if options.list:
        for case in cases:
            print(f"{case.name:24} {case.title}: {', '.join(case.tasks)}")
        return 0
    options.build.mkdir(parents=True, exist_ok=True)
    nnc = options.nnc.resolve() if options.nnc else compiler.build_nnc(options.build)
    contenders, absent = choose(nnc, options)
    reference = Reference(options.build)
    reference = None if reference.missing() or not options.peers else reference
    results = {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "versions": versions(nnc, contenders),
        "nnc_command": f"nnc MODEL.nn -o MODEL.c --threads=THREADS {options.nnc_options} --entries=state_init,train_step (prediction: --entries=prepare,predict; pieces of networks: --entries=predict)",
        "c_flags": " ".join(compiler.C_FLAGS) + "; -fopenmp for more than one thread",
        "nnc_bytes": nnc.stat().st_size,
        "repetitions": options.repetitions,
        "absent": absent,
        "peaks": {threads: machine.peaks(options, threads) for threads in options.threads},
        "rows": [],
    }
    if options.keep:
        report.keep(results, options.output)
    for case in cases:
        for task in case.tasks:
            for threads in options.threads:
                if task in options.tasks:
                    print(f"{case.name}, {task}, {threads} thread{'s' * (threads > 1)}", file=sys.stderr)
                    row = measure.measure(case, task, threads, contenders, reference, options)
                    print(f"    {report.line(row)}", file=sys.stderr)
                    report.add(results, row)
                    report.write(results, options.output)    # what is measured is not lost when the rest fails
    shutil.rmtree(options.build / "peers", ignore_errors=True)
    print(f"{options.output}.md", file=sys.stderr)
    return 0 if figures.all_passed(results) else 1


def choose(nnc, options):
    """The contenders that are here, and a line for each that is not."""
    present, absent = [], []
    for contender in ([Nnc(nnc, options.nnc_options, name, options.build) for name in options.compilers] +
                      [PythonPeer(key, options.build) for key in options.peers]):
        reason = contender.missing()
        if reason:
            absent.append(f"{contender.title} is left out: {reason}")
            print(absent[-1], file=sys.stderr)
        else:
            present.append(contender)
    return present, absent


def versions(nnc, contenders):
    found = {"nnc": compiler.version(nnc)}
    for contender in contenders:
        found[contender.title] = (compiler.version(contender.c_compiler) if contender.is_nnc
                                  else environment.version(contender.key))
    return found
