"""Computes src/kernels/simd/coefficients.rs:
`python3 tests/reference/simd_coefficients.py > src/kernels/simd/coefficients.rs`.

Needs mpmath. Near-minimax polynomials, fitted at 60 digits; nothing is copied from another library. Each line of the
standard error is a table's name with the largest error of its fit.
"""

import sys

from mpmath import mp, mpf

mp.dps = 60


def literal(value):
    """The shortest decimal that reads back as the f64 nearest to `value`."""
    return repr(float(value))


def table(name, doc, f, low, high, degree, centre=0):
    """Prints the coefficients, constant first, of a near-minimax polynomial of `f` in x - centre."""
    low, high = mpf(low) - centre, mpf(high) - centre
    descending, error = mp.chebyfit(lambda t: f(centre + t), [low, high], degree + 1, error=True)
    print(f"{name}: {mp.nstr(error, 3)}", file=sys.stderr)
    coefficients = list(reversed(descending))
    print(f"\n/// {doc}")
    print(f"#[rustfmt::skip]\npub(super) const {name}: [f64; {len(coefficients)}] = [")
    for start in range(0, len(coefficients), 4):
        print("    " + " ".join(literal(value) + "," for value in coefficients[start : start + 4]))
    print("];")


def at_infinity(f, limit):
    """f(1/sqrt(w)) as a function of w, with its limit at w = 0; digits to spare for what cancels there."""

    def of(w):
        if w == 0:
            return limit
        with mp.workdps(150):
            return f(1 / mp.sqrt(w))

    return of


print("//! Constants of the slice functions, computed by tests/reference/simd_coefficients.py; do not edit by hand.")

# The gamma function's relatives.

with mp.workdps(100):
    root = mp.findroot(mp.digamma, mpf("1.4616321449683623"))


def lgamma_over_distances(x):
    """ln Gamma(x) over its distances from both zeros."""
    for zero, other in ((1, 2), (2, 1)):
        if abs(x - zero) < mpf(10) ** -25:
            return mp.psi(0, zero) / (zero - other)
    with mp.workdps(100):
        return mp.loggamma(x) / ((x - 1) * (x - 2))


def digamma_over_distance(x):
    if abs(x - root) < mpf(10) ** -25:
        return mp.psi(1, root)
    with mp.workdps(100):
        return mp.digamma(x) / (x - root)


