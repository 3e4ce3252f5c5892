// Loops: bounds, breaks, loops over containers, scopes.
functions {
#include expect.stanfunctions
  int first_square_above(int limit) {
    for (n in 1:limit) {
      if (n * n > limit) return n;
    }
    return 0;
  }
}
transformed data {
  int count = 0;
  for (n in 3:2) count += 1;
  expect(1, count, 0);
  for (n in -1:1) count += n + 2;
  expect(2, count, 6);
  for (i in 1:10) {
    if (i == 2) continue;
    if (i > 4) break;
    for (j in 1:10) {
      if (j > 2) break;
      count += 1;
    }
  }
  expect(3, count, 12);
  while (count > 5) count -= 2;
  expect(4, count, 4);
  real sum = 0;
  int place = 0;
  matrix[2, 2] m = [[1, 2], [3, 4]];
  for (x in m) {
    place += 1;
    sum += place * x;
  }
  // Column by column: 1 * 1 + 2 * 3 + 3 * 2 + 4 * 4.
  expect(5, sum, 29);
  sum = 0;
  for (v in {[1, 2]', [3, 4]'}) sum += v[2];
  expect(6, sum, 6);
  for (n in {5, 7}) place = n;
  expect(7, place, 7);
  expect(8, first_square_above(50), 8);
  expect(9, first_square_above(0), 0);
  // Bounds are evaluated once.
  int last = 3;
  count = 0;
  for (n in 1:last) {
    last = 10;
    count += 1;
  }
  expect(10, count, 3);
  while (1) {
    count += 1;
    if (count < 6) continue;
    break;
  }
  expect(11, count, 6);
}
