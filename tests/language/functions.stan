// Functions: recursion, overloads, promotion, arguments that are copies, void functions.
functions {
#include expect.stanfunctions
  int factorial_of(int n) {
    return n <= 1 ? 1 : n * factorial_of(n - 1);
  }
  real kind(int x) {
    return 1;
  }
  real kind(real x) {
    return 2;
  }
  real kind(vector x) {
    return 3;
  }
  vector doubled(vector x) {
    vector[size(x)] y = x;
    y *= 2;
    return y;
  }
  real even(real n);
  real odd(real n) {
    return n == 0 ? 0 : even(n - 1);
  }
  real even(real n) {
    return n == 0 ? 1 : odd(n - 1);
  }
  void reject_negative(real x) {
    if (x >= 0) return;
    reject("negative");
  }
  matrix outer(vector a, row_vector b) {
    return a * b;
  }
  real scaled_lpdf(real y, real s) {
    return -square(y / s);
  }
  real local_sizes(int n) {
    array[n, 2] real a = rep_array(0.5, n, 2);
    return sum(to_array_1d(a));
  }
}
transformed data {
  expect(1, factorial_of(10), 3628800);
  expect(2, kind(1), 1);
  expect(3, kind(1.0), 2);
  expect(4, kind([1]'), 3);
  vector[2] v = [1, 2]';
  expect(5, doubled(v), [2, 4]');
  expect(6, v, [1, 2]');
  expect(7, even(7), 0);
  expect(8, odd(7), 1);
  reject_negative(1);
  expect(9, outer(v, [3, 4]), [[3, 4], [6, 8]]);
  expect(10, scaled_lpdf(2 | 4), -0.25);
  expect(11, local_sizes(3), 3);
  expect(12, local_sizes(0), 0);
}
