"""NumPyro: MODEL DATA OUT SEED WARMUP DRAWS; prints one JSON object.

NumPyro compiles anew at each run, so a gradient's cost is taken from the difference of two runs of different length, both from
where warmup ended; the rest of their time is compilation.
"""

import json
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

import chain

numpyro.enable_x64()

# The longer run has so many times the draws of the shorter.
LONGER = 10


def eight_schools(data: dict) -> None:
    place = numpyro.sample("theta_trans", dist.Normal(0, 1).expand([data["J"]]))
    mu, tau = numpyro.sample("mu", dist.Normal(0, 5)), numpyro.sample("tau", dist.HalfCauchy(5))
    numpyro.sample("y", dist.Normal(mu + tau * place, data["sigma"]), obs=data["y"])


def radon(data: dict) -> None:
    sigma_y, sigma_alpha, sigma_beta = (
        numpyro.sample(f"sigma_{name}", dist.HalfNormal(1)) for name in ("y", "alpha", "beta")
    )
    mu_alpha, mu_beta = numpyro.sample("mu_alpha", dist.Normal(0, 10)), numpyro.sample("mu_beta", dist.Normal(0, 10))
    alpha = mu_alpha + sigma_alpha * numpyro.sample("alpha_raw", dist.Normal(0, 1).expand([data["J"]]))
    beta = mu_beta + sigma_beta * numpyro.sample("beta_raw", dist.Normal(0, 1).expand([data["J"]]))
    county = data["county_idx"] - 1
    numpyro.sample("y", dist.Normal(alpha[county] + beta[county] * data["floor_measure"], sigma_y), obs=data["log_radon"])


def hierarchical_logistic(data: dict) -> None:
    mu, tau = numpyro.sample("mu", dist.Normal(0, 2)), numpyro.sample("tau", dist.HalfNormal(1))
    alpha = mu + tau * numpyro.sample("z", dist.Normal(0, 1).expand([data["J"]]))
    b = numpyro.sample("b", dist.Normal(0, 2))
    numpyro.sample("y", dist.Bernoulli(logits=alpha[data["g"] - 1] + b * data["x"]), obs=data["y"])


def main() -> None:
    name, data_file, out, seed, warmup, draws = sys.argv[1:]
    data = json.loads(Path(data_file).read_text())
    data = {key: jnp.array(value) if isinstance(value, list) else value for key, value in data.items()}
    model = {"eight_schools": eight_schools, "radon": radon, "hierarchical_logistic": hierarchical_logistic}[name]
    sampler = numpyro.infer.MCMC(
        numpyro.infer.NUTS(lambda: model(data)), num_warmup=int(warmup), num_samples=int(draws), progress_bar=False
    )
    fields = ("num_steps", "diverging")
    times = []

    def timed(run, key) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        run(key, extra_fields=fields)
        jax.block_until_ready(sampler.get_samples())
        times.append((time.perf_counter() - wall, time.process_time() - cpu))

    timed(lambda key, **options: sampler.warmup(key, collect_warmup=True, **options), jax.random.PRNGKey(int(seed)))
    state = sampler.last_state
    warmup_gradients = int(sampler.get_extra_fields()["num_steps"].sum()) + int(warmup)
    gradients = []
    for length in (LONGER, 1):
        sampler.num_samples = length * int(draws)
        sampler.post_warmup_state = state
        timed(sampler.run, state.rng_key)
        gradients.append(int(sampler.get_extra_fields()["num_steps"].sum()) + sampler.num_samples)
    kept, samples = sampler.get_extra_fields(), sampler.get_samples()
    chain.write_arrays(Path(out), {name: np.array(values) for name, values in samples.items()})
    warming, longer, shorter = times
    done = warmup_gradients + gradients[1]
    cpu = (longer[1] - shorter[1]) / (gradients[0] - gradients[1]) * done
    transitions = int(warmup) + int(draws)
    print(json.dumps({
        "leapfrog_steps": done - transitions, "transitions": transitions, "cpu_seconds": cpu,
        "divergences": int(kept["diverging"].sum()),
        "compile_cpu_seconds": warming[1] + shorter[1] - cpu,
    }))


main()
