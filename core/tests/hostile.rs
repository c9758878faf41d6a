//! What a hostile device may send: each lie is refused with its reason, at once and in little memory.

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use holdfast_core::{
    document::{
        DecodeError, DecodedChange, Document, DocumentId, FoldError, Place,
        codec::{MAX_CHANGE_BYTES, MAX_OPERATIONS},
        fold::Arrival,
    },
    ids::{ChangeHash, DeviceId, RowId, Timestamp, TransactionId, UserId},
    schema::{SCHEMA_VERSION, Schema, Table},
    transaction::{Body, ChangeName, Transaction, TransactionError},
};
use uuid::Uuid;

#[path = "hostile/contents.rs"]
mod contents;
#[path = "hostile/memory.rs"]
mod memory;
#[path = "hostile/operations.rs"]
mod operations;
#[path = "hostile/preds.rs"]
mod preds;
#[path = "hostile/work.rs"]
mod work;

use contents::{Contents, difference, negative_run, number, packed_chunk, run};

/// No refusal takes longer, in a build without optimisation on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

/// What reading may take beyond a fixed multiple of the bytes given.
const LITTLE_MEMORY: usize = 64 << 10;

/// Decodes, and sees that it took neither long nor much memory.
fn decode(bytes: &[u8]) -> Result<DecodedChange, DecodeError> {
    let begun = Instant::now();
    let (result, peak) = memory::peak_of(|| DecodedChange::from_bytes(bytes));
    assert!(begun.elapsed() < AT_ONCE, "took {:?}", begun.elapsed());
    if result.is_err() {
        let allowed = LITTLE_MEMORY + 8 * bytes.len();
        assert!(peak < allowed, "took {peak} bytes of memory for {} bytes", bytes.len());
    }
    result
}

fn refused(contents: &Contents) -> DecodeError {
    decode(&contents.chunk()).expect_err("is refused")
}

fn patients() -> &'static Table {
    Schema::hospital().expect("patients")
}

fn fold(document: &mut Document, contents: &Contents) -> Result<ChangeHash, FoldError> {
    let decoded = decode(&contents.chunk()).expect("is a change");
    let arrival = Arrival {
        place: Place::Pending,
        time: Timestamp(1),
    };
    document.fold(patients(), &decoded, arrival).map(|()| decoded.hash)
}

/// A document with one change by [`Contents::default`]'s actor.
fn document() -> (Document, ChangeHash) {
    let mut document = Document::default();
    let hash = fold(&mut document, &Contents::put("first_name", "Ada")).expect("folds");
    (document, hash)
}

#[test]
fn damaged_bytes_are_refused() {
    let mut bytes = Contents::put("first_name", "Ada").chunk();
    *bytes.last_mut().expect("is long") ^= 1;
    assert_eq!(decode(&bytes).expect_err("is refused"), DecodeError::Checksum);
}

#[test]
fn a_deflate_bomb_is_refused_before_it_is_unpacked_whole() {
    let bomb = packed_chunk(&vec![0; 10 * MAX_CHANGE_BYTES]);
    assert!(bomb.len() < MAX_CHANGE_BYTES, "it is small while packed");
    let (result, peak) = memory::peak_of(|| DecodedChange::from_bytes(&bomb));
    assert_eq!(
        result.expect_err("is refused"),
        DecodeError::TooLarge("too many bytes when unpacked")
    );
    assert!(peak < 4 * MAX_CHANGE_BYTES, "took {peak} bytes of memory");
}

#[test]
fn a_chunk_longer_than_the_limit_is_refused() {
    let bytes = vec![0; MAX_CHANGE_BYTES + 1];
    assert_eq!(
        decode(&bytes).expect_err("is refused"),
        DecodeError::TooLarge("too many bytes")
    );
}

#[test]
fn huge_counts_of_things_that_are_not_there_are_refused() {
    let ends = DecodeError::Malformed("it ends too early");
    for count in [1 << 20, 1 << 32, 1 << 60, u64::MAX] {
        for place in ["dependencies", "actor", "message", "other actors", "columns"] {
            let refusal = decode(&Contents::default().claiming(place, count)).expect_err("is refused");
            assert_eq!(refusal, ends, "{count} {place}");
        }
    }
}

