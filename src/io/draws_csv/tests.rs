//! Tests of the writer and the reader: the exact text, then files of others, cut and mutated ones.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::io::{FileError, FileProblem};

/// What a writer wrote, to be looked at while it writes; refuses to hold more than `capacity` bytes.
#[derive(Clone)]
struct Disk {
    bytes: Rc<RefCell<Vec<u8>>>,
    capacity: Rc<RefCell<usize>>,
}

impl Disk {
    fn new() -> Disk {
        Disk {
            bytes: Rc::default(),
            capacity: Rc::new(RefCell::new(usize::MAX)),
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes.borrow().clone()).unwrap()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self
            .capacity
            .borrow()
            .saturating_sub(self.bytes.borrow().len());
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let count = room.min(bytes.len());
        self.bytes.borrow_mut().extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

fn statistics(lp: f64) -> SamplerStatistics {
    SamplerStatistics {
        lp,
        accept_stat: 0.9,
        step_size: 0.5,
        tree_depth: 3,
        leapfrog_steps: 7,
        divergent: false,
        energy: 12.25,
    }
}

fn start(disk: &Disk, header: &SampleHeader, columns: &[&str]) -> DrawsWriter<Disk> {
    DrawsWriter::start(
        disk.clone(),
        Path::new("m-1.csv"),
        header,
        &names(columns),
        Digits::Shortest,
    )
    .unwrap()
}

fn parse(text: &str) -> Result<ChainDraws, FileError> {
    parse_draws_csv(text.as_bytes(), Path::new("m-1.csv"))
}

#[test]
fn a_file_reads_as_cmdstan_writes_it() {
    let disk = Disk::new();
    let header = SampleHeader {
        model: "schools".into(),
        num_warmup: 1,
        save_warmup: true,
        id: 2,
        seed: 7,
        data_file: "schools.json".into(),
        output_file: "m-1.csv".into(),
        ..SampleHeader::default()
    };
    let mut writer = start(&disk, &header, &["mu", "theta.1"]);
    writer
        .write_draw(&statistics(-1.5), &[0.1, f64::NAN])
        .unwrap();
    writer
        .write_adaptation(0.25, &InverseMetric::Diagonal(vec![1.5, 2.0]))
        .unwrap();
    writer
        .write_draw(
            &SamplerStatistics {
                divergent: true,
                ..statistics(-2.0)
            },
            &[3.0, f64::NEG_INFINITY],
        )
        .unwrap();
    writer
        .finish(Elapsed {
            warmup: 0.005,
            sampling: 0.0161,
        })
        .unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "\
# stan_version_major = 2
# stan_version_minor = 39
# stan_version_patch = 0
# model = schools
# method = sample (Default)
#   sample
#     num_samples = 1000 (Default)
#     num_warmup = 1
#     save_warmup = true
#     thin = 1 (Default)
#     adapt
#       engaged = true (Default)
#       gamma = 0.05 (Default)
#       delta = 0.8 (Default)
#       kappa = 0.75 (Default)
#       t0 = 10 (Default)
#       init_buffer = 75 (Default)
#       term_buffer = 50 (Default)
#       window = 25 (Default)
#       save_metric = false (Default)
#     algorithm = hmc (Default)
#       hmc
#         engine = nuts (Default)
#           nuts
#             max_depth = 10 (Default)
#         metric = diag_e (Default)
#         metric_file =  (Default)
#         stepsize = 1 (Default)
#         stepsize_jitter = 0 (Default)
#     num_chains = 1 (Default)
# id = 2
# data
#   file = schools.json
# init = 2 (Default)
# random
#   seed = 7
# output
#   file = m-1.csv
#   diagnostic_file =  (Default)
#   refresh = 100 (Default)
#   sig_figs = 8 (Default)
#   profile_file = profile.csv (Default)
#   save_cmdstan_config = false (Default)
# num_threads = 1 (Default)
# hlm_version = {version}
lp__,accept_stat__,stepsize__,treedepth__,n_leapfrog__,divergent__,energy__,mu,theta.1
-1.5,0.9,0.5,3,7,0,12.25,0.1,nan
# Adaptation terminated
# Step size = 0.25
# Diagonal elements of inverse mass matrix:
# 1.5, 2
-2,0.9,0.5,3,7,1,12.25,3,-inf
# 
#  Elapsed Time: 0.005 seconds (Warm-up)
#                0.016 seconds (Sampling)
#                0.021 seconds (Total)
# 
"
    );
    assert_eq!(disk.text(), expected);

    let chain = parse(&expected).unwrap();
    assert_eq!(chain.sampler_columns, SAMPLER_COLUMNS);
    assert_eq!(chain.columns, ["mu", "theta.1"]);
    assert_eq!((chain.warmup.rows, chain.sample.rows), (1, 1));
    assert_eq!(chain.warmup.draws[0], 0.1);
    assert_eq!(chain.column("mu"), Some(&[3.0][..]));
    assert_eq!(chain.column("divergent__"), Some(&[1.0][..]));
    assert_eq!(chain.column("tau"), None);
    let chains = [chain.clone(), chain.clone()];
    let columns = columns_of(&chains);
    assert_eq!(
        columns.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["lp__", "mu", "theta.1"]
    );
    assert_eq!(columns[1].1, [[3.0], [3.0]]);
    assert_eq!(chain.step_size, Some(0.25));
    assert_eq!(
        chain.inverse_metric,
        Some(InverseMetric::Diagonal(vec![1.5, 2.0]))
    );
    assert_eq!(
        chain.elapsed,
        Some(Elapsed {
            warmup: 0.005,
            sampling: 0.016
        })
    );
    assert_eq!(chain.cut_off_at, None);
    let settings = [
        ("seed", "7"),
        ("data.file", "schools.json"),
        ("output.file", "m-1.csv"),
        ("adapt.delta", "0.8"),
    ];
    for (key, value) in settings {
        assert_eq!(chain.header_value(key), Some(value));
    }
    assert_eq!(chain.header_value("sample.hmc.nuts.max_depth"), Some("10"));
    assert_eq!(chain.header_value("metric_file"), Some(""));
    assert_eq!(chain.header_value("elta"), None);
}

#[test]
fn other_metrics_and_fixed_parameters() {
    for metric in [
        InverseMetric::Unit,
        InverseMetric::Dense(vec![vec![2.0, 0.5], vec![0.5, 1.0]]),
    ] {
        let disk = Disk::new();
        let mut writer = start(&disk, &SampleHeader::default(), &["a"]);
        writer.write_adaptation(1.0, &metric).unwrap();
        writer.write_draw(&statistics(0.0), &[1.0]).unwrap();
        drop(writer);
        let chain = parse(&disk.text()).unwrap();
        assert_eq!(chain.inverse_metric, Some(metric));
        assert_eq!(
            (chain.warmup.rows, chain.sample.rows, chain.elapsed),
            (0, 1, None)
        );
    }
    let disk = Disk::new();
    let header = SampleHeader {
        algorithm: Algorithm::FixedParam,
        save_warmup: true,
        ..SampleHeader::default()
    };
    let mut writer = start(&disk, &header, &["y"]);
    writer.write_draw(&statistics(0.0), &[4.0]).unwrap();
    drop(writer);
    assert!(disk.text().contains("\nlp__,accept_stat__,y\n0,0.9,4\n"));
    assert_eq!(parse(&disk.text()).unwrap().sample.rows, 1);
}

#[test]
fn a_full_disk_is_reported_and_loses_nothing() {
    let disk = Disk::new();
    let mut writer = start(&disk, &SampleHeader::default(), &["a"]);
    let written = disk.text().len();
    *disk.capacity.borrow_mut() = written + 5;
    writer.write_draw(&statistics(-1.0), &[1.0]).unwrap();
    let position = writer.position();
    let error = writer.flush().unwrap_err();
    assert!(
        matches!(&error.problem, FileProblem::System(error) if error.kind() == io::ErrorKind::StorageFull)
    );
    assert!(error.to_string().starts_with("m-1.csv: "), "{error}");
    assert_eq!(writer.position(), position);
    *disk.capacity.borrow_mut() = usize::MAX;
    writer.write_draw(&statistics(-2.0), &[2.0]).unwrap();
    drop(writer);
    assert_eq!(
        parse(&disk.text()).unwrap().column("a"),
        Some(&[1.0, 2.0][..])
    );
}

#[test]
fn slow_draws_are_handed_over_at_once() {
    let disk = Disk::new();
    let mut writer = start(&disk, &SampleHeader::default(), &["a"]);
    let written = disk.text().len();
    std::thread::sleep(std::time::Duration::from_millis(5));
    writer.write_draw(&statistics(-1.0), &[1.0]).unwrap();
    assert!(disk.text().len() > written);
}

#[test]
fn an_interrupted_file_goes_on_where_the_checkpoint_was() {
    let path = std::env::temp_dir().join(format!("hlm-resume-{}.csv", std::process::id()));
    let (header, columns) = (SampleHeader::default(), names(&["a"]));
    let mut writer = DrawsWriter::create(&path, &header, &columns, Digits::Shortest).unwrap();
    writer.write_draw(&statistics(-1.0), &[1.0]).unwrap();
    writer.flush().unwrap();
    let position = writer.position();
    writer.write_draw(&statistics(-9.0), &[9.0]).unwrap();
    drop(writer);
    let mut writer =
        DrawsWriter::resume(&path, &header, &columns, Digits::Shortest, position).unwrap();
    assert_eq!(writer.position(), position);
    writer.write_draw(&statistics(-2.0), &[2.0]).unwrap();
    writer
        .finish(Elapsed {
            warmup: 0.0,
            sampling: 0.0,
        })
        .unwrap();
    let chain = read_draws_csv(&path).unwrap();
    assert_eq!(chain.column("a"), Some(&[1.0, 2.0][..]));
    assert!(DrawsWriter::resume(&path, &header, &columns, Digits::Shortest, 1 << 30).is_err());
    std::fs::remove_file(&path).unwrap();
}

const SHORT: &str = "# model = m\nlp__,a,b.1\n-1,1,2\n-2,3,4\n";

#[test]
fn cut_off_files_keep_their_whole_rows() {
    let chain = parse(&SHORT[..SHORT.len() - 1]).unwrap();
    assert_eq!(
        (chain.sample.rows, chain.cut_off_at),
        (1, Some(4)),
        "a digit of the last field may be lost"
    );
    assert_eq!(parse(SHORT).unwrap().cut_off_at, None);
    assert!(matches!(
        parse("# model = m\nlp__,a").unwrap_err().problem,
        FileProblem::NoColumnLine
    ));
    let saved = "# sample\n#   num_warmup = 3\n#   save_warmup = true\n#   thin = 2\nlp__,a\n-1,1\n-1,2\n-1,3\n";
    let chain = parse(saved).unwrap();
    assert_eq!((chain.warmup.rows, chain.sample.rows), (2, 1));
    assert_eq!(chain.warmup.draws, [1.0, 2.0]);
}

#[test]
fn errors_name_file_and_line() {
    let error = parse("lp__,a\n1,2\n1,2,3\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "m-1.csv, line 3: this row has 3 fields, but there are 2 columns"
    );
    let error = parse("lp__,a\n1,x\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "m-1.csv, line 2: `x` in column `a` is not a number"
    );
    let error = parse("{\n  \"J\": 8\n}\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "m-1.csv, line 1: this is no CSV file of draws: the names of its columns should stand here, not `{`"
    );
    assert!(matches!(
        parse("").unwrap_err().problem,
        FileProblem::NoColumnLine
    ));
    assert!(
        read_draws_csv(Path::new("no-such.csv"))
            .unwrap_err()
            .to_string()
            .starts_with("no-such.csv: ")
    );
}

#[test]
fn files_of_different_runs_do_not_mix() {
    let folder = std::env::temp_dir().join(format!("hlm-chains-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let paths = ["1", "2", "3"].map(|name| folder.join(name));
    for (path, text) in paths.iter().zip([SHORT, SHORT, "lp__,a\n-1,1\n"]) {
        std::fs::write(path, text).unwrap();
    }
    assert_eq!(read_chains(&paths[..2]).unwrap().len(), 2);
    let error = read_chains(&paths).unwrap_err();
    assert_eq!(error.path, paths[2]);
    assert!(
        error
            .to_string()
            .ends_with("it has no column where that has `b.1`"),
        "{error}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

proptest! {
    #[test]
    fn draws_survive_writing_and_reading(
        rows in prop::collection::vec(prop::collection::vec(any::<f64>(), 3), 0..20), warmup in 0usize..20,
    ) {
        let disk = Disk::new();
        let mut writer = start(&disk, &SampleHeader::default(), &["a", "b.1", "b.2"]);
        let warmup = warmup.min(rows.len());
        for (place, row) in rows.iter().enumerate() {
            if place == warmup {
                writer.write_adaptation(0.1, &InverseMetric::Unit).unwrap();
            }
            writer.write_draw(&statistics(row[0]), row).unwrap();
        }
        if warmup == rows.len() {
            writer.write_adaptation(0.1, &InverseMetric::Unit).unwrap();
        }
        writer.finish(Elapsed { warmup: 1.0, sampling: 2.0 }).unwrap();
        let chain = parse(&disk.text()).unwrap();
        prop_assert_eq!(chain.warmup.rows, warmup);
        let same = |x: f64, y: f64| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan());
        for (place, row) in rows.iter().enumerate() {
            let (block, place) = if place < warmup { (&chain.warmup, place) } else { (&chain.sample, place - warmup) };
            for (column, &value) in row.iter().enumerate() {
                prop_assert!(same(block.draws[column * block.rows + place], value));
            }
            prop_assert!(same(block.sampler[place], row[0]));
        }
    }

    #[test]
    fn mutated_files_are_read_or_refused_without_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let disk = Disk::new();
        let mut writer = start(&disk, &SampleHeader::default(), &["a", "b.1"]);
        writer.write_adaptation(0.1, &InverseMetric::Dense(vec![vec![1.0, 0.0], vec![0.0, 1.0]])).unwrap();
        writer.write_draw(&statistics(1.0), &[1.0, 2.0]).unwrap();
        writer.finish(Elapsed { warmup: 1.0, sampling: 2.0 }).unwrap();
        let mut bytes = disk.bytes.borrow().clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = parse_draws_csv(bytes.as_slice(), Path::new("x"));
        bytes.truncate(cut.index(bytes.len()));
        let _ = parse_draws_csv(bytes.as_slice(), Path::new("x"));
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_draws_csv(bytes.as_slice(), Path::new("x"));
    }
}
