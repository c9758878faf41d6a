//! `cargo bench --package holdfast-document-bench`: measures natively and prints Markdown.

use std::process::ExitCode;

use holdfast_document_bench::{jobs, sizes, table, timing::Job};

const USAGE: &str = "\
usage: document [WORDS] [--samples 31]
       document WORDS --repeat holdfast|automerge TIMES

WORDS    Only the jobs whose name has these words in it.
--repeat Does a job so often and prints nothing, for a profiler to watch.";

#[derive(Default)]
struct Options {
    words: String,
    samples: Option<usize>,
    repeat: Option<(String, usize)>,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let mut jobs = jobs::all();
    jobs.retain(|job| job.name.contains(&options.words));
    if let Some((side, times)) = &options.repeat {
        for job in &mut jobs {
            repeat(job, side, *times);
        }
        return ExitCode::SUCCESS;
    }
    let mut timings = Vec::with_capacity(jobs.len());
    for job in &mut jobs {
        eprintln!("{}", job.name);
        timings.push((job.name, job.measure(options.samples.unwrap_or(31))));
    }
    println!("{}", table::markdown(&timings, &sizes::all()));
    ExitCode::SUCCESS
}

fn repeat(job: &mut Job, side: &str, times: usize) {
    match side {
        "automerge" => job.automerge.repeat(times),
        _ => job.holdfast.repeat(times),
    }
}

fn options() -> Option<Options> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo passes it to every benchmark.
            "--bench" => {}
            "--samples" => options.samples = Some(arguments.next()?.parse().ok().filter(|samples| *samples > 0)?),
            "--repeat" => options.repeat = Some((arguments.next()?, arguments.next()?.parse().ok()?)),
            words if !words.starts_with('-') && options.words.is_empty() => words.clone_into(&mut options.words),
            _ => return None,
        }
    }
    Some(options)
}
