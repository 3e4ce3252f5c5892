"""Computes tests/reference/special.tsv: `python3 tests/reference/special.py > tests/reference/special.tsv`.

Needs mpmath. Each line is a function of src/kernels/special, its arguments, and its value at 50 digits for exactly
those f64 arguments, rounded to 20.
"""

import math

from mpmath import mp, mpf

mp.dps = 50


def derivative(f, x):
    """Central difference with a step that leaves 30 correct digits."""
    with mp.workdps(110):
        step = mpf(10) ** -30 * max(1, abs(x))
        return (f(x + step) - f(x - step)) / (2 * step)


def emit(name, f, *columns):
    for arguments in zip(*columns) if len(columns) > 1 else ((x,) for x in columns[0]):
        exact = [mpf(x) for x in arguments]
        value = f(*exact)
        if isinstance(value, mp.mpc):
            value = value.real
        print("\t".join([name, *(repr(float(x)) for x in arguments), mp.nstr(value, 20)]))


def grid(first, second):
    pairs = [(x, y) for x in first for y in second]
    return [x for x, _ in pairs], [y for _, y in pairs]


POSITIVE = [1e-300, 1e-20, 1e-8, 0.001, 0.1, 0.3, 0.5, 0.9, 1.1, 1.46, 1.5, 1.999, 2.001, 2.7, 3.3, 6.1, 9.99, 10.01,
            25.5, 100.3, 1e4, 1e10, 1e200]
NEGATIVE = [-1e-12, -0.1, -0.5, -0.7, -1.3, -1.999, -2.5, -10.2, -33.3, -150.7]
REAL = [-700.0, -50.0, -36.5, -20.0, -5.0, -1.3, -0.7, -0.1, -1e-3, -1e-10, 1e-10, 1e-3, 0.1, 0.5, 0.7, 1.3, 5.0, 20.0,
        36.5, 50.0, 700.0]
UNIT = [1e-300, 1e-20, 1e-5, 0.01, 0.2, 0.3, 0.4999999, 0.5000001, 0.6, 0.75, 0.9, 0.99999]

# Elementary and logarithmic; the digits cover terms as small as 1e-305 beside 1.
mp.dps = 400
emit("asinh", mp.asinh, REAL)
emit("acosh", mp.acosh, [1.0 + 1e-10, 1.5, 3.0, 1e10, 1e200])
emit("atanh", mp.atanh, [-0.9999, -0.5, -1e-9, 1e-5, 0.3, 0.99])
emit("log1m", lambda x: mp.log1p(-x), UNIT)
emit("log1m_exp", lambda x: mp.log(-mp.expm1(x)), [-700.0, -37.0, -3.0, -0.7, -0.69, -0.1, -1e-5, -1e-30])
emit("log1p_exp", lambda x: mp.log1p(mp.exp(x)), REAL)
emit("logit", lambda p: mp.log(p / (1 - p)), UNIT)
emit("inv_logit", lambda x: 1 / (1 + mp.exp(-x)), REAL)
emit("log_inv_logit", lambda x: -mp.log1p(mp.exp(-x)), REAL)
emit("log1m_inv_logit", lambda x: -mp.log1p(mp.exp(x)), REAL)
emit("cloglog", lambda p: mp.log(-mp.log1p(-p)), UNIT)
emit("inv_cloglog", lambda x: -mp.expm1(-mp.exp(x)), [x for x in REAL if x < 30])
emit("log1p_minus", lambda x: mp.log1p(x) - x, [-0.99, -0.41, -0.39, -0.1, -1e-8, 1e-300, 1e-10, 0.01, 0.64, 0.66, 30.0])
emit("log_sum_exp", lambda x, y: mp.log(mp.exp(x) + mp.exp(y)), *grid([-50.0, -1.0, 3.0, 800.0], [-1000.0, 0.5, 3.0, 799.0]))
emit("log_diff_exp", lambda x, y: mp.log(mp.exp(x) - mp.exp(y)), [3.0, 1.0, -5.0, 800.0, 1.0], [2.9999, -50.0, -5.1, 799.0, 0.3])
emit("log_inv_logit_diff", lambda x, y: mp.log(1 / (1 + mp.exp(-x)) - 1 / (1 + mp.exp(-y))),
     [3.0, 1.0, 40.0, -40.0, 0.1], [2.9999, -50.0, 39.0, -41.0, -0.2])
emit("binary_log_loss", lambda y, p: -mp.log(p if y else 1 - p), *grid([0.0, 1.0], UNIT))
emit("log_mix", lambda t, x, y: mp.log(t * mp.exp(x) + (1 - t) * mp.exp(y)), [0.3, 0.9, 1e-5], [1.0, -800.0, 3.0], [2.0, -790.0, -10.0])

