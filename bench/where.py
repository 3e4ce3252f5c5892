#!/usr/bin/env python3
"""Where a gradient's time goes, by Linux's perf: `python3 bench/where.py --posteriordb ROOT --data-dir DIR [--points DIR]`.

Profiles the example `cost` on each posterior of the bench and prints a table: the share of compiled code, which has no names,
and of each kernel that it calls. Only the later part of each run counts, which evaluates gradients and nothing else.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from posteriors import POSTERIORS
from table import markdown, nanoseconds

ROOT = Path(__file__).resolve().parent.parent
# The first part of a run reads, compiles, and seeks how many calls make a batch.
SKIPPED = 0.5
# What surrounds a gradient in the program that times it.
TIMING = {"Iterator>::fold": "`cost` itself", "cost::gradient": "`cost` itself", "::log_density_gradient": "the call"}
# Smaller shares are summed up.
LEAST_SHARE = 0.03


def plain(symbol: str) -> str:
    """A short name: a kernel's last two parts, without instances and hashes; the C library's functions without their variants."""
    libm = re.fullmatch(r"(?:__ieee754_|__w_|__)?(\w+?)(?:_fma|_avx2|@@GLIBC.*)?", symbol)
    if libm and libm[1] in ("exp", "log", "log1p", "expm1", "pow", "tanh", "sin", "cos"):
        return f"`{libm[1]}`"
    if symbol.startswith("__memset"):
        return "clearing memory"
    symbol = re.sub(r"<[^<>]*>|\{\{closure\}\}|::h[0-9a-f]{16}|\+0x[0-9a-f]+$", "", symbol)
    parts = [part for part in symbol.split("::") if part not in ("", "avx512", "avx2", "scalar", "at_level", "{impl#0}")]
    name = "::".join(parts[-2:]) if len(parts) > 1 else symbol
    return TIMING.get(name) or f"`{name}`"


def profile(command: list) -> tuple[float, collections.Counter]:
    """Nanoseconds of a gradient, and samples by name."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "perf.data"
        record = ["perf", "record", "-q", "-o", file, "-e", "cpu-clock", "-F", "9000", *command]
        out = subprocess.run([str(word) for word in record], capture_output=True, text=True, check=True).stdout
        script = subprocess.run(["perf", "script", "-i", str(file), "-F", "time,ip,sym,dso"], capture_output=True, text=True, check=True)
    nanoseconds = min(point["nanoseconds"] for point in json.loads(out.strip().splitlines()[-1])["points"])
    names = []
    for line in script.stdout.splitlines():
        match = re.match(r"\s*[\d.]+:\s+[0-9a-f]+\s+(.*)\s+\((.*)\)$", line)
        if match:
            symbol, file = match.groups()
            generated = "[JIT]" in file or "perf-" in file or "anon" in file or symbol == "[unknown]" and "cost" not in file
            names.append("compiled code" if generated else "the operating system" if "kernel" in file else plain(symbol))
    return nanoseconds, collections.Counter(names[int(len(names) * SKIPPED):])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posteriordb", type=Path, default=os.environ.get("HLM_POSTERIORDB"), required=False)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--points", type=Path)
    parser.add_argument("--binaries", type=Path, default=ROOT / "target" / "release")
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    lines = []
    for posterior in POSTERIORS:
        if options.only and not any(part in posterior.name for part in options.only):
            continue
        program = Path(options.posteriordb) / "posterior_database" / "models" / "stan" / f"{posterior.model}.stan"
        command = [options.binaries / "examples" / "cost", program, options.data_dir / f"{posterior.data}.json"]
        points = options.points / f"{posterior.name}.json" if options.points else None
        if points and points.exists():
            command.append(points)
        try:
            time, names = profile(command)
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"{posterior.name}: {error}")
            continue
        total = sum(names.values())
        shares = [(name, count / total) for name, count in names.most_common() if count / total >= LEAST_SHARE]
        words = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares)
        lines.append([posterior.model, nanoseconds(time), words])
        print(" | ".join(lines[-1]), flush=True)
    print()
    print(markdown(["posterior", "a gradient", "its time"], lines))


if __name__ == "__main__":
    main()
