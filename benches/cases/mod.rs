//! The models of the bench, with data made by fixed recipes: the bench measures time, not people.

use crate::by_hand;

/// Log density at a position, its gradient into the second slice.
pub type ByHand = dyn Fn(&[f64], &mut [f64]) -> f64;

/// A model, its data, a typical position, and its gradient by hand.
pub struct Case {
    pub name: &'static str,
    pub program: &'static str,
    /// The same model with its rows in a loop.
    pub as_loop: Option<&'static str>,
    pub json: Vec<u8>,
    pub position: Vec<f64>,
    pub by_hand: Box<ByHand>,
}

/// Every case, in the order of the tables.
pub fn all() -> Vec<Case> {
    vec![
        line(),
        groups("logistic, unsorted", false),
        groups("logistic, sorted", true),
        robust(),
        schools(),
        garch(),
    ]
}

const SCHOOLS: &str = include_str!("../../examples/eight_schools/eight_schools.hlm");
const SCHOOLS_DATA: &[u8] = include_bytes!("../../examples/eight_schools/eight_schools.json");

/// Earnings by height, 1,192 people (Gelman and Hill 2007): three parameters, one long sum.
const LINE: &str = "
data { int<lower=0> N; vector[N] earn; vector[N] height; }
parameters { vector[2] beta; real<lower=0> sigma; }
model { earn ~ normal(beta[1] + beta[2] * height, sigma); }
";
const LINE_AS_LOOP: &str = "
data { int<lower=0> N; vector[N] earn; vector[N] height; }
parameters { vector[2] beta; real<lower=0> sigma; }
model { for (n in 1:N) earn[n] ~ normal(beta[1] + beta[2] * height[n], sigma); }
";

/// Bernoulli outcomes in groups.
const GROUPS: &str = "
data {
  int<lower=0> N; int<lower=1> J;
  array[N] int<lower=1, upper=J> g; array[N] int<lower=0, upper=1> y; vector[N] x;
}
parameters { real mu; real<lower=0> tau; vector[J] alpha; real b; }
model {
  mu ~ normal(0, 5); tau ~ normal(0, 1); b ~ normal(0, 5);
  alpha ~ normal(mu, tau);
  y ~ bernoulli_logit(alpha[g] + b * x);
}
";
const GROUPS_AS_LOOP: &str = "
data {
  int<lower=0> N; int<lower=1> J;
  array[N] int<lower=1, upper=J> g; array[N] int<lower=0, upper=1> y; vector[N] x;
}
parameters { real mu; real<lower=0> tau; vector[J] alpha; real b; }
model {
  mu ~ normal(0, 5); tau ~ normal(0, 1); b ~ normal(0, 5);
  for (j in 1:J) alpha[j] ~ normal(mu, tau);
  for (n in 1:N) y[n] ~ bernoulli_logit(alpha[g[n]] + b * x[n]);
}
";

/// Regression on eight covariates with heavy tails.
const ROBUST: &str = "
data { int<lower=0> N; matrix[N, 8] X; vector[N] y; }
parameters { real a; vector[8] b; real<lower=0> sigma; real<lower=1> nu; }
model { nu ~ gamma(2, 0.1); y ~ student_t(nu, a + X * b, sigma); }
";

/// Volatility with a memory, as posteriordb's garch11 writes it.
const GARCH: &str = "
data { int<lower=0> T; array[T] real y; real<lower=0> sigma1; }
parameters {
  real mu; real<lower=0> alpha0; real<lower=0, upper=1> alpha1;
  real<lower=0, upper=1 - alpha1> beta1;
}
model {
  array[T] real sigma;
  sigma[1] = sigma1;
  for (t in 2:T) {
    sigma[t] = sqrt(alpha0 + alpha1 * square(y[t - 1] - mu) + beta1 * square(sigma[t - 1]));
  }
  y ~ normal(mu, sigma);
}
";

/// Uniform numbers on (0, 1).
struct Numbers(u64);

