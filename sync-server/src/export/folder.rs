//! The folder that an export goes to.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use holdfast_core::{
    document::{DocumentId, Facet},
    ids::{ChangeHash, RowId},
    schema::{Schema, Table},
};
use uuid::Uuid;

use super::{ExportError, chunks, manifest::MANIFEST};

const MAIN: &str = ".automerge";
const RESTRICTED: &str = ".restricted.automerge";

/// A document's file within an export: `TABLE/ROW.automerge` or `TABLE/ROW.restricted.automerge`.
pub fn file_name(id: DocumentId) -> PathBuf {
    let ending = match id.facet {
        Facet::Main => MAIN,
        Facet::Restricted => RESTRICTED,
    };
    let table = Schema::hospital().by_id(id.table).name;
    Path::new(table).join(format!("{}{ending}", id.row))
}

/// The document of a file within a table's folder, if it is named like one.
fn document(table: &Table, name: &str) -> Option<DocumentId> {
    let (row, facet) = match name.strip_suffix(RESTRICTED) {
        Some(row) => (row, Facet::Restricted),
        None => (name.strip_suffix(MAIN)?, Facet::Main),
    };
    let id = DocumentId {
        table: table.id,
        facet,
        row: RowId(Uuid::try_parse(row).ok()?),
    };
    file_name(id).ends_with(name).then_some(id)
}

/// The folder that an export goes to.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, for its owner alone, or finds it empty. With `force` an earlier export in it is removed; other
    /// files stay.
    pub(super) fn prepare(path: &Path, force: bool) -> Result<Self, ExportError> {
        let folder = Self(path.to_owned());
        make(path)?;
        if fs::read_dir(path).map_err(failed(path))?.next().is_some() {
            if !force {
                return Err(ExportError::NotEmpty(path.to_owned()));
            }
            folder.remove_earlier()?;
        }
        Ok(folder)
    }

    fn remove_earlier(&self) -> Result<(), ExportError> {
        remove(&self.path(Path::new(MANIFEST)))?;
        for table in &Schema::hospital().tables {
            for id in self.documents(table)? {
                remove(&self.path(&file_name(id)))?;
            }
        }
        Ok(())
    }

    /// Where a file is.
    pub(super) fn path(&self, name: &Path) -> PathBuf {
        self.0.join(name)
    }

    /// The documents of a table that have files, in order.
    pub(super) fn documents(&self, table: &Table) -> Result<Vec<DocumentId>, ExportError> {
        let path = self.path(Path::new(table.name));
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed(&path))?,
        };
        let mut documents = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed(&path))?.file_name();
            documents.extend(name.to_str().and_then(|name| document(table, name)));
        }
        documents.sort_unstable_by_key(|id| (id.row, id.facet));
        Ok(documents)
    }

    /// Adds changes to the end of a document's file.
    pub(super) fn append(&self, id: DocumentId, bytes: &[u8]) -> Result<(), ExportError> {
        let path = self.path(&file_name(id));
        let open = || OpenOptions::new().append(true).create(true).open(&path);
        let opened = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path.parent().expect("BUG: a document's file is in its table's folder"))?;
                open()
            }
            opened => opened,
        };
        opened.and_then(|mut file| file.write_all(bytes)).map_err(failed(&path))
    }

    /// What a document's file holds; nothing if it is not there.
    pub(super) fn read(&self, id: DocumentId) -> Result<Vec<u8>, ExportError> {
        let path = self.path(&file_name(id));
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            bytes => bytes.map_err(failed(&path)),
        }
    }

    /// True if a document's file has a change already.
    pub(super) fn contains(&self, id: DocumentId, hash: ChangeHash) -> Result<bool, ExportError> {
        Ok(chunks::contain(&self.read(id)?, hash))
    }
}

/// Makes a folder that only its owner may look into: patients' names are in the files.
fn make(path: &Path) -> Result<(), ExportError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path).map_err(failed(path))
}

fn remove(path: &Path) -> Result<(), ExportError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

/// Says which file it was.
pub(super) fn failed(path: &Path) -> impl Fn(io::Error) -> ExportError + '_ {
    |source| ExportError::File {
        path: path.to_owned(),
        source,
    }
}