#[test]
fn a_column_longer_than_the_change_is_refused() {
    for length in [1 << 20, 1 << 60, u64::MAX] {
        let refusal =
            decode(&Contents::put("first_name", "Ada").with_column_length(0x57, length)).expect_err("is refused");
        assert_eq!(refusal, DecodeError::Malformed("it ends too early"), "{length}");
    }
}

#[test]
fn a_run_of_2_to_the_60_operations_is_refused() {
    for action in [run(1 << 60, 1), run(i64::MAX, 1)] {
        let mut contents = Contents::put("first_name", "Ada");
        contents.set_column(0x15, run(1 << 60, "first_name"));
        contents.set_column(0x42, action);
        contents.set_column(0x56, run(1 << 60, 0));
        contents.set_column(0x57, Vec::new());
        let begun = Instant::now();
        let refusal = DecodedChange::from_bytes(&contents.chunk()).expect_err("is refused");
        assert_eq!(refusal, DecodeError::TooLarge("too many operations"));
        assert!(begun.elapsed() < AT_ONCE);
    }
}

/// The Automerge library could not load what it is kept in.
#[test]
fn values_of_no_operation_are_refused() {
    for column in [0x01, 0x02, 0x11, 0x13, 0x15, 0x34, 0x56, 0x70, 0x71, 0x73] {
        let mut contents = Contents::default();
        let data = match column {
            0x15 => run(1, "key"),
            0x34 => vec![1],
            _ => run(1, 0),
        };
        contents.set_column(column, data);
        assert_eq!(
            refused(&contents),
            DecodeError::Malformed("values are left over"),
            "column {column:#x}"
        );
    }
}

#[test]
fn a_run_of_2_to_the_60_different_operations_is_refused() {
    let mut contents = Contents::put("first_name", "Ada");
    contents.set_column(0x42, negative_run(1 << 60));
    assert_eq!(refused(&contents), DecodeError::Malformed("it ends too early"));
}

#[test]
fn a_run_of_2_to_the_60_predecessors_is_refused() {
    for count in [MAX_OPERATIONS as u64 + 1, 1 << 60, u64::MAX] {
        let mut contents = Contents::put("first_name", "Ada");
        contents.set_column(0x70, run(1, number(count)));
        contents.set_column(0x71, run(1 << 60, 0));
        contents.set_column(0x73, run(1 << 60, 0));
        assert_eq!(
            refused(&contents),
            DecodeError::TooLarge("too many predecessors"),
            "{count}"
        );
    }
}

#[test]
fn predecessor_counts_whose_sum_wraps_around_are_refused() {
    let mut contents = Contents::put("first_name", "Ada");
    contents.set_column(0x15, run(2, "first_name"));
    contents.set_column(0x42, run(2, 1));
    contents.set_column(0x56, run(2, 0));
    contents.set_column(0x57, Vec::new());
    contents.set_column(0x70, [run(1, 1), run(1, number(u64::MAX))].concat());
    contents.set_column(0x71, run(1 << 60, 0));
    contents.set_column(0x73, run(1 << 60, 0));
    assert_eq!(refused(&contents), DecodeError::TooLarge("too many predecessors"));
}

#[test]
fn a_value_longer_than_its_column_is_refused() {
    for length in [1 << 20, 1 << 59] {
        let mut contents = Contents::put("first_name", "Ada");
        contents.set_column(0x56, run(1, number(length << 4 | 6)));
        assert_eq!(refused(&contents), DecodeError::Malformed("it ends too early"));
    }
}

#[test]
fn numbers_beyond_the_limits_are_refused() {
    let out_of_range = DecodeError::Malformed("its numbers are out of range");
    for (seq, start_op) in [(0, 1), (1, 0), (1, u64::from(u32::MAX) + 1), (1, u64::MAX)] {
        let contents = Contents {
            seq,
            start_op,
            ..Contents::put("first_name", "Ada")
        };
        assert_eq!(refused(&contents), out_of_range, "seq {seq}, from {start_op}");
    }
}

#[test]
fn a_counter_that_overflows_or_is_negative_is_refused() {
    for (differences, reason) in [
        (
            [run(1, difference(i64::MAX)), run(1, 1)].concat(),
            "its numbers are out of range",
        ),
        (run(1, difference(-1)), "a counter is negative"),
    ] {
        let mut contents = Contents::put("first_name", "Ada");
        contents.set_column(0x70, run(1, 2));
        contents.set_column(0x71, run(2, 0));
        contents.set_column(0x73, differences);
        assert_eq!(refused(&contents), DecodeError::Malformed(reason));
    }
}

