"""Computes tests/reference/stdlib.tsv: `python3 tests/reference/stdlib.py > tests/reference/stdlib.tsv`.

Needs mpmath. Each line is an expression of the language and its value, computed from the definition of the distribution
or function at 30 digits: densities from their formula, cdfs by quadrature or summation of the density, so that the
three agree only if all are right.
"""

import functools
import itertools

from mpmath import mp, mpf

mp.dps = 24
# The numbers of this script are the decimals that it prints, read as f64 by the language: doubles of few digits.


def show(value):
    if isinstance(value, (list, tuple)):
        return "{" + ", ".join(map(show, value)) + "}"
    return repr(value)


def line(expression, value):
    print(f"{expression}\t{mp.nstr(mpf(value), 17) if mp.isfinite(value) else ('-inf' if value < 0 else 'inf')}")


def exact(arguments):
    return [mpf(argument) for argument in arguments]


# ---------------------------------------------------------------------------------------------
# Continuous families: the density's formula, the support, and the arguments to try
# ---------------------------------------------------------------------------------------------


def normal(y, mu, sigma):
    return mp.npdf(y, mu, sigma)


def student_t(y, nu, mu, sigma):
    z = (y - mu) / sigma
    return (
        mp.gamma((nu + 1) / 2)
        / (mp.gamma(nu / 2) * mp.sqrt(nu * mp.pi) * sigma)
        * (1 + z * z / nu) ** (-(nu + 1) / 2)
    )


def cauchy(y, mu, sigma):
    return 1 / (mp.pi * sigma * (1 + ((y - mu) / sigma) ** 2))


def double_exponential(y, mu, sigma):
    return mp.exp(-abs(y - mu) / sigma) / (2 * sigma)


def logistic(y, mu, sigma):
    z = mp.exp(-(y - mu) / sigma)
    return z / (sigma * (1 + z) ** 2)


def gumbel(y, mu, beta):
    z = (y - mu) / beta
    return mp.exp(-z - mp.exp(-z)) / beta


def exp_mod_normal(y, mu, sigma, rate):
    w = (mu + rate * sigma**2 - y) / (mp.sqrt(2) * sigma)
    return rate / 2 * mp.exp(rate / 2 * (2 * mu + rate * sigma**2 - 2 * y)) * mp.erfc(w)


def skew_normal(y, xi, omega, alpha):
    z = (y - xi) / omega
    return 2 / omega * mp.npdf(z) * mp.ncdf(alpha * z)


def skew_double_exponential(y, mu, sigma, tau):
    rate = (1 - tau) * max(mu - y, 0) + tau * max(y - mu, 0)
    return 2 * tau * (1 - tau) / sigma * mp.exp(-2 / sigma * rate)


def lognormal(y, mu, sigma):
    return mp.npdf(mp.log(y), mu, sigma) / y


def loglogistic(y, alpha, beta):
    return beta / alpha * (y / alpha) ** (beta - 1) / (1 + (y / alpha) ** beta) ** 2


def exponential(y, beta):
    return beta * mp.exp(-beta * y)


def gamma(y, alpha, beta):
    return beta**alpha / mp.gamma(alpha) * y ** (alpha - 1) * mp.exp(-beta * y)


def inv_gamma(y, alpha, beta):
    return beta**alpha / mp.gamma(alpha) * y ** (-alpha - 1) * mp.exp(-beta / y)


def chi_square(y, nu):
    return gamma(y, nu / 2, mpf(1) / 2)


def inv_chi_square(y, nu):
    return inv_gamma(y, nu / 2, mpf(1) / 2)


def scaled_inv_chi_square(y, nu, sigma):
    return inv_gamma(y, nu / 2, nu * sigma**2 / 2)


def weibull(y, alpha, sigma):
    return alpha / sigma * (y / sigma) ** (alpha - 1) * mp.exp(-((y / sigma) ** alpha))


def frechet(y, alpha, sigma):
    return alpha / sigma * (y / sigma) ** (-alpha - 1) * mp.exp(-((y / sigma) ** -alpha))


def rayleigh(y, sigma):
    return y / sigma**2 * mp.exp(-(y**2) / (2 * sigma**2))


def pareto(y, y_min, alpha):
    return alpha * y_min**alpha / y ** (alpha + 1)


def pareto_type_2(y, mu, scale, alpha):
    return alpha / scale * (1 + (y - mu) / scale) ** (-(alpha + 1))


def uniform(y, low, high):
    return 1 / (high - low)


def beta(y, a, b):
    return y ** (a - 1) * (1 - y) ** (b - 1) / mp.beta(a, b)


def beta_proportion(y, mu, kappa):
    return beta(y, mu * kappa, (1 - mu) * kappa)


def von_mises(y, mu, kappa):
    return mp.exp(kappa * mp.cos(y - mu)) / (2 * mp.pi * mp.besseli(0, kappa))


