"""hlm and its peers: how each is built, timed and sampled."""

import json
import math
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
PEER_SCRIPTS = HERE / "peers"


@dataclass(frozen=True)
class Task:
    """A model with its data, and how long to sample it."""

    name: str
    kind: str
    program: Path
    data: Path
    points: Path | None
    warmup: int
    draws: int
    # The name of the same model in peers/pymc_models.py and numpyro_models.py, if it is there.
    elsewhere: str | None = None


def typical_points(file: Path | None) -> list:
    """Positions from a file of points, or of reference values."""
    if file is None or not file.exists():
        return []
    points = json.loads(file.read_text())
    if isinstance(points, dict):
        points = [point["unconstrained"] for point in points["points"] if point["kind"] == "typical"]
    return points[:3]


class Hlm:
    """This crate, by its examples `cost` and `chain`."""

    name = "hlm"

    def __init__(self, binaries: Path, work: Path, core: int):
        self.binaries, self.work, self.core = binaries, work, core
        self.version = machine.run([binaries / "hlm", "--version"]).out.strip()
        self.flags = "release"
        self.parameters: dict = {}
        self.positions: dict = {}

    def runs(self, task: Task) -> bool:
        return True

    def gradient(self, task: Task) -> dict:
        """Until ready, and a gradient; the positions serve the peers."""
        command = [self.binaries / "examples" / "cost", task.program, task.data]
        outcome = machine.run(command + ([task.points] if task.points else []), self.core)
        result = outcome.json()
        if "error" in result:
            return result
        self.parameters[task.name] = result["parameters"]
        self.positions.setdefault(task.name, [point["position"] for point in result["points"]])
        return {
            "dimension": result["dimension"],
            "check_ms": result["check_ms"],
            "read_ms": result["read_ms"],
            "compile_ms": result["compile_ms"],
            "ready_cpu_ms": result["ready_cpu_ms"],
            "log_density": [point["log_density"] for point in result["points"]],
            "gradient_ns": least(result["points"]),
            "peak_kib": outcome.peak_kib,
        }

    def sample(self, task: Task, seed: int) -> dict:
        folder = self.work / "run"
        shutil.rmtree(folder, ignore_errors=True)
        command = [self.binaries / "examples" / "chain", task.program, task.data, folder, seed, task.warmup, task.draws]
        outcome = machine.run(command, self.core)
        result = outcome.json()
        if "error" in result:
            return result
        ess = self.smallest_ess(task, Path(result.pop("file")))
        return {**result, **ess, "wall_seconds": outcome.wall_seconds, "process_seconds": outcome.cpu_seconds,
                "peak_kib": outcome.peak_kib}

    def smallest_ess(self, task: Task, draws: Path) -> dict:
        """The smallest bulk ESS of a parameter: one estimator for all peers."""
        outcome = machine.run([self.binaries / "hlm", "summary", draws, "--format", "json"])
        if not outcome.out:
            return {"ess": math.nan}
        parameters = self.parameters.get(task.name, [])
        values = [row["ess_bulk"] for row in json.loads(outcome.out)["rows"]
                  if re.split(r"[.\[]", row["column"])[0] in parameters]
        values = [value for value in values if isinstance(value, (int, float)) and not math.isnan(value)]
        return {"ess": min(values, default=math.nan)}


class Stan:
    """Stan in C++, compiled and called by httpstan as pystan would."""

    name = "Stan"

    def __init__(self, python: Path, version: str, work: Path, core: int, hlm: Hlm):
        self.python, self.version, self.work, self.core, self.hlm = python, version, work, core, hlm
        self.environment = {"XDG_CACHE_HOME": str(work / "cache")}
        self.flags = "-O3 -std=c++14"
        self.built: dict = {}

    def runs(self, task: Task) -> bool:
        return "model" in self.built.get(task.program, {})

    def call(self, *words: object, core: int = -1) -> machine.Outcome:
        return machine.run([self.python, PEER_SCRIPTS / "with_httpstan.py", *words], core, self.environment)

    def build(self, task: Task) -> dict:
        if task.program not in self.built:
            self.built[task.program] = self.call("build", task.program).json()
        return self.built[task.program]

    def gradient(self, task: Task) -> dict:
        points = typical_points(task.points) or self.hlm.positions.get(task.name, [])
        file = self.work / "points.json"
        file.write_text(json.dumps(points))
        model = self.built[task.program]["model"]
        outcome = self.call("gradient", model, task.data, file, "--core", self.core)
        result = outcome.json()
        if "error" in result:
            return result
        return {"log_density": [point["log_density"] for point in result["points"]],
                "gradient_ns": least(result["points"]), "peak_kib": outcome.peak_kib}

    def sample(self, task: Task, seed: int) -> dict:
        draws = self.work / "stan.csv"
        model = self.built[task.program]["model"]
        result = self.call("sample", model, task.data, draws, "--seed", seed, "--warmup", task.warmup, "--draws",
                           task.draws, "--core", self.core).json()
        return result if "error" in result else {**result, **self.hlm.smallest_ess(task, draws)}


class Python:
    """nutpie with PyMC, or NumPyro: the few models that are written for them."""

    def __init__(self, name: str, script: str, python: Path, version: str, work: Path, core: int, hlm: Hlm):
        self.name, self.script, self.python, self.version = name, script, python, version
        self.work, self.core, self.hlm, self.flags = work, core, hlm, "defaults, float64"

    def runs(self, task: Task) -> bool:
        return task.elsewhere is not None

    def sample(self, task: Task, seed: int) -> dict:
        draws = self.work / f"{self.name}.csv"
        outcome = machine.run([self.python, PEER_SCRIPTS / self.script, task.elsewhere, task.data, draws, seed,
                               task.warmup, task.draws], self.core)
        result = outcome.json()
        if "error" in result:
            return result
        return {**result, **self.hlm.smallest_ess(task, draws), "peak_kib": outcome.peak_kib}


def least(points: list) -> float:
    return min((point["nanoseconds"] for point in points), default=math.nan)
