//! What came of it, as pictures.

mod chart;
mod figure;
mod labels;
mod scale;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::report::Report;
use chart::Chart;
use figure::FIGURES;

/// Draws what the report has figures for, into a folder that is there. Returns the names of the files.
pub fn draw_all(report: &Report, directory: &Path) -> Result<Vec<&'static str>> {
    let mut drawn = Vec::new();
    for figure in FIGURES {
        let Some(chart) = Chart::of(figure, report) else { continue };
        let path = directory.join(figure.file);
        fs::write(&path, chart.svg()?).with_context(|| format!("{}", path.display()))?;
        drawn.push(figure.file);
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::chart::Chart;
    use super::figure::FIGURES;
    use crate::report::tests::example;

    fn svg(file: &str) -> Option<String> {
        let figure = FIGURES.iter().find(|figure| figure.file == file).unwrap();
        Chart::of(figure, &example()).map(|chart| chart.svg().unwrap())
    }

    #[test]
    fn a_plot_names_its_lines_units_and_ratios() {
        let svg = svg("threads.svg").unwrap();
        for text in ["dynring", "fast", "slow", "million records a second", "64 B", "512 B", "2.00x", "a processor"] {
            assert!(svg.contains(text), "{text} is not in it");
        }
    }

    #[test]
    fn a_plot_of_dynring_alone_says_how_it_grows() {
        let svg = svg("growth.svg").unwrap();
        for text in ["ring", "64 KiB", "1 MiB", "1.00x", "1.30x"] {
            assert!(svg.contains(text), "{text} is not in it");
        }
    }

    #[test]
    fn what_was_not_measured_is_not_drawn() {
        assert_eq!(svg("processes.svg"), None);
    }

    #[test]
    fn nothing_is_painted_behind_a_plot() {
        assert!(!svg("threads.svg").unwrap().contains("#FFFFFF"));
    }
}
