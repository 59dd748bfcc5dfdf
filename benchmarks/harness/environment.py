"""The virtual environment of the peers, their versions and sizes, and the environment variables of a worker."""

import functools
import importlib.metadata
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

# torch: this release has a build for the CPU alone on PyPI's x86-64 mirrors that carry it; the others follow.
REQUIREMENTS = {
    "torch": ["torch==2.13.0", "numpy"],
    "torch-compile": ["torch==2.13.0", "numpy"],
    "jax": ["jax"],
    "onnxruntime": ["onnxruntime", "onnx", "torch==2.13.0"],    # PyTorch writes the ONNX files
    "openblas": ["numpy"],
    "onednn": ["onednn-cpu-gomp"],    # of the builds, the one that needs nothing but GCC's OpenMP
    "torch-double": ["torch==2.13.0", "numpy"],
}
DISTRIBUTION = {"torch": "torch", "torch-compile": "torch", "jax": "jax", "onnxruntime": "onnxruntime", "openblas": "numpy",
                "onednn": "onednn-cpu-gomp", "torch-double": "torch"}

# Variables that would give one peer other threads or other kernels than it chooses for this processor.
MEDDLING = re.compile(r"OMP_|GOMP_|KMP_|MKL_|OPENBLAS_|GOTO_|BLIS_|NVPL_|XLA_|JAX_|TORCH|ATEN_|DNNL_|ONEDNN_|NPROC$")

# glibc's allocator returns large blocks to the system and gets them back page by page, which costs PyTorch and JAX up to five
# times the work itself. These make it keep them.
ALLOCATOR = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(1 << 26)}


def folder(build):
    return build / "venv"


def inside(build):
    return Path(sys.prefix).resolve() == folder(build).resolve()


def make(build, peers):
    """Makes the environment, or completes it; the path of its Python. A package that cannot be had is not an error."""
    python = folder(build) / "bin" / "python"
    if not python.exists():
        venv.create(folder(build), with_pip=True)
    wanted = ["numpy"] + [package for peer in peers for package in REQUIREMENTS[peer]]
    for package in dict.fromkeys(wanted):
        name = package.split("==")[0]
        known = subprocess.run([python, "-c", f"import importlib.metadata as m; m.version({name!r})"], capture_output=True)
        if known.returncode == 0:
            continue
        print(f"installing {package}", file=sys.stderr)
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package])
        if done.returncode != 0 and name == "numpy":
            sys.exit("benchmarks/run: numpy cannot be installed, and the harness needs it")
    return str(python)


def missing(peer):
    """Why the peer cannot be measured, or None."""
    for package in REQUIREMENTS[peer]:
        name = package.split("==")[0]
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return f"{name} is not installed"
    return None


def version(peer):
    name = DISTRIBUTION[peer]
    return f"{name} {importlib.metadata.version(name)}"


@functools.cache
def bytes_on_disk(peer):
    """What an installation takes: the package and all that it requires."""
    waiting, seen, total = [DISTRIBUTION[peer]], set(), 0
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in distribution.files or []:
            try:
                total += os.stat(file.locate()).st_size
            except OSError:
                pass
        waiting += [re.match(r"[\w.-]+", text).group() for text in distribution.requires or [] if "extra ==" not in text]
    return total


def variables(threads):
    """The environment of a worker that is to use so many threads."""
    clean = {name: value for name, value in os.environ.items() if not MEDDLING.match(name)}
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
        clean[name] = str(threads)
    return clean


def peer_variables(threads, benchmarks, caches):
    """The same for a peer in Python, with what makes it fastest."""
    return {**variables(threads), **ALLOCATOR, "PYTHONPATH": str(benchmarks), "PYTHONDONTWRITEBYTECODE": "1",
            "TORCHINDUCTOR_CACHE_DIR": str(caches)}
