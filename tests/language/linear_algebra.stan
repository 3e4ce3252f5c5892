// Products, factors, solutions.
functions {
#include expect.stanfunctions
}
transformed data {
  matrix[2, 2] one = diag_matrix([1, 1]');
  matrix[2, 2] a = [[4, 2], [2, 3]];
  matrix[2, 2] l = cholesky_decompose(a);
  vector[2] b = [1, 2]';
  expect(1, l * l', a);
  expect(2, a * b, [8, 8]');
  expect(3, b' * a, [8, 8]);
  expect(4, b' * b, 5);
  expect(5, b * b', [[1, 2], [2, 4]]);
  expect(6, a * (a \ b), b);
  expect(7, (b' / a) * a, b');
  expect(8, mdivide_left_tri_low(l, l * b), b);
  expect(9, inverse(a) * a, one);
  expect(10, determinant(a), 8);
  expect(11, log_determinant(a), log(8));
  expect(12, crossprod(l), l' * l);
  expect(13, tcrossprod(l), a);
  expect(14, sum(eigenvalues_sym(a)), 7);
  expect(16, 2 * a, [[8, 4], [4, 6]]);
  expect(17, a / 2, [[2, 1], [1, 1.5]]);
  expect(18, matrix_exp(rep_matrix(0, 2, 2)), one);
  expect(19, qr_thin_Q(a) * qr_thin_R(a), a);
  expect(20, prod(singular_values(a)), 8);
}
