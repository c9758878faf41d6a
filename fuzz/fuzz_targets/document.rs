//! A document as stores and snapshots keep it: read, shown, written to. The first byte chooses the table.
#![cfg_attr(fuzzing, no_main)]

use holdfast_core::{
    document::{Actor, Document, write::Writer},
    ids::Timestamp,
    row::RowAction,
};
use holdfast_fuzz::{check_document, document_id, edit, table};

fn run(data: &[u8]) {
    let Some((selector, stored)) = data.split_first() else {
        return;
    };
    let table = table(*selector);
    let Ok(mut document) = Document::from_bytes(stored) else {
        return;
    };
    check_document(&document, table);
    let edits = table.columns.iter().map(|column| edit(column, "written", 3)).collect();
    let writer = Writer {
        actor: &Actor::from(vec![3; 20]),
        time: Timestamp(9),
        salt: None,
    };
    if document
        .write(document_id(table), table, &RowAction::Edit(edits), writer)
        .is_ok()
    {
        check_document(&document, table);
    }
}

holdfast_fuzz::target!(run);
