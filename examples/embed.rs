//! hlm in a Rust program: a model from a string, its data, and draws to compute with.

use hlm::model::{BindOptions, Model};
use hlm::run::RunSettings;

const MODEL: &str = "
    data { int J; vector[J] y; vector<lower=0>[J] se; }
    parameters { real mu; real<lower=0> tau; vector<offset=mu, multiplier=tau>[J] theta; }
    model {
      mu ~ normal(0, 5);
      tau ~ cauchy(0, 5);
      theta ~ normal(mu, tau);
      y ~ normal(theta, se);
    }";
const DATA: &[u8] =
    br#"{"J": 8, "y": [28, 8, -3, 7, -1, 1, 18, 12], "se": [15, 10, 16, 11, 9, 11, 10, 18]}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = Model::from_text("schools", MODEL)?;
    let posterior = model.bind_json("data", DATA, &BindOptions::default())?;
    let draws = posterior.sample(&RunSettings::default())?;
    print!("{}", draws.summary(&["mu", "tau"]).to_text());
    let pairs = std::iter::zip(draws.pooled("theta[1]")?, draws.pooled("theta[3]")?);
    let better = pairs.filter(|(first, third)| first > third).count();
    println!("school 1 gains more in {better} of {} draws", draws.rows());
    Ok(())
}
