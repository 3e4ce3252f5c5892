data {
  int<lower=0> N_j;
  vector[N_j] y;
  vector[N_j] se;
}
parameters {
  vector[N_j] theta;
  real mu;
  real<lower=0> tau;  // scale of normal, line 5
}
model {
  y ~ normal(theta, se);
  theta ~ normal(mu, tau);
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 5);
}
