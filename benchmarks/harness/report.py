"""The results as JSON, as Markdown tables and as a plot."""

import json

from harness import markdown, plot
from harness.figures import duration, ratio


def write(results, stem):
    stem.parent.mkdir(parents=True, exist_ok=True)
    for suffix, text in (("json", json.dumps(results, indent=1) + "\n"), ("md", markdown.render(results)),
                         ("svg", plot.render(results))):
        (stem.parent / f"{stem.name}.{suffix}").write_text(text)


def line(row):
    """One row in short, for who waits."""
    parts = []
    for key, result in row["contenders"].items():
        if "median" in result:
            factor = ratio(row, key)
            parts.append(f"{result['title']} {duration(result['median'])}" + (f" ({factor:.2f}x)" if factor else ""))
    return "    " + ", ".join(parts)