INF = mp.inf
# name: density, (low, high) of the support given the parameters, inner points that help the quadrature, cases
CONTINUOUS = [
    (normal, lambda mu, s: (-INF, mu, INF), [(1.5, 0, 2), (-7.25, 0.5, 1), (4, 3, 0.125)]),
    (lambda y: mp.npdf(y), lambda: (-INF, 0, INF), [(0.75,), (-3,)], "std_normal"),
    (student_t, lambda nu, mu, s: (-INF, mu, INF), [(1.5, 4, 0, 2), (-9, 2.5, 1, 0.5), (3, 30, 3, 1)]),
    (cauchy, lambda mu, s: (-INF, mu, INF), [(1.5, 0, 2), (-100, 3, 0.5)]),
    (double_exponential, lambda mu, s: (-INF, mu, INF), [(1.5, 0, 2), (-3, 1, 0.5)]),
    (logistic, lambda mu, s: (-INF, mu, INF), [(1.5, 0, 2), (-9, 1, 0.5)]),
    (gumbel, lambda mu, s: (-INF, mu - 3 * s, mu, INF), [(1.5, 0, 2), (-2, 1, 1.5)]),
    (exp_mod_normal, lambda mu, s, r: (-INF, mu, mu + 5 * s, INF), [(1.5, 0, 2, 0.5), (-1, 1, 0.5, 2)]),
    (skew_normal, lambda xi, w, a: (-INF, xi, xi + w, INF), [(1.5, 0, 2, 3), (-1, 0.5, 1, -2)]),
    (skew_double_exponential, lambda mu, s, t: (-INF, mu, INF), [(1.5, 0, 2, 0.25), (-3, 1, 0.5, 0.75)]),
    (lognormal, lambda mu, s: (0, mp.exp(mu) / 8, mp.exp(mu), INF), [(1.5, 0, 2), (0.25, 1, 0.5)]),
    (loglogistic, lambda a, b: (0, a, INF), [(1.5, 2, 3), (5, 0.5, 2)]),
    (exponential, lambda b: (0, 1 / b, INF), [(1.5, 2), (0.125, 0.5)]),
    (gamma, lambda a, b: (0, a / b, INF), [(1.5, 2, 3), (0.25, 5, 0.5), (7, 3.5, 1)]),
    (inv_gamma, lambda a, b: (0, b / (a + 1) / 4, b, INF), [(1.5, 2, 3), (0.25, 5, 0.5)]),
    (chi_square, lambda nu: (0, nu, INF), [(1.5, 3), (9, 4)]),
    (inv_chi_square, lambda nu: (0, 1 / (nu + 2) / 4, 1 / nu, INF), [(1.5, 3), (0.25, 5)]),
    (scaled_inv_chi_square, lambda nu, s: (0, s * s / 4, s * s, INF), [(1.5, 3, 2), (0.25, 5, 0.75)]),
    (weibull, lambda a, s: (0, s, INF), [(1.5, 2, 3), (4, 1.25, 2)]),
    (frechet, lambda a, s: (0, s / 4, s, INF), [(1.5, 2, 3), (4, 1.25, 2)]),
    (rayleigh, lambda s: (0, s, INF), [(1.5, 2), (4, 1.25)]),
    (pareto, lambda m, a: (m, 2 * m, INF), [(3, 2, 1.5), (2.5, 0.5, 4)]),
    (pareto_type_2, lambda mu, s, a: (mu, mu + s, INF), [(3, 2, 1.5, 2), (0.5, -1, 2, 3.5)]),
    (uniform, lambda a, b: (a, b), [(1.5, 1, 3), (-0.25, -2, 4)]),
    (beta, lambda a, b: (0, a / (a + b), 1), [(0.375, 2, 3), (0.875, 5, 1.5)]),
    (beta_proportion, lambda mu, k: (0, mu, 1), [(0.375, 0.25, 5), (0.875, 0.75, 8)]),
    (von_mises, lambda mu, k: (-mp.pi, mp.pi), [(1.5, 1, 2), (-0.5, 0.25, 12), (0.25, 0.25, 200), (0.375, 0.25, 200)]),
]


def call(name, suffix, arguments):
    outcome, *rest = map(show, arguments)
    return f"{name}_{suffix}({outcome} | {', '.join(rest)})"


# Whose tails fall off like a power: the others are 0 beyond 10⁴ for these arguments.
HEAVY = {"student_t", "cauchy", "lognormal", "loglogistic", "inv_gamma", "inv_chi_square", "scaled_inv_chi_square"}
HEAVY |= {"frechet", "pareto", "pareto_type_2"}


def integral(density, points, low, high):
    """Quadrature between the points; tails by x = end ± sinh(u), which makes heavy ones exponential."""
    ends = [point for point in sorted(set(points)) if low < point < high and mp.isfinite(point)]
    ends = ([low] if mp.isfinite(low) else []) + ends + ([high] if mp.isfinite(high) else [])
    steps = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128]
    total = mp.quad(density, ends) if len(ends) > 1 else mpf(0)
    if not mp.isfinite(low):
        total += mp.quad(lambda u: density(ends[0] - mp.sinh(u)) * mp.cosh(u), steps)
    if not mp.isfinite(high):
        total += mp.quad(lambda u: density(ends[-1] + mp.sinh(u)) * mp.cosh(u), steps)
    return total


