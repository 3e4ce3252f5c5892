"""What the peers share: pinning, and draws written so that `hlm summary` reads all peers alike."""

import os
from pathlib import Path


def pin(core: int) -> None:
    """Keeps the calling thread, and those that it starts from now on, on one core; -1 leaves it free."""
    if core >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def write_draws(file: Path, columns: list, rows: list) -> None:
    """CmdStan's CSV, as far as a summary needs it."""
    with file.open("w") as out:
        out.write(",".join(columns) + "\n")
        for row in rows:
            out.write(",".join(map(repr, row)) + "\n")


def write_arrays(file: Path, arrays: dict) -> None:
    """The same from arrays whose first dimension counts draws."""
    columns, parts = ["lp__"], []
    for name, array in arrays.items():
        flat = array.reshape(array.shape[0], -1)
        columns += [name] if array.ndim == 1 else [f"{name}.{i + 1}" for i in range(flat.shape[1])]
        parts.append(flat)
    rows = ([0.0, *(float(number) for part in parts for number in part[i])] for i in range(len(parts[0])))
    write_draws(file, columns, rows)