#[test]
fn an_increment_of_2_to_the_63_is_refused_and_sums_stay_in_range() {
    let mut contents = Contents::put("first_name", "Ada");
    contents.set_column(0x42, run(1, 5));
    contents.set_column(0x56, run(1, number(10 << 4 | 3)));
    contents.set_column(0x57, number(1 << 63));
    assert_eq!(refused(&contents), DecodeError::UnknownKind);
}

#[test]
fn an_actor_that_is_not_listed_is_refused() {
    let mut contents = Contents::put("first_name", "Ada");
    contents.set_column(0x70, run(1, 1));
    contents.set_column(0x71, run(1, number(1 << 60)));
    contents.set_column(0x73, run(1, 1));
    assert_eq!(
        refused(&contents),
        DecodeError::Malformed("it names an actor that it does not list")
    );
}

#[test]
fn a_reused_seq_with_other_contents_is_refused() {
    let (mut document, hash) = document();
    for (deps, seq, start_op) in [(vec![hash], 1, 2), (vec![], 1, 1), (vec![hash], 3, 2)] {
        let other = Contents {
            deps,
            seq,
            start_op,
            ..Contents::put("first_name", "Eve")
        };
        assert_eq!(
            fold(&mut document, &other),
            Err(FoldError::Sequence {
                expected: 2,
                found: seq
            })
        );
    }
}

#[test]
fn operations_numbered_again_are_refused() {
    let (document, hash) = document();
    for (deps, start_op) in [(vec![hash], 1), (vec![], 1)] {
        let again = Contents {
            deps,
            start_op,
            seq: 2,
            ..Contents::put("last_name", "Eve")
        };
        assert_eq!(
            fold(&mut document.clone(), &again),
            Err(FoldError::Numbering { found: start_op as u32 })
        );
    }
}

#[test]
fn operations_numbered_far_ahead_are_refused_so_that_others_can_still_write() {
    let (mut document, hash) = document();
    let start_op = u64::from(u32::MAX - 1);
    let ahead = Contents {
        deps: vec![hash],
        seq: 2,
        start_op,
        ..Contents::put("last_name", "Eve")
    };
    assert_eq!(
        fold(&mut document, &ahead),
        Err(FoldError::Numbering { found: start_op as u32 })
    );
}

#[test]
fn an_operation_on_an_object_that_does_not_exist_is_refused() {
    for (actor, counter) in [(0, 1), (0, 2), (0, u32::MAX.into()), (1, 1)] {
        let (mut document, hash) = document();
        let mut contents = Contents {
            deps: vec![hash],
            others: vec![vec![9; 20]],
            seq: 2,
            start_op: 2,
            ..Contents::put("nested", "Eve")
        };
        contents.set_column(0x01, run(1, actor));
        contents.set_column(0x02, run(1, number(counter)));
        assert_eq!(
            fold(&mut document, &contents),
            Err(FoldError::UnknownReference),
            "object {counter}@{actor}"
        );
    }
}

/// What was overwritten long ago is a predecessor like any other; a document doesn't remember it.
#[test]
fn a_predecessor_that_cannot_have_existed_is_refused() {
    for (actor, counter) in [(0, 2), (0, 3), (0, u32::MAX.into()), (1, 1)] {
        let (mut document, hash) = document();
        let mut contents = Contents {
            deps: vec![hash],
            others: vec![vec![9; 20]],
            seq: 2,
            start_op: 2,
            ..Contents::put("first_name", "Eve")
        };
        contents.set_column(0x70, run(1, 1));
        contents.set_column(0x71, run(1, actor));
        contents.set_column(0x73, run(1, difference(counter)));
        assert_eq!(
            fold(&mut document, &contents),
            Err(FoldError::UnknownReference),
            "predecessor {counter}@{actor}"
        );
    }
}

/// Two objects of one name could hold themselves, and showing them would never end.
#[test]
fn an_object_of_a_name_that_is_taken_is_refused() {
    let mut document = Document::default();
    let hash = fold(&mut document, &Contents::make("metadata")).expect("folds");
    let side = Contents {
        actor: vec![2; 20],
        ..Contents::make("metadata")
    };
    fold(&mut document, &side).expect("a concurrent change folds");
    let again = Contents {
        deps: vec![hash],
        seq: 2,
        ..Contents::make("other")
    };
    assert_eq!(fold(&mut document, &again), Err(FoldError::Numbering { found: 1 }));
}

