// Intercepts and slopes of reaction times, correlated, non-centred.
data {
  int<lower=1> N;
  int<lower=1> S;
  array[N] int<lower=1, upper=S> subject;
  vector[N] days;
  vector[N] reaction;
}
parameters {
  vector[2] mu;
  vector<lower=0>[2] tau;
  cholesky_factor_corr[2] L;
  matrix[2, S] z;
  real<lower=0> sigma;
}
transformed parameters {
  matrix[S, 2] b = rep_matrix(mu', S) + (diag_pre_multiply(tau, L) * z)';
}
model {
  reaction ~ normal(b[subject, 1] + b[subject, 2] .* days, sigma);
  to_vector(z) ~ std_normal();
  L ~ lkj_corr_cholesky(2);
  mu ~ normal(0, 300);
  tau ~ cauchy(0, 25);
  sigma ~ cauchy(0, 25);
}
