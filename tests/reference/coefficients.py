"""Computes src/kernels/special/coefficients.rs: `python3 tests/reference/coefficients.py | rustfmt > src/kernels/special/coefficients.rs`.

Needs mpmath. Everything is computed at 60 digits from definitions; nothing is copied from another library.
"""

from fractions import Fraction

from mpmath import mp, mpf

mp.dps = 60


def literal(value):
    """The shortest decimal that reads back as the f64 nearest to `value`."""
    return repr(float(value))


def table(name, doc, values):
    print(f"/// {doc}")
    print(f"#[rustfmt::skip]\npub(super) const {name}: [f64; {len(values)}] = [")
    lines(values, "    ")
    print("];\n")


def lines(values, indent):
    """Prints values four to a line."""
    for start in range(0, len(values), 4):
        print(indent + " ".join(literal(value) + "," for value in values[start : start + 4]))


def rows_table(name, doc, rows, width):
    """Prints a table of rows of fractions, padded with zeros to a common width."""
    print(f"/// {doc}")
    print(f"#[rustfmt::skip]\npub(super) const {name}: [[f64; {width}]; {len(rows)}] = [")
    for row in rows:
        print("    [")
        padded = row + [Fraction(0)] * (width - len(row))
        lines([mpf(value.numerator) / value.denominator for value in padded], "        ")
        print("    ],")
    print("];\n")


def monomials(f, low, high, degree):
    """Monomial coefficients, constant first, of a near-minimax polynomial of `f` in (x - middle)."""
    middle = (mpf(low) + mpf(high)) / 2
    half = (mpf(high) - mpf(low)) / 2
    descending = mp.chebyfit(lambda t: f(middle + t), [-half, half], degree + 1)
    return list(reversed(descending))


def chebyshev(f, degree):
    """Chebyshev coefficients of `f` on [-1, 1]; the first is halved already."""
    points = 4 * degree
    angles = [mp.pi * (mpf(k) + mpf(1) / 2) / points for k in range(points)]
    values = [f(mp.cos(angle)) for angle in angles]
    coefficients = [
        2 * mp.fsum(v * mp.cos(j * angle) for v, angle in zip(values, angles)) / points for j in range(degree + 1)
    ]
    coefficients[0] /= 2
    return coefficients


def multiply(a, b, length):
    result = [Fraction(0)] * length
    for i, x in enumerate(a[:length]):
        if x:
            for j, y in enumerate(b[: length - i]):
                result[i + j] += x * y
    return result


def reciprocal(a, length):
    result = [1 / a[0]]
    for n in range(1, length):
        result.append(-sum(a[k] * result[n - k] for k in range(1, min(n, len(a) - 1) + 1)) / a[0])
    return result


def stirling_gamma(count):
    """g_k of Gamma(z) ~ e^-z z^z (2 pi / z)^1/2 sum g_k z^-k (DLMF 5.11.3), from exp of the series 5.11.1."""
    bernoulli = [Fraction(int(p), int(q)) for p, q in (mp.bernfrac(n) for n in range(count + 2))]
    log_series = [Fraction(0)] * (count + 1)
    for k in range(1, count // 2 + 1):
        if 2 * k - 1 <= count:
            log_series[2 * k - 1] = bernoulli[2 * k] / (2 * k * (2 * k - 1))
    g = [Fraction(1)]
    for n in range(1, count + 1):
        g.append(sum(k * log_series[k] * g[n - k] for k in range(1, n + 1)) / n)
    return g


def temme(orders, terms):
    """Taylor coefficients in eta of c_k(eta), DLMF 8.12.9-8.12.11."""
    length = terms + 2 * orders + 3
    # mu(eta) with mu - ln(1 + mu) = eta^2 / 2: mu' = eta (1 + mu) / mu, solved term by term with mu = eta + ...
    mu = [Fraction(0), Fraction(1)]
    for n in range(2, length + 2):
        # mu mu' = eta (1 + mu), coefficient of eta^n.
        known = sum(mu[i] * (n + 1 - i) * mu[n + 1 - i] for i in range(2, n))
        right = mu[n - 1]
        # mu_1 n mu_n + mu_n mu_1 = (n + 1) mu_n
        mu.append((right - known) / (n + 1))
    inverse = reciprocal(mu[1:], length + 1)  # eta / mu as a series
    # 1/mu = inverse / eta: the coefficient of eta^(i-1) is inverse[i].
    one_over_mu = inverse[1:]  # regular part; the pole is 1/eta
    g = stirling_gamma(orders)
    rows = [list(one_over_mu)]
    for k in range(1, orders):
        previous = rows[-1]
        row = []
        for n in range(len(previous) - 2):
            row.append((n + 2) * previous[n + 2] + (-1) ** k * g[k] * one_over_mu[n])
        # The poles cancel by definition of g_k: previous[1] + (-1)^k g_k = 0.
        assert previous[1] + (-1) ** k * g[k] == 0
        rows.append(row)
    return [row[:terms] for row in rows]


print("//! Constants of the special functions, computed by tests/reference/coefficients.py; do not edit by hand.\n")

table(
    "LGAMMA_1P",
    "ln Gamma(1 + x) / x in powers of x on [-1/2, 1/2].",
    monomials(lambda x: mp.loggamma(1 + x) / x if abs(x) > mpf(10) ** -25 else -mp.euler, mpf(-1) / 2, mpf(1) / 2, 29),
)
table(
    "LGAMMA_CORRECTION",
    "B_2k / (2k (2k - 1)), the terms of DLMF 5.11.1.",
    [mp.bernoulli(2 * k) / (2 * k * (2 * k - 1)) for k in range(1, 11)],
)
table("BERNOULLI", "B_2k for k = 1, 2, ...", [mp.bernoulli(2 * k) for k in range(1, 13)])

SPLIT = mpf("3.75")


def scaled_erfc(t):
    if t == 1:
        return 2 / mp.sqrt(mp.pi)
    x = SPLIT * (1 + t) / (1 - t)
    with mp.workdps(80):
        return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x) if x < 50 else (1 + 2 * x) / (x * mp.sqrt(mp.pi)) * mp.hyp2f0(
            1, mpf(1) / 2, -1 / (x * x)
        )


