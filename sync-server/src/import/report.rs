//! Tells people how an import goes: on the terminal, and row by row in a file.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    time::{Duration, Instant},
};

use super::{Incident, Kind, Listener, TableSummary};

/// Writes refused rows and notes at once, warnings counted at the end of each table.
pub struct Reporter<W: Write> {
    terminal: W,
    file: Option<ReportFile>,
    /// Column and reason of the present table's warnings.
    warnings: BTreeMap<(String, String), u64>,
    started: Instant,
    told: Instant,
    /// Rows of the tables before the present one.
    done: u64,
    /// The first thing that went wrong with the file.
    trouble: Option<io::Error>,
}

enum ReportFile {
    Csv(Box<csv::Writer<File>>),
    JsonLines(BufWriter<File>),
}

impl<W: Write> Reporter<W> {
    /// Tells `terminal`, and writes every incident to `file`: CSV if it is named so, else a JSON object on each line.
    pub fn new(terminal: W, file: Option<&Path>) -> io::Result<Self> {
        let file = file.map(ReportFile::create).transpose()?;
        let now = Instant::now();
        Ok(Self {
            terminal,
            file,
            warnings: BTreeMap::new(),
            started: now,
            told: now,
            done: 0,
            trouble: None,
        })
    }

    /// The table of what became of all rows.
    pub fn finish(mut self, summaries: &[TableSummary]) -> io::Result<()> {
        if let Some(ReportFile::Csv(file)) = &mut self.file {
            file.flush()?;
        }
        if let Some(ReportFile::JsonLines(file)) = &mut self.file {
            file.flush()?;
        }
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        write!(self.terminal, "{}", table(summaries, self.started.elapsed()))
    }

    fn line(&mut self, text: &str) {
        // A terminal that is gone stops no import.
        let _ = writeln!(self.terminal, "{text}");
    }
}

impl ReportFile {
    fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        let is_csv = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        if !is_csv {
            return Ok(Self::JsonLines(BufWriter::new(file)));
        }
        Ok(Self::Csv(Box::new(csv::Writer::from_writer(file))))
    }

    fn write(&mut self, incident: &Incident) -> io::Result<()> {
        match self {
            Self::Csv(file) => Ok(file.serialize(incident)?),
            Self::JsonLines(file) => {
                serde_json::to_writer(&mut *file, incident)?;
                file.write_all(b"\n")
            }
        }
    }
}

impl<W: Write> Listener for Reporter<W> {
    fn incident(&mut self, incident: &Incident) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.write(incident)
        {
            self.trouble.get_or_insert(error);
        }
        match incident.kind {
            Kind::Warning => {
                let what = (incident.column.clone().unwrap_or_default(), incident.reason.clone());
                *self.warnings.entry(what).or_default() += 1;
            }
            Kind::Refused => self.line(&format!("refused  {incident}")),
            Kind::Differs => self.line(&format!("differs  {incident}")),
            Kind::Note => self.line(&format!("note     {incident}")),
        }
    }

    fn progress(&mut self, table: &'static str, read: u64) {
        if self.told.elapsed() >= Duration::from_secs(2) {
            self.told = Instant::now();
            let total = self.done + read;
            let rate = per_second(total, self.started.elapsed());
            self.line(&format!("         {table}: {read} rows, {total} in all, {rate} rows/s"));
        }
    }

    fn table(&mut self, summary: &TableSummary) {
        self.done += summary.read;
        for ((column, reason), count) in std::mem::take(&mut self.warnings) {
            self.line(&format!(
                "warning  {}.{column}: {reason} ({count} times)",
                summary.table
            ));
        }
        if summary.passwords_to_reset > 0 {
            let users = summary.passwords_to_reset;
            self.line(&format!(
                "warning  {}: {users} users have a password that only the old system can check: \
                 give them new ones with `sync-server user password`",
                summary.table
            ));
        }
    }
}

fn per_second(rows: u64, took: Duration) -> u128 {
    u128::from(rows) * 1000 / took.as_millis().max(1)
}

fn table(summaries: &[TableSummary], took: Duration) -> String {
    let width = summaries
        .iter()
        .map(|s| s.table.len())
        .max()
        .unwrap_or(0)
        .max("all".len());
    let mut out = format!(
        "\n{:width$}  {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
        "table", "read", "imported", "there", "differ", "refused", "warnings"
    );
    let mut all = TableSummary {
        table: "all",
        ..TableSummary::default()
    };
    let line = |s: &TableSummary| {
        format!(
            "{:width$}  {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
            s.table, s.read, s.imported, s.there, s.differing, s.refused, s.warnings
        )
    };
    for summary in summaries {
        all.read += summary.read;
        all.imported += summary.imported;
        all.there += summary.there;
        all.differing += summary.differing;
        all.refused += summary.refused;
        all.warnings += summary.warnings;
        out += &line(summary);
    }
    out += &line(&all);
    let rate = per_second(all.read, took);
    out + &format!("\n{} rows in {:.1} s, {rate} rows/s\n", all.read, took.as_secs_f64())
}
