//! Makes the simulated tables of the examples, so that their truth is known: `cargo run --example simulate` writes them
//! again, the same bytes each time. What is simulated and with which values stands at each function.

use hlm::kernels::random::{ChainRng, normal, poisson_log, student_t, uniform};
use std::path::Path;

/// A file of examples/ and its text.
pub struct File {
    /// Its place below examples/.
    pub path: &'static str,
    /// What it holds.
    pub text: String,
}

/// `cargo run --example simulate` writes the tables of examples/; `-- SEED FOLDER` those of spend alone, with another seed.
fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    if let (Some(seed), Some(folder)) = (arguments.next(), arguments.next()) {
        let seed = seed.parse().map_err(std::io::Error::other)?;
        let (ads, truth) = spend(seed);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(Path::new(&folder).join("ads.csv"), ads)?;
        return std::fs::write(Path::new(&folder).join("truth.csv"), truth);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for file in files() {
        std::fs::write(folder.join(file.path), file.text)?;
    }
    Ok(())
}

/// Of the committed tables: the year of Bayes's essay.
pub const SEED: u64 = 1763;

/// Every simulated file.
pub fn files() -> Vec<File> {
    let (ads, truth) = spend(SEED);
    let tables = [
        ("schools/students.csv", students()),
        ("words/trials.csv", trials()),
        ("sleep/tests.csv", sleep()),
        ("junctions/accidents.csv", accidents()),
        ("spend/ads.csv", ads),
        ("spend/truth.csv", truth),
    ];
    let file = |(path, text)| File { path, text };
    tables.into_iter().map(file).collect()
}

/// One generator per table, so that a change of one leaves the others alone.
fn generator(table: u32) -> ChainRng {
    ChainRng::new(SEED, table, 0)
}

fn table(header: &str, rows: &[String]) -> String {
    format!("{header}\n{}\n", rows.join("\n"))
}

/// Numbers as a spreadsheet would show them.
fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    // Adding zero makes 0 of −0.
    (value * scale).round() / scale + 0.0
}

/// Pupils in classes in schools of very different sizes. Schools differ by 5 points about 60, classes of a school by 3,
/// pupils of a class by 9; a standard deviation of social status within a class is worth 3 points, between classes 6.
fn students() -> String {
    let mut rng = generator(1);
    let names = [
        "Ashwood", "Brook", "Cedar", "Dale", "Elm", "Fairview", "Glen", "Hill", "Ivy", "Juniper",
        "Kings", "Lake", "Maple", "North", "Oak", "Park",
    ];
    let classes = [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5];
    let pupils = [2, 3, 4, 6, 9, 14, 5, 8, 11, 13, 7, 10, 12, 9, 12, 11];
    let mut rows = Vec::new();
    for school in 0..names.len() {
        let mean = normal(&mut rng, 60.0, 5.0);
        for class in ["a", "b", "c", "d", "e"].iter().take(classes[school]) {
            let status = normal(&mut rng, 0.0, 0.5);
            let class_mean = normal(&mut rng, mean + 6.0 * status, 3.0);
            for _ in 0..pupils[school] {
                let ses = normal(&mut rng, status, 0.8);
                let score = normal(&mut rng, class_mean + 3.0 * (ses - status), 9.0);
                let (ses, score) = (round(ses, 2), round(score, 1));
                rows.push(format!("{},{class},{ses},{score}", names[school]));
            }
        }
    }
    table("school,class,ses,score", &rows)
}

