//! What must hold of every document.

use holdfast_core::{document::Document, schema::Table};

/// Shows every column, and stores and reads the document.
pub fn check_document(document: &Document, table: &Table) {
    for column in &table.columns {
        for first_in_stream in [false, true] {
            let _ = document.value(column, first_in_stream);
        }
    }
    let stored = document.to_bytes();
    let read = Document::from_bytes(&stored).expect("a document is read from its own bytes");
    assert_eq!(read.to_bytes(), stored, "a stored document stays as it is");
}
