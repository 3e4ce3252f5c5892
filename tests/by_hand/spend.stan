// The model of the talk. kappa and mu of a region are two normal numbers of which only the sum acts: it is normal with both
// variances, so the sum is the parameter.
data {
  int<lower=1> N;
  int<lower=1> J;
  int<lower=1> K;
  int<lower=1> L;
  int<lower=1> M;
  array[N] int<lower=1, upper=J> country;
  array[N] int<lower=1, upper=K> vertical;
  array[J] int<lower=1, upper=L> region;
  array[K] int<lower=1, upper=M> industry;
  vector[N] spend;
  vector[N] bid;
  vector[N] y;
}
parameters {
  real<lower=0> nu;
  real<lower=0> sigma;
  real<lower=0> s_country;
  real<lower=0> s_vertical;
  real<lower=0> s_region;
  real<lower=0> s_industry;
  matrix[L, 3] d_region;
  matrix[M, 3] d_industry;
  matrix[J, 3] g_country;
  matrix[K, 3] g_vertical;
}
model {
  y ~ student_t(nu,
                g_country[country, 1] + g_vertical[vertical, 1]
                + (g_country[country, 2] + g_vertical[vertical, 2]) .* spend
                + (g_country[country, 3] + g_vertical[vertical, 3]) .* bid,
                sigma);
  to_vector(g_country) ~ normal(to_vector(d_region[region]), s_country);
  to_vector(g_vertical) ~ normal(to_vector(d_industry[industry]), s_vertical);
  to_vector(d_region) ~ normal(0, sqrt(1 + square(s_region)));
  to_vector(d_industry) ~ normal(0, sqrt(1 + square(s_industry)));
  nu ~ gamma(2, 0.1);
  [sigma, s_country, s_vertical, s_region, s_industry] ~ cauchy(0, 2.5);
}
