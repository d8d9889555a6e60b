//! How numbers are written.

/// In binary units.
pub fn bytes(value: u64) -> String {
    match value.checked_ilog2().unwrap_or(0) / 10 {
        0 => format!("{value} B"),
        1 => format!("{} KiB", value >> 10),
        2 => format!("{} MiB", value >> 20),
        _ => format!("{} GiB", value >> 30),
    }
}

/// Two digits that count, and no zeros behind the point.
pub fn number(value: f64) -> String {
    let decimals = (1.0 - value.log10().floor()).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{bytes, number};

    #[test]
    fn bytes_are_counted_in_binary_units() {
        let written = [8, 1 << 10, 64 << 10, 8 << 20, 1 << 30].map(bytes);
        assert_eq!(written, ["8 B", "1 KiB", "64 KiB", "8 MiB", "1 GiB"]);
    }

    #[test]
    fn numbers_have_no_more_digits_than_they_need() {
        assert_eq!([0.005, 0.5, 1.0, 2.2, 200.0].map(number), ["0.005", "0.5", "1", "2.2", "200"]);
    }
}
