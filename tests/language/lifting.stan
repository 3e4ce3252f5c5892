// Functions of scalars over containers: element by element, and densities as sums.
functions {
#include expect.stanfunctions
}
transformed data {
  vector[3] v = [1, 2, 4]';
  expect(1, log(v)[3], log(4));
  expect(2, sqrt([[1, 4], [9, 16]]), [[1, 2], [3, 4]]);
  expect(3, exp({0, 0}), {1.0, 1.0});
  expect(4, 1 - v, [0, -1, -3]');
  expect(5, v ./ v, [1, 1, 1]');
  expect(6, v .* 2, [2, 4, 8]');
  expect(7, 2 ./ v, [2, 1, 0.5]');
  expect(8, v .^ 2, [1, 4, 16]');
  expect(9, pow(v, {2, 1, 0.5}[1]), [1, 4, 16]');
  expect(10, fmax(v[1], 3), 3);
  expect(11, -v, [-1, -2, -4]');
  expect(12, normal_lpdf(v | 1, 2), normal_lpdf(1 | 1, 2) + normal_lpdf(2 | 1, 2) + normal_lpdf(4 | 1, 2));
  expect(13, normal_lpdf(v | v, 2), 3 * normal_lpdf(0 | 0, 2));
  expect(14, normal_lpdf({1, 2} | [1, 2]', {1, 1}), -log(2 * pi()));
  array[0] real none;
  expect(15, normal_lpdf(none | 0, 1), 0);
  expect(16, bernoulli_lpmf({1, 0, 1} | 0.25), log(0.25 * 0.75 * 0.25));
  expect(17, poisson_lpmf(0 | 2), -2);
  expect(18, lgamma(v)[3], log(6));
  expect(19, sum(log1p(v)), log(30));
  expect(20, atan2(v, v)[2], pi() / 4);
}