#[test]
fn a_change_that_no_library_would_write_again_is_not_canonical() {
    let canonical = |others: Vec<Vec<u8>>| {
        let mut contents = Contents {
            others,
            ..Contents::put("first_name", "Ada")
        };
        contents.set_column(0x15, run(-1, "first_name"));
        contents.set_column(0x34, vec![1]);
        contents.set_column(0x42, run(-1, 1));
        contents.set_column(0x56, run(-1, 3 << 4 | 6));
        contents.set_column(0x70, run(-1, 0));
        decode(&contents.chunk()).expect("is a change").is_canonical()
    };
    assert!(canonical(vec![]));
    assert!(!canonical(vec![vec![9; 20]]), "an actor that nothing names");
    let other_runs = Contents::put("first_name", "Ada");
    assert!(!decode(&other_runs.chunk()).expect("is a change").is_canonical());
}

#[test]
fn a_mark_is_canonical_only_as_the_library_writes_it() {
    let mark = |name: Vec<u8>, expand: Vec<u8>| {
        let mut contents = Contents::default();
        contents.set_column(0x15, run(-1, "notes"));
        contents.set_column(0x34, vec![1]);
        contents.set_column(0x42, run(-1, 7));
        contents.set_column(0x56, run(-1, 0));
        contents.set_column(0x70, run(-1, 0));
        for (specification, data) in [(0x94, expand), (0xa5, name)] {
            if !data.is_empty() {
                contents.set_column(specification, data);
            }
        }
        decode(&contents.chunk()).map(|change| change.is_canonical())
    };
    let expands = || vec![0, 1];
    assert_eq!(mark(run(-1, "bold"), expands()), Ok(true));
    assert_eq!(mark(Vec::new(), Vec::new()), Ok(true));
    assert_eq!(mark(run(1, "bold"), expands()), Ok(false), "another run");
    assert_eq!(mark(run(-1, "bold"), vec![1]), Ok(false), "a column that says nothing");
    let left_over = DecodeError::Malformed("values are left over");
    assert_eq!(mark(run(2, "bold"), expands()), Err(left_over));
    let not_a_text = run(-1, vec![1, 0xff]);
    assert_eq!(
        mark(not_a_text, expands()),
        Err(DecodeError::Malformed("a key is not UTF-8"))
    );
}

fn transaction(claims: &[ChangeHash], changes: Vec<Vec<u8>>) -> Transaction {
    let key = SigningKey::from_bytes(&[1; 32]);
    let document = DocumentId::main(patients().id, RowId(Uuid::from_u128(1)));
    let body = Body {
        id: TransactionId(Uuid::from_u128(2)),
        schema_version: SCHEMA_VERSION,
        user: UserId(Uuid::from_u128(3)),
        device: DeviceId::of_public_key(&key.verifying_key().to_bytes()),
        time: Timestamp(1),
        offline: false,
        command: "editRow".into(),
        first: None,
        changes: claims.iter().map(|hash| ChangeName { document, hash: *hash }).collect(),
    };
    Transaction::sign(&body, changes, &key)
}

#[test]
fn a_change_that_is_not_the_signed_one_is_refused() {
    let (signed, sent) = (Contents::put("first_name", "Ada"), Contents::put("first_name", "Eve"));
    let signed = decode(&signed.chunk()).expect("is a change").hash;
    let refusal = transaction(&[signed], vec![sent.chunk()])
        .open()
        .expect_err("is refused");
    assert_eq!(refusal, TransactionError::WrongHash { index: 0 });
}

#[test]
fn a_cycle_of_dependencies_cannot_be_named() {
    // A hash covers the dependencies, so in a cycle at least one change isn't what another one calls it.
    let claims = [ChangeHash([1; 32]), ChangeHash([2; 32])];
    let changes = [claims[1], claims[0]].map(|dep| {
        let depending = Contents {
            deps: vec![dep],
            ..Contents::put("first_name", "Ada")
        };
        depending.chunk()
    });
    let refusal = transaction(&claims, changes.to_vec()).open().expect_err("is refused");
    assert_eq!(refusal, TransactionError::WrongHash { index: 0 });
}
