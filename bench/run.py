#!/usr/bin/env python3
"""Times hlm and its peers on the same models and data: `python3 bench/run.py --posteriordb ROOT --data-dir DIR`.

ROOT is a checkout of posteriordb (programs in posterior_database/models/stan), DIR has its data as NAME.json; --points names a
folder of positions or reference values, DATA-MODEL.json, at which gradients are timed alone. Without posteriordb only the
simulated model runs. Everything that is made (environment, compiled models, data) stays in --work, so a second run is quick.

Rows go to --out as they are measured, one JSON object a line; the tables follow, and stand in README.md with --readme.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import machine
import scaling
import table
from contenders import Hlm, Python, Stan, Task
from posteriors import POSTERIORS

ROOT = Path(__file__).resolve().parent.parent
# Models that are also written for PyMC and NumPyro.
ELSEWHERE = {
    "eight_schools-eight_schools_noncentered": "eight_schools",
    "radon_mn-radon_variable_intercept_slope_noncentered": "radon",
    "simulated-hierarchical_logistic": "hierarchical_logistic",
}
LOGISTIC = ROOT / "bench" / "programs" / "hierarchical_logistic.stan"


class Recorder:
    """Writes rows as they come."""

    def __init__(self, file: Path):
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file, self.rows = file.open("w"), []

    def write(self, **row: object) -> None:
        row["load"] = machine.load()
        row["time"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        self.rows.append(row)
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
        if "error" in row:
            print(f"  {row.get('peer')} {row.get('name')}: {row['error']}", file=sys.stderr)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posteriordb", type=Path, default=os.environ.get("HLM_POSTERIORDB"))
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--points", type=Path)
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "bench")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "rows.jsonl")
    parser.add_argument("--readme", action="store_true", help="put the tables between the markers of README.md")
    parser.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1, help="the core that everything runs on")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000, help="the most rows of the simulated model")
    parser.add_argument("--only", action="append", default=[], help="posteriors whose names contain this")
    parser.add_argument("--without", action="append", default=[], choices=["Stan", "nutpie", "NumPyro", "growth", "by-hand"])
    parser.add_argument("--binaries", type=Path, help="take hlm's binaries from here, as they are, instead of building them")
    return parser.parse_args()


def tasks(options: argparse.Namespace) -> list:
    """What is measured: the simulated model, and the posteriors that are there."""
    data, points = scaling.simulate(options.work / "data", 10_000, 100)
    found = [Task("simulated-hierarchical_logistic", "hierarchical GLM", LOGISTIC, data, points, 200, 200,
                  ELSEWHERE["simulated-hierarchical_logistic"])]
    if options.posteriordb and options.data_dir:
        programs = Path(options.posteriordb) / "posterior_database" / "models" / "stan"
        for posterior in POSTERIORS:
            program, data = programs / f"{posterior.model}.stan", options.data_dir / f"{posterior.data}.json"
            points = options.points / f"{posterior.name}.json" if options.points else None
            if program.exists() and data.exists():
                found.append(Task(posterior.name, posterior.kind, program, data, points, posterior.warmup,
                                  posterior.draws, ELSEWHERE.get(posterior.name)))
            else:
                print(f"not found: {posterior.name}", file=sys.stderr)
    else:
        print("without --posteriordb and --data-dir only the simulated model runs", file=sys.stderr)
    return [task for task in found if not options.only or any(part in task.name for part in options.only)]


def build_hlm() -> None:
    for targets in (["--bin", "hlm"], ["--example", "cost", "--example", "chain"]):
        subprocess.run(["cargo", "build", "--release", *targets], cwd=ROOT, check=True)


def contenders(options: argparse.Namespace, recorder: Recorder) -> list:
    """hlm first, then the peers that could be installed."""
    hlm = Hlm(options.binaries or ROOT / "target" / "release", options.work, options.core)
    python, versions = machine.environment(options.work / "venv")
    present = [hlm]
    common = (options.work, options.core, hlm)
    for peer, package in (("Stan", "httpstan"), ("nutpie", "nutpie"), ("NumPyro", "numpyro")):
        if peer in options.without:
            recorder.write(what="peer", peer=peer, missing="left out")
        elif "missing" in versions[package]:
            recorder.write(what="peer", peer=peer, missing=versions[package]["missing"])
        elif peer == "Stan":
            present.append(Stan(python, versions[package]["version"], *common[:2], hlm))
        else:
            present.append(Python(peer, f"with_{package}.py", python, versions[package]["version"], *common))
    for contender in present:
        recorder.write(what="peer", peer=contender.name, version=contender.version, flags=contender.flags)
    return present


def measure(options: argparse.Namespace, recorder: Recorder, present: list, todo: list) -> None:
    """Builds with Stan, then all contenders in turn, so often as asked, each time another one first."""
    for contender in present:
        if isinstance(contender, Stan):
            for task in todo:
                print(f"building {task.name}", file=sys.stderr)
                recorder.write(what="build", peer=contender.name, name=task.name, **contender.build(task))
            if todo and not any(contender.runs(task) for task in todo):
                recorder.write(what="peer", peer=contender.name, missing="none of its models could be built")
    for repeat in range(options.repeats):
        for place, task in enumerate(todo):
            print(f"run {repeat + 1} of {options.repeats}: {task.name}", file=sys.stderr)
            turn = (repeat + place) % len(present)
            labels = {"name": task.name, "kind": task.kind, "repeat": repeat}
            # The positions and parameters' names of the first serve the others.
            recorder.write(what="gradient", peer="hlm", **labels, **present[0].gradient(task))
            for contender in present[turn:] + present[:turn]:
                if not contender.runs(task):
                    continue
                row = {"peer": contender.name, **labels}
                if isinstance(contender, Stan):
                    recorder.write(what="gradient", **row, **contender.gradient(task))
                seed = repeat + 1
                recorder.write(what="sample", **row, seed=seed, warmup=task.warmup, draws=task.draws,
                               **contender.sample(task, seed))


def measure_growth(options: argparse.Namespace, recorder: Recorder, present: list) -> None:
    """The cost of a gradient of the simulated model, by rows and groups."""
    for rows, groups in scaling.cells(options.rows):
        data, points = scaling.simulate(options.work / "data", rows, groups)
        task = Task(f"simulated-{rows}-{groups}", "hierarchical GLM", LOGISTIC, data, points, 0, 0)
        for repeat in range(options.repeats):
            for contender in present:
                if isinstance(contender, (Hlm, Stan)):
                    if isinstance(contender, Stan) and "error" in contender.build(task):
                        continue
                    recorder.write(what="scaling", peer=contender.name, name=task.name, rows=rows, groups=groups,
                                   repeat=repeat, **contender.gradient(task))


def measure_by_hand(options: argparse.Namespace, recorder: Recorder) -> None:
    """The hand-written gradients, which the crate's own bench times."""
    build = ["cargo", "bench", "--bench", "gradient", "--no-run"]
    subprocess.run(build, cwd=ROOT, check=True)
    outcome = machine.run(["cargo", "bench", "-q", "--manifest-path", ROOT / "Cargo.toml", "--bench", "gradient", "--", "--ratios"],
                          options.core)
    recorder.write(what="by hand", peer="hlm", **({"text": outcome.out} if outcome.code == 0 else outcome.json()))


def main() -> None:
    options = arguments()
    if not options.binaries:
        build_hlm()
    options.work.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(options.out)
    today = datetime.date.today().isoformat()
    recorder.write(what="machine", date=today, core=options.core, **machine.describe())
    present = contenders(options, recorder)
    measure(options, recorder, present, tasks(options))
    if "growth" not in options.without:
        measure_growth(options, recorder, present)
    if "by-hand" not in options.without:
        measure_by_hand(options, recorder)
    text = table.tables(table.Rows(recorder.rows))
    options.out.with_name("tables.md").write_text(text)
    if options.readme:
        table.place(ROOT / "README.md", text)
    print(text)


if __name__ == "__main__":
    main()
