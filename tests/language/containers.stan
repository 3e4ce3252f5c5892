// Shapes: sizes, repetition, conversions, views, pieces put together.
functions {
#include expect.stanfunctions
}
transformed data {
  matrix[2, 3] m = [[1, 2, 3], [4, 5, 6]];
  vector[3] v = [1, 2, 3]';
  expect(1, dims(m), {2, 3});
  expect(2, size(m), 6);
  expect(3, num_elements({{1, 2}, {3, 4}}), 4);
  expect(4, rows(v) * 10 + cols(v), 31);
  expect(5, to_vector(m), [1, 4, 2, 5, 3, 6]');
  expect(6, to_matrix(v, 1, 3), [[1, 2, 3]]);
  expect(7, to_matrix(to_vector(m), 3, 2), [[1, 5], [4, 3], [2, 6]]);
  expect(8, to_matrix(to_vector(m), 3, 2, 0), [[1, 4], [2, 5], [3, 6]]);
  expect(9, to_matrix({{1, 2, 3}, {4, 5, 6}}), m);
  expect(10, to_array_1d({{1, 2}, {3, 4}}), {1, 2, 3, 4});
  expect(11, to_array_1d(m), {1.0, 4, 2, 5, 3, 6});
  expect(12, to_array_2d(m)[2], {4.0, 5, 6});
  expect(13, m', [[1, 4], [2, 5], [3, 6]]);
  expect(14, head(v, 2), [1, 2]');
  expect(15, tail({1, 2, 3}, 1), {3});
  expect(16, segment(v, 2, 2), [2, 3]');
  expect(17, reverse(v), [3, 2, 1]');
  expect(18, col(m, 2), [2, 5]');
  expect(19, row(m, 2), [4, 5, 6]);
  expect(20, block(m, 1, 2, 2, 2), [[2, 3], [5, 6]]);
  expect(21, sub_row(m, 2, 2, 2), [5, 6]);
  expect(22, sub_col(m, 2, 3, 1), [6]');
  expect(23, diagonal(m), [1, 5]');
  expect(24, diag_matrix([1, 2]'), [[1, 0], [0, 2]]);
  expect(25, append_row(m, [7, 8, 9])[3], [7, 8, 9]);
  expect(26, append_row(0, v), [0, 1, 2, 3]');
  expect(27, append_col(m, [7, 8]')[:, 4], [7, 8]');
  expect(28, append_array({1}, {2, 3}), {1, 2, 3});
  expect(29, rep_vector(2, 3), [2, 2, 2]');
  expect(30, rep_row_vector(2, 2), [2, 2]);
  expect(31, rep_matrix(v, 2), [[1, 1], [2, 2], [3, 3]]);
  expect(32, rep_matrix([1, 2], 2), [[1, 2], [1, 2]]);
  expect(33, rep_array(v, 2)[2], v);
  expect(34, dims(rep_array(1, 2, 3)), {2, 3});
  expect(35, sort_asc([3, 1, 2]'), v);
  expect(36, sort_desc({3, 1, 2}), {3, 2, 1});
  expect(37, sort_indices_asc([3, 1, 2]'), {2, 3, 1});
  expect(38, cumulative_sum(v), [1, 3, 6]');
  expect(39, dot_product(v, v), 14);
  expect(40, prod(v), 6);
  expect(41, mean(v), 2);
  expect(42, max(m), 6);
  expect(43, sum(rep_vector(0, 0)), 0);
}
