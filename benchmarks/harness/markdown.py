"""The results as Markdown."""

from harness import check
from harness.figures import best_nnc, duration, nnc_results, peer_keys, ratio, size

TASKS = {"train": "Training step", "predict": "Prediction"}


def render(results):
    parts = [heading(results)]
    for task, title in TASKS.items():
        rows = [row for row in results["rows"] if row["task"] == task]
        if rows:
            parts += [f"## {title}", times(rows, results), f"### Memory, first step: {title.lower()}", resources(rows, results)]
    parts += ["## Differences", differences(results)]
    found = failures(results)
    if found:
        parts += ["## Failures", found]
    return "\n\n".join(parts) + "\n"


def heading(results):
    lines = [
        "# nnc beside its peers",
        f"{results['date']}, {results['machine']}.",
        "; ".join(f"{name}: {version}" for name, version in results["versions"].items()) + ".",
        f"nnc: `{results['nnc_command']}`; C compilers: `{results['c_flags']}`. Medians of {results['repetitions']} interleaved "
        "repetitions, with half of the interquartile range in percent. In brackets: the time in units of nnc's, which is that of the "
        "faster of the C compilers. Others: the share of all processors that other programs took meanwhile; where it is large, the row "
        "says little, above all with as many threads as processors.",
    ]
    for threads, peak in results["peaks"].items():
        lines.append(f"{count_threads(threads)}: {peak['gflops']:.0f} GFLOP/s of multiply-adds in registers, {peak['read_gbs']:.1f} GB/s "
                     f"of reading, {peak['copy_gbs']:.1f} GB/s of copying (read and written bytes).")
    return "\n\n".join(lines + results["absent"])


def count_threads(threads):
    return f"{threads} thread{'s' * (int(threads) > 1)}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * 2 + "--:|" * (len(head) - 2)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def time_cell(result):
    if not result:
        return ""
    if "median" not in result:
        return "failed"
    spread = 50 * (result["upper_quartile"] - result["lower_quartile"]) / result["median"]
    mark = "" if result["check"]["passed"] else " **differs**"
    return f"{duration(result['median'])} ±{spread:.0f}%{mark}"


def times(rows, results):
    peers = peer_keys({"rows": rows})
    compilers = {key: result["title"] for row in rows for key, result in row["contenders"].items() if key.startswith("nnc-")}
    lines = []
    for row in rows:
        line = [row["case"], str(row["threads"])]
        line += [time_cell(row["contenders"].get(key)) for key in compilers]
        for key in peers:
            factor = ratio(row, key)
            line.append(time_cell(row["contenders"].get(key)) + (f" ({factor:.2f}x)" if factor else ""))
        lines.append(line + [speed(row, results), f"{100 * row['others']:.0f}%"])
    return table(["case", "threads", *compilers.values(), *peers.values(), "nnc's speed, of the measured peak", "others"], lines)


def speed(row, results):
    """The work of the case in nnc's time: contractions against the peak of multiply-adds, or bytes against copying."""
    _, best = best_nnc(row)
    peak = results["peaks"].get(row["threads"])
    if not best or not peak:
        return ""
    if row["bytes"]:
        rate = row["bytes"] / best["median"] * 1e-9
        return f"{rate:.1f} GB/s, {100 * rate / peak['copy_gbs']:.0f}%"
    if row["operations"]:
        rate = row["operations"] / best["median"] * 1e-9
        return f"{rate:.3g} GFLOP/s, {100 * rate / peak['gflops']:.0f}%"
    return ""


def resources(rows, results):
    """Memory beyond the start or import, and the time to the first step, at the least number of threads."""
    least = min(row["threads"] for row in rows)
    peers = peer_keys({"rows": rows})
    lines = []
    for row in rows:
        if row["threads"] != least:
            continue
        _, best = best_nnc(row)
        line = [row["case"]]
        line.append(", ".join(f"{key[4:]} {size(result['bytes_on_disk'])}" for key, result in nnc_results(row).items()))
        line.append(size(best["workspace_bytes"]) if best else "failed")
        line.append(size(best["memory_bytes"]) if best else "failed")
        line += [resource(row, key, "memory_bytes", size) for key in peers]
        line.append(", ".join(f"{key[4:]} {duration(result['seconds_to_first_step'])}" for key, result in nnc_results(row).items()))
        line += [resource(row, key, "seconds_to_first_step", duration) for key in peers]
        lines.append(line)
    disk = {}
    for row in rows:
        disk.update((key, result["bytes_on_disk"]) for key, result in row["contenders"].items()
                    if not key.startswith("nnc-") and "bytes_on_disk" in result)
    installed = ", ".join(f"{peers[key]} {size(count)}" for key, count in disk.items())
    text = (f"Memory: the most that was resident, beyond what was so after the start of the program or the import of the peer. First step: "
            f"from the start of the process (nnc: of nnc itself, then the C compiler, then the program) to its end. On disk: nnc's "
            f"programs as stated, nnc itself {size(results['nnc_bytes'])}"
            + (f"; the peers with what they require: {installed}." if installed else "."))
    head = ["case", "program", "nnc: workspace", "nnc: memory", *(f"{title}: memory" for title in peers.values()),
            "nnc: first step", *(f"{title}: first step" for title in peers.values())]
    return text + "\n\n" + table(head, lines)


def resource(row, key, name, text):
    result = row["contenders"].get(key, {})
    return text(result[name]) if name in result else ""


def differences(results):
    """The largest difference of each contender, over all rows of a task."""
    worst = {}
    for row in results["rows"]:
        for result in row["contenders"].values():
            for name, value in result.get("check", {}).items():
                if name != "passed":
                    place = worst.setdefault(result["title"], {})
                    if name not in place or not value <= place[name][0]:
                        place[name] = value, row["case"]
    lines = [[title, *(f"{place[name][0]:.1e} ({place[name][1]})" if name in place else ""
                       for name in ("loss", "parameters", "outputs"))] for title, place in worst.items()]
    references = ", ".join(sorted({row["reference"] for row in results["rows"] if row["reference"]}))
    text = (f"From the row's reference ({references}). Loss of the first and of the {check.STEPS}th step, relative, within "
            f"{check.LOSS_TOLERANCE:g}; parameters after {check.STEPS} steps, relative to the distance that they moved, within "
            f"{check.PARAMETER_TOLERANCE:g}; outputs, relative to the largest, within {check.OUTPUT_TOLERANCE:g}.")
    return text + "\n\n" + table(["contender", "loss", "parameters", "outputs"], lines)


def failures(results):
    lines = []
    for row in results["rows"]:
        for result in row["contenders"].values():
            place = f"- {row['case']}, {row['task']}, {count_threads(row['threads'])}, {result['title']}: "
            if "failure" in result:
                lines.append(place + result["failure"])
            elif not result.get("check", {}).get("passed"):
                lines.append(place + f"differs: {result.get('check')}")
    return "\n".join(lines)
