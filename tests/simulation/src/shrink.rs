//! The shortest run that still fails, found by leaving things out: delta debugging (Zeller and Hildebrandt 2002) over the
//! steps, then hubs, processes and devices.

use crate::step::{Run, Step};

/// Leaves out what a failure does not need. `fails` tells whether a run fails; it is asked at most `tries` times.
pub fn shrink(run: &Run, tries: usize, fails: impl Fn(&Run) -> bool) -> Run {
    let mut shrinking = Shrinking {
        best: run.clone(),
        left: tries,
        fails: &fails,
    };
    shrinking.steps();
    shrinking.hubs();
    shrinking.processes();
    shrinking.devices();
    shrinking.steps();
    shrinking.best
}

struct Shrinking<'a> {
    best: Run,
    left: usize,
    fails: &'a dyn Fn(&Run) -> bool,
}

impl Shrinking<'_> {
    fn accept(&mut self, candidate: Run) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let fails = (self.fails)(&candidate);
        if fails {
            self.best = candidate;
        }
        fails
    }

    fn with(&self, steps: Vec<Step>) -> Run {
        Run {
            steps,
            ..self.best.clone()
        }
    }

    fn steps(&mut self) {
        let mut size = self.best.steps.len().div_ceil(2).max(1);
        loop {
            let mut at = 0;
            let mut any = false;
            while at < self.best.steps.len() && self.left > 0 {
                let mut steps = self.best.steps.clone();
                steps.drain(at..(at + size).min(steps.len()));
                if self.accept(self.with(steps)) {
                    any = true;
                } else {
                    at += size;
                }
            }
            if self.left == 0 || (size == 1 && !any) {
                return;
            }
            size = (size / 2).max(1);
        }
    }

    /// Without each hub, from the last on.
    fn hubs(&mut self) {
        while self.best.hubs > 0 {
            let last = self.best.hubs;
            let steps = self.best.steps.iter().copied();
            let candidate = Run {
                hubs: last - 1,
                ..self.with(steps.filter(|step| step.hub() != Some(last)).collect())
            };
            if !self.accept(candidate) {
                return;
            }
        }
    }

    /// As one process.
    fn processes(&mut self) {
        if self.best.processes > 1 {
            self.accept(Run {
                processes: 1,
                ..self.best.clone()
            });
        }
    }

    /// Without each device in turn; those behind it move up.
    fn devices(&mut self) {
        for gone in (0..self.best.devices).rev() {
            if self.best.devices <= 1 {
                return;
            }
            let steps = self.best.steps.iter().filter(|step| step.device() != Some(gone));
            let steps = steps.map(|step| step.moved_up(gone)).collect();
            let candidate = Run {
                devices: self.best.devices - 1,
                ..self.with(steps)
            };
            self.accept(candidate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failure_does_not_need_is_left_out() {
        let steps: Vec<Step> = (0..40).map(|n| Step::Sync { device: n % 4 }).collect();
        let run = Run {
            devices: 4,
            page: 5,
            steps,
            ..Run::default()
        };
        // Two syncs of the same device fail, if it is not the first.
        let fails = |run: &Run| {
            (1..run.devices).any(|device| run.steps.iter().filter(|step| step.device() == Some(device)).count() > 1)
        };
        let least = shrink(&run, 1_000, fails);
        assert!(fails(&least));
        assert_eq!((least.devices, least.steps.len()), (2, 2));
    }
}
