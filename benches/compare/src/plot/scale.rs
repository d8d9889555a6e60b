//! Logarithmic scales, and what is written at them.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use super::figure::{X, Y};
use crate::units::bytes;

/// Where equal ratios are equally far from each other.
pub struct Logarithmic {
    pub low: f64,
    pub high: f64,
    /// Where something is written.
    pub marks: Vec<f64>,
}

impl Ranged for Logarithmic {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let part = (value / self.low).ln() / (self.high / self.low).ln();
        first + (f64::from(last - first) * part).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.marks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// What plotters asks of a scale.
impl From<Logarithmic> for Range<f64> {
    fn from(scale: Logarithmic) -> Self {
        scale.low..scale.high
    }
}

impl X {
    pub fn label(self) -> &'static str {
        match self {
            Self::Bytes => "payload of a record",
            Self::Producers => "producers",
            Self::Ring => "size of the ring",
            Self::Idle => "idle producers",
        }
    }

    pub fn mark(self, value: f64) -> String {
        let value = value as u64;
        match self {
            Self::Bytes | Self::Ring => bytes(value),
            Self::Producers | Self::Idle => value.to_string(),
        }
    }
}

impl Y {
    pub fn label(self) -> &'static str {
        match self {
            Self::Rate => "million records a second (higher is better)",
            Self::Nanoseconds => "nanoseconds (lower is better)",
            Self::Times => "times as long as at the left (lower is better)",
        }
    }

    pub fn higher_is_better(self) -> bool {
        self == Self::Rate
    }
}

/// The round numbers from `low` to `high` that are worth a mark: 1, 2 and 5 times each power of ten.
pub fn marks(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let all = (first..=last).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(power)));
    all.filter(|mark| (low * 0.999..=high * 1.001).contains(mark)).collect()
}

#[cfg(test)]
mod tests {
    use plotters::coord::ranged1d::Ranged;

    use super::{Logarithmic, X, marks};

    #[test]
    fn marks_are_round_numbers_within_the_range() {
        assert_eq!(marks(0.9, 12.0), [1.0, 2.0, 5.0, 10.0]);
        assert_eq!(marks(100.0, 500.0), [100.0, 200.0, 500.0]);
    }

    #[test]
    fn bytes_are_marked_in_binary_units_and_producers_are_counted() {
        assert_eq!(X::Bytes.mark(8.0), "8 B");
        assert_eq!(X::Ring.mark(65_536.0), "64 KiB");
        assert_eq!(X::Ring.mark(1_073_741_824.0), "1 GiB");
        assert_eq!(X::Idle.mark(1024.0), "1024");
    }

    #[test]
    fn equal_ratios_are_equally_far_apart() {
        let scale = Logarithmic { low: 1.0, high: 10_000.0, marks: vec![1.0, 100.0] };
        assert_eq!([1.0, 10.0, 100.0, 10_000.0].map(|value| scale.map(&value, (0, 400))), [0, 100, 200, 400]);
    }
}
