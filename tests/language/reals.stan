// Real arithmetic: powers, promotion, NaN, infinities, unset values.
functions {
#include expect.stanfunctions
}
transformed data {
  expect(1, -2 ^ 2, -4.0);
  expect(2, 2 ^ 3 ^ 2, 512.0);
  expect(3, 7 / 2.0, 3.5);
  expect(4, 1 / 0.0, positive_infinity());
  expect(5, log(0), negative_infinity());
  expect(6, sqrt(-1), not_a_number());
  real unset;
  expect(7, unset, not_a_number());
  expect(8, unset == unset, 0);
  expect(9, unset != unset, 1);
  expect(10, unset < 1, 0);
  expect(11, step(0), 1);
  expect(12, int_step(0.0), 0);
  expect(13, fmin(1, not_a_number()), 1);
  expect(14, sd({5.0}), 0);
  expect(15, inv_logit(0), 0.5);
  expect(16, lgamma(5), log(24));
  expect(17, log_sum_exp(log(2.0), log(3.0)), log(5));
  expect(18, 5 > 3.5, 1);
  expect(19, log_mix(0.25, log(2.0), log(6.0)), log(5));
}
