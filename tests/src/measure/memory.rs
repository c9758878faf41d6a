//! A process's memory, as Linux tells it.

/// What it holds now. Bytes.
pub fn held(process: u32) -> f64 {
    status(process, "VmRSS:")
}

/// The most that it has held since its start. Bytes.
pub fn peak(process: u32) -> f64 {
    status(process, "VmHWM:")
}

fn status(process: u32, name: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process lives");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    number.expect("Linux tells a process's memory") * 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_never_held_more_than_its_peak() {
        let me = std::process::id();
        let taken = std::hint::black_box(vec![1_u8; 64 << 20]);
        let now = held(me);
        assert!(now >= taken.len() as f64 && now <= peak(me) + 4096.0 * 64.0, "{now}");
    }
}
