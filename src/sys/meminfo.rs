//! `/proc/meminfo`.

/// Bytes that could be committed now without anything being killed, as the kernel estimates it; `None` if it does not say.
pub(crate) fn available() -> Option<u64> {
    available_in(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn available_in(meminfo: &str) -> Option<u64> {
    let kibibytes = |name: &str| -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_end_matches("kB").trim().parse().ok()
    };
    let free = kibibytes("MemAvailable:")?.saturating_add(kibibytes("SwapFree:").unwrap_or(0));
    Some(free.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_and_free_swap_are_added() {
        let meminfo = "MemTotal:       2048 kB\nMemAvailable:   1024 kB\nSwapFree:          1 kB\n";
        assert_eq!(available_in(meminfo), Some(1025 * 1024));
        assert_eq!(available_in("MemAvailable: 7 kB\n"), Some(7 * 1024));
        assert_eq!(available_in("MemTotal: 7 kB\n"), None);
        assert_eq!(available_in("MemAvailable: much\n"), None);
    }
}
