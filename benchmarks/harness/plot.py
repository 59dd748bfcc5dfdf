"""The results as a drawing: the time of each contender in units of nnc's, on a logarithmic axis."""

import math
from xml.sax.saxutils import escape

from harness.figures import best_nnc, duration, peer_keys, ratio

# Readable on white and on black.
COLOURS = {"torch": "#e0562b", "torch-compile": "#d99a00", "jax": "#2f8fdd", "onnxruntime": "#8a63d2", "openblas": "#2da160",
           "onednn": "#8c6d46"}
# Grey for viewers that do not know the reader's scheme.
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #75808a; }
  .title { font-size: 16px; font-weight: 600; }
  .small { font-size: 11px; }
  .grid { stroke: #8c959f; stroke-opacity: 0.3; }
  .one { stroke: #75808a; stroke-width: 2; }
  @media (prefers-color-scheme: light) {
    text { fill: #24292f; } .small { fill: #57606a; } .one { stroke: #24292f; }
  }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .small { fill: #9198a1; } .one { stroke: #e6edf3; }
  }
"""
WIDTH, LEFT, RIGHT, ROW, TOP = 900, 250, 110, 22, 100
TASKS = {"train": "Training step", "predict": "Prediction"}


class Drawing:
    def __init__(self):
        self.parts = []

    def text(self, x, y, words, kind="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def dot(self, x, y, colour, filled, words):
        fill = colour if filled else "none"
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{fill}" stroke="{colour}" stroke-width="2">'
                          f"<title>{escape(words)}</title></circle>")


def render(results):
    drawing = Drawing()
    ratios = [ratio(row, key) for row in results["rows"] for key in row["contenders"] if not key.startswith("nnc-")]
    ratios = [value for value in ratios if value] + [1]
    low = math.floor(min(map(math.log10, ratios)) * 2) / 2 - 0.1
    high = math.ceil(max(map(math.log10, ratios)) * 2) / 2 + 0.1

    def place(factor):
        return LEFT + (math.log10(factor) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    drawing.text(16, 26, "Time relative to nnc (log scale): to the right of the line, nnc is faster", "title")
    drawing.text(16, 44, f"{results['machine']}; {results['date'][:10]}", "small")
    legend(drawing, results)
    y = TOP
    for task, title in TASKS.items():
        rows = [row for row in results["rows"] if row["task"] == task and best_nnc(row)[1]]
        if rows:
            y = panel(drawing, title, rows, y, place, (low, high)) + 2 * ROW
    height = y
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">'
            f"<style>{STYLE}</style>\n" + "\n".join(drawing.parts) + "\n</svg>\n")


def legend(drawing, results):
    x = 22
    for key, title in peer_keys(results).items():
        drawing.dot(x, 64, COLOURS[key], True, title)
        drawing.text(x + 10, 68, title)
        x += 28 + 8 * len(title)
    for threads in sorted({row["threads"] for row in results["rows"]}):
        drawing.dot(x, 64, "#8c959f", threads == 1, "")
        words = "1 thread" if threads == 1 else f"{threads} threads"
        drawing.text(x + 10, 68, words)
        x += 28 + 8 * len(words)


def panel(drawing, title, rows, top, place, limits):
    """One line for each case; the lower end of the panel."""
    cases = {}
    for row in rows:
        cases.setdefault(row["case"], []).append(row)
    drawing.text(16, top, title, "title")
    drawing.text(WIDTH - 16, top, "nnc", "small", "end")
    bottom = top + 12 + ROW * len(cases)
    for step in range(math.ceil(limits[0]), math.floor(limits[1]) + 1):
        for factor in (10.0 ** step, 2 * 10.0 ** step, 5 * 10.0 ** step):
            if limits[0] <= math.log10(factor) <= limits[1]:
                x = place(factor)
                drawing.line(x, top + 10, x, bottom, "one" if factor == 1 else "grid")
                drawing.text(x, bottom + 14, f"{factor:g}x", "small", "middle")
    for number, (case, its_rows) in enumerate(cases.items()):
        y = top + 12 + ROW * number + ROW / 2
        drawing.text(LEFT - 12, y + 4, case, anchor="end")
        drawing.text(WIDTH - 16, y + 4, duration(best_nnc(its_rows[0])[1]["median"]), "small", "end")
        for row in its_rows:
            for key, result in row["contenders"].items():
                factor = ratio(row, key)
                if factor and not key.startswith("nnc-"):
                    words = f"{case}, {row['threads']} thread(s), {result['title']}: {duration(result['median'])}, {factor:.2f}x nnc"
                    drawing.dot(place(factor), y, COLOURS[key], row["threads"] == 1, words)
    return bottom
