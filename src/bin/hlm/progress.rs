//! The progress of chains: bars on a terminal, now and then a line elsewhere.
//!
//! Chains only count; a thread of its own looks at the counts ten times a second, so that a run of a few milliseconds
//! pays nothing and is not waited for.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hlm::run::{Progress, Transition};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::screen;

/// Time between two looks: fast enough for the eye.
const GLANCE: Duration = Duration::from_millis(100);

/// Where there are no bars, a chain is heard of at most this often …
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// … and only when so many percent further.
const LINE_STEP: usize = 10;

/// How long a chain runs before the time that it needs is guessed at.
const FIRST_ESTIMATE: Duration = Duration::from_secs(1);

/// Counts what chains do.
pub struct Tally {
    first_chain: u64,
    /// Transitions of a chain, and how many of them are warmup.
    total: usize,
    warmup: usize,
    begin: Instant,
    chains: Vec<Counts>,
    bars: Option<Bars>,
}

#[derive(Default)]
struct Counts {
    done: AtomicUsize,
    divergences: AtomicUsize,
}

struct Bars {
    group: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Tally {
    /// Counts for `chains` chains from number `first_chain`, with bars if standard error is a terminal.
    pub fn new(first_chain: u64, chains: usize, warmup: usize, draws: usize) -> Tally {
        let total = warmup + draws;
        Tally {
            first_chain,
            total,
            warmup,
            begin: Instant::now(),
            chains: (0..chains).map(|_| Counts::default()).collect(),
            bars: stderr()
                .is_terminal()
                .then(|| Bars::new(first_chain, chains, total)),
        }
    }

    /// Runs `work` while showing progress.
    pub fn watch<T>(&self, work: impl FnOnce() -> T) -> T {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let watcher = scope.spawn(|| self.show_until(&is_over));
            let result = work();
            is_over.store(true, Ordering::Release);
            watcher.thread().unpark();
            result
        })
    }

    fn show_until(&self, is_over: &AtomicBool) {
        let mut heard = vec![(0, self.begin); self.chains.len()];
        loop {
            thread::park_timeout(GLANCE);
            if is_over.load(Ordering::Acquire) {
                break;
            }
            match &self.bars {
                Some(bars) => self.draw(bars),
                None => self.say(&mut heard),
            }
        }
        // Even the shortest run shows its bars once, full.
        if let Some(bars) = &self.bars {
            self.draw(bars);
            bars.bars.iter().for_each(ProgressBar::abandon);
        }
    }

    fn draw(&self, bars: &Bars) {
        for (counts, bar) in self.chains.iter().zip(&bars.bars) {
            let done = counts.done.load(Ordering::Relaxed);
            bar.set_message(self.state(counts, done));
            bar.set_position(done as u64);
        }
    }

    fn say(&self, heard: &mut [(usize, Instant)]) {
        let now = Instant::now();
        let chains = self.chains.iter().zip(heard).zip(self.first_chain..);
        for ((counts, (percent, when)), chain) in chains {
            let done = counts.done.load(Ordering::Relaxed);
            let reached = 100 * done / self.total.max(1);
            if reached >= *percent + LINE_STEP && now - *when >= LINE_INTERVAL {
                (*percent, *when) = (reached, now);
                screen::note(&format!(
                    "chain {chain}: {done} of {} ({reached}%), {}",
                    self.total,
                    self.state(counts, done)
                ));
            }
        }
    }

    fn state(&self, counts: &Counts, done: usize) -> String {
        let phase = match done {
            0 => "starting",
            done if done == self.total => "done",
            done if done <= self.warmup => "warmup",
            _ => "sampling",
        };
        let mut state = phase.to_string();
        let divergences = counts.divergences.load(Ordering::Relaxed);
        if divergences > 0 {
            state.push_str(&format!(", {divergences} divergent"));
        }
        let elapsed = self.begin.elapsed();
        if (1..self.total).contains(&done) && elapsed >= FIRST_ESTIMATE {
            // As if all transitions cost the same; chains that waited for a thread have later beginnings.
            let left = elapsed.mul_f64((self.total - done) as f64 / done as f64);
            let left = Duration::from_secs(left.as_secs() + 1);
            state.push_str(&format!(", about {} left", screen::rough(left)));
        }
        state
    }
}

impl Progress for Tally {
    fn transition(&self, transition: &Transition) {
        let counts = &self.chains[(transition.chain - self.first_chain) as usize];
        counts.done.store(transition.done, Ordering::Relaxed);
        // Divergences of warmup are part of tuning and mean nothing for the draws.
        if transition.divergent && !transition.warmup {
            counts.divergences.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn printed(&self, _chain: u64, text: &str) {
        // What the model prints is a result; if nobody reads it, the draws still count.
        let print = || {
            let _ = screen::print(text);
        };
        match &self.bars {
            Some(bars) => bars.group.suspend(print),
            None => print(),
        }
    }
}

impl Bars {
    fn new(first_chain: u64, chains: usize, total: usize) -> Bars {
        let group = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let template = "{prefix} {bar:30} {pos:>5}/{len} {msg}";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸ ");
        let bar = |chain: u64| {
            let bar = group.add(ProgressBar::new(total as u64));
            bar.set_style(style.clone());
            bar.set_prefix(format!("chain {chain}"));
            bar
        };
        let bars = (first_chain..).take(chains).map(bar).collect();
        Bars { group, bars }
    }
}
