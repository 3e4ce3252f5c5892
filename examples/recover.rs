//! Whether the model of the talk recovers what its table was simulated with, for one table after the other:
//! `cargo run --release --example recover -- 1 20` simulates with the seeds 1 to 20, fits each, and counts how many of the
//! true values lie in their 95 % ranges. Half the usual draws do for that.

use hlm::mcmc::Settings;
use hlm::model::{BindOptions, Model};
use hlm::run::{Draws, RunSettings, Statistic};
use hlm::summary::Summariser;
use hlm::tables::{Options, Sources};
use std::error::Error;

#[path = "simulate.rs"]
#[allow(dead_code)]
mod simulate;

/// Counted apart: the six numbers of the model together, then each level's effects, then their sums.
const PARTS: [&str; 6] = [
    "scales",
    "d_region",
    "d_industry",
    "d_country",
    "d_vertical",
    "beta",
];

/// How many true values lie in their ranges, of how many.
#[derive(Clone, Copy, Default)]
struct Share(usize, usize);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut seed = |otherwise| arguments.next().map_or(Ok(otherwise), |text| text.parse());
    let (first, last) = (seed(1u64)?, seed(3u64)?);
    println!("seed  divergences  depth  {}", PARTS.join("  "));
    let mut total = [Share::default(); PARTS.len()];
    for seed in first..=last {
        let (ads, truth) = simulate::spend(seed);
        let draws = fitted(&ads)?;
        let mut shares = [Share::default(); PARTS.len()];
        for line in truth.lines().skip(1) {
            let (name, value) = line.rsplit_once(',').ok_or("a name and a value")?;
            let name = name.trim_matches('"');
            let variable = name.split('[').next();
            let part = PARTS.iter().position(|part| variable == Some(part));
            let inside = usize::from(is_inside(&draws, name, value.parse()?)?);
            for share in [&mut shares, &mut total] {
                let share = &mut share[part.unwrap_or(0)];
                *share = Share(share.0 + inside, share.1 + 1);
            }
        }
        let statistic = |which: Statistic| {
            let chains = draws.chains().iter();
            chains.flat_map(move |chain| chain.statistic(which))
        };
        let divergences: f64 = statistic(Statistic::Divergent).sum();
        let depth = statistic(Statistic::TreeDepth).copied().fold(0.0, f64::max);
        println!("{seed:4}  {divergences:11}  {depth:5}  {}", row(&shares));
    }
    println!("  all                      {}", row(&total));
    Ok(())
}

fn row(shares: &[Share]) -> String {
    let cells = shares.iter().zip(PARTS);
    let cells = cells.map(|(Share(inside, of), part)| {
        let text = format!("{inside}/{of}");
        format!("{text:>width$}", width = part.len())
    });
    cells.collect::<Vec<_>>().join("  ")
}

fn fitted(ads: &str) -> Result<Draws, Box<dyn Error>> {
    let model = Model::from_text("spend.hlm", include_str!("spend/spend.hlm"))?;
    let mut sources = Sources::new(&model.program().sources);
    let added = sources.add_csv("ads.csv", ads.as_bytes(), None);
    added.map_err(|fault| fault.title)?;
    let options = BindOptions::default();
    let posterior = model
        .fill_tables(&sources, &Options::default(), &options)?
        .compile(&options)?;
    let settings = RunSettings {
        sampler: Settings {
            seed: 1,
            warmup: 500,
            samples: 500,
            ..RunSettings::default().sampler
        },
        ..RunSettings::default()
    };
    Ok(posterior.sample(&settings)?)
}

fn is_inside(draws: &Draws, name: &str, value: f64) -> Result<bool, Box<dyn Error>> {
    let chains = draws.get(name).ok_or_else(|| format!("no {name}"))?;
    let ends = Summariser::new(&[0.025, 0.975]).summarise(&chains);
    Ok((ends.quantiles[0]..=ends.quantiles[1]).contains(&value))
}