table(
    "LGAMMA_NEAR",
    "ln Gamma(x) / ((x - 1) (x - 2)) in powers of x - 1.75 on [1, 2.5].",
    lgamma_over_distances,
    1,
    2.5,
    24,
    1.75,
)
table(
    "LGAMMA_FAR",
    "x (ln Gamma(x) - (x - 1/2) ln x + x - ln(2 pi) / 2) in powers of 1/x^2, x >= 2.5.",
    at_infinity(
        lambda x: x * (mp.loggamma(x) - (x - mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2), mpf(1) / 12
    ),
    0,
    mpf(2.5) ** -2,
    13,
)
high = mpf(float(root))
print("\n/// The positive zero of the digamma function: its f64 part.")
print(f"pub(super) const DIGAMMA_ROOT: f64 = {literal(high)};")
print("/// What [`DIGAMMA_ROOT`] lacks.")
print(f"pub(super) const DIGAMMA_ROOT_REST: f64 = {literal(root - high)};")
table(
    "DIGAMMA_NEAR",
    "psi(x) / (x - root) in powers of x - 1.75 on [1, 2.5].",
    digamma_over_distance,
    1,
    2.5,
    26,
    1.75,
)
table(
    "DIGAMMA_FAR",
    "x^2 (ln x - 1/(2x) - psi(x)) in powers of 1/x^2, x >= 2.5.",
    at_infinity(lambda x: x * x * (mp.log(x) - 1 / (2 * x) - mp.psi(0, x)), mpf(1) / 12),
    0,
    mpf(2.5) ** -2,
    14,
)
table(
    "TRIGAMMA_NEAR",
    "psi'(x) in powers of x - 1.5 on [1, 2].",
    lambda x: mp.psi(1, x),
    1,
    2,
    23,
    1.5,
)
table(
    "TRIGAMMA_FAR",
    "x^3 (psi'(x) - 1/x - 1/(2 x^2)) in powers of 1/x^2, x >= 2.",
    at_infinity(lambda x: x**3 * (mp.psi(1, x) - 1 / x - 1 / (2 * x * x)), mpf(1) / 6),
    0,
    mpf(2) ** -2,
    19,
)

# The normal distribution function's relatives.


def scaled_complement(x):
    """e^(x^2) erfc(x)."""
    with mp.workdps(100):
        if x < 40:
            return mp.exp(x * x) * mp.erfc(x)
        return mp.hyp2f0(1, mpf(1) / 2, -1 / (x * x)) / (x * mp.sqrt(mp.pi))


def tail(f, centre, steepness, limit):
    """(1 + steepness x) f(x) as a function of t = (x - centre) / (x + centre), with its limit at infinity."""

    def of(t):
        if t >= 1:
            return limit
        x = centre * (1 + t) / (1 - t)
        return (1 + steepness * x) * f(x)

    return of


table(
    "ERFC_TAIL",
    "(1 + 9/8 x) e^(x^2) erfc(x) in powers of (x - 3.5) / (x + 3.5), x >= 0.",
    tail(scaled_complement, mpf(3.5), mpf(9) / 8, mpf(9) / 8 / mp.sqrt(mp.pi)),
    -1,
    1,
    24,
)
table(
    "PHI_TAIL",
    "(1 + 13/16 x) e^(x^2/2) Phi(-x) in powers of (x - 5) / (x + 5), x >= 0.",
    tail(lambda x: scaled_complement(x / mp.sqrt(2)) / 2, 5, mpf(13) / 16, mpf(13) / 16 / mp.sqrt(2 * mp.pi)),
    -1,
    1,
    24,
)
table(
    "ERF_NEAR_ZERO",
    "erf(x) / x - 1 in powers of x^2, |x| <= 1/2.",
    lambda w: mp.erf(mp.sqrt(w)) / mp.sqrt(w) - 1 if w > 0 else 2 / mp.sqrt(mp.pi) - 1,
    0,
    mpf(0.25),
    8,
)

# Sine and cosine.

FEWER_BITS = 33


def leading(value, bits):
    """The leading bits of a number, cut off."""
    scale = mpf(2) ** (bits - 1 - mp.floor(mp.log(value, 2)))
    return mp.floor(value * scale) / scale


rest = mp.pi / 2
for part in ("HIGH", "MIDDLE", "LOW"):
    value = mpf(float(rest)) if part == "LOW" else leading(rest, FEWER_BITS)
    print(f"\n/// pi / 2, {part.lower()} part" + ("." if part == "LOW" else f" of {FEWER_BITS} bits."))
    print(f"pub(super) const HALF_PI_{part}: f64 = {literal(value)};")
    rest -= value


with mp.workdps(100):
    table(
        "SINE",
        "(sin(x) / x - 1) / x^2 in powers of x^2, |x| <= pi / 4.",
        lambda w: (mp.sin(mp.sqrt(w)) / mp.sqrt(w) - 1) / w if w > mpf(10) ** -30 else -mpf(1) / 6 + w / 120,
        0,
        (mp.pi / 4) ** 2,
        5,
    )
    table(
        "COSINE",
        "(cos(x) - 1 + x^2/2) / x^4 in powers of x^2, |x| <= pi / 4.",
        lambda w: (mp.cos(mp.sqrt(w)) - 1 + w / 2) / w**2 if w > mpf(10) ** -20 else mpf(1) / 24 - w / 720 + w**2 / 40320,
        0,
        (mp.pi / 4) ** 2,
        5,
    )
