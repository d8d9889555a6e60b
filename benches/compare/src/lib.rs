//! What measuring consists of, whatever is measured, and what becomes of it: rounds in turn, a report, tables, plots, the README.
//!
//! What is measured is the program's.

pub mod case;
#[path = "../../common/mod.rs"]
pub mod common;
pub mod machine;
pub mod measure;
pub mod plan;
pub mod plot;
pub mod readme;
pub mod report;
pub mod table;
pub mod units;
