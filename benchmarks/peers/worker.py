"""One contender in one process: `python -m peers.worker PEER CASE TASK THREADS FOLDER`."""

import importlib
import sys
from pathlib import Path

from harness.case import find_case
from peers.protocol import serve


def main():
    peer, name, task, threads, folder = sys.argv[1:]
    case = find_case(name)
    case.task = task
    contender = importlib.import_module(f"peers.{peer}").Contender(case, int(threads), Path(folder))
    serve(contender)


main()
