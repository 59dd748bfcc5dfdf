"""The machine: what it is, and the most that it can do, measured on the spot."""

import os
import platform
import shutil
import subprocess

from harness import compiler, environment
from harness.contender import processors


def describe():
    model = platform.processor() or platform.machine()
    flags = []
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    model = value.strip()
                elif key.strip() == "flags":
                    flags = value.split()
    except OSError:
        pass
    vectors = next((name for name in ("avx512f", "avx2", "avx", "sse2") if name in flags), "unknown vectors")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (f"{model}, {len(os.sched_getaffinity(0))} processors, {vectors}, {memory / 2**30:.0f} GiB, "
            f"{platform.system()} {platform.release()}")


def peaks(options, threads):
    """The better of the C compilers: GFLOP/s of multiply-adds, GB/s of reading and of copying."""
    best = {"gflops": 0.0, "read_gbs": 0.0, "copy_gbs": 0.0}
    for name in options.compilers:
        if not shutil.which(name):
            continue
        best["gflops"] = max(best["gflops"], *run_tool("fma_peak", name, threads, options))
        reading, plain, streaming = run_tool("bandwidth", name, threads, options)
        best["read_gbs"] = max(best["read_gbs"], reading)
        best["copy_gbs"] = max(best["copy_gbs"], plain, streaming)
    return best


def run_tool(tool, compiler_name, threads, options):
    path = compiler.make_tool(tool, compiler_name, threads, options.build / "tools")
    done = subprocess.run([path], env=environment.variables(threads), capture_output=True, text=True, check=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, processors(threads)))
    return [float(word) for word in done.stdout.split()]
