"""nutpie with PyMC: MODEL DATA OUT SEED WARMUP DRAWS; prints one JSON object."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import nutpie
import pymc as pm

import chain


def eight_schools(data: dict) -> pm.Model:
    with pm.Model() as model:
        place = pm.Normal("theta_trans", 0, 1, shape=data["J"])
        mu = pm.Normal("mu", 0, 5)
        tau = pm.HalfCauchy("tau", 5)
        pm.Normal("y", mu + tau * place, np.array(data["sigma"]), observed=data["y"])
    return model


def radon(data: dict) -> pm.Model:
    county = np.array(data["county_idx"]) - 1
    with pm.Model() as model:
        sigma_y, sigma_alpha, sigma_beta = (pm.HalfNormal(f"sigma_{name}", 1) for name in ("y", "alpha", "beta"))
        mu_alpha, mu_beta = pm.Normal("mu_alpha", 0, 10), pm.Normal("mu_beta", 0, 10)
        alpha = mu_alpha + sigma_alpha * pm.Normal("alpha_raw", 0, 1, shape=data["J"])
        beta = mu_beta + sigma_beta * pm.Normal("beta_raw", 0, 1, shape=data["J"])
        mean = alpha[county] + beta[county] * np.array(data["floor_measure"], dtype=float)
        pm.Normal("y", mean, sigma_y, observed=data["log_radon"])
    return model


def hierarchical_logistic(data: dict) -> pm.Model:
    group = np.array(data["g"]) - 1
    with pm.Model() as model:
        mu, tau = pm.Normal("mu", 0, 2), pm.HalfNormal("tau", 1)
        alpha = mu + tau * pm.Normal("z", 0, 1, shape=data["J"])
        b = pm.Normal("b", 0, 2)
        pm.Bernoulli("y", logit_p=alpha[group] + b * np.array(data["x"]), observed=data["y"])
    return model


def main() -> None:
    name, data_file, out, seed, warmup, draws = sys.argv[1:]
    data = json.loads(Path(data_file).read_text())
    model = {"eight_schools": eight_schools, "radon": radon, "hierarchical_logistic": hierarchical_logistic}[name](data)
    wall, cpu = time.perf_counter(), time.process_time()
    compiled = nutpie.compile_pymc_model(model)
    compile_wall, compile_cpu = time.perf_counter() - wall, time.process_time() - cpu
    wall, cpu = time.perf_counter(), time.process_time()
    trace = nutpie.sample(compiled, draws=int(draws), tune=int(warmup), chains=1, cores=1, seed=int(seed),
                          progress_bar=False, save_warmup=True)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    names = [variable.name for variable in model.free_RVs]
    chain.write_arrays(Path(out), {name: trace.posterior[name].values[0] for name in names})
    steps = int(trace.sample_stats.n_steps.values.sum() + trace.warmup_sample_stats.n_steps.values.sum())
    print(json.dumps({
        "leapfrog_steps": steps, "transitions": int(warmup) + int(draws), "cpu_seconds": cpu, "own_seconds": wall,
        "divergences": int(trace.sample_stats.diverging.values.sum()),
        "compile_wall_seconds": compile_wall, "compile_cpu_seconds": compile_cpu,
    }))


main()
