"""Writes summary.json: draws of several kinds, and what ArviZ 0.23 says of them.

Run as `python summary.py > summary.json` with arviz, numpy and scipy installed. R-hat of one chain is left out: ArviZ
gives none.
"""

import json
import sys

import arviz
import numpy

random = numpy.random.default_rng(20261122)


def autoregressive(chains, draws, coefficient):
    values = numpy.zeros((chains, draws))
    values[:, 0] = random.normal(size=chains) / numpy.sqrt(1 - coefficient**2)
    for draw in range(1, draws):
        values[:, draw] = coefficient * values[:, draw - 1] + random.normal(size=chains)
    return values


shifted = random.normal(size=(4, 50))
shifted[2] += 1.5
scaled = random.normal(size=(4, 50))
scaled[1] *= 4
cases = {
    "independent": random.normal(size=(4, 50)),
    "odd length": 1e5 + random.normal(size=(4, 51)),
    "correlated": autoregressive(4, 60, 0.9),
    "very correlated, long": autoregressive(2, 400, 0.98),
    "antithetic": autoregressive(2, 60, -0.8),
    "one chain apart": shifted,
    "one chain wider": scaled,
    "counts with ties": random.poisson(6, size=(4, 50)).astype(float),
    "heavy tails": random.standard_cauchy(size=(4, 50)),
    "tiny scale": random.normal(size=(3, 20)),
    "one chain": random.gamma(2, size=(1, 80)),
    "very short": random.normal(size=(4, 7)),
}

output = []
for name, values in cases.items():
    values = numpy.array([[float(f"{value:.6g}") for value in chain] for chain in values])
    # ArviZ takes a range below 1e-15 for constant draws; otherwise its measures do not depend on the scale, when that
    # is a power of two and so does not round.
    scaled_values = values
    scale = 2.0**66 if name == "tiny scale" else 1.0
    values = values / scale
    expected = {
        "mean": values.mean(),
        "mcse_mean": float(arviz.mcse(scaled_values, method="mean")) / scale,
        "sd": values.std(ddof=1),
        "mcse_sd": float(arviz.mcse(scaled_values, method="sd")) / scale,
        "quantiles": list(numpy.quantile(values, [0.05, 0.5, 0.95])),
        "mcse_quantiles": [
            float(arviz.mcse(scaled_values, method="quantile", prob=p)) / scale for p in (0.05, 0.5, 0.95)
        ],
        "ess_bulk": float(arviz.ess(scaled_values, method="bulk")),
        "ess_tail": float(arviz.ess(scaled_values, method="tail")),
        "ebfmi": list(arviz.bfmi(values)),
    }
    if len(values) > 1:
        expected["rhat"] = float(arviz.rhat(scaled_values, method="rank"))
    output.append({"name": name, "chains": values.tolist(), "expected": expected})

print("[\n" + ",\n".join(json.dumps(case) for case in output) + "\n]")
print("arviz", arviz.__version__, file=sys.stderr)
