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
    """Takes over what an earlier run measured; its peaks, unless they were measured again."""
    path = stem.parent / f"{stem.name}.json"
    if path.exists():
        earlier = json.loads(path.read_text())
        results["rows"] = earlier["rows"]
        results["versions"] = {**earlier["versions"], **results["versions"]}
        results["peaks"] = {**{int(threads): peak for threads, peak in earlier["peaks"].items()}, **results["peaks"]}


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
    return "    " + ", ".join(parts)