# Gamma and combinatorics.
mp.dps = 50
emit("lgamma", lambda x: mp.log(abs(mp.gamma(x))) if abs(x) < 1e6 else mp.loggamma(x), POSITIVE + NEGATIVE)
emit("lgamma_1p", lambda x: mp.loggamma(1 + x) if abs(x) > 1e-30 else -mp.euler * x, [-0.49, -0.3, -0.01, -1e-12, 1e-300, 1e-9, 0.2, 0.5, 0.7, 5.0])
emit("lgamma_stirling_correction", lambda x: mp.loggamma(x) - ((x - mpf(1) / 2) * mp.log(x) - x + mp.log(2 * mp.pi) / 2),
     [10.0, 10.5, 20.0, 1e3, 1e8])
emit("tgamma", mp.gamma, [x for x in POSITIVE if x < 150] + NEGATIVE)
emit("digamma", lambda x: mp.psi(0, x), POSITIVE + NEGATIVE + [1.4616, 1.47, 1.0, 2.0, 5.0])
emit("trigamma", lambda x: mp.psi(1, x), [x for x in POSITIVE if x > 1e-100 and x < 1e100] + NEGATIVE)
emit("tetragamma", lambda x: mp.psi(2, x), [x for x in POSITIVE if x > 1e-50 and x < 1e100] + NEGATIVE)
PAIRS = grid([1e-20, 1e-3, 0.5, 1.0, 3.2, 9.5, 12.0, 55.5, 1e3, 1e10], [1e-20, 1e-3, 0.7, 2.0, 9.9, 30.0, 1e5, 1e12])
log_beta = lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
emit("lbeta", log_beta, *PAIRS)
emit("beta", mp.beta, *grid([1e-20, 0.5, 3.2, 9.5, 12.0], [1e-3, 0.7, 2.0, 30.0]))
emit("lchoose", lambda n, k: mp.log(mp.binomial(n, k)), [5.0, 30.0, 10.5, 1e6, 1e10, 7.0, 100.0], [2.0, 15.0, 3.3, 1e3, 7.0, 7.5, 99.0])
emit("choose", mp.binomial, [100.0, 300.0, 40.0], [50.0, 4.0, 20.0])
emit("falling_factorial", mp.ff, [5.5, -2.3, 100.0], [3.0, 5.0, 20.0])
emit("rising_factorial", mp.rf, [5.5, -2.3, 100.0], [3.0, 5.0, 20.0])
emit("log_rising_factorial", lambda x, n: mp.loggamma(x + n) - mp.loggamma(x), [0.5, 5.5, 100.0, 1e8], [3.0, 0.7, 20.5, 2.5])
emit("log_falling_factorial", lambda x, n: mp.loggamma(x + 1) - mp.loggamma(x - n + 1), [5.5, 100.0, 1e8], [0.7, 20.5, 2.5])
emit("lmgamma", lambda k, x: k * (k - 1) / 4 * mp.log(mp.pi) + mp.fsum(mp.loggamma(x - mpf(j) / 2) for j in range(int(k))),
     [1.0, 2.0, 5.0, 10.0], [0.7, 1.3, 8.0, 100.5])

# Normal.
mp.dps = 400
emit("erf", mp.erf, [-3.0, -0.5, 1e-10, 0.84, 1.3, 5.0])
emit("erfc", mp.erfc, [-3.0, -0.5, 0.1, 0.84, 1.3, 5.0, 20.0, 26.0])
scaled_erfc = lambda x: mp.exp(x * x) * mp.erfc(x) if x < 1e5 else (1 - 1 / (2 * x * x)) / (x * mp.sqrt(mp.pi))
emit("erfcx", scaled_erfc, [-25.0, -3.0, -0.1, 0.0, 1e-9, 0.3, 1.0, 3.7, 3.8, 10.0, 50.0, 1e4, 1e10, 1e200])
NORMAL = [-37.5, -30.0, -10.1, -5.0, -1.01, -0.99, -0.5, -1e-5, 0.0, 1e-3, 0.7, 2.0, 5.0, 8.0]
normal_cdf = lambda x: mp.erfc(-x / mp.sqrt(2)) / 2
emit("phi", normal_cdf, NORMAL)
emit("log_phi", lambda x: mp.log(normal_cdf(x)), NORMAL + [-100.0, -1e5, 20.0, 37.0])
emit("log_phi_complement", lambda x: mp.log(normal_cdf(-x)), [5.0, 50.0, -20.0])
emit("phi_approx", lambda x: 1 / (1 + mp.exp(-(mpf(0.07056) * x**3 + mpf(1.5976) * x))), [-3.0, 0.4, 2.0])


