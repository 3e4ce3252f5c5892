//! Writes a chain's file while the draws are made.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::number::push_number;
use super::{Algorithm, Digits, Elapsed, InverseMetric, SAMPLER_COLUMNS, SampleHeader};
use crate::io::FileError;

/// Text is handed to the system at the latest when so much has gathered: a few system calls per megabyte (a guess).
const FLUSH_BYTES: usize = 1 << 16;

/// … or when the last time is so long ago, so that a killed run loses little and others can watch the file.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// … or at once when draws come this slowly: a system call costs a few microseconds, a lost draw costs this much.
const SLOW_DRAW: Duration = Duration::from_millis(1);

/// What the sampler reports of one iteration, in the order of [`SAMPLER_COLUMNS`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplerStatistics {
    /// Log density of the draw, up to a constant.
    pub lp: f64,
    /// Mean Metropolis acceptance probability over the trajectory.
    pub accept_stat: f64,
    /// Step size ε.
    pub step_size: f64,
    /// Depth of the trajectory's tree.
    pub tree_depth: usize,
    /// Leapfrog steps (gradient evaluations).
    pub leapfrog_steps: usize,
    /// Whether the trajectory diverged.
    pub divergent: bool,
    /// The Hamiltonian at the draw: −lp plus kinetic energy.
    pub energy: f64,
}

/// Writes one chain. Dropping it hands over what has gathered; only [`finish`](DrawsWriter::finish) and
/// [`flush`](DrawsWriter::flush) can report that this failed.
///
/// After an error nothing is lost: the text stays in memory and goes out with the next call that succeeds.
#[derive(Debug)]
pub struct DrawsWriter<W: Write = File> {
    out: W,
    path: PathBuf,
    digits: Digits,
    sampler_columns: usize,
    columns: usize,
    /// Text not yet handed over, always up to the end of a line.
    pending: Vec<u8>,
    handed_over: u64,
    last_flush: Instant,
    last_draw: Instant,
}

impl DrawsWriter<File> {
    /// Creates the file (an existing one is overwritten) with its header and the column line.
    ///
    /// `columns` names one variable element each, as `theta.1.2`.
    pub fn create(
        path: &Path,
        header: &SampleHeader,
        columns: &[String],
        digits: Digits,
    ) -> Result<DrawsWriter, FileError> {
        let file = File::create(path).map_err(|error| FileError::system(path, error))?;
        DrawsWriter::start(file, path, header, columns, digits)
    }

    /// Reopens the file of an interrupted run to go on after its first `position` bytes (see
    /// [`position`](DrawsWriter::position)); what follows them is cut off. Header and columns must be those it was
    /// created with.
    pub fn resume(
        path: &Path,
        header: &SampleHeader,
        columns: &[String],
        digits: Digits,
        position: u64,
    ) -> Result<DrawsWriter, FileError> {
        let reopen = || -> io::Result<File> {
            let mut file = OpenOptions::new().write(true).open(path)?;
            if file.metadata()?.len() < position {
                let problem = format!(
                    "the file is shorter than the {position} bytes that the checkpoint knows of"
                );
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
            }
            file.set_len(position)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = reopen().map_err(|error| FileError::system(path, error))?;
        let mut writer = DrawsWriter::new(file, path, header, columns, digits);
        writer.handed_over = position;
        Ok(writer)
    }
}

impl<W: Write> DrawsWriter<W> {
    /// Writes header and column line to `out`; `path` names it in errors.
    pub fn start(
        out: W,
        path: &Path,
        header: &SampleHeader,
        columns: &[String],
        digits: Digits,
    ) -> Result<DrawsWriter<W>, FileError> {
        let mut writer = DrawsWriter::new(out, path, header, columns, digits);
        writer
            .pending
            .extend_from_slice(header.to_text().as_bytes());
        let names = SAMPLER_COLUMNS[..writer.sampler_columns].iter().copied();
        let names: Vec<&str> = names.chain(columns.iter().map(String::as_str)).collect();
        writer.push_line(&names.join(","));
        writer.flush()?;
        Ok(writer)
    }