impl Numbers {
    fn uniform(&mut self) -> f64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal: the sum of twelve uniform numbers has variance 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

fn schools() -> Case {
    let schools = by_hand::Schools::new();
    Case {
        name: "eight schools",
        program: SCHOOLS,
        as_loop: None,
        json: SCHOOLS_DATA.to_vec(),
        position: vec![4.0, 1.2, 0.3, -0.2, 0.5, 0.1, -0.7, 0.4, 0.9, 0.0],
        by_hand: Box::new(move |position, gradient| schools.gradient(position, gradient)),
    }
}

fn line() -> Case {
    let mut numbers = Numbers(1);
    let (mut heights, mut earnings) = (Vec::new(), Vec::new());
    for _ in 0..1192 {
        let height = 58.0 + 19.0 * numbers.uniform();
        heights.push(height);
        earnings.push(-60_000.0 + 1_250.0 * height + 40_000.0 * (numbers.uniform() - 0.5));
    }
    let json = format!("{{\"N\": 1192, \"earn\": {earnings:?}, \"height\": {heights:?}}}");
    Case {
        name: "line, N = 1192",
        program: LINE,
        as_loop: Some(LINE_AS_LOOP),
        json: json.into_bytes(),
        position: vec![-60_000.0, 1_250.0, 9.5],
        by_hand: Box::new(move |position, gradient| {
            by_hand::earn_height(&earnings, &heights, position, gradient)
        }),
    }
}

fn groups(name: &'static str, sorted: bool) -> Case {
    const ROWS: usize = 10_000;
    const GROUPS_COUNT: usize = 100;
    let mut numbers = Numbers(2);
    let alpha: Vec<f64> = (0..GROUPS_COUNT)
        .map(|_| 0.3 + 0.7 * numbers.normal())
        .collect();
    let mut group: Vec<usize> = (0..ROWS)
        .map(|_| 1 + (numbers.uniform() * GROUPS_COUNT as f64) as usize)
        .collect();
    if sorted {
        group.sort_unstable();
    }
    let x: Vec<f64> = (0..ROWS).map(|_| numbers.normal()).collect();
    let y: Vec<u8> = (group.iter().zip(&x))
        .map(|(&g, x)| {
            let eta = alpha[g - 1] + 0.5 * x;
            u8::from(numbers.uniform() < 1.0 / (1.0 + (-eta).exp()))
        })
        .collect();
    let json = format!(
        "{{\"N\": {ROWS}, \"J\": {GROUPS_COUNT}, \"g\": {group:?}, \"y\": {y:?}, \"x\": {x:?}}}"
    );
    let mut position = vec![0.3, -0.4];
    position.extend(&alpha);
    position.push(0.5);
    let by_hand = by_hand::Logistic::new(&group, &y, &x, GROUPS_COUNT);
    Case {
        name,
        program: GROUPS,
        as_loop: Some(GROUPS_AS_LOOP),
        json: json.into_bytes(),
        position,
        by_hand: Box::new(move |position, gradient| by_hand.gradient(position, gradient)),
    }
}

fn robust() -> Case {
    const ROWS: usize = 10_000;
    let mut numbers = Numbers(3);
    let columns: Vec<Vec<f64>> = (0..by_hand::COLUMNS)
        .map(|_| (0..ROWS).map(|_| numbers.normal()).collect())
        .collect();
    let b = [0.5, -0.3, 0.2, 0.0, 1.0, -1.0, 0.1, 0.7];
    let rows: Vec<Vec<f64>> = (0..ROWS)
        .map(|i| columns.iter().map(|column| column[i]).collect())
        .collect();
    let y: Vec<f64> = (rows.iter())
        .map(|row| {
            let mean: f64 = row.iter().zip(b).map(|(x, b)| x * b).sum();
            let tail = (0.2 + numbers.uniform()).recip();
            1.0 + mean + 0.8 * numbers.normal() * tail
        })
        .collect();
    let json = format!("{{\"N\": {ROWS}, \"X\": {rows:?}, \"y\": {y:?}}}");
    let mut position = vec![1.0];
    position.extend(b);
    position.extend([0.1, 1.0]);
    let by_hand = by_hand::Robust::new(&y, &columns);
    Case {
        name: "student_t, K = 8",
        program: ROBUST,
        as_loop: None,
        json: json.into_bytes(),
        position,
        by_hand: Box::new(move |position, gradient| by_hand.gradient(position, gradient)),
    }
}

fn garch() -> Case {
    let mut numbers = Numbers(4);
    let (mut y, mut variance) = (Vec::new(), 1.0);
    for _ in 0..by_hand::DAYS {
        let shock = numbers.normal() * f64::sqrt(variance);
        y.push(0.5 + shock);
        variance = 0.4 + 0.3 * shock * shock + 0.4 * variance;
    }
    let json = format!(
        "{{\"T\": {}, \"y\": {y:?}, \"sigma1\": 1.0}}",
        by_hand::DAYS
    );
    let by_hand = by_hand::Garch::new(&y, 1.0);
    Case {
        name: "garch, T = 200",
        program: GARCH,
        as_loop: None,
        json: json.into_bytes(),
        position: vec![0.5, -0.9, -0.8, 0.3],
        by_hand: Box::new(move |position, gradient| by_hand.gradient(position, gradient)),
    }
}
