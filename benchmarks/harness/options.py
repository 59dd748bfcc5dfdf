"""The command line."""

import argparse
from pathlib import Path

from harness.case import MODULES

PEERS = ("torch", "torch-compile", "jax", "onnxruntime", "openblas", "onednn")
COMPILERS = ("gcc", "clang")
ROOT = Path(__file__).resolve().parent.parent.parent


def words(text):
    return [word for word in text.split(",") if word]


def parse():
    parser = argparse.ArgumentParser(
        prog="benchmarks/run",
        description="Measures the C that nnc makes beside PyTorch, JAX, ONNX Runtime, OpenBLAS and oneDNN: the same weights, the same "
                    "batch, results compared first, repetitions interleaved.")
    parser.add_argument("--cases", type=words, default=[], metavar="A,B",
                        help=f"cases whose names begin so; default: all. Families: {', '.join(MODULES)}")
    parser.add_argument("--tasks", type=words, default=["train", "predict"], metavar="A,B", help="train, predict; default: both")
    parser.add_argument("--threads", type=lambda text: [int(word) for word in words(text)], default=[1, 2], metavar="N,M",
                        help="numbers of threads; default: 1,2")
    parser.add_argument("--peers", type=words, default=list(PEERS), metavar="A,B",
                        help=f"of {', '.join(PEERS)}; default: all; `none`: nnc alone")
    parser.add_argument("--compilers", type=words, default=list(COMPILERS), metavar="A,B",
                        help="C compilers for nnc's output; default: gcc,clang")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N", help="interleaved repetitions; default: 7")
    parser.add_argument("--seconds", type=float, default=0.2, metavar="S",
                        help="how long the inner loop of a repetition is to take; default: 0.2")
    parser.add_argument("--nnc", type=Path, metavar="PATH", help="the compiler; default: built here, Release")
    parser.add_argument("--nnc-options", default="--target=native", metavar="TEXT",
                        help="options of nnc; default: --target=native")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "benchmarks", metavar="DIR",
                        help="where everything is made; default: build/benchmarks")
    parser.add_argument("--output", type=Path, metavar="STEM",
                        help="writes STEM.json, STEM.md and STEM.svg; default: results, in the build folder")
    parser.add_argument("--keep", action="store_true",
                        help="keeps the rows that STEM.json has and that are not measured now; so a long run can be made in pieces")
    parser.add_argument("--list", action="store_true", help="lists the cases and ends")
    chosen = parser.parse_args()
    chosen.build = chosen.build.resolve()
    chosen.output = chosen.output or chosen.build / "results"
    chosen.peers = [peer for peer in chosen.peers if peer != "none"]
    for name, given, known in (("--peers", chosen.peers, PEERS), ("--tasks", chosen.tasks, ("train", "predict"))):
        unknown = [word for word in given if word not in known]
        if unknown:
            parser.error(f"{name}: {unknown[0]} is none of {', '.join(known)}")
    return chosen