/// Reaction times to words, crossed: each of 24 readers meets 20 of 40 words. Log times are about 6.4 (600 ms); readers
/// differ by 0.15, words by 0.08, trials by 0.2; a rare word takes 0.12 longer than a common one.
fn trials() -> String {
    let mut rng = generator(2);
    let words = [
        "apple", "baker", "cabin", "dance", "eagle", "fable", "grain", "honey", "igloo", "jolly",
        "knoll", "lemon", "mango", "noble", "ocean", "pilot", "quilt", "raven", "sugar", "tiger",
        "umber", "vapor", "wagon", "xenon", "yeast", "zebra", "amber", "bacon", "cedar", "daisy",
        "ember", "flint", "globe", "heron", "ivory", "joust", "kayak", "lilac", "maple", "nylon",
    ];
    let of_word: Vec<f64> = words.iter().map(|_| normal(&mut rng, 0.0, 0.08)).collect();
    let mut rows = Vec::new();
    for reader in 1..=24 {
        let of_reader = normal(&mut rng, 0.0, 0.15);
        for (word, name) in words.iter().enumerate() {
            // Every second word, so that readers share words with their neighbours.
            if !(word + reader).is_multiple_of(2) {
                continue;
            }
            let rare = f64::from(u8::from(word % 4 < 2));
            let mean = 6.4 + 0.12 * rare + of_reader + of_word[word];
            let log_time = normal(&mut rng, mean, 0.2);
            rows.push(format!("r{reader:02},{name},{rare},{}", round(log_time, 3)));
        }
    }
    table("reader,word,rare,log_time", &rows)
}

/// Reaction times over ten days without sleep, after the study of Belenky et al. (2003), of 18 subjects: at the start 255 ms
/// (sd 25 between subjects), then 10 ms a day (sd 6), correlated 0.2; sd 25 within. Some subjects left early.
fn sleep() -> String {
    let mut rng = generator(3);
    let correlation = 0.2f64;
    let mut rows = Vec::new();
    for subject in 1..=18 {
        let start = normal(&mut rng, 0.0, 1.0);
        let own = normal(&mut rng, 0.0, 1.0);
        let slope = correlation * start + (1.0 - correlation * correlation).sqrt() * own;
        let days = if subject % 3 == 0 { 4 } else { 10 };
        for day in 0..days {
            let mean = 255.0 + 25.0 * start + (10.0 + 6.0 * slope) * f64::from(day);
            let reaction = round(normal(&mut rng, mean, 25.0), 1);
            rows.push(format!("S{subject:02},{day},{reaction}"));
        }
    }
    table("subject,days,reaction", &rows)
}

/// Accidents at 60 junctions of 6 districts, in from 1 to 10 years: log rate a year of 0.3 (sd 0.4 between districts, 0.5
/// between junctions), 0.6 less at roundabouts.
fn accidents() -> String {
    let mut rng = generator(5);
    let districts = ["Centre", "East", "Harbour", "North", "South", "West"];
    let of_district = districts.map(|_| normal(&mut rng, 0.0, 0.4));
    let mut rows = Vec::new();
    for junction in 1..=60usize {
        let district = junction % districts.len();
        let roundabout = f64::from(u8::from(junction % 5 < 2));
        let years = 1 + junction * 7 % 10;
        let own = normal(&mut rng, 0.0, 0.5);
        let log_rate = 0.3 - 0.6 * roundabout + of_district[district] + own;
        let accidents = poisson_log(&mut rng, log_rate + (years as f64).ln());
        let name = districts[district];
        rows.push(format!(
            "J{junction:02},{name},{years},{roundabout},{accidents}"
        ));
    }
    table("junction,district,years,roundabout,accidents", &rows)
}

/// The coefficients of a covariate vector: the constant, spend and bid.
type Coefficients = [f64; 3];

fn vector(rng: &mut ChainRng, mean: Coefficients, scale: f64) -> Coefficients {
    mean.map(|mean| normal(rng, mean, scale))
}