for entry in CONTINUOUS:
    density, support, cases = entry[:3]
    name = entry[3] if len(entry) > 3 else density.__name__
    for case in cases:
        y, *parameters = exact(case)
        points = support(*parameters)
        far = mp.inf if name in HEAVY else mpf(10) ** 4
        pdf = functools.partial(lambda x, p: density(x, *p) if abs(x) < far else mpf(0), p=parameters)
        line(call(name, "lpdf", case), mp.log(pdf(y)))
        low, *inner, high = points
        inner += [y - 1, y - mpf("0.125"), y + mpf("0.125"), y + 1]
        below = integral(pdf, inner, low, y)
        above = integral(pdf, inner, y, high)
        assert abs(below + above - 1) < mpf(10) ** -12, (name, below + above)
        line(call(name, "cdf", case), below)
        line(call(name, "lcdf", case), mp.log(below))
        line(call(name, "lccdf", case), mp.log(above))

# ---------------------------------------------------------------------------------------------
# Discrete families
# ---------------------------------------------------------------------------------------------


def choose(n, k):
    return mp.binomial(n, k)


def bernoulli(n, theta):
    return theta if n == 1 else 1 - theta


def bernoulli_logit(n, alpha):
    return bernoulli(n, 1 / (1 + mp.exp(-alpha)))


def binomial(n, N, theta):
    return choose(N, n) * theta**n * (1 - theta) ** (N - n)


def binomial_logit(n, N, alpha):
    return binomial(n, N, 1 / (1 + mp.exp(-alpha)))


def beta_binomial(n, N, a, b):
    return choose(N, n) * mp.beta(n + a, N - n + b) / mp.beta(a, b)


def poisson(n, rate):
    return rate**n * mp.exp(-rate) / mp.factorial(n)


def poisson_log(n, alpha):
    return poisson(n, mp.exp(alpha))


def neg_binomial(n, alpha, b):
    return choose(n + alpha - 1, n) * (b / (b + 1)) ** alpha * (1 / (b + 1)) ** n


def neg_binomial_2(n, mu, phi):
    return choose(n + phi - 1, n) * (mu / (mu + phi)) ** n * (phi / (mu + phi)) ** phi


def neg_binomial_2_log(n, eta, phi):
    return neg_binomial_2(n, mp.exp(eta), phi)


def beta_neg_binomial(n, r, a, b):
    return mp.gamma(n + r) / (mp.factorial(n) * mp.gamma(r)) * mp.beta(b + n, a + r) / mp.beta(b, a)


def yule_simon(n, rho):
    return rho * mp.beta(n, rho + 1)


def hypergeometric(n, N, a, b):
    return choose(a, n) * choose(b, N - n) / choose(a + b, N)


def discrete_range(n, low, high):
    return mpf(1) / (high - low + 1)


DISCRETE = [
    (bernoulli, 0, [(1, 0.375), (0, 0.375)], True),
    (bernoulli_logit, 0, [(1, 0.375), (0, -4.5)], False),
    (binomial, 0, [(3, 5, 0.375), (0, 7, 0.125), (6, 7, 0.75)], True),
    (binomial_logit, 0, [(3, 5, 0.375), (0, 7, -2)], False),
    (beta_binomial, 0, [(3, 5, 2, 3), (0, 4, 0.5, 1.5)], True),
    (poisson, 0, [(3, 2), (0, 0.5), (12, 4.5)], True),
    (poisson_log, 0, [(3, 0.75), (0, -1)], False),
    (neg_binomial, 0, [(3, 2, 1.5), (0, 0.5, 0.25), (7, 3.5, 0.5)], True),
    (neg_binomial_2, 0, [(3, 2, 1.5), (0, 0.5, 0.25), (7, 3.5, 20)], True),
    (neg_binomial_2_log, 0, [(3, 0.75, 1.5), (0, -1, 4)], False),
    (beta_neg_binomial, 0, [(3, 2, 4, 1.5), (1, 0.5, 2, 2)], True),
    (yule_simon, 1, [(3, 1.5), (1, 0.5)], True),
    (hypergeometric, 0, [(1, 3, 4, 5), (2, 4, 6, 3)], False),
    (discrete_range, None, [(3, 1, 6), (6, 1, 6)], True),
]

for mass, first, cases, cumulative in DISCRETE:
    name = mass.__name__
    for case in cases:
        n, *parameters = case
        parameters = [value if isinstance(value, int) else mpf(value) for value in parameters]
        parameters = parameters if name in ("hypergeometric", "discrete_range") else [mpf(p) for p in parameters]
        line(call(name, "lpmf", case), mp.log(mass(n, *parameters)))
        if not cumulative:
            continue
        start = parameters[0] if first is None else first
        below = mp.fsum(mass(k, *parameters) for k in range(start, n + 1))
        line(call(name, "cdf", case), below)
        line(call(name, "lcdf", case), mp.log(below))
        line(call(name, "lccdf", case), mp.log(1 - below) if abs(1 - below) > mpf(10) ** -25 else -INF)

# ---------------------------------------------------------------------------------------------
# Vectors of parameters
# ---------------------------------------------------------------------------------------------


def row(values):
    return "[" + ", ".join(map(show, values)) + "]"


def vector(values):
    return row(values) + "'"


