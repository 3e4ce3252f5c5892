data {
  int<lower=0> N_i;
  int<lower=0> N_j;
  array[N_i] int<lower=1, upper=N_j> county;
  vector[N_i] log_radon;
  vector[N_i] basement;
  vector[N_j] u;
}
parameters {
  vector[N_j] a;
  real b, g0, g1;
  real<lower=0> sigma;  // scale of normal, line 5
  real<lower=0> s_a;  // scale of normal, line 6
}
model {
  log_radon ~ normal(a[county] + b * basement, sigma);
  a ~ normal(g0 + g1 * u, s_a);
  b ~ normal(0, 5);
  g0 ~ normal(0, 5);
  g1 ~ normal(0, 5);
  sigma ~ exponential(1);
  s_a ~ exponential(1);
}
