// Integer arithmetic: truncating division, the sign of remainders, precedence of operators.
functions {
#include expect.stanfunctions
}
transformed data {
  int seven = 7;
  expect(1, seven %/% 2, 3);
  expect(2, -seven %/% 2, -3);
  expect(3, seven / 2, 3);
  expect(4, seven % 3, 1);
  expect(5, -seven % 3, -1);
  expect(6, seven % -3, 1);
  expect(7, 2 * 7 %/% 2, 6);
  expect(8, 2 + 3 * 4, 14);
  expect(9, 10 - 4 - 3, 3);
  expect(10, max(3, -5), 3);
  expect(11, abs(-4), 4);
  expect(12, 1_000, 1000);
  expect(13, choose(5, 2), 10);
  expect(14, to_int(2.9), 2);
  // Unset integers are the least of 32 bits.
  int unset;
  expect(15, unset, -2147483647 - 1);
  expect(16, sum({1, 2, 3}), 6);
  expect(17, min({4, -2, 9}), -2);
}
