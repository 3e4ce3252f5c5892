// Outcomes of members of groups, simulated: how the cost of a gradient grows with rows and groups.
data {
  int<lower=0> N;
  int<lower=1> J;
  array[N] int<lower=1, upper=J> g;
  array[N] int<lower=0, upper=1> y;
  vector[N] x;
}
parameters {
  real mu;
  real<lower=0> tau;
  vector[J] z;
  real b;
}
model {
  mu ~ normal(0, 2);
  tau ~ normal(0, 1);
  z ~ std_normal();
  b ~ normal(0, 2);
  vector[J] alpha = mu + tau * z;
  y ~ bernoulli_logit(alpha[g] + b * x);
}
