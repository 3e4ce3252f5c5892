"""Processes, the machine, and the Python environment of the peers."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

PEERS = {"httpstan": ["httpstan"], "nutpie": ["nutpie", "pymc"], "numpyro": ["numpyro"]}


@dataclass
class Outcome:
    """How a process ended, and what it used."""

    code: int
    out: str
    err: str
    wall_seconds: float
    cpu_seconds: float
    peak_kib: int

    def json(self) -> dict:
        """The object on the last line that it printed; its complaint where there is none."""
        lines = self.out.strip().splitlines()
        if self.code == 0 and lines:
            return json.loads(lines[-1])
        complaint = self.err.strip().splitlines()
        return {"error": complaint[-1] if complaint else f"exit code {self.code}"}


def run(command: list, core: int = -1, environment: dict | None = None, timeout: float = 3600) -> Outcome:
    """Runs a process to its end, on one core if that is not -1."""

    def pin() -> None:
        if core >= 0 and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {core})

    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command], stdout=out, stderr=err, preexec_fn=pin,
            env={**os.environ, **(environment or {})},
        )
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.perf_counter() - start > timeout:
                process.kill()
                timeout = float("inf")
            time.sleep(0.002)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Outcome(process.returncode, out.read(), err.read(), wall, usage.ru_utime + usage.ru_stime,
                       usage.ru_maxrss)


def load() -> float:
    """The load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def describe() -> dict:
    """What the rows say of the machine and its tools."""
    cpu = ""
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip() if names else ""

    def first_line(*command: str) -> str:
        try:
            return run(list(command)).out.splitlines()[0]
        except (OSError, IndexError):
            return "missing"

    flags = Path("/proc/cpuinfo").read_text() if cpu else ""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu,
        "cores": os.cpu_count(),
        "avx512": "avx512f" in flags,
        "python": platform.python_version(),
        "commit": first_line("git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"),
        "g++": first_line("g++", "--version"),
        "rustc": first_line("rustc", "--version"),
    }


def environment(folder: Path) -> tuple[Path, dict]:
    """The Python of the peers' environment, made where it is not there yet; and each peer's version, or why it is missing."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making an environment in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    versions = {}
    for peer, packages in PEERS.items():
        if not has(python, packages):
            print(f"installing {' '.join(packages)}", file=sys.stderr)
            outcome = run([python, "-m", "pip", "install", "--quiet", *packages])
            if outcome.code != 0:
                complaint = outcome.err.strip().splitlines() or ["pip failed"]
                versions[peer] = {"missing": complaint[-1]}
                continue
        asked = f"import importlib.metadata as m; print(' '.join(p + ' ' + m.version(p) for p in {packages!r}))"
        versions[peer] = {"version": run([python, "-c", asked]).out.strip()}
    return python, versions


def has(python: Path, packages: list) -> bool:
    asked = f"import importlib.metadata as m; [m.version(p) for p in {packages!r}]"
    return run([python, "-c", asked]).code == 0