table(
    "ERFCX",
    "Chebyshev series of (1 + 2x) exp(x^2) erfc(x) in t = (x - 3.75) / (x + 3.75), x >= 0.",
    chebyshev(scaled_erfc, 29),
)

count = 40


def legendre(x):
    """P_n(x) and P_n'(x) for n = count by the three-term recurrence."""
    before, now = mpf(1), x
    for n in range(1, count):
        before, now = now, ((2 * n + 1) * x * now - n * before) / (n + 1)
    return now, count * (x * now - before) / (x * x - 1)


nodes = []
for k in range(1, count // 2 + 1):
    node = mp.cos(mp.pi * (k - mpf(1) / 4) / (count + mpf(1) / 2))
    for _ in range(8):
        value, slope = legendre(node)
        node -= value / slope
    slope = legendre(node)[1]
    nodes.append((node, 2 / ((1 - node * node) * slope * slope)))
print(f"/// Positive nodes and weights of the Gauss-Legendre rule with {count} points (DLMF 3.5(v)).")
print(f"pub(super) const GAUSS_LEGENDRE: [(f64, f64); {len(nodes)}] = [")
for node, weight in nodes:
    print(f"    ({literal(node)}, {literal(weight)}),")
print("];\n")



def lambert_branch(count):
    """W in powers of p = sqrt(2 (e x + 1)): Corless et al., "On the Lambert W function" (1996), 4.22 to 4.24."""
    mu = [Fraction(-1), Fraction(1)]
    alpha = [Fraction(2), Fraction(-1)]
    for k in range(2, count):
        alpha.append(sum((mu[j] * mu[k + 1 - j] for j in range(2, k)), Fraction(0)))
        mu.append(
            Fraction(k - 1, k + 1) * (mu[k - 2] / 2 + alpha[k - 2] / 4) - alpha[k] / 2 - mu[k - 1] / (k + 1)
        )
    return mu


def debye(orders):
    """U_k(p) / p^k in powers of p^2, DLMF 10.41.9."""
    rows = [[Fraction(1)]]
    for k in range(orders - 1):
        # In u = p^2: U_k = p^k f(u), f = sum f_i u^i.
        f = rows[-1]
        row = [Fraction(0)] * (k + 2)
        for i, c in enumerate(f):
            power = k + 2 * i
            # p^2 (1 - p^2) / 2 * power p^(power - 1), over p^(k+1).
            row[i] += c * power / 2
            row[i + 1] -= c * power / 2
            # The integral of (1 - 5 t^2) t^power over 8.
            row[i] += c / (8 * (power + 1))
            row[i + 1] -= 5 * c / (8 * (power + 3))
        rows.append(row)
    return rows


table(
    "LAMBERT_BRANCH",
    "W in powers of p = sqrt(2 (e x + 1)): the principal branch for p > 0, the other for p < 0.",
    [mpf(c.numerator) / c.denominator for c in lambert_branch(24)],
)

debye_rows = debye(13)
rows_table("DEBYE", "Row k holds U_k(p) / p^k of DLMF 10.41.9 in powers of p^2.", debye_rows, len(debye_rows[-1]))
rows_table("TEMME", "Row k holds the Taylor coefficients in eta of c_k(eta), DLMF 8.12.9 to 8.12.11.", temme(14, 26), 26)
