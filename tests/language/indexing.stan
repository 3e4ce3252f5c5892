// Indexing and slices: which dimensions stay, in which order, and when they are empty.
functions {
#include expect.stanfunctions
}
transformed data {
  vector[4] v = [1, 2, 3, 4]';
  matrix[2, 3] m = [[11, 12, 13], [21, 22, 23]];
  array[2, 3] int a = {{1, 2, 3}, {4, 5, 6}};
  array[2] vector[2] av = {[1, 2]', [3, 4]'};
  array[2] matrix[2, 2] am = {[[1, 2], [3, 4]], [[5, 6], [7, 8]]};
  array[3] int order = {3, 1, 1};
  expect(1, v[2], 2);
  expect(2, v[2:3], [2, 3]');
  expect(3, v[order], [3, 1, 1]');
  expect(4, v[:2], [1, 2]');
  expect(5, v[3:], [3, 4]');
  expect(6, v[:], v);
  expect(7, size(v[3:2]), 0);
  expect(8, m[2], [21, 22, 23]);
  expect(9, m[2, 3], 23);
  expect(10, m[:, 2], [12, 22]');
  expect(11, m[1, 2:3], [12, 13]);
  expect(12, m[{2, 1}], [[21, 22, 23], [11, 12, 13]]);
  expect(13, m[{2, 2}, {3, 1}], [[23, 21], [23, 21]]);
  expect(14, m[order[2:3], 1], [11, 11]');
  expect(15, m[1][2], 12);
  expect(16, a[2], {4, 5, 6});
  expect(17, a[:, 3], {3, 6});
  expect(18, a[2, 2:], {5, 6});
  expect(19, a[2][1], 4);
  expect(20, av[2, 1], 3);
  expect(21, av[:, 2], {2.0, 4.0});
  expect(22, am[2, 1, 2], 6);
  expect(23, am[2][2], [7, 8]);
  expect(24, am[:, 2, 1], {3.0, 7.0});
  expect(25, to_vector(am[1, :, 2]), [2, 4]');
  // An array may be sliced from beyond its end, to nothing.
  expect(26, size(a[3:2]), 0);
  expect(27, dims(am[1:1, :, 2:]), {1, 2, 1});
  expect(28, [1, 2, 3][2], 2);
  expect(29, (v + 1)[4], 5);
}