def matrix(rows):
    return "[" + ", ".join(map(row, rows)) + "]"


def array(values):
    return "{" + ", ".join(map(show, values)) + "}"


theta = [0.125, 0.375, 0.5]
line(f"categorical_lpmf(2 | {vector(theta)})", mp.log(theta[1]))
line(f"categorical_lpmf({array([2, 3, 1])} | {vector(theta)})", mp.log(mp.fprod(theta)))
logits = [0.5, -1.25, 2]
total = mp.log(mp.fsum(mp.exp(value) for value in logits))
line(f"categorical_logit_lpmf(2 | {vector(logits)})", logits[1] - total)
line(f"categorical_logit_lpmf({array([2, 3])} | {vector(logits)})", logits[1] + logits[2] - 2 * total)


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def ordered(link, y, eta, cuts):
    edges = [-INF, *map(mpf, cuts), INF]
    at = lambda edge: mpf(1) if edge == -INF else mpf(0) if edge == INF else link(eta - edge)
    return at(edges[y - 1]) - at(edges[y])


cuts = [-1, 0.5, 2]
for name, link in (("ordered_logistic", sigmoid), ("ordered_probit", mp.ncdf)):
    for y, eta in itertools.product((1, 2, 3, 4), (0.75, -6.5, 9.25)):
        with mp.workdps(60):
            value = mp.log(ordered(link, y, mpf(eta), cuts))
        line(f"{name}_lpmf({y} | {show(eta)}, {vector(cuts)})", value)
    both = mp.log(ordered(link, 2, mpf(0.75), cuts)) + mp.log(ordered(link, 4, mpf(-0.5), cuts))
    line(f"{name}_lpmf({array([2, 4])} | {vector([0.75, -0.5])}, {vector(cuts)})", both)
    line(f"{name}_lpmf({array([2, 4])} | {vector([0.75, -0.5])}, {{{vector(cuts)}, {vector(cuts)}}})", both)

counts = [1, 4, 2]
coefficient = mp.factorial(7) / mp.fprod(map(mp.factorial, counts))
line(f"multinomial_lpmf({array(counts)} | {vector(theta)})", mp.log(coefficient * mp.fprod(mpf(p) ** n for p, n in zip(theta, counts))))
line(
    f"multinomial_logit_lpmf({array(counts)} | {vector(logits)})",
    mp.log(coefficient) + mp.fsum(n * (value - total) for n, value in zip(counts, logits)),
)
alpha = [2, 3.5, 0.75]
A = mp.fsum(alpha)
line(
    f"dirichlet_multinomial_lpmf({array(counts)} | {vector(alpha)})",
    mp.log(coefficient * mp.gamma(A) / mp.gamma(A + 7) * mp.fprod(mp.gamma(a + n) / mp.gamma(a) for a, n in zip(alpha, counts))),
)


def dirichlet(p, a):
    return mp.log(mp.gamma(mp.fsum(a)) * mp.fprod(mpf(x) ** (s - 1) / mp.gamma(s) for x, s in zip(p, a)))


other = [0.25, 0.25, 0.5]
line(f"dirichlet_lpdf({vector(theta)} | {vector(alpha)})", dirichlet(theta, alpha))
line(f"dirichlet_lpdf({{{vector(theta)}, {vector(other)}}} | {vector(alpha)})", dirichlet(theta, alpha) + dirichlet(other, alpha))

# ---------------------------------------------------------------------------------------------
# Multivariate and matrix distributions
# ---------------------------------------------------------------------------------------------

SIGMA = [[2, 0.5, -0.25], [0.5, 1.5, 0.375], [-0.25, 0.375, 1]]
CHOL = [[1.5, 0, 0], [0.5, 1.25, 0], [-0.25, 0.75, 2]]
S = mp.matrix(SIGMA)
L = mp.matrix(CHOL)
mu, y1, y2 = [0.5, -1, 2], [1, 0.25, 1.5], [-0.5, 2, 3]


def quadratic(y, m, inverse):
    r = mp.matrix([mpf(a) - mpf(b) for a, b in zip(y, m)])
    return (r.T * inverse * r)[0]


def mvn(y, m, covariance):
    k = len(y)
    return -(k * mp.log(2 * mp.pi) + mp.log(mp.det(covariance)) + quadratic(y, m, covariance**-1)) / 2


def mvt(y, nu, m, scale):
    k, nu = len(y), mpf(nu)
    return (
        mp.loggamma((nu + k) / 2) - mp.loggamma(nu / 2) - mpf(k) / 2 * mp.log(nu * mp.pi)
        - mp.log(mp.det(scale)) / 2 - (nu + k) / 2 * mp.log(1 + quadratic(y, m, scale**-1) / nu)
    )


