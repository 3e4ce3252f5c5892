// Log radon in houses of counties: uranium's part apart from the county's own.
data {
  int<lower=1> N;
  int<lower=1> J;
  array[N] int<lower=1, upper=J> county;
  vector[N] floor_of_house;
  vector[N] log_radon;
  vector[J] log_uranium;
}
parameters {
  real g0;
  real g1;
  real b;
  real<lower=0> s_a;
  real<lower=0> sigma;
  vector[J] z;
}
transformed parameters {
  vector[J] a = g0 + g1 * log_uranium + s_a * z;
}
model {
  log_radon ~ normal(a[county] + b * floor_of_house, sigma);
  z ~ std_normal();
  [g0, g1, b] ~ normal(0, 5);
  [s_a, sigma] ~ exponential(1);
}
