// Effects of coaching in eight schools, non-centred.
data {
  int<lower=0> J;
  vector[J] effect;
  vector<lower=0>[J] se;
}
parameters {
  real mu;
  real<lower=0> tau;
  vector[J] z;
}
transformed parameters {
  vector[J] theta = mu + tau * z;
}
model {
  effect ~ normal(theta, se);
  z ~ std_normal();
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 5);
}