FORMS = [
    (vector(y1), vector(mu), [(y1, mu)]),
    (row(y1), vector(mu), [(y1, mu)]),
    (vector(y1), row(mu), [(y1, mu)]),
    (row(y1), row(mu), [(y1, mu)]),
    (f"{{{vector(y1)}, {vector(y2)}}}", vector(mu), [(y1, mu), (y2, mu)]),
    (f"{{{row(y1)}, {row(y2)}}}", vector(mu), [(y1, mu), (y2, mu)]),
    (f"{{{vector(y1)}, {vector(y2)}}}", row(mu), [(y1, mu), (y2, mu)]),
    (vector(y1), f"{{{vector(mu)}, {vector(y2)}}}", [(y1, mu), (y1, y2)]),
    (row(y1), f"{{{row(mu)}, {row(y2)}}}", [(y1, mu), (y1, y2)]),
    (f"{{{vector(y1)}, {vector(y2)}}}", f"{{{vector(mu)}, {vector(y1)}}}", [(y1, mu), (y2, y1)]),
    (f"{{{row(y1)}, {vector(y2)}'}}", f"{{{vector(mu)}, {vector(y1)}}}", [(y1, mu), (y2, y1)]),
]
for outcome, location, pairs in FORMS:
    line(f"multi_normal_lpdf({outcome} | {location}, {matrix(SIGMA)})", mp.fsum(mvn(y, m, S) for y, m in pairs))
    line(f"multi_normal_cholesky_lpdf({outcome} | {location}, {matrix(CHOL)})", mp.fsum(mvn(y, m, L * L.T) for y, m in pairs))
    line(f"multi_normal_prec_lpdf({outcome} | {location}, {matrix(SIGMA)})", mp.fsum(mvn(y, m, S**-1) for y, m in pairs))
    line(f"multi_student_t_lpdf({outcome} | 4.5, {location}, {matrix(SIGMA)})", mp.fsum(mvt(y, 4.5, m, S) for y, m in pairs))
    line(f"multi_student_t_cholesky_lpdf({outcome} | 4.5, {location}, {matrix(CHOL)})", mp.fsum(mvt(y, 4.5, m, L * L.T) for y, m in pairs))

Y = [y1, y2]
w = [0.5, 2]
line(f"multi_gp_lpdf({matrix(Y)} | {matrix(SIGMA)}, {vector(w)})", mp.fsum(mvn(y, [0] * 3, S / mpf(v)) for y, v in zip(Y, w)))
line(f"multi_gp_cholesky_lpdf({matrix(Y)} | {matrix(CHOL)}, {vector(w)})", mp.fsum(mvn(y, [0] * 3, L * L.T / mpf(v)) for y, v in zip(Y, w)))


def dlm(y, F, G, V, W, m0, C0):
    """The joint normal of all observations, without a filter."""
    F, G, V, W, C = map(mp.matrix, (F, G, V, W, C0))
    R, T, n = len(y), len(y[0]), len(m0)
    mean, cov = [], [[None] * T for _ in range(T)]
    m = mp.matrix(m0)
    states = []
    for t in range(T):
        m, C = G * m, G * C * G.T + W
        mean.extend((F.T * m)[r] for r in range(R))
        states.append(C.copy())
    joint = mp.matrix(R * T, R * T)
    for s in range(T):
        lead = states[s]
        for t in range(s, T):
            block = F.T * lead * F + (V if s == t else mp.zeros(R, R))
            for i in range(R):
                for j in range(R):
                    joint[t * R + i, s * R + j] = block[i, j]
                    joint[s * R + j, t * R + i] = block[i, j]
            lead = G * lead
    flat = [y[r][t] for t in range(T) for r in range(R)]
    return mvn(flat, mean, joint)


DLM_Y = [[0.5, 1.25, -0.75], [1, 0, 2]]
F = [[1, 0.5], [0, 1]]
G = [[0.75, 0.25], [0, 0.5]]
V = [[1, 0.25], [0.25, 2]]
W = [[0.5, 0.125], [0.125, 0.25]]
m0, C0 = [0.5, -0.5], [[1, 0.5], [0.5, 1.5]]
arguments = f"{matrix(F)}, {matrix(G)}, {{}}, {matrix(W)}, {vector(m0)}, {matrix(C0)}"
line(f"gaussian_dlm_obs_lpdf({matrix(DLM_Y)} | {arguments.format(matrix(V))})", dlm(DLM_Y, F, G, V, W, m0, C0))
line(f"gaussian_dlm_obs_lpdf({matrix(DLM_Y)} | {arguments.format(vector([1, 2]))})", dlm(DLM_Y, F, G, [[1, 0], [0, 2]], W, m0, C0))


def multigamma(k, x):
    return mpf(k) * (k - 1) / 4 * mp.log(mp.pi) + mp.fsum(mp.loggamma(x - mpf(j) / 2) for j in range(k))


def trace(m):
    return mp.fsum(m[i, i] for i in range(m.rows))


def wishart(w, nu, s):
    k, nu = w.rows, mpf(nu)
    return (
        (nu - k - 1) / 2 * mp.log(mp.det(w)) - trace(s**-1 * w) / 2 - nu / 2 * mp.log(mp.det(s))
        - nu * k / 2 * mp.log(2) - multigamma(k, nu / 2)
    )


def inv_wishart(w, nu, s):
    k, nu = w.rows, mpf(nu)
    return (
        -(nu + k + 1) / 2 * mp.log(mp.det(w)) - trace(s * w**-1) / 2 + nu / 2 * mp.log(mp.det(s))
        - nu * k / 2 * mp.log(2) - multigamma(k, nu / 2)
    )


