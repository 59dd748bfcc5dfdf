"""How much of the processors other programs took while we measured: on a shared machine, a figure is worth no more than its quiet."""

import os
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """From its making to `share`."""

    def __init__(self, processes):
        self.processes = processes
        self.start = self.read()

    def read(self):
        """Seconds of the clock, of all processors' work, of ours."""
        ours = sum(os.times()[:2]) + sum(process_seconds(process) for process in self.processes)
        return time.perf_counter(), machine_seconds(), ours

    def share(self):
        """Between 0 and 1, of all processors."""
        elapsed, busy, ours = (now - then for now, then in zip(self.read(), self.start))
        return max(0.0, min(1.0, (busy - ours) / (elapsed * os.cpu_count()))) if elapsed else 0.0


def machine_seconds():
    with open("/proc/stat") as file:
        user, nice, system, _idle, _wait, interrupts, soft, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + interrupts + soft + steal) / TICKS


def process_seconds(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    except OSError:
        return 0.0
