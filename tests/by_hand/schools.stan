// Scores of pupils by school, non-centred.
data {
  int<lower=1> N;
  int<lower=1> J;
  array[N] int<lower=1, upper=J> school;
  vector[N] score;
}
parameters {
  real mu;
  real<lower=0> tau;
  real<lower=0> sigma;
  vector<multiplier=tau>[J] effect;
}
transformed parameters {
  vector[J] theta = mu + effect;
}
model {
  score ~ normal(theta[school], sigma);
  effect ~ normal(0, tau);
  mu ~ normal(50, 25);
  [tau, sigma] ~ cauchy(0, 10);
}
