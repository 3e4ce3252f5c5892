// Accidents at junctions of districts, non-centred.
data {
  int<lower=1> J;
  int<lower=1> D;
  array[J] int<lower=1, upper=D> district;
  vector<lower=0>[J] years;
  vector<lower=0, upper=1>[J] roundabout;
  array[J] int<lower=0> accidents;
}
parameters {
  real mu;
  real b;
  real<lower=0> s_district;
  real<lower=0> s_junction;
  vector[D] z_district;
  vector[J] z_junction;
}
transformed parameters {
  vector[D] g = mu + s_district * z_district;
  vector[J] a = g[district] + b * roundabout + s_junction * z_junction;
}
model {
  accidents ~ poisson_log(log(years) + a);
  z_district ~ std_normal();
  z_junction ~ std_normal();
  [mu, b] ~ normal(0, 2);
  [s_district, s_junction] ~ exponential(1);
}
