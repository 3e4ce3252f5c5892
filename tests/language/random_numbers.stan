// Draws in transformed data: supports and shapes; the distributions themselves are tested elsewhere.
functions {
#include expect.stanfunctions
  real own_rng(real scale) {
    return scale * std_normal_rng();
  }
}
transformed data {
  for (n in 1:100) {
    real u = uniform_rng(2, 3);
    if (u < 2 || u > 3) fatal_error("uniform_rng gave ", u);
    int k = binomial_rng(5, 0.5);
    if (k < 0 || k > 5) fatal_error("binomial_rng gave ", k);
    if (poisson_rng(3) < 0) fatal_error("poisson_rng gave a negative number");
    if (gamma_rng(0.5, 2) < 0) fatal_error("gamma_rng gave a negative number");
    int c = categorical_rng([0, 0.5, 0.5]');
    if (c < 2 || c > 3) fatal_error("categorical_rng gave ", c);
  }
  expect(1, size(normal_rng([1, 2, 3]', 1)), 3);
  expect(2, is_nan(own_rng(2)), 0);
}
