//! What the simulation has found, at its shortest. A failing seed prints its own: paste it here under a name that says what
//! it shows, and then mend the engine.

use holdfast_simulation::{Step, prelude::*};
use holdfast_store::testing::Mutation;

fn holds(run: &Run) {
    if let Some(violation) = simulate(run).violation {
        panic!("{violation}");
    }
}

/// The push was acknowledged, the cursor still stood before the backup: the place at the cursor alone shows nothing.
#[test]
fn a_server_that_lost_what_it_acknowledged_behind_a_devices_cursor_gets_it_back() {
    holds(&Run {
        devices: 1,
        page: 5,
        steps: vec![
            Sync { device: 0 },
            Do {
                device: 0,
                work: RegisterPatient,
                pick: 2_906_710_751,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            RestoreServer,
        ],
        ..Run::default()
    });
}

/// A row that the old copy had hidden is there again, until its deletion is given back.
#[test]
fn a_deletion_that_the_server_lost_is_done_again() {
    holds(&Run {
        devices: 2,
        page: 20,
        steps: vec![
            Sync { device: 0 },
            Do {
                device: 0,
                work: DeletePatient,
                pick: 1_747_884_640,
            },
            Sync { device: 0 },
            Sync { device: 1 },
            RestoreServer,
        ],
        ..Run::default()
    });
}

/// The device's clock went back by a year while the server kept something of it: it asked again a year later.
#[test]
fn what_the_server_keeps_is_asked_about_though_the_clock_was_set_back() {
    holds(&Run {
        devices: 3,
        page: 2,
        steps: vec![
            Sync { device: 1 },
            Sync { device: 2 },
            Do {
                device: 1,
                work: AdmitPatient,
                pick: 674_857_843,
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            Exchange {
                device: 2,
                fate: Arrives,
            },
            RestoreServer,
            SignIn { device: 2, person: 1 },
            Do {
                device: 2,
                work: DischargePatient,
                pick: 1_496_367_909,
            },
            Sync { device: 2 },
            Clock {
                device: 2,
                minutes: -576_000,
            },
        ],
        ..Run::default()
    });
}

/// Two people settle a deletion against an edit, one by keeping the row, one by deleting it again.
#[test]
fn a_deletion_settled_both_ways_means_the_same_everywhere() {
    holds(&Run {
        devices: 7,
        page: 5,
        steps: vec![
            Sync { device: 0 },
            Sync { device: 5 },
            Sync { device: 6 },
            SignIn { device: 6, person: 5 },
            Do {
                device: 0,
                work: EditNumber,
                pick: 4_219_819_855,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Do {
                device: 5,
                work: DeletePatient,
                pick: 4_141_391_419,
            },
            Exchange {
                device: 5,
                fate: Arrives,
            },
            Exchange {
                device: 6,
                fate: Arrives,
            },
            Sync { device: 5 },
            Do {
                device: 5,
                work: SettleConflict,
                pick: 1_234_651_133,
            },
            Do {
                device: 6,
                work: SettleConflict,
                pick: 205_915_194,
            },
        ],
        ..Run::default()
    });
}

/// The bed had gone to somebody else first, so the server did not show that the patient did not exist there, and took it.
/// The device could then not take the patient back.
#[test]
fn a_patient_whom_the_server_refused_is_not_admitted_to_an_occupied_bed() {
    holds(&Run {
        devices: 3,
        page: 5,
        steps: vec![
            Sync { device: 1 },
            Sync { device: 2 },
            Do {
                device: 2,
                work: RegisterPatient,
                pick: 962_276_288,
            },
            Do {
                device: 1,
                work: AdmitPatient,
                pick: 740_717_768,
            },
            Role {
                person: 2,
                nurse: false,
            },
            Do {
                device: 2,
                work: AdmitPatient,
                pick: 3_234_237_441,
            },
        ],
        ..Run::default()
    });
}

/// One device registers a patient, the other one queues the patient; then the server is put back to a time before both.
fn a_row_and_a_reference_to_it_are_lost(after: Vec<Step>) -> Run {
    let mut steps = vec![
        Sync { device: 0 },
        Sync { device: 1 },
        BackupServer,
        Do {
            device: 0,
            work: RegisterPatient,
            pick: 7,
        },
        Sync { device: 0 },
        Sync { device: 1 },
        Do {
            device: 1,
            work: QueuePatient,
            pick: 3,
        },
        Sync { device: 1 },
        RestoreServer,
    ];
    steps.extend(after);
    Run {
        devices: 2,
        page: 5,
        steps,
    }
}

#[test]
fn a_reference_that_is_given_back_before_its_row_waits_for_it() {
    let run = a_row_and_a_reference_to_it_are_lost(vec![Sync { device: 1 }, Sync { device: 0 }]);
    holds(&run);
    let _broken = Mutation::RowNotAwaited.turn_on();
    assert!(
        simulate(&run).violation.is_some(),
        "the reference does not come first any more"
    );
}

#[test]
fn a_reference_that_is_given_back_after_its_row_is_taken() {
    let run = a_row_and_a_reference_to_it_are_lost(vec![Sync { device: 0 }, Sync { device: 1 }]);
    holds(&run);
    let _broken = Mutation::RowNotAwaited.turn_on();
    holds(&run);
}
