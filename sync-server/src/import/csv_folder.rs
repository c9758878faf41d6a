//! A folder of CSV files as a source: `<table>.csv` with the columns' names in the first line. Nothing between two commas,
//! and `\N`, are null.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use csv::{ByteRecord, Reader, ReaderBuilder};
use holdfast_core::schema::{Column, Table};

use super::{
    ImportError,
    source::{Inventory, PAGE, RawRow, shared_columns},
};

/// See the module.
pub struct CsvFolder {
    folder: PathBuf,
    inventory: Inventory,
    columns: Vec<&'static Column>,
    present: Option<Present>,
}

/// The file that is being read.
struct Present {
    reader: Reader<File>,
    /// Where in a line each of the columns stands.
    places: Vec<usize>,
    /// How many fields a line has.
    width: usize,
    path: PathBuf,
}

impl CsvFolder {
    pub fn open(folder: &Path) -> Result<Self, ImportError> {
        let unreadable = |source: std::io::Error| ImportError::File {
            file: folder.to_owned(),
            source: source.into(),
        };
        let mut inventory = Inventory::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let is_csv = path
                .extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
            if let (true, Some(name)) = (is_csv, path.file_stem().and_then(|name| name.to_str())) {
                inventory.push((name.to_owned(), header(&mut reader(&path)?, &path)?));
            }
        }
        inventory.sort();
        Ok(Self {
            folder: folder.to_owned(),
            inventory,
            columns: Vec::new(),
            present: None,
        })
    }

    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    pub fn columns(&self) -> &[&'static Column] {
        &self.columns
    }

    pub fn begin(&mut self, table: &'static Table) -> Result<bool, ImportError> {
        let Some((name, there)) = self.inventory.iter().find(|(name, _)| name == table.name) else {
            return Ok(false);
        };
        let path = self.folder.join(format!("{name}.csv"));
        let mut reader = reader(&path)?;
        header(&mut reader, &path)?;
        let (columns, places) = shared_columns(table, there).into_iter().unzip();
        self.columns = columns;
        self.present = Some(Present {
            reader,
            places,
            width: there.len(),
            path,
        });
        Ok(!self.columns.is_empty())
    }

    pub fn page(&mut self) -> Result<Vec<RawRow>, ImportError> {
        let Some(present) = &mut self.present else {
            return Ok(Vec::new());
        };
        let mut rows = Vec::new();
        let mut record = ByteRecord::new();
        while rows.len() < PAGE {
            let there = present.reader.read_byte_record(&mut record);
            if !there.map_err(|source| ImportError::File {
                file: present.path.clone(),
                source,
            })? {
                break;
            }
            rows.push(present.row(&record));
        }
        Ok(rows)
    }
}

impl Present {
    fn row(&self, record: &ByteRecord) -> RawRow {
        let line = || format!("line {}", record.position().map_or(0, csv::Position::line));
        if record.len() != self.width {
            let reason = format!("has {} fields where the first line has {}", record.len(), self.width);
            return RawRow::Unreadable(line(), reason);
        }
        let mut texts = Vec::with_capacity(self.places.len());
        for place in &self.places {
            match std::str::from_utf8(&record[*place]) {
                Ok("" | "\\N") => texts.push(None),
                Ok(text) => texts.push(Some(text.to_owned())),
                Err(_) => return RawRow::Unreadable(line(), "is not UTF-8".into()),
            }
        }
        RawRow::Texts(texts)
    }
}

fn reader(path: &Path) -> Result<Reader<File>, ImportError> {
    let opened = ReaderBuilder::new().flexible(true).from_path(path);
    opened.map_err(|source| ImportError::File {
        file: path.to_owned(),
        source,
    })
}

/// The columns' names, without the mark that some programs put before the first.
fn header(reader: &mut Reader<File>, path: &Path) -> Result<Vec<String>, ImportError> {
    let names = reader.headers().map_err(|source| ImportError::File {
        file: path.to_owned(),
        source,
    })?;
    Ok(names
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase())
        .collect())
}
