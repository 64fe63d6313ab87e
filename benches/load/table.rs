//! What was measured, as a table.

use std::{fmt, fs, path::PathBuf};

/// The table.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

/// One line of it.
pub struct Row {
    /// The requirement.
    pub id: &'static str,
    /// What was measured.
    pub what: String,
    /// What came out.
    pub measured: String,
    /// What it was measured against.
    pub limit: String,
    /// The target.
    pub target: &'static str,
    /// The ratio, or the figure in the target's unit.
    pub result: String,
    /// Whether the target is reached.
    pub reached: bool,
}

impl Table {
    /// Adds a line, and says it.
    pub fn add(&mut self, row: Row) {
        println!("{:<7} {}: {} against {}: {}", row.id, row.what, row.measured, row.limit, row.result);
        self.rows.push(row);
    }

    /// Writes the table beside what was built.
    pub fn write(&self) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("bench");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("table.md");
        fs::write(&path, self.to_string()).unwrap();
        path
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | what | measured | against | target | result | |")?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for row in &self.rows {
            let mark = if row.reached { "reached" } else { "**missed**" };
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} | {mark} |",
                row.id, row.what, row.measured, row.limit, row.target, row.result
            )?;
        }
        Ok(())
    }
}

/// The middle of some figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The figure that this share of the figures does not exceed.
pub fn percentile(mut figures: Vec<f64>, share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let at = (figures.len() as f64 * share).ceil() as usize;
    figures[at.clamp(1, figures.len()) - 1]
}