OTHER = [[1, 0.25, 0], [0.25, 2, -0.5], [0, -0.5, 1.5]]
line(f"wishart_lpdf({matrix(SIGMA)} | 5.5, {matrix(OTHER)})", wishart(S, 5.5, mp.matrix(OTHER)))
line(f"inv_wishart_lpdf({matrix(SIGMA)} | 5.5, {matrix(OTHER)})", inv_wishart(S, 5.5, mp.matrix(OTHER)))
LS = [[1, 0, 0], [0.25, 1.5, 0], [-0.5, 0.75, 0.5]]
jacobian = 3 * mp.log(2) + mp.fsum((3 - k) * mp.log(L[k, k]) for k in range(3))
scale = mp.matrix(LS) * mp.matrix(LS).T
line(f"wishart_cholesky_lpdf({matrix(CHOL)} | 5.5, {matrix(LS)})", wishart(L * L.T, 5.5, scale) + jacobian)
line(f"inv_wishart_cholesky_lpdf({matrix(CHOL)} | 5.5, {matrix(LS)})", inv_wishart(L * L.T, 5.5, scale) + jacobian)


def lkj_normalizer(eta, k):
    """log of the integral of det^(eta - 1), by the beta integrals of the canonical partial correlations."""
    total = mpf(0)
    for j in range(1, k):
        b = mpf(eta) + mpf(k - 1 - j) / 2
        total += (k - j) * ((2 * b - 1) * mp.log(2) + mp.log(mp.beta(b, b)))
    return total


CORR = [[1, 0.5, -0.25], [0.5, 1, 0.375], [-0.25, 0.375, 1]]
FACTOR = [[1, 0, 0], [0.6, 0.8, 0], [0, 0.28, 0.96]]
for eta in (1, 2.5):
    line(f"lkj_corr_lpdf({matrix(CORR)} | {show(eta)})", (mpf(eta) - 1) * mp.log(mp.det(mp.matrix(CORR))) - lkj_normalizer(eta, 3))
    value = mp.fsum((3 - k + 2 * mpf(eta) - 2) * mp.log(FACTOR[k - 1][k - 1]) for k in (2, 3))
    line(f"lkj_corr_cholesky_lpdf({matrix(FACTOR)} | {show(eta)})", value - lkj_normalizer(eta, 3))

# ---------------------------------------------------------------------------------------------
# Regressions
# ---------------------------------------------------------------------------------------------

X = [[1, 0.5], [-0.25, 2]]
coefficients = [0.75, -0.5]
predictor = [0.25 + row_[0] * 0.75 - row_[1] * 0.5 for row_ in X]
arguments = f"{matrix(X)}, 0.25, {vector(coefficients)}"
line(f"bernoulli_logit_glm_lpmf({{1, 0}} | {arguments})", mp.log(bernoulli_logit(1, predictor[0]) * bernoulli_logit(0, predictor[1])))
line(f"bernoulli_logit_glm_lpmf(1 | {arguments})", mp.log(bernoulli_logit(1, predictor[0]) * bernoulli_logit(1, predictor[1])))
line(f"bernoulli_logit_glm_lpmf({{1, 0}} | {row(X[0])}, 0.25, {vector(coefficients)})", mp.log(bernoulli_logit(1, predictor[0]) * bernoulli_logit(0, predictor[0])))
line(f"normal_id_glm_lpdf([1.5, -2]' | {arguments}, 1.25)", mp.log(normal(1.5, predictor[0], 1.25) * normal(-2, predictor[1], 1.25)))
line(f"normal_id_glm_lpdf([1.5, -2]' | {arguments}, [1.25, 2]')", mp.log(normal(1.5, predictor[0], 1.25) * normal(-2, predictor[1], 2)))
line(f"poisson_log_glm_lpmf({{3, 0}} | {arguments})", mp.log(poisson_log(3, predictor[0]) * poisson_log(0, predictor[1])))
line(f"neg_binomial_2_log_glm_lpmf({{3, 0}} | {arguments}, 1.5)", mp.log(neg_binomial_2_log(3, predictor[0], mpf(1.5)) * neg_binomial_2_log(0, predictor[1], mpf(1.5))))
line(f"binomial_logit_glm_lpmf({{3, 0}} | {{5, 4}}, {arguments})", mp.log(binomial_logit(3, 5, predictor[0]) * binomial_logit(0, 4, predictor[1])))
line(f"binomial_logit_glm_lpmf({{3, 0}} | 5, {arguments})", mp.log(binomial_logit(3, 5, predictor[0]) * binomial_logit(0, 5, predictor[1])))
weights = [[0.5, -1, 0], [0.25, 0.75, -0.5]]
value = mpf(0)
for outcome, x in zip((2, 3), X):
    scores = [logits[k] + x[0] * weights[0][k] + x[1] * weights[1][k] for k in range(3)]
    value += scores[outcome - 1] - mp.log(mp.fsum(map(mp.exp, scores)))
