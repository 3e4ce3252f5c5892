data {
  int<lower=0> N_i;
  int<lower=0> N_j;
  int<lower=0> N_l;
  int<lower=0> N_k;
  int<lower=0> N_m;
  array[N_i] int<lower=1, upper=N_j> country;
  array[N_j] int<lower=1, upper=N_l> region;
  array[N_i] int<lower=1, upper=N_k> vertical;
  array[N_k] int<lower=1, upper=N_m> industry;
  vector[N_i] y;
  matrix[N_i, 3] X;
}
parameters {
  array[N_j] vector[3] d_country;
  array[N_k] vector[3] d_vertical;
  array[N_l] vector[3] mu_r;
  array[N_m] vector[3] mu_i;
  real<lower=0> nu;  // scale of student_t, line 11
  real<lower=0> sigma;  // scale of student_t, line 11
  real<lower=0> s_country;  // scale of multi_normal, line 17
  real<lower=0> s_vertical;  // scale of multi_normal, line 18
  real<lower=0> s_region;  // scale of multi_normal, line 19
  real<lower=0> s_industry;  // scale of multi_normal, line 20
  array[N_l] vector[3] kappa_r;
  array[N_m] vector[3] kappa_i;
}
transformed parameters {
  array[N_l] vector[3] d_region;
  for (l in 1:N_l)
    d_region[l] = kappa_r[l] + mu_r[l];
  array[N_j] vector[3] g_country;
  for (j in 1:N_j)
    g_country[j] = d_country[j] + d_region[region[j]];
  array[N_m] vector[3] d_industry;
  for (m in 1:N_m)
    d_industry[m] = kappa_i[m] + mu_i[m];
  array[N_k] vector[3] g_vertical;
  for (k in 1:N_k)
    g_vertical[k] = d_vertical[k] + d_industry[industry[k]];
  array[N_j, N_k] vector[3] beta;
  for (j in 1:N_j)
    for (k in 1:N_k)
      beta[j, k] = g_country[j] + g_vertical[k];
}
model {
  for (i in 1:N_i)
    y[i] ~ student_t(nu, X[i] * beta[country[i], vertical[i]], sigma);
  for (j in 1:N_j)
    d_country[j] ~ normal(0, s_country);
  for (k in 1:N_k)
    d_vertical[k] ~ normal(0, s_vertical);
  for (l in 1:N_l)
    mu_r[l] ~ normal(0, s_region);
  for (m in 1:N_m)
    mu_i[m] ~ normal(0, s_industry);
  nu ~ gamma(2, 0.1);
  sigma ~ cauchy(0, 2.5);
  s_country ~ cauchy(0, 2.5);
  s_vertical ~ cauchy(0, 2.5);
  s_region ~ cauchy(0, 2.5);
  s_industry ~ cauchy(0, 2.5);
  for (l in 1:N_l)
    kappa_r[l] ~ normal(0, 1);
  for (m in 1:N_m)
    kappa_i[m] ~ normal(0, 1);
}
