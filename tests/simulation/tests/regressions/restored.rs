//! A server that was put back to a copy.

use holdfast_simulation::{Step, prelude::*};
use holdfast_store::testing::Mutation;

use super::holds;

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

/// The answer comes when the server has already been put back to a time before what it tells of.
#[test]
fn an_acknowledgement_that_a_restored_server_does_not_know_of_any_more_is_taken_back() {
    holds(&Run {
        devices: 1,
        page: 5,
        steps: vec![
            Sync { device: 0 },
            Do {
                device: 0,
                work: RegisterPatient,
                pick: 3_640_861_751,
            },
            Exchange {
                device: 0,
                fate: RequestLate,
            },
            Arrive { message: 1 },
            RestoreServer,
        ],
        ..Run::default()
    });
}

/// An auditor, who sees other columns, had signed in: the hospital was copied anew, and what the device had done before was not
/// compared with that copy.
#[test]
fn what_the_server_lost_is_given_back_though_somebody_with_other_columns_has_signed_in() {
    holds(&Run {
        devices: 1,
        page: 20,
        steps: vec![
            Sync { device: 0 },
            Do {
                device: 0,
                work: BookAppointment,
                pick: 737_749_214,
            },
            Exchange {
                device: 0,
                fate: RequestTwice,
            },
            SignIn { device: 0, person: 6 },
            RestoreServer,
            Newer { pick: 1_480_272_415 },
        ],
        ..Run::default()
    });
}

/// A device's first copy had read one page before, and one after what the server then forgot.
#[test]
fn a_copy_over_which_the_server_was_put_back_to_a_backup_is_made_again() {
    holds(&Run {
        devices: 16,
        page: 20,
        steps: vec![
            Sync { device: 15 },
            Do {
                device: 15,
                work: RecordTreatment,
                pick: 3_627_420_183,
            },
            Exchange {
                device: 5,
                fate: Arrives,
            },
            Sync { device: 15 },
            Exchange {
                device: 5,
                fate: Arrives,
            },
            RestoreServer,
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
        ..Run::default()
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

/// A page was asked for in the server's first history, and comes when the device is at the same place in the second one.
#[test]
fn a_late_page_of_a_lost_history_is_not_compared_with_the_one_that_took_its_place() {
    holds(&Run {
        devices: 2,
        page: 5,
        steps: vec![
            BackupServer,
            Sync { device: 1 },
            Do {
                device: 1,
                work: AdmitPatient,
                pick: 4_108_109_477,
            },
            Do {
                device: 1,
                work: EditPhone,
                pick: 408_677_749,
            },
            Exchange {
                device: 1,
                fate: AnswerLate,
            },
            Sync { device: 0 },
            Exchange {
                device: 0,
                fate: RequestLate,
            },
            Do {
                device: 0,
                work: RefillStock,
                pick: 3_170_313_111,
            },
            Do {
                device: 0,
                work: AdmitPatient,
                pick: 224_387_266,
            },
            Arrive { message: 7 },
            RestoreServer,
            Sync { device: 0 },
        ],
        ..Run::default()
    });
}

/// The device was at the place that its next transaction got from the restored server.
#[test]
fn a_place_that_a_device_has_passed_already_shows_that_the_server_was_put_back() {
    holds(&Run {
        devices: 1,
        page: 100,
        steps: vec![
            Sync { device: 0 },
            BackupServer,
            Do {
                device: 0,
                work: QueuePatient,
                pick: 3_353_620_918,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Exchange {
                device: 0,
                fate: AnswerTwice,
            },
            Exchange {
                device: 0,
                fate: AnswerLate,
            },
            RestoreServer,
            Do {
                device: 0,
                work: RecordTreatment,
                pick: 2_109_999_868,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
        ],
        ..Run::default()
    });
}

/// What it gave back builds on what another device gives back later: it was put on the shorter copy when something else was
/// refused, and the stream brought what it builds on behind it.
#[test]
fn what_a_copy_is_too_short_for_is_not_done_on_top_of_it() {
    holds(&Run {
        devices: 2,
        page: 100,
        steps: vec![
            Sync { device: 0 },
            BackupServer,
            Do {
                device: 0,
                work: EditPhone,
                pick: 3_782_646_829,
            },
            Do {
                device: 0,
                work: CreatePatient,
                pick: 1_443_279_708,
            },
            Sync { device: 0 },
            Sync { device: 1 },
            Do {
                device: 1,
                work: EditText,
                pick: 2_147_717_122,
            },
            SignIn { device: 1, person: 5 },
            Do {
                device: 1,
                work: AdmitPatient,
                pick: 2_190_016_303,
            },
            Sync { device: 1 },
            RestoreServer,
            SignIn { device: 1, person: 7 },
            Sync { device: 1 },
            Clock {
                device: 1,
                minutes: -14_400,
            },
        ],
        ..Run::default()
    });
}

/// It was acknowledged in the server's first history and given back to the second one, and then an answer of the first came late.
#[test]
fn what_waits_again_may_be_acknowledged_by_a_late_answer_and_is_given_back_once_more() {
    holds(&Run {
        devices: 2,
        page: 100,
        personal: true,
        steps: vec![
            Sync { device: 0 },
            Sync { device: 1 },
            BackupServer,
            Do {
                device: 0,
                work: RegisterPatient,
                pick: 3_335_329_908,
            },
            Do {
                device: 1,
                work: AdmitPatient,
                pick: 3_700_000_922,
            },
            Exchange {
                device: 0,
                fate: RequestLate,
            },
            Do {
                device: 1,
                work: DeletePatient,
                pick: 3_981_494_993,
            },
            Exchange {
                device: 0,
                fate: RequestTwice,
            },
            Exchange {
                device: 1,
                fate: RequestLate,
            },
            Sync { device: 1 },
            Do {
                device: 1,
                work: RecordTreatment,
                pick: 1_630_507_465,
            },
            Exchange {
                device: 0,
                fate: RequestLate,
            },
            Exchange {
                device: 1,
                fate: RequestLate,
            },
            Arrive { message: 14 },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            Arrive { message: 4 },
            Arrive { message: 7 },
            Arrive { message: 6 },
            Arrive { message: 9 },
            Do {
                device: 1,
                work: EditPhone,
                pick: 3_427_104_463,
            },
            RestoreServer,
            Do {
                device: 1,
                work: TransferPatient,
                pick: 2_678_203_945,
            },
            Sync { device: 1 },
        ],
        ..Run::default()
    });
}

/// The hospital refused the patient's making, and the admission waited there: the hub's tables had the bed without the patient.
/// The stream then brought an edit of the bed.
#[test]
fn a_bed_whose_patient_a_hub_has_not_any_more_shows_nobody_whatever_is_edited() {
    holds(&Run {
        devices: 4,
        page: 20,
        hubs: 1,
        steps: vec![
            Sync { device: 0 },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            Do {
                device: 0,
                work: CreatePatient,
                pick: 2_272_820_540,
            },
            Sync { device: 0 },
            Do {
                device: 1,
                work: CreatePatient,
                pick: 1_269_279_662,
            },
            Sync { device: 1 },
            SyncHub { hub: 1 },
            Sync { device: 3 },
            RestoreServer,
            SignIn { device: 3, person: 2 },
            Do {
                device: 3,
                work: AdmitPatient,
                pick: 2_351_789_996,
            },
            SignIn { device: 1, person: 6 },
            Do {
                device: 0,
                work: EditBed,
                pick: 524_975_024,
            },
        ],
        ..Run::default()
    });
}
