//! What came of it, for people.

use comfy_table::{CellAlignment, Table, presets};

use crate::report::{CaseReport, GoalReport, PeerReport};

impl CaseReport {
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        let baseline = self.baseline.as_ref().map(|name| format!("to {name}"));
        let mut head = vec![self.name.as_str(), self.unit.as_str(), "quartiles", "to best"];
        head.extend(baseline.as_deref());
        head.extend(self.moves.map(|_| "GB/s"));
        table.set_header(head);
        for peer in &self.peers {
            table.add_row(self.row(peer));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    fn row(&self, peer: &PeerReport) -> Vec<String> {
        let quartiles = format!("{:.2} - {:.2}", peer.lower_quartile, peer.upper_quartile);
        let mut row = vec![peer.name.clone(), format!("{:.2}", peer.median), quartiles, format!("{:.2}", peer.to_best)];
        row.extend(peer.to_baseline.map(|ratio| format!("{ratio:.2}")));
        row.extend(self.moves.map(|bytes| format!("{:.2}", bytes as f64 / peer.median)));
        row
    }

    pub fn goal_lines(&self) -> impl Iterator<Item = String> + '_ {
        self.goals.iter().map(|goal| {
            let GoalReport { peer, at_most, ratio, .. } = goal;
            let (others, word) = (goal.others_in_words(), if goal.met { "met   " } else { "MISSED" });
            format!("  {word}  {peer} to {others}: {ratio:.2}; no more than {at_most} is wanted")
        })
    }

    /// The form in which all that is skipped is reported.
    pub fn skipped_lines(&self) -> impl Iterator<Item = String> + '_ {
        self.skipped.iter().map(|skipped| format!("skipped: {}: {}: {}", self.name, skipped.peer, skipped.why))
    }
}

impl GoalReport {
    pub fn others_in_words(&self) -> String {
        if self.others.len() > 2 { "the best of the others".to_owned() } else { self.others.join(" or ") }
    }
}

#[cfg(test)]
mod tests {
    use crate::report::tests::example;

    #[test]
    fn a_row_says_time_spread_ratios_and_bytes_a_second() {
        let report = example();
        let rings = report.cases("growth", "ring").next().unwrap();
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let table = rings.table().to_string();
        let lines: Vec<_> = table.lines().map(cells).collect();
        assert_eq!(lines[0][1..7], ["ring", "ns a record", "quartiles", "to best", "to 64 KiB", "GB/s"]);
        assert_eq!(lines[3][1..7], ["1 MiB", "13.00", "13.00 - 13.00", "1.30", "1.30", "4.92"]);
    }

    #[test]
    fn a_goal_is_met_or_missed() {
        let report = example();
        let line = |group, kind| report.cases(group, kind).next().unwrap().goal_lines().next().unwrap();
        assert_eq!(line("threads", "to one"), "  met     dynring to slow or fast: 0.50; no more than 0.5 is wanted");
        assert_eq!(line("growth", "ring"), "  MISSED  1 MiB to 64 KiB: 1.30; no more than 1.25 is wanted");
    }

    #[test]
    fn what_is_skipped_is_said() {
        let report = example();
        let rings = report.cases("growth", "ring").next().unwrap();
        assert_eq!(rings.skipped_lines().collect::<Vec<_>>(), ["skipped: ring: 1 GiB: memory: too little"]);
    }
}
