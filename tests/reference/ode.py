"""Prints the Robertson reference of src/kernels/ode/tests.rs: `python3 tests/reference/ode.py` (needs mpmath).

Gauss-Legendre collocation with three stages (order 6, A-stable) in 30 digits on geometrically growing steps; two
refinements must agree to the printed digits.
"""

from mpmath import matrix, mp, mpf, sqrt

mp.dps = 30
R = sqrt(mpf(15))
A = [
    [mpf(5) / 36, mpf(2) / 9 - R / 15, mpf(5) / 36 - R / 30],
    [mpf(5) / 36 + R / 24, mpf(2) / 9, mpf(5) / 36 - R / 24],
    [mpf(5) / 36 + R / 30, mpf(2) / 9 + R / 15, mpf(5) / 36],
]
B = [mpf(5) / 18, mpf(4) / 9, mpf(5) / 18]


def slope(y):
    first = -mpf("0.04") * y[0] + mpf(10) ** 4 * y[1] * y[2]
    third = 3 * mpf(10) ** 7 * y[1] ** 2
    return [first, -first - third, third]


def jacobian(y):
    first = [-mpf("0.04"), mpf(10) ** 4 * y[2], mpf(10) ** 4 * y[1]]
    third = [0, 6 * mpf(10) ** 7 * y[1], 0]
    return [first, [-a - b for a, b in zip(first, third)], third]


def step(y, h):
    stages = [slope(y)] * 3
    for _ in range(20):
        points = [[y[i] + h * sum(A[s][r] * stages[r][i] for r in range(3)) for i in range(3)] for s in range(3)]
        residual = matrix(9, 1)
        system = matrix(9, 9)
        for s in range(3):
            f, j = slope(points[s]), jacobian(points[s])
            for i in range(3):
                residual[3 * s + i] = f[i] - stages[s][i]
                for r in range(3):
                    for k in range(3):
                        system[3 * s + i, 3 * r + k] = (1 if (s, i) == (r, k) else 0) - h * A[s][r] * j[i][k]
        change = mp.lu_solve(system, residual)
        stages = [[stages[s][i] + change[3 * s + i] for i in range(3)] for s in range(3)]
        if max(abs(c) for c in change) < mpf(10) ** -25:
            break
    return [y[i] + h * sum(B[s] * stages[s][i] for s in range(3)) for i in range(3)]


def solve(target, per_octave):
    y, t = [mpf(1), mpf(0), mpf(0)], mpf(0)
    h = mpf(10) ** -5 / per_octave
    while t < target:
        h = max(h, t / per_octave / 2)
        h = min(h, target - t)
        y = step(y, h)
        t += h
    return y


for target in [40, 400000]:
    coarse, fine = solve(mpf(target), 12), solve(mpf(target), 24)
    print(target, [mp.nstr(c, 12) for c in coarse], [mp.nstr(f, 12) for f in fine])
