// Log reading times of readers and words, crossed, non-centred.
data {
  int<lower=1> N;
  int<lower=1> R;
  int<lower=1> W;
  array[N] int<lower=1, upper=R> reader;
  array[N] int<lower=1, upper=W> word;
  vector[N] rare;
  vector[N] log_time;
}
parameters {
  real mu;
  real b;
  real<lower=0> s_reader;
  real<lower=0> s_word;
  real<lower=0> sigma;
  vector[R] z_reader;
  vector[W] z_word;
}
transformed parameters {
  vector[R] a_reader = s_reader * z_reader;
  vector[W] a_word = s_word * z_word;
}
model {
  log_time ~ normal(mu + b * rare + a_reader[reader] + a_word[word], sigma);
  z_reader ~ std_normal();
  z_word ~ std_normal();
  mu ~ normal(6, 1);
  b ~ normal(0, 1);
  [s_reader, s_word, sigma] ~ exponential(1);
}
