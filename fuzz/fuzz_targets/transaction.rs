//! A transaction: its body, its changes, its signature, and what is left when some of it is withheld.
#![cfg_attr(fuzzing, no_main)]

use holdfast_core::{
    document::Facet,
    ingest::Needs,
    protocol,
    transaction::{DeviceKey, Transaction},
};

fn run(data: &[u8]) {
    let Ok(transaction) = protocol::decode::<Transaction>(data) else {
        return;
    };
    let again: Transaction = protocol::decode(&protocol::encode(&transaction)).expect("it is read as it was written");
    assert_eq!(again, transaction);
    let Ok(body) = transaction.body() else {
        assert!(transaction.open().is_err(), "nothing opens without its body");
        return;
    };
    let _ = transaction.verify(&body, &DeviceKey::new(&[7; 32]));
    let withheld = transaction.withhold(&body, |id| id.facet == Facet::Main);
    assert_eq!(withheld.body, transaction.body, "what was signed stays whole");
    if let Ok(opened) = transaction.open() {
        assert_eq!(opened.body.changes.len(), opened.changes.len());
        assert!(withheld.open().is_ok(), "withholding breaks nothing");
        let _ = Needs::of(&opened);
    }
}

holdfast_fuzz::target!(run);
