// Deaths in twelve hospitals, non-centred.
data {
  int<lower=1> J;
  array[J] int<lower=0> operations;
  array[J] int<lower=0> deaths;
}
parameters {
  real mu;
  real<lower=0> tau;
  vector[J] z;
}
transformed parameters {
  vector[J] a = mu + tau * z;
}
model {
  deaths ~ binomial_logit(operations, a);
  z ~ std_normal();
  mu ~ normal(-2.5, 1.5);
  tau ~ exponential(1);
}
generated quantities {
  vector[J] risk = inv_logit(a);
}
