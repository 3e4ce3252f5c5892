// Conditions: short circuits, the one branch of a ternary, negation.
functions {
#include expect.stanfunctions
  int fail() {
    fatal_error("this must not be evaluated");
    return 1;
  }
}
transformed data {
  expect(1, 0 && fail(), 0);
  expect(2, 1 || fail(), 1);
  expect(3, 1 ? 2 : fail(), 2);
  expect(4, 0 ? fail() : 3, 3);
  expect(5, 7 && -1, 1);
  expect(6, !3, 0);
  expect(7, !0, 1);
  expect(8, 1 < 2 && 2 < 3 || fail(), 1);
  expect(9, (1 ? 2 : 2.5) + 0.5, 2.5);
}
