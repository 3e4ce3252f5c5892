"""Markdown tables from rows."""

import json
import math
import statistics
import sys
from pathlib import Path

import scaling


class Rows:
    """Rows of one run of the bench."""

    def __init__(self, rows: list):
        self.rows = [row for row in rows if "error" not in row]
        self.errors = [row for row in rows if "error" in row]

    def of(self, **wanted: object) -> list:
        return [row for row in self.rows if all(row.get(key) == value for key, value in wanted.items())]

    def names(self, what: str, peer: str) -> list:
        return list(dict.fromkeys(row["name"] for row in self.of(what=what, peer=peer)))

    def least(self, key: str, **wanted: object) -> float:
        """The least: what disturbs a measurement makes it longer."""
        return min((row[key] for row in self.of(**wanted) if row.get(key) is not None), default=math.nan)

    def median(self, key: str, **wanted: object) -> float:
        values = [row[key] for row in self.of(**wanted) if row.get(key) is not None and not math.isnan(row[key])]
        return statistics.median(values) if values else math.nan

    def per_gradient(self, **wanted: object) -> float:
        """Nanoseconds of processor time of the whole sampler per gradient: one a leapfrog step, one a transition."""
        times = [row["cpu_seconds"] / (row["leapfrog_steps"] + row["transitions"]) * 1e9
                 for row in self.of(what="sample", **wanted)]
        return min(times, default=math.nan)

    def ess_rate(self, compile_seconds: float, **wanted: object) -> float:
        """The median over runs of the smallest bulk ESS per second."""
        rates = [row["ess"] / (row["cpu_seconds"] + compile_seconds) for row in self.of(what="sample", **wanted)]
        rates = [rate for rate in rates if not math.isnan(rate)]
        return statistics.median(rates) if rates else math.nan

    def ready_ms(self, name: str) -> float:
        """Processor time from text to ready, data read and bound."""
        return self.least("ready_cpu_ms", what="gradient", peer="hlm", name=name)

    def compile_seconds(self, peer: str, name: str) -> float:
        if peer == "hlm":
            return self.ready_ms(name) * 1e-3
        if peer == "Stan":
            return self.least("cpu_seconds", what="build", peer=peer, name=name)
        return self.least("compile_cpu_seconds", what="sample", peer=peer, name=name)


def read(file: Path) -> list:
    return [json.loads(line) for line in file.read_text().splitlines() if line]


def number(value: float) -> str:
    """Three significant digits."""
    if value is None or math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    rounded = round(value, 2 - math.floor(math.log10(abs(value))))
    return f"{rounded:,.{digits}f}"


def nanoseconds(value: float) -> str:
    if math.isnan(value):
        return "–"
    for unit, size in (("ns", 1), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)):
        if value < 999.5 * size:
            break
    return f"{number(value / size)} {unit}"


def mean(ratios: list) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else math.nan


def markdown(header: list, lines: list) -> str:
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *lines])


def posteriors(rows: Rows) -> str:
    """Stan beside hlm, sorted by ratio."""
    entries = []
    for name in rows.names("sample", "Stan"):
        stan, ours = rows.per_gradient(peer="Stan", name=name), rows.per_gradient(peer="hlm", name=name)
        if math.isnan(stan) or math.isnan(ours) or name.startswith("simulated"):
            continue
        pure = [rows.least("gradient_ns", what="gradient", peer=peer, name=name) for peer in ("Stan", "hlm")]
        entries.append((stan / ours, name, stan, ours, pure))
    lines = []
    for ratio, name, stan, ours, pure in sorted(entries):
        built = rows.compile_seconds("Stan", name)
        ready = rows.compile_seconds("hlm", name)
        rates = [rows.ess_rate(seconds, peer=peer, name=name)
                 for peer, seconds in (("Stan", 0), ("hlm", 0), ("Stan", built), ("hlm", ready))]
        kind = rows.of(what="sample", peer="hlm", name=name)[0]["kind"]
        peaks = [rows.least("peak_kib", what="sample", peer=peer, name=name) / 1024 for peer in ("Stan", "hlm")]
        lines.append([
            f"{name.split('-', 1)[1]} ({kind})", nanoseconds(stan), nanoseconds(ours), f"**{ratio:.1f}**",
            f"{pure[0] / pure[1]:.1f}", number(rates[0]), number(rates[1]), number(rates[2]), number(rates[3]),
            f"{built:.0f} s", f"{ready * 1e3:.1f} ms", f"{peaks[0]:.0f}", f"{peaks[1]:.0f}",
        ])
    header = ["posterior", "Stan", "hlm", "ratio", "pure", "ESS/s Stan", "hlm", "with compile: Stan", "hlm",
              "compile Stan", "hlm", "MiB Stan", "hlm"]
    ready = [rows.compile_seconds("hlm", entry[1]) * 1e3 for entry in entries]
    pure = [entry[4][0] / entry[4][1] for entry in entries if not math.isnan(entry[4][0] / entry[4][1])]
    words = (
        f"\n\nGeometric mean of the ratios over {len(entries)} posteriors: **{mean([entry[0] for entry in entries]):.1f}**"
        f" by whole samplers, {mean(pure):.1f} by gradients alone; slower than Stan:"
        f" {sum(entry[0] < 1 for entry in entries)}. hlm is ready (processor time) in {statistics.median(ready):.1f} ms (median), at most"
        f" {max(ready):.1f} ms." if entries else ""
    )
    return markdown(header, lines) + words if lines else "No posterior was measured with both hlm and Stan."


