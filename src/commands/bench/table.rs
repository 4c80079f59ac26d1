//! One table of what was measured, against what was wanted. This module must not measure.

use std::fmt;

#[derive(Default)]
pub struct Table(Vec<[String; 4]>);

impl Table {
    pub fn row(
        &mut self,
        what: impl Into<String>,
        got: impl Into<String>,
        wanted: &str,
        met: bool,
    ) {
        let (what, got) = (what.into(), got.into());
        let mark = if met { "yes" } else { "NO" };
        tell!("  {what}: {got} (wanted {wanted}: {mark})");
        self.0.push([what, got, wanted.into(), mark.into()]);
    }

    /// A figure that is only told.
    pub fn told(&mut self, what: impl Into<String>, got: impl Into<String>) {
        let (what, got) = (what.into(), got.into());
        tell!("  {what}: {got}");
        self.0.push([what, got, String::new(), String::new()]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | measured | wanted | met |\n|---|---|---|---|")?;
        for [what, got, wanted, met] in &self.0 {
            writeln!(f, "| {what} | {got} | {wanted} | {met} |")?;
        }
        Ok(())
    }
}
