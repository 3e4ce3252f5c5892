// Assignment: elements, rows, slices, multiple indexes; values are copies; the value is evaluated first.
functions {
#include expect.stanfunctions
}
transformed data {
  vector[4] v = [1, 2, 3, 4]';
  vector[4] w = v;
  v[1] = 9;
  expect(1, w[1], 1);
  v[2:3] = v[1:2];
  expect(2, v, [9, 9, 2, 4]');
  v[{4, 1}] = [7, 8]';
  expect(3, v, [8, 9, 2, 7]');
  v += 1;
  expect(4, v, [9, 10, 3, 8]');
  v[3] *= 2;
  expect(5, v[3], 6);
  v .*= v;
  expect(6, v[1], 81);
  matrix[2, 2] m = rep_matrix(0, 2, 2);
  m[1] = [1, 2];
  m[:, 2] = [5, 6]';
  expect(7, m, [[1, 5], [0, 6]]);
  m[2, 1] -= 3;
  expect(8, m[2, 1], -3);
  m[1:2, 1] = m[{2, 1}, 1];
  expect(9, m[:, 1], [-3, 1]');
  array[2, 2] int a;
  a[1] = {1, 2};
  a[2, :] = a[1];
  expect(10, a[2, 2], 2);
  array[2] vector[2] av;
  av[1] = [1, 2]';
  av[2, 1] = av[1, 2];
  expect(11, av[2, 1], 2);
  expect(12, av[2, 2], not_a_number());
  // An empty target takes any size.
  vector[0] none = v;
  expect(13, size(none), 4);
  // An int in a real variable.
  real r = 3;
  r = r / 2;
  expect(14, r, 1.5);
  array[2] real ar = {1, 2};
  expect(15, ar[2] / 4, 0.5);
  {
    real r2 = 1;
    r = r2;
  }
  expect(16, r, 1);
}