    fn new(
        out: W,
        path: &Path,
        header: &SampleHeader,
        columns: &[String],
        digits: Digits,
    ) -> DrawsWriter<W> {
        let sampler_columns = match header.algorithm {
            Algorithm::Nuts { .. } => SAMPLER_COLUMNS.len(),
            Algorithm::FixedParam => 2,
        };
        let now = Instant::now();
        DrawsWriter {
            out,
            path: path.to_path_buf(),
            digits,
            sampler_columns,
            columns: columns.len(),
            pending: Vec::new(),
            handed_over: 0,
            last_flush: now,
            last_draw: now,
        }
    }

    /// One row. `values` are in the order of the columns; a warmup draw is a row before the adaptation block.
    pub fn write_draw(
        &mut self,
        statistics: &SamplerStatistics,
        values: &[f64],
    ) -> Result<(), FileError> {
        debug_assert_eq!(values.len(), self.columns, "one value per column");
        let leading = [
            statistics.lp,
            statistics.accept_stat,
            statistics.step_size,
            statistics.tree_depth as f64,
            statistics.leapfrog_steps as f64,
            f64::from(u8::from(statistics.divergent)),
            statistics.energy,
        ];
        self.push_numbers(leading[..self.sampler_columns].iter().chain(values), ",");
        let now = Instant::now();
        let is_slow = now - self.last_draw >= SLOW_DRAW;
        self.last_draw = now;
        if is_slow || self.pending.len() >= FLUSH_BYTES || now - self.last_flush >= FLUSH_INTERVAL {
            self.flush()?;
        }
        Ok(())
    }

    /// The block between warmup and sampling. Readers count its lines, so nothing may be added to it.
    pub fn write_adaptation(
        &mut self,
        step_size: f64,
        metric: &InverseMetric,
    ) -> Result<(), FileError> {
        self.push_line("# Adaptation terminated");
        self.pending.extend_from_slice(b"# Step size = ");
        self.push_numbers([step_size].iter(), "");
        match metric {
            InverseMetric::Unit => self.push_line("# No free parameters for unit metric"),
            InverseMetric::Diagonal(variances) => {
                self.push_line("# Diagonal elements of inverse mass matrix:");
                self.pending.extend_from_slice(b"# ");
                self.push_numbers(variances.iter(), ", ");
            }
            InverseMetric::Dense(rows) => {
                self.push_line("# Elements of inverse mass matrix:");
                for row in rows {
                    self.pending.extend_from_slice(b"# ");
                    self.push_numbers(row.iter(), ", ");
                }
            }
        }
        self.flush()
    }

    /// Ends the file with the timing block, and hands everything over.
    pub fn finish(mut self, elapsed: Elapsed) -> Result<(), FileError> {
        let Elapsed { warmup, sampling } = elapsed;
        self.push_line("# ");
        self.push_line(&format!("#  Elapsed Time: {warmup:.3} seconds (Warm-up)"));
        self.push_line(&format!(
            "#                {sampling:.3} seconds (Sampling)"
        ));
        self.push_line(&format!(
            "#                {:.3} seconds (Total)",
            warmup + sampling
        ));
        self.push_line("# ");
        self.flush()
    }

    /// Hands over what has gathered. After an error it can be called again.
    pub fn flush(&mut self) -> Result<(), FileError> {
        self.last_flush = Instant::now();
        self.hand_over()
            .map_err(|error| FileError::system(&self.path, error))
    }

    /// Bytes written so far, those not yet handed over included: where [`resume`](DrawsWriter::resume) goes on, once
    /// [`flush`](DrawsWriter::flush) has succeeded.
    pub fn position(&self) -> u64 {
        self.handed_over + self.pending.len() as u64
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let mut done = 0;
        let result = loop {
            if done == self.pending.len() {
                break self.out.flush();
            }
            match self.out.write(&self.pending[done..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.pending.drain(..done);
        self.handed_over += done as u64;
        result
    }

    fn push_line(&mut self, line: &str) {
        self.pending.extend_from_slice(line.as_bytes());
        self.pending.push(b'\n');
    }

    fn push_numbers<'a>(&mut self, values: impl Iterator<Item = &'a f64>, separator: &str) {
        for (place, &value) in values.enumerate() {
            if place > 0 {
                self.pending.extend_from_slice(separator.as_bytes());
            }
            push_number(value, self.digits, &mut self.pending);
        }
        self.pending.push(b'\n');
    }
}

impl<W: Write> Drop for DrawsWriter<W> {
    fn drop(&mut self) {
        // Nobody is left to tell; `finish` and `flush` report.
        let _ = self.hand_over();
    }
}