line(f"categorical_logit_glm_lpmf({{2, 3}} | {matrix(X)}, {vector(logits)}, {matrix(weights)})", value)
value = mp.fsum(mp.log(ordered(sigmoid, y, mpf(eta) - 0.25, cuts)) for y, eta in zip((1, 3), predictor))
line(f"ordered_logistic_glm_lpmf({{1, 3}} | {matrix(X)}, {vector(coefficients)}, {vector(cuts)})", value)

# ---------------------------------------------------------------------------------------------
# Hidden Markov model: all paths
# ---------------------------------------------------------------------------------------------

OMEGA = [[-0.5, -2, 0.25, -1], [-1, 0.5, -3, 0]]
GAMMA = [[0.75, 0.25], [0.375, 0.625]]
RHO = [0.25, 0.75]
paths = {}
for path in itertools.product((0, 1), repeat=4):
    weight = mpf(RHO[path[0]])
    for t, state in enumerate(path):
        weight *= mp.exp(OMEGA[state][t])
        if t:
            weight *= GAMMA[path[t - 1]][state]
    paths[path] = weight
evidence = mp.fsum(paths.values())
arguments = f"{matrix(OMEGA)}, {matrix(GAMMA)}, {vector(RHO)}"
line(f"hmm_marginal({arguments})", mp.log(evidence))
for t in range(4):
    share = mp.fsum(weight for path, weight in paths.items() if path[t] == 0) / evidence
    line(f"hmm_hidden_state_prob({arguments})[1, {t + 1}]", share)

# ---------------------------------------------------------------------------------------------
# Functions
# ---------------------------------------------------------------------------------------------

line("inv_cloglog(-3.5)", 1 - mp.exp(-mp.exp(mpf(-3.5))))
line("Phi_approx(0.75)", sigmoid(mpf(0.07056) * mpf(0.75) ** 3 + mpf(1.5976) * mpf(0.75)))
line("inv_erfc(0.25)", mp.erfinv(1 - mpf(0.25)))
line("log_inv_logit_diff(12.5, -3)", mp.log(sigmoid(mpf(12.5)) - sigmoid(mpf(-3))))
line("log_mix(0.25, -1.5, 2)", mp.log(0.25 * mp.exp(-1.5) + 0.75 * mp.exp(2)))
line("log_mix([0.25, 0.75]', [-1.5, 2]')", mp.log(0.25 * mp.exp(-1.5) + 0.75 * mp.exp(2)))
line("log_mix([0.25, 0.75]', {[-1.5, 2]', [0, 1]'})", mp.log(0.25 * mp.exp(-1.5) + 0.75 * mp.exp(2)) + mp.log(0.25 + 0.75 * mp.exp(1)))
line("lmgamma(3, 4.5)", multigamma(3, mpf(4.5)))
line("beta(2.5, 0.75)", mp.beta(2.5, 0.75))
line("log_falling_factorial(5.5, 2.25)", mp.loggamma(6.5) - mp.loggamma(4.25))
line("log_rising_factorial(5.5, 2.25)", mp.loggamma(7.75) - mp.loggamma(5.5))
line("inv_inc_beta(2.5, 0.75, 0.375)", mp.findroot(lambda x: mp.betainc(2.5, 0.75, 0, x, regularized=True) - 0.375, 0.6))
line("hypergeometric_2F1(1.5, 0.5, 2.25, 0.625)", mp.hyp2f1(1.5, 0.5, 2.25, 0.625))
line("hypergeometric_3F2([1.5, 0.5, 2]', [2.25, 0.75]', -0.625)", mp.hyp3f2(1.5, 0.5, 2, 2.25, 0.75, -0.625))
line("hypergeometric_pFq([1.5]', [2.25, 0.75]', 3.5)", mp.hyper([1.5], [2.25, 0.75], 3.5))


def student_t_quantile(p, nu, mu, sigma, guess):
    pdf = lambda x: student_t(x, mpf(nu), mpf(0), mpf(1))
    cdf = lambda x: mpf(1) / 2 + mp.quad(pdf, [0, x])
    return mpf(mu) + mpf(sigma) * mp.findroot(lambda x: cdf(x) - mpf(p), guess)


