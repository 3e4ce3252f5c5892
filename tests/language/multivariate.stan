// Densities of vectors, alone and over arrays of vectors.
functions {
#include expect.stanfunctions
}
transformed data {
  matrix[2, 2] a = [[4, 2], [2, 3]];
  matrix[2, 2] l = cholesky_decompose(a);
  vector[2] b = [1, 2]';
  expect(1, multi_normal_lpdf(b | b, a), -log(2 * pi()) - 0.5 * log(8));
  expect(2, multi_normal_lpdf(b | [0, 0]', a), multi_normal_cholesky_lpdf(b | [0, 0]', l));
  expect(3, multi_normal_lpdf({b, b} | b, a), 2 * multi_normal_lpdf(b | b, a));
  expect(4, multi_normal_lpdf({b, -b} | {b, -b}, a), 2 * multi_normal_lpdf(b | b, a));
  expect(5, quad_form(a, b), 24);
  expect(6, identity_matrix(2) * b, b);
  expect(7, dirichlet_lpdf([0.25, 0.75]' | [1, 1]'), 0);
}
