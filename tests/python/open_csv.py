"""Opens a run folder of hlm with ArviZ and CmdStanPy and compares what they read with `hlm summary --format json`.

    python open_csv.py RUN_FOLDER SUMMARY_JSON

Ends with exit code 77 (the convention for a skipped test) where ArviZ 0.23 or CmdStanPy is not installed, and with an
assertion where they read something else than was written.
"""

import json
import sys
import warnings
from pathlib import Path

SKIPPED = 77

try:
    warnings.simplefilter("ignore")
    import arviz
    import cmdstanpy
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(SKIPPED)

if not arviz.__version__.startswith("0.23"):
    print(f"skipped: ArviZ is {arviz.__version__}, and `from_cmdstan` is that of 0.23")
    sys.exit(SKIPPED)

# The sampler's columns in the order of the file, under the names that ArviZ gives them.
SAMPLER = {
    "lp": "lp__",
    "acceptance_rate": "accept_stat__",
    "step_size": "stepsize__",
    "tree_depth": "treedepth__",
    "n_steps": "n_leapfrog__",
    "diverging": "divergent__",
    "energy": "energy__",
}
# Variables of the model and their shapes.
SHAPES = {"mu": (), "tau": (), "place": (8,), "theta": (8,)}


def elements(name, shape):
    """The names of a variable's elements as the summary prints them."""
    return [f"{name}[{i + 1}]" for i in range(shape[0])] if shape else [name]


def assert_close(what, found, expected, tolerance=1e-10):
    scale = max(1.0, abs(expected))
    assert abs(found - expected) <= tolerance * scale, f"{what}: {found}, not {expected}"


def compare_with_summary(what, draws, rows):
    """`draws` maps each element's name to its draws of all chains."""
    for name, values in draws.items():
        row = rows[name]
        assert_close(f"{what}, mean of {name}", values.mean(), row["mean"])
        assert_close(f"{what}, sd of {name}", values.std(ddof=1), row["sd"])
        for probability, quantile in row["quantiles"].items():
            found = numpy.quantile(values, float(probability.rstrip("%")) / 100)
            assert_close(f"{what}, {probability} of {name}", found, quantile)


def open_with_arviz(files, rows, chains, draws):
    data = arviz.from_cmdstan(posterior=[str(file) for file in files])
    assert set(data.posterior.data_vars) == set(SHAPES), list(data.posterior.data_vars)
    for name, shape in SHAPES.items():
        assert data.posterior[name].shape == (chains, draws, *shape), data.posterior[name].shape
        values = data.posterior[name].values.reshape(chains * draws, -1)
        by_name = dict(zip(elements(name, shape), values.T))
        compare_with_summary("arviz", by_name, rows)
    statistics = data.sample_stats
    assert set(statistics.data_vars) == set(SAMPLER), list(statistics.data_vars)
    assert all(statistics[name].shape == (chains, draws) for name in SAMPLER)
    assert statistics["diverging"].dtype == bool
    compare_with_summary("arviz", {"lp__": statistics["lp"].values.ravel()}, rows)
    # Two implementations of the same diagnostics.
    for name, shape in SHAPES.items():
        for diagnostic, compute in [("rhat", arviz.rhat), ("ess_bulk", arviz.ess)]:
            values = compute(data, var_names=[name])[name].values.ravel()
            for element, value in zip(elements(name, shape), values):
                expected = rows[element][diagnostic]
                assert_close(f"arviz, {diagnostic} of {element}", value, expected, 1e-6)
    return statistics


def open_with_cmdstanpy(files, rows, chains, draws):
    fit = cmdstanpy.from_csv([str(file) for file in files])
    assert (fit.chains, fit.num_draws_sampling) == (chains, draws)
    assert fit.column_names[:7] == tuple(SAMPLER.values()), fit.column_names
    for name, shape in SHAPES.items():
        values = fit.stan_variable(name)
        assert values.shape == (chains * draws, *shape), values.shape
        by_name = dict(zip(elements(name, shape), values.reshape(chains * draws, -1).T))
        compare_with_summary("cmdstanpy", by_name, rows)
    assert fit.metric_type == "diag_e" and fit.inv_metric.shape == (chains, 10)
    assert fit.step_size.shape == (chains,) and (fit.step_size > 0).all()
    return fit


def main(folder, summary):
    files = sorted(Path(folder).glob("*.csv"))
    summary = json.loads(Path(summary).read_text())
    rows = {row["name"]: row for row in summary["rows"]}
    chains = summary["chains"]
    draws = summary["draws"] // chains
    assert len(files) == chains, files
    statistics = open_with_arviz(files, rows, chains, draws)
    fit = open_with_cmdstanpy(files, rows, chains, draws)
    # Both read the same sampler statistics.
    for theirs, ours in SAMPLER.items():
        values = fit.method_variables()[ours].T
        assert (statistics[theirs].values == values).all(), theirs
    readers = f"arviz {arviz.__version__} and cmdstanpy {cmdstanpy.__version__}"
    print(f"{readers} read {chains} chains of {draws} draws")


main(*sys.argv[1:])
