"""Makes classrooms.json: scores of pupils in twelve classrooms of very different sizes.

Simulated, so that the truth is known: mu = 65, tau = 6, sigma = 12, the seed below, Python's own generator.
Run it as `python3 simulate.py > classrooms.json`.
"""

import json
import random

MU, TAU, SIGMA = 65, 6, 12
PUPILS = [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 30]

generator = random.Random(1763)  # the year of Bayes's essay
classroom, score = [], []
for j, pupils in enumerate(PUPILS, start=1):
    theta = generator.gauss(MU, TAU)
    for _ in range(pupils):
        classroom.append(j)
        score.append(round(generator.gauss(theta, SIGMA), 1))

rows = {"J": len(PUPILS), "N": len(score), "classroom": classroom, "score": score}
lines = [f'  "{name}": {json.dumps(value)}' for name, value in rows.items()]
print("{\n" + ",\n".join(lines) + "\n}")
