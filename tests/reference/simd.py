"""Computes tests/reference/simd.tsv: `python3 tests/reference/simd.py > tests/reference/simd.tsv`.

Needs mpmath. Each line is a function of src/kernels/simd, its argument, the f64 nearest to its value there, and what that
lacks: together the value to some thirty digits, so that errors can be told in fractions of a unit in the last place.
"""

import math
import random

from mpmath import mp, mpf

mp.dps = 60
random.seed(1)


def emit(name, f, arguments):
    for x in sorted(set(arguments)):
        value = f(mpf(x))
        high = float(value)
        print(name, repr(x), repr(high), repr(float(value - high)), sep="\t")


def between(low, high, count):
    return [random.uniform(low, high) for _ in range(count)]


def of_every_size(low, high, count):
    return [math.exp(random.uniform(math.log(low), math.log(high))) for _ in range(count)]


def around(point, count):
    """Close to a point from both sides, down to its last place."""
    sides = [point * (1 + sign * 10 ** random.uniform(-16, -1)) for _ in range(count) for sign in (-1, 1)]
    return [point, math.nextafter(point, 0), math.nextafter(point, 9), *sides]


def gamma_points(zeros, seams):
    points = [5e-324, 1e-310, 2.2250738585072014e-308, 0.5, 1.0, 1.5, 2.0, 3.0, 4.5, 7.0, 30.0, 171.0, 1e17, 1e300]
    points += between(0, 1, 40) + between(1, 2, 40) + between(2, 3, 40) + between(3, 20, 40)
    points += of_every_size(1e-320, 1, 20) + of_every_size(20, 2.5e305, 40)
    for point in zeros:
        points += around(point, 15)
    for point in seams:
        points += around(point, 5)
    return points


emit("lgamma", mp.loggamma, gamma_points([1.0, 2.0], [0.5, 2.5]))
with mp.workdps(100):
    emit("digamma", lambda x: mp.psi(0, x), [x for x in gamma_points([1.4616321449683622], [1.0, 2.5]) if x > 1e-307])
    emit("trigamma", lambda x: mp.psi(1, x), [x for x in gamma_points([], [1.0, 2.0]) if 1e-150 < x < 1e290])

# The normal distribution function's relatives: to where they underflow, and no farther.
TAILS = between(-1, 1, 60) + between(-6, 6, 80) + around(0.5, 10) + around(-0.5, 10)
TAILS += [sign * x for x in of_every_size(5e-324, 1, 20) for sign in (-1, 1)]
emit("erf", mp.erf, [0.0, *TAILS, 30.0, -30.0])
emit("erfc", mp.erfc, [0.0, *TAILS, *between(6, 26.5, 40), -30.0])
emit("phi", lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, [0.0, *TAILS, *between(-37.5, -6, 40), 40.0])
with mp.workdps(400):
    emit(
        "log_phi",
        lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2),
        [0.0, *TAILS, *between(-37.5, 36, 60), *[-x for x in of_every_size(37, 1e4, 10)]],
    )

# Waves: small and large, and next to their zeros.
WAVES = between(-4, 4, 60) + between(-1000, 1000, 40) + between(-8e5, 8e5, 40)
WAVES += [float(mp.pi / 2 * random.randrange(-500000, 500000)) for _ in range(60)]
WAVES += [sign * x for x in of_every_size(1e-300, 1, 20) for sign in (-1, 1)]
emit("sin", mp.sin, WAVES)
emit("cos", mp.cos, WAVES)

# The elementary functions; the digits are for terms as small as 1e-320 beside 1.
mp.dps = 400
SIZES = of_every_size(5e-324, 1e308, 60)
SMALL = [sign * x for x in of_every_size(1e-300, 1, 30) + between(0, 1, 30) for sign in (-1, 1)]
MIDDLE = between(-40, 40, 80)
emit("exp", mp.exp, SMALL + MIDDLE + between(-708, 709.7, 60))
emit("expm1", mp.expm1, SMALL + MIDDLE + between(40, 709.7, 30))
emit("log", mp.log, SIZES + between(0, 4, 80) + around(1.0, 20))
emit("log1p", mp.log1p, [x for x in SMALL if x > -1] + SIZES + between(-1, 4, 60))
emit("log1m", lambda x: mp.log1p(-x), [x for x in SMALL if x < 1] + [-x for x in SIZES] + between(-4, 1, 60))
emit("log1p_exp", lambda x: mp.log1p(mp.exp(x)), SMALL + MIDDLE + between(-700, 700, 40))
# The first numbers of some are the worst of 60,000 at random.
emit("log1m_exp", lambda x: mp.log(-mp.expm1(x)), [-1.0159611363232315] + [x for x in SMALL if x < 0] + [-abs(x) for x in MIDDLE] + between(-700, 0, 40))
emit("inv_logit", lambda x: 1 / (1 + mp.exp(-x)), [-1.99283006020638] + SMALL + MIDDLE + between(-700, 40, 40))
emit("log_inv_logit", lambda x: -mp.log1p(mp.exp(-x)), SMALL + MIDDLE + between(-700, 700, 40))
emit("log1m_inv_logit", lambda x: -mp.log1p(mp.exp(x)), SMALL + MIDDLE + between(-700, 700, 40))
emit("tanh", mp.tanh, [-6.619073111980063] + SMALL + MIDDLE)
