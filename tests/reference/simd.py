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
