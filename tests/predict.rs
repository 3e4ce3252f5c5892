//! `hlm predict` and `hlm pooling` as their users meet them: tables, pictures, and what they say of a mistake.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod command;

use command::Said;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const MODEL: &str = "
index i
index j = country[i]
index l = region[j]
data y[i], spend[i], wealth[j]
y[i] ~ normal(a[j] + b * spend[i], sigma)
a[j] ~ normal(m[l] + c * wealth[j], s_a)
m[l] ~ normal(0, 10)
b, c ~ normal(0, 1)
sigma, s_a ~ exponential(1)
";
const COUNTRIES: &str = "country,region,wealth
AR,Americas,2
BR,Americas,3
DE,Europe,9
FR,Europe,7
US,Americas,9
";

/// A model, its data and a run of it, shared by the tests.
struct Fitted {
    folder: PathBuf,
}

impl Fitted {
    fn get() -> &'static Fitted {
        static FITTED: OnceLock<Fitted> = OnceLock::new();
        FITTED.get_or_init(|| {
            let folder = std::env::temp_dir().join(format!("hlm-predict-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            let fitted = Fitted { folder };
            fitted.write("ads.hlm", MODEL);
            fitted.write("countries.csv", COUNTRIES);
            fitted.write("ads.csv", &rows());
            fitted
                .hlm(&format!("sample ads.hlm {DATA} {SHORT} --output run"))
                .ended(0);
            fitted
        })
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        let path = self.folder.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn has(&self, name: &str) -> bool {
        Path::new(&self.folder).join(name).exists()
    }

    fn hlm(&self, line: &str) -> Said {
        let mut command = command::hlm();
        command.args(line.split_whitespace()).env("COLUMNS", "100");
        Said::new(command.current_dir(&self.folder).output().unwrap())
    }

    fn predict(&self, options: &str) -> Said {
        self.hlm(&format!("predict ads.hlm --fit run {options}"))
    }

    #[track_caller]
    fn refuses(&self, options: &str, words: &[&str]) {
        self.predict(options).ended(1).complains(words);
    }
}

const DATA: &str = "--data ads.csv --data countries.csv";
const SHORT: &str = "--chains 2 --warmup 150 --draws 100 --seed 1 --quiet";

/// Nine ads of each country but US, of which there is one; what they yield has a wave instead of noise.
fn rows() -> String {
    let mut text = String::from("country,spend,y\n");
    for (place, country) in ["DE", "AR", "BR", "FR", "US"].iter().enumerate() {
        let count = if *country == "US" { 1 } else { 9 };
        for spend in 1..=count {
            let wave = ((place * 9 + spend) as f64 * 2.4).sin();
            let y = 3.0 + place as f64 + 0.5 * spend as f64 + wave;
            let _ = writeln!(text, "{country},{spend},{y:.3}");
        }
    }
    text
}

/// A CSV file as rows of named fields.
struct Csv {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    fn read(text: &str) -> Csv {
        let split = |line: &str| line.split(',').map(str::to_string).collect();
        let mut lines = text.lines().map(split);
        Csv {
            header: lines.next().unwrap(),
            rows: lines.collect(),
        }
    }

    fn column(&self, name: &str) -> Vec<&str> {
        let header = &self.header;
        let place = header.iter().position(|own| own == name);
        let place = place.unwrap_or_else(|| panic!("no {name} in {header:?}"));
        self.rows.iter().map(|row| row[place].as_str()).collect()
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        let column = self.column(name).into_iter();
        column.map(|field| field.parse().unwrap()).collect()
    }

    fn distinct(&self, name: &str) -> Vec<&str> {
        let mut column = self.column(name);
        column.dedup();
        column
    }

    /// The rows of which a field is this.
    fn only(mut self, name: &str, value: &str) -> Csv {
        let place = self.header.iter().position(|own| own == name).unwrap();
        self.rows.retain(|row| row[place] == value);
        self
    }
}

#[test]
fn a_curve_for_each_known_group() {
    let fitted = Fitted::get();
    let said = fitted
        .predict("--vary spend=0:10:5 --by country -o known")
        .ended(0);
    assert!(said.out.contains("By country, as the fit knows them."));
    assert!(said.out.contains("Tables and pictures: known"));
    let csv = || Csv::read(&fitted.read("known/y-known.csv"));
    assert_eq!(
        csv().header.join(","),
        "country,region,spend,wealth,group,quantity,mean,sd,q2.5,q10,q25,q50,q75,q90,q97.5"
    );
    assert_eq!(csv().distinct("country"), ["AR", "BR", "DE", "FR", "US"]);
    assert_eq!(csv().distinct("wealth"), ["2", "3", "9", "7", "9"]);
    assert_eq!(csv().distinct("group"), ["known"]);
    assert_eq!(csv().rows.len(), 5 * 3 * 2);
    let mean = csv().only("quantity", "mean of y");
    let own = csv().only("quantity", "y");
    assert_eq!(mean.column("spend")[..3], ["0", "5", "10"]);
    for (mean, own) in mean.numbers("sd").iter().zip(own.numbers("sd")) {
        assert!(*mean < own, "an observation varies more than its mean");
    }
    let quantiles = ["q2.5", "q10", "q25", "q50", "q75", "q90", "q97.5"];
    for pair in quantiles.windows(2) {
        let (low, high) = (own.numbers(pair[0]), own.numbers(pair[1]));
        assert!(low.iter().zip(&high).all(|(low, high)| low <= high));
    }
    // The line rises by half for each unit of spend, from country to country by one.
    let means = mean.numbers("mean");
    assert!((means[2] - means[0] - 5.0).abs() < 1.0, "{means:?}");
    assert!((means[3] - means[0] - 1.0).abs() < 0.8, "{means:?}");
    let svg = fitted.read("known/y-known.svg");
    for word in ["y by spend", ">AR<", ">US<", "of a new observation", "data"] {
        assert!(svg.contains(word), "no {word} in the picture");
    }
    // One dot for each row of the data, and the key's.
    assert!(svg.matches("<circle").count() >= 37);
    assert_eq!(fitted.has("known/y-known.png"), cfg!(feature = "png"));
}

#[test]
fn groups_are_known_new_or_none() {
    let fitted = Fitted::get();
    let said = fitted
        .predict("--vary spend=5 --by country --at wealth=4 --group known,new,none -o groups")
        .ended(0);
    for words in [
        "A new country in each region, drawn from the distribution of its level. wealth at 4.",
        "Any country in each region: effects at the location of their prior. wealth at 4.",
    ] {
        assert!(said.out.contains(words), "no `{words}` in:\n{}", said.out);
    }
    let means = |kind: &str| {
        let csv = Csv::read(&fitted.read(&format!("groups/y-{kind}.csv")));
        csv.only("quantity", "mean of y")
    };
    let (known, new, none) = (means("known"), means("new"), means("none"));
    // What a known country is like is not for the user to say.
    assert_eq!(known.column("wealth"), ["2", "3", "9", "7", "9"]);
    assert_eq!(new.column("wealth"), ["4", "4"]);
    assert_eq!(new.column("region"), ["Americas", "Europe"]);
    assert_eq!(
        new.column("country"),
        ["new country in Americas", "new country in Europe"]
    );
    assert_eq!(new.distinct("group"), ["new"]);
    assert_eq!(none.distinct("group"), ["none"]);
    let (known, new, none) = (known.numbers("sd"), new.numbers("sd"), none.numbers("sd"));
    for (new, none) in new.iter().zip(&none) {
        assert!(
            new > none,
            "a new country adds how much countries differ: {new}, {none}"
        );
        assert!(*new > 2.0 * known[0], "{new}, {}", known[0]);
    }
    let svg = fitted.read("groups/y-new.svg");
    assert!(svg.contains(">Americas<") && svg.contains(">Europe<"));
}

#[test]
fn numbers_are_held_where_the_user_says() {
    let fitted = Fitted::get();
    let held = |at: &str, column: &str| {
        let options = format!("--vary wealth=1,9 --by country --group new --at {at} -o held");
        fitted.predict(&options).ended(0);
        let csv = Csv::read(&fitted.read("held/y-new.csv"));
        csv.numbers(column)[0]
    };
    // 36 rows have 1 to 9 and one has 1.
    assert!((held("mean", "spend") - 181.0 / 37.0).abs() < 1e-12);
    assert_eq!(held("median", "spend"), 5.0);
    assert_eq!(held("2.5", "spend"), 2.5);
    assert_eq!(held("spend=7", "spend"), 7.0);
    // A country counts once for what it is like, however many rows it has.
    fitted
        .predict("--vary spend=1,2 --by country --group new -o held")
        .ended(0);
    let csv = Csv::read(&fitted.read("held/y-new.csv"));
    assert_eq!(csv.numbers("wealth")[0], 6.0);
}

#[test]
fn new_rows_are_of_known_and_new_groups() {
    let fitted = Fitted::get();
    fitted.write("new.csv", "country,spend\nUS,4\nXX,4\nDE,4\n");
    fitted.write("xx.csv", "country,region,wealth\nXX,Asia,5\n");
    fitted
        .predict("--new new.csv --new xx.csv -o rows")
        .ended(0);
    let csv = || Csv::read(&fitted.read("rows/y-new.csv"));
    assert_eq!(
        csv().header.join(","),
        "country,spend,group,quantity,mean,sd,q2.5,q10,q25,q50,q75,q90,q97.5"
    );
    let means = csv().only("quantity", "mean of y");
    assert_eq!(means.column("country"), ["US", "XX", "DE"]);
    assert_eq!(means.column("group"), ["known", "new country", "known"]);
    let sd = means.numbers("sd");
    // DE has nine rows and US one; of XX nothing is known, its region's mean has a prior of width 10.
    assert!(sd[2] < sd[0] && sd[0] < sd[1] && sd[1] > 5.0, "{sd:?}");
    // The same draws, whatever stands beside them.
    fitted.write("one.csv", "country,spend\nDE,4\n");
    fitted.predict("--new one.csv -o one").ended(0);
    let one = Csv::read(&fitted.read("one/y-new.csv")).only("quantity", "mean of y");
    assert_eq!(one.rows[0], means.rows[2]);
}

#[test]
fn an_outcome_that_is_a_level_has_probabilities() {
    let fitted = Fitted::get();
    let mut table = String::from("rating,x\n");
    for at in 0..30 {
        let x = f64::from(at % 10) - 4.5;
        let rating = match x + f64::from(at % 3) {
            sum if sum < -1.0 => "low",
            sum if sum < 3.0 => "mid",
            _ => "high",
        };
        let _ = writeln!(table, "{rating},{x}");
    }
    fitted.write("ratings.csv", &table);
    fitted.write(
        "ratings.hlm",
        "index i\nindex k = rating[i] in {low, mid, high}\nindex h = 1:size(k) - 1\ndata x[i]\n\
         rating[i] ~ ordered_logistic(b * x[i], cut)\ncut[h] ~ normal(0, 5)\nb ~ normal(0, 5)\n",
    );
    fitted
        .hlm(&format!(
            "sample ratings.hlm --data ratings.csv {SHORT} --output ratings"
        ))
        .ended(0);
    fitted
        .hlm("predict ratings.hlm --fit ratings --vary x=-4:4:4 -o ratings-out")
        .ended(0);
    let csv = Csv::read(&fitted.read("ratings-out/rating-known.csv"));
    let levels = ["low", "mid", "high"].map(|level| format!("probability of rating {level}"));
    assert_eq!(csv.column("quantity")[..3], levels);
    let means = csv.numbers("mean");
    for row in means.chunks(3) {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{row:?}");
    }
    assert!(
        means[0] > 0.8 && means[8] > 0.8,
        "low at the left, high at the right: {means:?}"
    );
    assert!(
        csv.numbers("q2.5")
            .iter()
            .zip(csv.numbers("q97.5"))
            .all(|(low, high)| *low <= high)
    );
    let svg = fitted.read("ratings-out/rating-known.svg");
    assert!(svg.contains("probability of rating") && svg.contains(">high<"));
}

#[test]
fn mistakes_are_explained() {
    let fitted = Fitted::get();
    let refuses = |options: &str, words: &[&str]| fitted.refuses(options, words);
    refuses("", &["`--vary NAME=FROM:TO:STEP`", "`--new FILE`"]);
    refuses(
        "--vary spent=1,2",
        &["no column `spent`; it reads country, region, spend, wealth"],
    );
    refuses("--vary spend=1,2 --by county", &["no column `county`"]);
    refuses("--vary spend=1,2 --at welth=3", &["no column `welth`"]);
    refuses("--vary y=1,2", &["`y` is what is predicted"]);
    refuses(
        "--vary country=1,2",
        &["labels, not numbers", "`--by country`"],
    );
    refuses("--vary spend", &["write NAME=from:to:step"]);
    refuses("--vary spend=a:b:c", &["`a` is no number"]);
    refuses(
        "--vary spend=1:0:1",
        &["steps of 1 do not lead from 1 to 0"],
    );
    refuses("--vary spend=0:1:0", &["`--vary spend=0:1:0`"]);
    refuses("--vary spend=0:1:1e-9", &["more than 10000 points"]);
    refuses("--vary spend=1,2 --at middle", &["`middle` is no number"]);
    refuses(
        "--vary wealth=1,2 --by country",
        &[
            "each country has its own `wealth`",
            "`--by country --group new`",
        ],
    );
    refuses(
        "--vary spend=1,2 --group new",
        &["`--group new --by country,region`"],
    );
    refuses(
        "--new nowhere.csv",
        &["there is no data file `nowhere.csv`"],
    );
    fitted.write("lacks.csv", "country\nDE\n");
    refuses(
        "--new lacks.csv",
        &["lacks.csv does not have the column `spend`"],
    );
    fitted.write("gap.csv", "country,spend\nDE,NA\n");
    refuses(
        "--new gap.csv",
        &["`spend` is missing in row 1 of gap.csv", "needs a value"],
    );
    fitted.write("unknown.csv", "country,spend\nXX,1\n");
    refuses(
        "--new unknown.csv",
        &[
            "has no row for country \"XX\"",
            "give the new rows a column",
        ],
    );
    fitted.write("rows.json", "{\"spend\": [1]}");
    refuses(
        "--new rows.json",
        &["new rows are a table; rows.json is JSON"],
    );
    fitted
        .hlm("predict ads.hlm --fit walk --vary spend=1,2")
        .ended(1)
        .complains(&["there is no run `walk`", "`hlm sample`"]);
    fitted
        .hlm("predict ads.hlm --fit . --vary spend=1,2")
        .ended(1)
        .complains(&["holds no run"]);
}

#[test]
fn a_run_belongs_to_its_data_and_its_program() {
    let fitted = Fitted::get();
    fs::create_dir_all(fitted.folder.join("moved")).unwrap();
    fitted.write("moved/ads.hlm", MODEL);
    fitted.write("moved/ads.csv", &rows());
    let data = "--data moved/ads.csv --data countries.csv";
    fitted
        .hlm(&format!(
            "sample moved/ads.hlm {data} {SHORT} --output moved/run"
        ))
        .ended(0);
    fitted.write(
        "moved/ads.hlm",
        &MODEL.replace("exponential(1)", "exponential(2)"),
    );
    let predict = "predict moved/ads.hlm --fit moved/run --vary spend=1,2 -o moved/out";
    fitted
        .hlm(predict)
        .ended(0)
        .complains(&["the program is not the one that was fitted"]);
    fitted.write("moved/ads.csv", &rows().replace("DE,1,", "DE,2,"));
    let said = fitted.hlm(predict).ended(1);
    said.complains(&["ads.csv has changed since the fit"]);
}

#[test]
fn effects_are_pooled_and_compared() {
    let fitted = Fitted::get();
    let said = fitted
        .hlm(&format!(
            "pooling ads.hlm {DATA} {SHORT} --effect a -o pooling"
        ))
        .ended(0);
    assert!(said.out.contains("a, by country"), "{}", said.out);
    assert!(said.out.contains("pooling factor λ of a"), "{}", said.out);
    let csv = Csv::read(&fitted.read("pooling/a.csv"));
    assert_eq!(csv.column("group"), ["AR", "BR", "DE", "FR", "US"]);
    assert_eq!(csv.column("n"), ["9", "9", "9", "9", "1"]);
    let shrinkage = csv.numbers("shrinkage_factor");
    assert!(shrinkage.iter().all(|factor| (0.0..=1.0).contains(factor)));
    assert!(
        shrinkage[4] > shrinkage[0],
        "one row says less than nine: {shrinkage:?}"
    );
    let svg = fitted.read("pooling/a.svg");
    assert!(svg.contains("a by country: no, partial and complete pooling"));
    assert!(svg.contains("US (n = 1)"));
    assert_eq!(fitted.has("pooling/a.png"), cfg!(feature = "png"));
    for kind in ["no", "complete"] {
        let name = format!("pooling/a-{kind}.hlm");
        fitted.hlm(&format!("check {name}")).ended(0);
        assert!(fitted.read(&name).contains("spend[i]"), "{name}");
    }

    let refuses = |options: &str, words: &[&str]| {
        fitted
            .hlm(&format!("pooling ads.hlm {options}"))
            .ended(1)
            .complains(words);
    };
    refuses(
        &format!("{DATA} --effect b"),
        &["`b` cannot be pooled", "does not vary by group"],
    );
    refuses(
        &format!("{DATA} --effect nope"),
        &["the model has no `nope`", "a"],
    );
    refuses("", &["there are no data"]);
    fitted.write(
        "flat.hlm",
        "index i\ndata y[i]\ny[i] ~ normal(mu, 1)\nmu ~ normal(0, 1)\n",
    );
    fitted
        .hlm("pooling flat.hlm --data ads.csv")
        .ended(1)
        .complains(&["no effect that varies by group"]);
    fitted.write(
        "block.hlm",
        "parameters { real mu; } model { mu ~ normal(0, 1); }",
    );
    fitted
        .hlm("pooling block.hlm")
        .ended(1)
        .complains(&["in block form"]);
}
