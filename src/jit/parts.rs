//! Runs a loop in parts: one after another, or on several threads; the sums come together in the order of the parts.

use super::layout::{Layout, Line, Place, SCALAR};
use super::parallel::Parallel;
use super::partition::Partition;
use super::runtime::Frame;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Compiled code: returns 0, or one more than the number of the site at which it stopped.
pub(super) type Entry = unsafe extern "C" fn(*mut Frame) -> u64;

/// Threads that chains may run the parts of long loops on, beside their own.
///
/// They are shared: clones are the same threads. Results do not depend on how many there are.
#[derive(Clone, Debug)]
pub struct Threads {
    pool: Arc<ThreadPool>,
    per_chain: usize,
}

/// The operating system gave no threads.
#[derive(Debug)]
pub struct ThreadsError(rayon::ThreadPoolBuildError);

impl fmt::Display for ThreadsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "threads within chains cannot be started: {}", self.0)
    }
}

impl std::error::Error for ThreadsError {}

impl Threads {
    /// The threads for `chains` chains at once, each of which then computes on `per_chain`, its own among them; none for one
    /// thread per chain.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn start(per_chain: usize, chains: usize) -> Result<Option<Threads>, ThreadsError> {
        let others = per_chain.saturating_sub(1).saturating_mul(chains);
        if others == 0 {
            return Ok(None);
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(others)
            .thread_name(|number| format!("part {number}"))
            .build()
            .map_err(ThreadsError)?;
        Ok(Some(Threads {
            pool: Arc::new(pool),
            per_chain,
        }))
    }
}

/// A loop in parts, ready to run.
#[derive(Debug)]
pub(super) struct Parts {
    entry: Entry,
    rounds: Vec<Range<i64>>,
    /// The lines of a part's memory that are zero when it begins.
    zeroed: Range<usize>,
    merges: Vec<Merge>,
}

/// Numbers of a part that are added to the procedure's.
#[derive(Debug)]
struct Merge {
    to: Place,
    /// The first, in scalars from the start of a part's memory.
    from: usize,
    count: usize,
}

impl Parts {
    /// What a parallel loop comes to in memory. `slots` is the arena's byte where slots of cells begin.
    pub fn new(
        entry: Entry,
        parallel: &Parallel,
        layout: &Layout,
        partition: &Partition,
        slots: usize,
        len: impl Fn(usize) -> usize,
    ) -> Parts {
        let sums = parallel.sums.iter().filter_map(|(cell, from)| {
            // A sum without a slot is one that nothing reads.
            let slot = partition.cell_slots[cell.0 as usize]?;
            Some(Merge {
                to: Place::Arena(slots + slot * SCALAR),
                from: from / SCALAR,
                count: 1,
            })
        });
        let tables = parallel.tables.iter().map(|(buffer, from)| Merge {
            to: layout.places[buffer.0 as usize],
            from: from / SCALAR,
            count: len(buffer.0 as usize),
        });
        let line = |byte: usize| byte / size_of::<Line>();
        Parts {
            entry,
            rounds: parallel.parts.clone(),
            zeroed: line(parallel.zeroed.start)..line(parallel.zeroed.end),
            merges: sums.chain(tables).collect(),
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.rounds.len()
    }

    /// The lines of a part's memory, without the blocks that its loop keeps.
    pub fn lines(&self) -> usize {
        self.zeroed.end
    }

    /// Runs all parts and adds up what they summed; else returns the status of the first that stopped, with the operands of
    /// its message at the start of the arena. `own` is the memory of one part if there are no threads, else of each.
    ///
    /// # Safety
    /// As of the entry: the frame is that of a run in progress, and a part's memory holds `own_lines` lines.
    pub unsafe fn run(
        &self,
        frame: &Frame,
        threads: Option<&Threads>,
        own: &mut [Line],
        own_lines: usize,
    ) -> u64 {
        let Some(threads) = threads else {
            for part in 0..self.count() {
                // SAFETY: the caller's.
                let status = unsafe { self.part(part, frame, own) };
                if status != 0 {
                    return self.stopped(frame, own, status);
                }
                // SAFETY: the caller's.
                unsafe { self.merge(frame, own) };
            }
            return 0;
        };
        let statuses: Vec<AtomicU64> = self.rounds.iter().map(|_| AtomicU64::new(0)).collect();
        let shared = Shared {
            frame: *frame,
            own: own.as_mut_ptr(),
        };
        let next = AtomicUsize::new(0);
        let work = || {
            let shared = &shared;
            loop {
                let part = next.fetch_add(1, Ordering::Relaxed);
                let Some(status) = statuses.get(part) else {
                    return;
                };
                // SAFETY: the memories of parts lie one after another, and no other thread takes this part.
                let own = unsafe {
                    std::slice::from_raw_parts_mut(shared.own.add(part * own_lines), own_lines)
                };
                // SAFETY: the caller's; what parts write besides their own memory is apart from one another.
                status.store(
                    unsafe { self.part(part, &shared.frame, own) },
                    Ordering::Relaxed,
                );
            }
        };
        let helpers = threads.per_chain.min(self.count()) - 1;
        threads.pool.in_place_scope(|scope| {
            (0..helpers).for_each(|_| scope.spawn(|_| work()));
            work();
        });
        for (status, own) in statuses.iter().zip(own.chunks(own_lines)) {
            match status.load(Ordering::Relaxed) {
                // SAFETY: the caller's.
                0 => unsafe { self.merge(frame, own) },
                status => return self.stopped(frame, own, status),
            }
        }
        0
    }

    /// # Safety
    /// As of the entry.
    unsafe fn part(&self, part: usize, frame: &Frame, own: &mut [Line]) -> u64 {
        own[self.zeroed.clone()].fill(Line([0; 8]));
        let mut frame = Frame {
            own: own.as_mut_ptr(),
            from: self.rounds[part].start,
            to: self.rounds[part].end,
            ..*frame
        };
        // SAFETY: the caller's.
        unsafe { (self.entry)(&mut frame) }
    }

    /// Adds a part's numbers to the procedure's.
    ///
    /// # Safety
    /// The frame is that of a run in progress.
    unsafe fn merge(&self, frame: &Frame, own: &[Line]) {
        for merge in &self.merges {
            // SAFETY: a line is eight scalars, and the part's memory holds all of its numbers.
            let from = unsafe {
                let scalars = own.as_ptr().cast::<f64>();
                std::slice::from_raw_parts(scalars.add(merge.from), merge.count)
            };
            // SAFETY: the layout's places are inside the arena and the outputs.
            let to = unsafe {
                let start = match merge.to {
                    Place::Arena(at) => frame.arena.cast::<f64>().add(at / SCALAR),
                    Place::Output(number) => *frame.outputs.add(number as usize),
                    Place::Constant(_) | Place::Input(_) => continue,
                };
                std::slice::from_raw_parts_mut(start, merge.count)
            };
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
    }

    #[cold]
    fn stopped(&self, frame: &Frame, own: &[Line], status: u64) -> u64 {
        let operands = &own[..self.zeroed.start];
        // SAFETY: the arena begins with as many lines for operands as a part's memory does.
        unsafe { std::slice::from_raw_parts_mut(frame.arena, operands.len()) }
            .copy_from_slice(operands);
        status
    }
}

/// What the threads of a loop share.
struct Shared {
    frame: Frame,
    own: *mut Line,
}

// SAFETY: each thread writes to the memory of the parts that it took, and to elements that belong to the rounds of these.
unsafe impl Sync for Shared {}
