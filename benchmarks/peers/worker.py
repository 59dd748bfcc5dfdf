"""One contender in one process: `python -m peers.worker PEER CASE TASK THREADS FOLDER`."""

import importlib
import sys
from pathlib import Path

from harness.case import find_case
from peers.protocol import serve


def main():
    peer, case, task, threads, folder = sys.argv[1:]
    contender = importlib.import_module(f"peers.{peer}").Contender(find_case(case), task, int(threads), Path(folder))
    serve(contender)


main()
