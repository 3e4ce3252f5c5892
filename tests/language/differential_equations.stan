// Integrators: the old and the new interface, explicit and stiff.
functions {
#include expect.stanfunctions
  vector decay(real t, vector y, real rate, array[] real weights) {
    return -rate * y * sum(weights);
  }
  array[] real old_decay(real t, array[] real y, array[] real theta, array[] real x_r, array[] int x_i) {
    return {-theta[1] * y[1] + x_r[1] * x_i[1]};
  }
  void near(int check, real found, real right) {
    if (abs(found - right) > 1e-5) fatal_error("check ", check, ": found ", found, ", not ", right);
  }
}
transformed data {
  array[2] real times = {1, 2.5};
  array[2] vector[2] y = ode_rk45(decay, [1, 2]', 0, times, 0.5, {0.25, 0.75});
  near(1, y[1, 1], exp(-0.5));
  near(2, y[2, 2], 2 * exp(-1.25));
  y = ode_bdf_tol(decay, [1, 2]', 0, times, 1e-8, 1e-8, 10000, 0.5, {0.25, 0.75});
  near(3, y[2, 1], exp(-1.25));
  array[2, 1] real z = integrate_ode_rk45(old_decay, {1.0}, 0, times, {2.0}, {0.5}, {0});
  near(4, z[2, 1], exp(-5));
  z = integrate_ode_bdf(old_decay, {1.0}, 0, times, {2.0}, {0.5}, {0}, 1e-9, 1e-9, 100000);
  near(5, z[1, 1], exp(-2));
}
