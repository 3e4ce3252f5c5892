"""Stan through httpstan: builds a model's extension module, samples with it, or times its gradient alone.

Run by bench/run.py with the Python of the environment that it made. Each call prints one JSON object.
"""

import argparse
import asyncio
import ctypes
import json
import math
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpstan.models

sys.path.insert(0, str(Path(__file__).resolve().parent))
import chain  # noqa: E402

# As the `cost` example times gradients.
BATCH, BATCHES = 1e6, 31


def timing_object(folder: Path) -> Path:
    """The object that times gradients, compiled once."""
    source = Path(__file__).with_name("gradient.cpp")
    result = folder / f"gradient-{httpstan.__version__}.o"
    if not result.exists() or result.stat().st_mtime < source.stat().st_mtime:
        macros = ["BOOST_DISABLE_ASSERTS", "BOOST_PHOENIX_NO_VARIADIC_EXPRESSION", "STAN_THREADS", "_REENTRANT",
                  "_GLIBCXX_USE_CXX11_ABI=0"]
        command = ["g++", "-c", "-fPIC", "-O3", "-std=c++14", "-w", *(f"-D{macro}" for macro in macros)]
        command += ["-I", httpstan.models.PACKAGE_DIR / "include", "-o", result, source]
        result.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, check=True)
    return result


def build(program: Path) -> dict:
    """Compiles as pystan would, into httpstan's cache (below XDG_CACHE_HOME); what it took stays there too."""
    text = program.read_text()
    name = httpstan.models.calculate_model_name(text)
    folder = httpstan.cache.model_directory(name)
    record = folder / "build.json"
    if record.exists():
        return {**json.loads(record.read_text()), "cached": True}
    linked = timing_object(httpstan.cache.cache_directory())
    plain = httpstan.models.setuptools.Extension

    def extension(*arguments, extra_objects, **options):
        return plain(*arguments, extra_objects=[*extra_objects, str(linked)], **options)

    httpstan.models.setuptools.Extension = extension
    for attempt in range(5):
        wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            asyncio.run(httpstan.models.build_services_extension_module(text))
            break
        except subprocess.TimeoutExpired:  # httpstan gives stanc a second, which a busy machine may not keep
            if attempt == 4:
                raise
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "model": name,
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "version": f"httpstan {httpstan.__version__}",
        "flags": "-O3 -std=c++14",
    }
    record.write_text(json.dumps(result))
    return {**result, "cached": False}


class Messages:
    """Collects what the sampler writes to its socket, in a thread of its own, which may run on any core."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()
        self.path = tempfile.mktemp(prefix="stan_", suffix=".sock")
        self.socket = socket.socket(socket.AF_UNIX, type=socket.SOCK_STREAM)
        self.socket.bind(self.path)
        self.socket.listen(4)
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        for _ in range(4):  # one logger, three writers
            connection, _ = self.socket.accept()
            thread = threading.Thread(target=self.read, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def read(self, connection: socket.socket) -> None:
        whole = bytearray()
        while received := connection.recv(1 << 20):
            whole += received
            if len(whole) > 1 << 22 and (cut := whole.rfind(b"\n") + 1):
                with self.lock:
                    self.file.write(whole[:cut])
                del whole[:cut]
        with self.lock:
            self.file.write(whole)

    def lines(self):
        self.threads[0].join()
        for thread in self.threads[1:]:
            thread.join()
        os.unlink(self.path)
        self.file.seek(0)
        return self.file


def sample(module_name: str, data_file: Path, out: Path, seed: int, warmup: int, draws: int, core: int) -> dict:
    """One chain with Stan's defaults; draws of warmup are kept for the count of their leapfrog steps."""
    module = httpstan.models.import_services_extension_module(module_name)
    data = json.loads(data_file.read_text())
    messages = Messages()
    chain.pin(core)
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.thread_time()
    module.hmc_nuts_diag_e_adapt_wrapper(
        socket_filename=messages.path, data=data, init={}, random_seed=seed, chain=1, init_radius=2.0,
        num_warmup=warmup, num_samples=draws, num_thin=1, save_warmup=True, refresh=0, stepsize=1.0,
        stepsize_jitter=0.0, max_depth=10, delta=0.8, gamma=0.05, kappa=0.75, t0=10.0, init_buffer=75,
        term_buffer=50, window=25,
    )
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    columns, rows, elapsed = None, [], {}
    for line in messages.lines():
        message = json.loads(line)
        values = message["values"]
        if message["topic"] == "sample" and isinstance(values, dict):
            columns = columns or list(values)
            rows.append(list(values.values()))
        elif message["topic"] == "logger":
            for part in ("Warm-up", "Sampling"):
                if f"({part})" in values[0]:
                    elapsed[part] = float(values[0].split("seconds")[0].split()[-1])
    leapfrogs = columns.index("n_leapfrog__")
    kept = rows[warmup:]
    chain.write_draws(out, columns, kept)
    return {
        "leapfrog_steps": int(sum(row[leapfrogs] for row in rows)),
        "transitions": len(rows),
        "divergences": int(sum(row[columns.index("divergent__")] for row in kept)),
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "own_seconds": math.fsum(elapsed.values()),
        "peak_kib": peak,
        "peak_above_start_kib": peak - resident,
    }


def gradient(module_name: str, data_file: Path, points_file: Path, core: int) -> dict:
    """The least time of a gradient at each point, by the function that was linked into the module; the values too."""
    module = httpstan.models.import_services_extension_module(module_name)
    function = ctypes.CDLL(module.__file__).time_gradient
    function.restype = ctypes.c_double
    chain.pin(core)
    file = str(data_file).encode()

    def evaluate(point: list, calls: int):
        numbers = ctypes.c_double * len(point)
        value = ctypes.c_double()
        nanoseconds = function(file, numbers(*point), ctypes.c_size_t(len(point)), ctypes.c_long(calls),
                               ctypes.byref(value), numbers())
        if nanoseconds < 0:
            raise RuntimeError("Stan has no gradient there")
        return nanoseconds, value.value

    results = []
    for point in json.loads(points_file.read_text()):
        calls = 1
        while evaluate(point, calls)[0] < BATCH:
            calls *= 2
        times = [evaluate(point, calls) for _ in range(BATCHES)]
        results.append({"log_density": times[0][1], "nanoseconds": min(time for time, _ in times) / calls})
    return {"points": results}


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build")
    building.add_argument("program", type=Path)
    sampling, timing = commands.add_parser("sample"), commands.add_parser("gradient")
    for command in (sampling, timing):
        command.add_argument("model")
        command.add_argument("data", type=Path)
        command.add_argument("file", type=Path)
        command.add_argument("--core", type=int, default=-1)
    for number in ("seed", "warmup", "draws"):
        sampling.add_argument(f"--{number}", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.command == "build":
        result = build(arguments.program)
    elif arguments.command == "sample":
        result = sample(arguments.model, arguments.data, arguments.file, arguments.seed, arguments.warmup,
                        arguments.draws, arguments.core)
    else:
        result = gradient(arguments.model, arguments.data, arguments.file, arguments.core)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