fn sum(a: Coefficients, b: Coefficients) -> Coefficients {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// What yields are simulated with: ν, σ and the standard deviations between groups, by the names of the model.
pub const SPEND_TRUTH: [(&str, f64); 6] = [
    ("nu", 4.0),
    ("sigma", 3.0),
    ("s_country", 1.5),
    ("s_vertical", 1.0),
    ("s_region", 3.0),
    ("s_industry", 2.5),
];

/// The model of the talk with [`SPEND_TRUTH`] and κ standard normal. The second table is the truth: each number by the name
/// that the summary gives it.
///
/// The model shares one standard deviation between the intercept and the slopes of a level, which makes sense for covariates
/// that vary by about 1: spend and bid go from 0 to 3, in thousands and in single units of money.
pub fn spend(seed: u64) -> (String, String) {
    let mut rng = ChainRng::new(seed, 6, 0);
    let regions = [
        ("Africa", ["EG", "KE", "NG", "ZA"]),
        ("Asia", ["ID", "IN", "JP", "KR"]),
        ("Europe", ["DE", "ES", "FR", "UK"]),
        ("Latin America", ["AR", "BR", "CL", "CO"]),
        ("Nordics", ["DK", "FI", "NO", "SE"]),
        ("Pacific", ["AU", "CA", "NZ", "US"]),
    ];
    let industries = [
        ("food", ["bakery", "coffee", "dairy", "wine"]),
        ("leisure", ["books", "games", "sports", "travel"]),
        ("motors", ["bikes", "cars", "trucks", "tyres"]),
        ("retail", ["beauty", "fashion", "home", "toys"]),
        ("services", ["finance", "health", "legal", "telecom"]),
    ];
    let [nu, sigma, s_country, s_vertical, s_region, s_industry] =
        SPEND_TRUTH.map(|(_, value)| value);
    let mut truth = Truth(Vec::new());
    for (name, value) in SPEND_TRUTH {
        truth.0.push(format!("{name},{value}"));
    }
    let d_region = regions.map(|(name, _)| {
        let kappa = vector(&mut rng, [0.0; 3], 1.0);
        truth.vector("d_region", name, vector(&mut rng, kappa, s_region))
    });
    let d_industry = industries.map(|(name, _)| {
        let kappa = vector(&mut rng, [0.0; 3], 1.0);
        truth.vector("d_industry", name, vector(&mut rng, kappa, s_industry))
    });
    let mut countries = Vec::new();
    for ((region, names), of_region) in regions.iter().zip(d_region) {
        for &name in names {
            let own = vector(&mut rng, [0.0; 3], s_country);
            let own = truth.vector("d_country", name, own);
            countries.push((name, *region, sum(own, of_region)));
        }
    }
    let mut verticals = Vec::new();
    for ((industry, names), of_industry) in industries.iter().zip(d_industry) {
        for &name in names {
            let own = vector(&mut rng, [0.0; 3], s_vertical);
            let own = truth.vector("d_vertical", name, own);
            verticals.push((name, *industry, sum(own, of_industry)));
        }
    }
    let mut rows = Vec::new();
    for (j, &(country, region, g_country)) in countries.iter().enumerate() {
        for (k, &(vertical, industry, g_vertical)) in verticals.iter().enumerate() {
            let beta = truth.cell((country, vertical), sum(g_country, g_vertical));
            // From none to six advertisables a cell: some cells are known by their country and vertical alone.
            for _ in 0..(j * 5 + k * 3) % 7 {
                let spend = round(uniform(&mut rng, 0.0, 3.0), 2);
                let bid = round(uniform(&mut rng, 0.0, 3.0), 2);
                let mean = beta[0] + beta[1] * spend + beta[2] * bid;
                let y = round(student_t(&mut rng, nu, mean, sigma), 2);
                rows.push(format!(
                    "{country},{region},{vertical},{industry},{spend},{bid},{y}"
                ));
            }
        }
    }
    let ads = table("country,region,vertical,industry,spend,bid,y", &rows);
    (ads, table("name,value", &truth.0))
}

/// The rows of a table of true values.
struct Truth(Vec<String>);

impl Truth {
    fn vector(&mut self, name: &str, level: &str, values: Coefficients) -> Coefficients {
        self.entries(&format!("{name}[{level}"), values)
    }

    fn cell(&mut self, (country, vertical): (&str, &str), values: Coefficients) -> Coefficients {
        self.entries(&format!("beta[{country}, {vertical}"), values)
    }

    fn entries(&mut self, stem: &str, values: Coefficients) -> Coefficients {
        for (label, value) in ["1", "spend", "bid"].iter().zip(values) {
            self.0
                .push(format!("\"{stem}, {label}]\",{}", round(value, 4)));
        }
        values
    }
}