def normal_quantile(p):
    """-sqrt(2) erfcinv(2 p) by Newton's method on ln Phi in the lower half."""
    if p > mpf(1) / 2:
        return -normal_quantile(1 - p)
    x = -mp.sqrt(-2 * mp.log(p)) if p < 0.1 else (p - mpf(1) / 2) * 2.5
    for _ in range(100):
        value = normal_cdf(x)
        x -= (mp.log(value) - mp.log(p)) * value / (mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi))
    return x


emit("inv_phi", normal_quantile, UNIT + [1e-12, 0.07, 0.08, 0.92, 0.93, 1.0 - 1e-12])


mp.dps = 50


def owen(h, a):
    # The tiny factor stays outside, where the quadrature's absolute error does not see it.
    inside = mp.quad(lambda t: mp.exp(-h * h * t * t / 2) / (1 + t * t), mp.linspace(0, a, 65))
    return mp.exp(-h * h / 2) * inside / (2 * mp.pi)


emit("owens_t", owen, *grid([0.0, 0.1, 1.0, 3.3, 8.0, 20.0], [0.01, 0.5, 0.99, 1.0, 1.01, 3.0, 12.0]))


# Incomplete gamma and beta.
def regularised_p(a, x):
    with mp.workdps(mp.dps + 20):
        if x < a + 1:
            term = total = mpf(1)
            n = 0
            while abs(term) > abs(total) * mpf(10) ** (-mp.dps):
                n += 1
                term *= x / (a + n)
                total += term
            return mp.exp(a * mp.log(x) - x - mp.loggamma(a + 1)) * total
        return 1 - regularised_q(a, x)


def regularised_q(a, x):
    with mp.workdps(mp.dps + 20):
        return mp.gammainc(a, x, mp.inf, regularized=True) if a < 1000 else 1 - regularised_p_series(a, x)


def regularised_p_series(a, x):
    term = total = mpf(1)
    n = 0
    while abs(term) > abs(total) * mpf(10) ** (-mp.dps):
        n += 1
        term *= x / (a + n)
        total += term
    return mp.exp(a * mp.log(x) - x - mp.loggamma(a + 1)) * total


SHAPES = [1e-10, 1e-3, 0.3, 0.5, 1.0, 2.5, 9.7, 10.2, 19.9, 20.1, 45.0, 250.0, 1500.0]
pairs = [(a, x) for a in SHAPES for x in [1e-10, 0.01, 0.7, 1.05, 1.2, 2.5, 8.0, 30.0]]
pairs += [(a, a * f) for a in SHAPES if a > 2 for f in [0.3, 0.61, 0.8, 0.99, 1.0, 1.001, 1.2, 1.39, 1.41, 2.0]]
pairs += [(a, a + f * math.sqrt(a)) for a in [2e5, 1e7] for f in [-8.0, -1.0, 0.1, 5.0]]
pairs = [p for p in pairs if p[1] < 3 * p[0] + 60]
columns = [a for a, _ in pairs], [x for _, x in pairs]
kept = [(a, x) for a, x in pairs if regularised_p(mpf(a), mpf(x)) > mpf("1e-250") and (a > 1000 or regularised_q(mpf(a), mpf(x)) > mpf("1e-250"))]
kept_columns = [a for a, _ in kept], [x for _, x in kept]
small = [p for p in kept if p[0] < 1000]
emit("gamma_p", regularised_p, *kept_columns)
emit("gamma_q", regularised_q, [a for a, _ in small], [x for _, x in small])
emit("log_gamma_p", lambda a, x: mp.log(regularised_p(a, x)), *kept_columns)
emit("log_gamma_p", lambda a, x: mp.log(regularised_p(a, x)), [100.0, 900.0], [1e-5, 0.1])
emit("log_gamma_q", lambda a, x: mp.log(regularised_q(a, x)), [1.5, 30.0, 2e-5], [1e4, 2e3, 800.0])
emit("gamma_p_dx", lambda a, x: mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a)), *kept_columns)
moderate = [p for p in small if 1e-5 < p[0] < 300]
emit("gamma_p_da", lambda a, x: derivative(lambda s: regularised_p(s, x), a), [a for a, _ in moderate], [x for _, x in moderate])


def regularised_beta(a, b, x):
    """I_x(a, b) by its power series, at enough digits for the alternating case."""
    with mp.workdps(mp.dps + 30 + int(b)):
        power = mpf(1)
        total = 1 / a
        n = 0
        while True:
            n += 1
            power *= (n - b) * x / n
            term = power / (a + n)
            total += term
            if abs(term) <= abs(total) * mpf(10) ** (-mp.dps) and n > b:
                break
        return total * mp.exp(a * mp.log(x) - log_beta(a, b))


cases = [(a, b, x) for a in [1e-3, 0.5, 1.0, 2.5, 11.0, 80.0] for b in [1e-3, 0.5, 1.0, 3.5, 20.0, 90.0]
         for x in [1e-8, 0.1, 0.45, 0.55, 0.72, 0.9]]
