//! Where rows come from, table by table, page by page.

use holdfast_core::schema::{Column, Merge, Schema, Table};

use super::{ImportError, Incident, Listener, Origin, csv_folder::CsvFolder, database::Database, incident::Kind};

/// Rows read together.
pub const PAGE: usize = 2_000;

/// A source.
pub enum Source {
    /// See [`Database`].
    Database(Database),
    /// See [`CsvFolder`].
    Folder(CsvFolder),
}

/// A row as the source has it.
#[derive(Debug)]
pub enum RawRow {
    /// One text for each of the table's columns that the source has, in their order.
    Texts(Vec<Option<String>>),
    /// It cannot be read: where it stands, and why.
    Unreadable(String, String),
}

/// What a source has: tables and their columns, by name.
pub type Inventory = Vec<(String, Vec<String>)>;

/// The columns of a table that a source has, each with its place there.
pub fn shared_columns(table: &'static Table, there: &[String]) -> Vec<(&'static Column, usize)> {
    let place = |column: &Column| there.iter().position(|name| name == column.name);
    table
        .columns
        .iter()
        .filter_map(|column| Some((column, place(column)?)))
        .collect()
}

impl Source {
    /// Opens a source. It must have at least one of the tables.
    pub async fn open(origin: &Origin) -> Result<Self, ImportError> {
        let (source, name) = match origin {
            Origin::Database(url) => (Self::Database(Database::open(url).await?), "the database".to_owned()),
            Origin::Folder(folder) => (Self::Folder(CsvFolder::open(folder)?), folder.display().to_string()),
        };
        let known = source
            .inventory()
            .iter()
            .any(|(table, _)| Schema::hospital().table(table).is_some());
        if known {
            Ok(source)
        } else {
            Err(ImportError::NoTables(name))
        }
    }

    fn inventory(&self) -> &Inventory {
        match self {
            Self::Database(database) => database.inventory(),
            Self::Folder(folder) => folder.inventory(),
        }
    }

    /// Names what the source lacks or has beside the schema.
    pub fn tell_differences(&self, listener: &mut dyn Listener) {
        let inventory = self.inventory();
        for (table, _) in inventory
            .iter()
            .filter(|(table, _)| Schema::hospital().table(table).is_none())
        {
            listener.incident(&Incident::note(
                table,
                None,
                "is not one of the hospital's 33 tables: left alone",
            ));
        }
        for table in &Schema::hospital().tables {
            match inventory.iter().find(|(name, _)| name == table.name) {
                None => listener.incident(&Incident::note(table.name, None, "is not in the source")),
                Some((_, columns)) => tell_columns(table, columns, listener),
            }
        }
    }

    /// Goes to the first row of a table; false if the source does not have it.
    pub async fn begin(&mut self, table: &'static Table) -> Result<bool, ImportError> {
        match self {
            Self::Database(database) => database.begin(table).await,
            Self::Folder(folder) => folder.begin(table),
        }
    }

    /// The columns of the present table's rows.
    pub fn columns(&self) -> &[&'static Column] {
        match self {
            Self::Database(database) => database.columns(),
            Self::Folder(folder) => folder.columns(),
        }
    }

    /// The next rows of the present table; none at its end.
    pub async fn page(&mut self) -> Result<Vec<RawRow>, ImportError> {
        match self {
            Self::Database(database) => database.page().await,
            Self::Folder(folder) => folder.page(),
        }
    }
}

fn tell_columns(table: &'static Table, there: &[String], listener: &mut dyn Listener) {
    for column in table
        .columns
        .iter()
        .filter(|column| !there.iter().any(|name| name == column.name))
    {
        // What older databases never had is nothing to tell.
        if column.name == "legacy_id" {
            continue;
        }
        let consequence = match (column.not_null, column.merge) {
            (true, Merge::Server) => "its users must be given passwords",
            (true, _) => "its rows need it and will be refused",
            (false, _) => "it stays empty",
        };
        let reason = format!("is not in the source: {consequence}");
        listener.incident(&Incident {
            kind: Kind::Note,
            ..Incident::note(table.name, Some(column.name), reason)
        });
    }
    for name in there.iter().filter(|name| table.column(name).is_none()) {
        listener.incident(&Incident::note(
            table.name,
            Some(name),
            "is not a column of the hospital's tables: left out",
        ));
    }
}