def agreement(rows: Rows) -> str:
    """Whether Stan and hlm compute the same: log densities at the same points."""
    pairs = {}
    for row in rows.rows:
        if row.get("log_density"):
            pairs.setdefault(row["name"], {})[row["peer"]] = row["log_density"]
    both = {name: values for name, values in pairs.items() if len(values) == 2}
    differing = [name for name, values in both.items()
                 if any(abs(ours - theirs) > 1e-9 * max(1, abs(theirs)) for ours, theirs in zip(values["hlm"], values["Stan"]))]
    if not both:
        return ""
    exceptions = f", except {', '.join(differing)} (this Stan transforms simplexes otherwise)" if differing else ""
    return f"At these points and those of the growth, both compute the same log density to 1e-9{exceptions}."


def peers(rows: Rows) -> str:
    """The few models that every peer has."""
    lines = []
    for name in rows.names("sample", "nutpie") or rows.names("sample", "NumPyro"):
        for peer in ("hlm", "Stan", "nutpie", "NumPyro"):
            seconds = rows.compile_seconds(peer, name)
            if any(row.get("ess") for row in rows.of(what="sample", peer=peer, name=name)):
                lines.append([
                    name.split("-", 1)[1], peer, number(seconds) + " s", nanoseconds(rows.per_gradient(peer=peer, name=name)),
                    number(rows.ess_rate(0, peer=peer, name=name)), number(rows.ess_rate(seconds, peer=peer, name=name)),
                    f"{rows.least('peak_kib', what='sample', peer=peer, name=name) / 1024:.0f}",
                ])
    header = ["model", "", "compile", "a gradient", "ESS/s", "with compile", "MiB"]
    return markdown(header, lines) if lines else ""


def growth(rows: Rows) -> str:
    """The cost of a gradient by rows and groups."""
    lines, memory = [], []
    measured = rows.of(what="scaling")
    for peer in ("hlm", "Stan"):
        for groups in scaling.GROUPS:
            sizes = [n for n in scaling.ROWS if any(r["peer"] == peer and r["rows"] == n and r["groups"] == groups for r in measured)]
            times = [rows.least("gradient_ns", what="scaling", peer=peer, rows=n, groups=groups) for n in sizes]
            if len(sizes) < 2:
                continue
            by_size = dict(zip(sizes, times))
            cells = [nanoseconds(by_size[n]) if n in by_size else "–" for n in scaling.ROWS]
            lines.append([f"{peer}, {groups:,} groups", *cells, f"{scaling.exponent(sizes, times):.2f}"])
    header = ["a gradient", *(f"N = {n:,}" for n in scaling.ROWS), "exponent"]
    for n in scaling.ROWS:
        peaks = [max((row["peak_kib"] / 1024 for row in measured if row["peer"] == peer and row["rows"] == n), default=math.nan)
                 for peer in ("hlm", "Stan")]
        if not all(map(math.isnan, peaks)):
            size = n * scaling.BYTES_PER_ROW / 2**20
            memory.append([f"N = {n:,}", f"{size:.2f} MiB", *(f"{peak:.0f} MiB" for peak in peaks), f"{peaks[0] / size:.1f}"])
    if not lines:
        return ""
    columns = ["peak memory of the process", "data", "hlm", "Stan", "hlm / data"]
    return markdown(header, lines) + "\n\n" + markdown(columns, memory)


def by_hand(rows: Rows) -> str:
    """What `cargo bench --bench gradient -- --ratios` printed."""
    texts = rows.of(what="by hand")
    return "```\n" + texts[-1]["text"].rstrip() + "\n```" if texts else ""


def missing(rows: Rows) -> str:
    present = {row["peer"] for row in rows.of(what="sample")}
    lines = [f"- {row['peer']} is missing: {row['missing']}" for row in rows.rows
             if row.get("missing") and row["peer"] not in present]
    failed = dict.fromkeys(f"- {row['peer']}, {row.get('name')}: {row['error']}" for row in rows.errors)
    return "\n".join(lines + list(failed))


def tables(rows: Rows) -> str:
    machine = next(iter(rows.of(what="machine")), {})
    versions = dict.fromkeys(f"{row['peer']}: {row['version']} ({row['flags']})" for row in rows.rows if row.get("version"))
    loads = [row["load"] for row in rows.rows if "load" in row]
    parts = [
        f"Measured {machine.get('date', '')} on {machine.get('cpu', '')}, {machine.get('cores', '')} cores, one used; load average"
        f" {min(loads, default=0):.0f} to {max(loads, default=0):.0f}. {'; '.join(versions)}; {machine.get('g++', '')}.",
        "A gradient's time is the sampler's processor time over its leapfrog steps and transitions, the least of several"
        " runs in turn; pure: the ratio of gradients alone. ESS is the smallest bulk ESS of a parameter, of one chain with as many draws as bench/posteriors.py says:"
        " few where Stan is slow, so that small ones are rough.",
        posteriors(rows),
        agreement(rows),
    ]
    for title, text in (("Other peers", peers(rows)), ("Growth", growth(rows)), ("By hand", by_hand(rows)), ("Missing", missing(rows))):
        if text:
            parts.append(f"**{title}**\n\n{text}")
    return "\n\n".join(parts) + "\n"


def place(file: Path, text: str) -> None:
    """Puts a text between the markers of a file."""
    begin, end = "<!-- bench begin -->", "<!-- bench end -->"
    whole = file.read_text()
    if begin in whole and end in whole:
        before, rest = whole.split(begin, 1)
        file.write_text(f"{before}{begin}\n{text}{end}{rest.split(end, 1)[1]}")


if __name__ == "__main__":
    # The files of one run, or of several with different peers.
    print(tables(Rows([row for file in sys.argv[1:] for row in read(Path(file))])))