cases += [(a, b, (a + f * math.sqrt(a)) / (a + b)) for a in [900.0, 1e4] for b in [3.0, 400.0] for f in [-6.0, -0.3, 0.9]]
cases = [c for c in cases if c[2] < 0.97 or c[2] < 1 and c[1] < 10]
cases = [c for c in cases if regularised_beta(*map(mpf, c)) > mpf("1e-250")]
emit("inc_beta", regularised_beta, *map(list, zip(*cases)))
few = [c for c in cases if 1e-2 < c[0] < 100 and 1e-2 < c[1] < 100 and c[2] > 1e-3]
emit("inc_beta_dx", lambda a, b, x: mp.exp((a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x) - log_beta(a, b)), *map(list, zip(*cases)))
emit("inc_beta_da", lambda a, b, x: derivative(lambda s: regularised_beta(s, b, x), a), *map(list, zip(*few)))
emit("inc_beta_db", lambda a, b, x: derivative(lambda s: regularised_beta(a, s, x), b), *map(list, zip(*few)))
emit("log_inc_beta", lambda a, b, x: mp.log(regularised_beta(a, b, x)), [500.0, 300.0, 0.1], [2.0, 50.0, 0.1], [1e-5, 0.01, 1e-300])
emit("log_inc_beta_complement", lambda a, b, x: mp.log(regularised_beta(b, a, 1 - x)), [2.0, 50.0], [500.0, 30.0], [0.9, 0.9999])

# Bessel.
emit("bessel_first_kind", lambda n, x: mp.besselj(int(n), x), *grid([0.0, 1.0, 2.0, 7.0, 30.0], [0.1, 1.7, 8.0, 33.3, 500.0]))
emit("bessel_second_kind", lambda n, x: mp.bessely(int(n), x), *grid([0.0, 1.0, 2.0, 7.0, 30.0], [0.1, 1.7, 8.0, 33.3, 500.0]))
ARGUMENTS = [1e-5, 0.3, 1.9, 7.0, 9.9, 10.1, 17.0, 29.0, 31.0, 80.0, 400.0]
emit("modified_bessel_first_kind", mp.besseli, *grid([0.0, 1.0, 3.0, 10.0, 40.0], ARGUMENTS))
emit("modified_bessel_second_kind", mp.besselk, *grid([0.0, 1.0, 3.0, 10.0, 40.0], ARGUMENTS))
ORDERS = [-0.5, 0.0, 0.3, 2.5, 12.7, 49.9, 50.1, 300.0]
BESSEL_I = grid(ORDERS, [1e-3, 0.5, 3.0, 12.0, 29.0, 100.0, 700.0, 1e4])
emit("log_modified_bessel_first_kind", lambda v, x: mp.log(mp.besseli(v, x)), *BESSEL_I)
emit("log_modified_bessel_first_kind_d_order", lambda v, x: derivative(lambda s: mp.log(mp.besseli(s, x)), v),
     *grid(ORDERS[1:], [1e-3, 0.5, 3.0, 12.0, 29.0, 100.0, 700.0]))
emit("log_modified_bessel_second_kind", lambda v, x: mp.log(mp.besselk(v, x)), *grid([0.0, 0.4, 3.3, 60.0, 500.0], ARGUMENTS + [1e4]))

# Lambert W.
BRANCH = [-0.3678, -0.36, -0.35, -0.3, -0.2, -0.1, -1e-3, -1e-10]
emit("lambert_w0", lambda x: mp.lambertw(x, 0), BRANCH + [1e-300, 1e-8, 0.05, 0.2, 1.0, 2.7, 10.0, 1e5, 1e300])
emit("lambert_wm1", lambda x: mp.lambertw(x, -1), BRANCH + [-1e-300])


# Distributions.
def student_cdf(t, nu):
    tail = regularised_beta(nu / 2, mpf(1) / 2, nu / (nu + t * t)) / 2
    return tail if t < 0 else 1 - tail


emit("student_t_cdf", student_cdf, *grid([-30.0, -3.0, -0.5, 0.5, 2.0], [0.3, 2.5, 7.0, 100.0]))
emit("student_t_log_cdf", lambda t, nu: mp.log(student_cdf(t, nu)), *grid([-1e5, -3.0, 2.0], [0.3, 7.0, 100.0]))


def von_mises_cdf(x, kappa):
    density = lambda t: mp.exp(kappa * (mp.cos(t) - 1))
    return mp.quad(density, mp.linspace(-mp.pi, x, 33)) / (2 * mp.pi * mp.besseli(0, kappa) * mp.exp(-kappa))


emit("von_mises_cdf", von_mises_cdf, *grid([-2.0, -0.5, -0.1, 0.3, 2.5], [0.01, 1.0, 8.0, 49.0, 51.0, 400.0]))
