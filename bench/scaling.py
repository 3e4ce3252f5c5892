"""Simulated data of the hierarchical logistic regression, and how cost grows with them."""

import json
import math
import random
from pathlib import Path

ROWS = (1_000, 10_000, 100_000, 1_000_000)
GROUPS = (10, 100, 1_000, 10_000)
# A row holds a group and an outcome of four bytes each, and a covariate of eight.
BYTES_PER_ROW = 16


def cells(most_rows: int) -> list:
    """Every combination with at least a row per group."""
    return [(rows, groups) for groups in GROUPS for rows in ROWS if groups <= rows <= most_rows]


def simulate(folder: Path, rows: int, groups: int) -> tuple[Path, Path]:
    """The files of data and of a typical position, made once: the same for every run."""
    folder.mkdir(parents=True, exist_ok=True)
    data, points = folder / f"logistic-{rows}-{groups}.json", folder / f"logistic-{rows}-{groups}-points.json"
    if data.exists() and points.exists():
        return data, points
    numbers = random.Random(1763)
    mu, tau, b = -0.5, 0.7, 0.8
    z = [numbers.gauss(0, 1) for _ in range(groups)]
    group = [numbers.randrange(groups) for _ in range(rows)]
    x = [round(numbers.gauss(0, 1), 6) for _ in range(rows)]
    y = [int(numbers.random() < 1 / (1 + math.exp(-(mu + tau * z[g] + b * x)))) for g, x in zip(group, x)]
    data.write_text(json.dumps({"N": rows, "J": groups, "g": [g + 1 for g in group], "y": y, "x": x}))
    points.write_text(json.dumps([[mu, math.log(tau), *z, b]]))
    return data, points


def exponent(sizes: list, times: list) -> float:
    """The slope of log time over log size, by least squares."""
    logs = [(math.log(size), math.log(time)) for size, time in zip(sizes, times)]
    mean = [sum(part) / len(logs) for part in zip(*logs)]
    spread = sum((size - mean[0]) ** 2 for size, _ in logs)
    return sum((size - mean[0]) * (time - mean[1]) for size, time in logs) / spread