line("student_t_qf(0.125, 4.5, 1, 2)", student_t_quantile(0.125, 4.5, 1, 2, -1.3))
line("student_t_qf(0.9375, 2.5, -1, 0.5)", student_t_quantile(0.9375, 2.5, -1, 0.5, 2.3))
line("quantile([1.5, -2, 0.25, 7]', 0.375)", mpf(0.25) + mpf(0.125) * mpf(1.25))
line("std_normal_qf(0.125)", mp.sqrt(2) * mp.erfinv(2 * mpf(0.125) - 1))
line("std_normal_log_qf(-500)", mp.findroot(lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) + 500, -31.4))
line("log_sum_exp([negative_infinity(), negative_infinity()]')", -INF)
line("log_sum_exp([negative_infinity(), 0]')", 0)
line("binomial_lpmf(0 | 3, 0)", 0)
line("binomial_lpmf(3 | 3, 1)", 0)
line("binomial_lpmf(1 | 3, 0)", -INF)
line("poisson_lpmf(0 | 0)", 0)
line("poisson_lpmf(2 | 0)", -INF)
line("bernoulli_lpmf(0 | 0)", 0)
line("bernoulli_lpmf(1 | 0)", -INF)
line("lognormal_lpdf(0 | 0, 1)", -INF)
line("uniform_lpdf(2 | 0, 1)", -INF)
line("inv_gamma_lpdf(-1 | 2, 1)", -INF)
line("weibull_lpdf(-1 | 2, 1)", -INF)
line("pareto_lpdf(1 | 2, 1)", -INF)
line("log_sum_exp([1000, 999.5, -3]')", 1000 + mp.log(1 + mp.exp(-0.5)))
line("sd([1.5, -2, 0.25, 7]')", mp.sqrt(mp.fsum((mpf(v) - mpf(1.6875)) ** 2 for v in (1.5, -2, 0.25, 7)) / 3))
line("softmax([1, 2.5, -0.5]')[2]", mp.exp(2.5) / (mp.exp(1) + mp.exp(2.5) + mp.exp(-0.5)))
line("gp_exp_quad_cov({0, 0.75}, 1.5, 0.5)[1, 2]", mpf(2.25) * mp.exp(-mpf(0.75) ** 2 / (2 * mpf(0.25))))
line("gp_exponential_cov({0, 0.75}, 1.5, 0.5)[2, 1]", mpf(2.25) * mp.exp(-mpf(0.75) / mpf(0.5)))
line("gp_matern32_cov({0, 0.75}, 1.5, 0.5)[2, 1]", mpf(2.25) * (1 + mp.sqrt(3) * 1.5) * mp.exp(-mp.sqrt(3) * 1.5))
line("gp_matern52_cov({[0, 0]', [0.75, 1]'}, 1.5, {0.5, 2})[2, 1]", (lambda r: mpf(2.25) * (1 + mp.sqrt(5) * r + 5 * r * r / 3) * mp.exp(-mp.sqrt(5) * r))(mp.sqrt(mpf(1.5) ** 2 + mpf(0.5) ** 2)))
line("gp_periodic_cov({0, 0.75}, 1.5, 0.5, 2)[2, 1]", mpf(2.25) * mp.exp(-2 * mp.sin(mp.pi * 0.375) ** 2 / mpf(0.25)))
line("gp_dot_prod_cov({[1, 2]', [0.5, 3]'}, 1.5)[1, 2]", mpf(2.25) + 6.5)

# ---------------------------------------------------------------------------------------------
# First passage times: the density's sum over images, long enough for every time; other forms by quadrature of it
# ---------------------------------------------------------------------------------------------


def wiener(y, alpha, tau, beta, delta):
    t = y - tau
    if t == 0:
        return mpf(0)
    images = (
        (2 * k + beta_) * mp.npdf((2 * k + beta_) * alpha / mp.sqrt(t))
        for beta_ in [1 - beta]
        for k in range(-30, 31)
    )
    return alpha / t ** mpf(1.5) * mp.exp(delta * alpha * (1 - beta) - delta**2 * t / 2) * mp.fsum(images)


for case in ((1.5, 1.25, 0.25, 0.5, 0.75), (0.375, 2, 0.25, 0.75, -0.5), (6, 1, 0.5, 0.25, 1.5), (1, 1.5, 0, 0.625, 0)):
    y, *parameters = exact(case)
    alpha_, tau_, beta_, delta_ = parameters
    line(call("wiener", "lpdf", case), mp.log(wiener(y, *parameters)))
    spread = mpf(0.5)
    over_drifts = mp.quad(
        lambda drift: mp.npdf(drift, delta_, spread) * wiener(y, alpha_, tau_, beta_, drift),
        [delta_ + 6 * k * spread for k in (-2, -1, 0, 1, 2)],
    )
    line(call("wiener", "lpdf", (*case, 0.5)), mp.log(over_drifts))
    below = mp.quad(lambda x: wiener(x, *parameters), [tau_, tau_ + (y - tau_) / 16, tau_ + (y - tau_) / 4, y])
    odds = 2 * delta_ * alpha_
    hit = mp.expm1(-odds * beta_) / mp.expm1(-odds) if odds else beta_
    line(f"wiener_lcdf_unnorm({', '.join(map(show, case))})", mp.log(below))
    line(f"wiener_lccdf_unnorm({', '.join(map(show, case))})", mp.log(hit - below))

# ---------------------------------------------------------------------------------------------
# Simplexes: the isometric log ratio written with its basis
# ---------------------------------------------------------------------------------------------

free = [0.5, -1.25, 0.75]
basis = [[mpf(0)] * 4 for _ in free]
for n in range(1, 4):
    for k in range(n):
        basis[n - 1][k] = 1 / mp.sqrt(mpf(n) * (n + 1))
    basis[n - 1][n] = -mpf(n) / mp.sqrt(mpf(n) * (n + 1))
z = [mp.fsum(free[n] * basis[n][k] for n in range(3)) for k in range(4)]
for k in range(4):
    line(f"sum_to_zero_constrain({vector(free)})[{k + 1}]", z[k])
    line(f"simplex_constrain({vector(free)})[{k + 1}]", mp.exp(z[k]) / mp.fsum(map(mp.exp, z)))
