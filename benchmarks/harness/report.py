"""The results as JSON, as Markdown tables and as a plot."""

import json

from harness.case import all_cases
from harness import markdown, plot
from harness.figures import duration, ratio


def write(results, stem):
    stem.parent.mkdir(parents=True, exist_ok=True)
    for suffix, text in (("json", json.dumps(results, indent=1) + "\n"), ("md", markdown.render(results)),
                         ("svg", plot.render(results))):
        (stem.parent / f"{stem.name}.{suffix}").write_text(text)


def keep(results, stem):
    """Takes over what an earlier run on this machine measured; of the peaks, the higher, since whatever disturbs lowers them."""
    path = stem.parent / f"{stem.name}.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    if earlier.get("machine") != results["machine"]:
        return
    results["rows"] = earlier["rows"]
    results["versions"] = {**earlier["versions"], **results["versions"]}
    for threads, before in earlier["peaks"].items():
        now = results["peaks"].setdefault(int(threads), before)
        results["peaks"][int(threads)] = {name: max(now[name], before[name]) for name in before}


def add(results, row):
    """Puts a row in its place, instead of an earlier one of the same."""
    order = [case.name for case in all_cases()]

    def place(of):
        return order.index(of["case"]), of["task"], of["threads"]

    others = [other for other in results["rows"] if other["case"] in order and place(other) != place(row)]
    results["rows"] = sorted(others + [row], key=place)


def line(row):
    """One row in short, for who waits."""
    parts = []
    for key, result in row["contenders"].items():
        if "median" in result:
            factor = ratio(row, key)
            parts.append(f"{result['title']} {duration(result['median'])}" + (f" ({factor:.2f}x)" if factor else ""))
    return ", ".join(parts) or "nothing was measured"
