//! Wards with hubs: what a hub relays, and takes back.

use holdfast_simulation::prelude::*;

use super::holds;

/// The hub's push was refused, for the hospital's server had forgotten the device; another device had heard of it at the hub. The
/// mistake was the simulation's: the hub drew the same name for its list when it started again.
#[test]
fn what_a_hub_withdrew_before_it_noticed_a_restored_server_is_gone_from_devices() {
    holds(&Run {
        devices: 2,
        page: 100,
        hubs: 1,
        steps: vec![
            Errand {
                hub: 1,
                errand: Access,
                fate: Arrives,
            },
            Roam { device: 1, server: 1 },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Roam { device: 0, server: 1 },
            Do {
                device: 0,
                work: RefillStock,
                pick: 765_371_660,
            },
            Sync { device: 0 },
            Sync { device: 1 },
            RestoreServer,
            Errand {
                hub: 1,
                errand: Push,
                fate: Arrives,
            },
        ],
        ..Run::default()
    });
}

#[test]
fn what_a_hub_relays_no_more_is_gone_from_a_device_that_was_ahead_of_it() {
    holds(&Run {
        devices: 2,
        page: 2,
        hubs: 1,
        steps: vec![
            Sync { device: 0 },
            SyncHub { hub: 1 },
            BackupServer,
            Roam { device: 1, server: 1 },
            Role {
                person: 0,
                role: "doctor",
            },
            Do {
                device: 0,
                work: AdmitPatient,
                pick: 2_444_429_014,
            },
            Roam { device: 0, server: 1 },
            Sync { device: 0 },
            Sync { device: 1 },
            Roam { device: 1, server: 0 },
            Do {
                device: 1,
                work: RecordTreatment,
                pick: 1_710_044_938,
            },
            Sync { device: 1 },
            RestoreServer,
        ],
        ..Run::default()
    });
}

/// A device had heard at a hub of a number, and built on it; the hub copied the restored hospital anew and did not know of it any
/// more. What waited at the hospital's server for that number was made again, and came twice when the number was given back.
#[test]
fn what_waits_at_the_server_for_what_a_hub_has_lost_is_not_made_again() {
    holds(&Run {
        devices: 4,
        page: 5,
        hubs: 1,
        steps: vec![
            Roam { device: 3, server: 1 },
            Sync { device: 0 },
            SyncHub { hub: 1 },
            Sync { device: 3 },
            BackupServer,
            Roam { device: 0, server: 1 },
            Do {
                device: 3,
                work: RegisterPatient,
                pick: 3_253_112_749,
            },
            Do {
                device: 0,
                work: EditReviewed,
                pick: 261_839_592,
            },
            Sync { device: 0 },
            Errand {
                hub: 1,
                errand: Push,
                fate: Arrives,
            },
            Sync { device: 3 },
            Errand {
                hub: 1,
                errand: Page,
                fate: Arrives,
            },
            RestoreServer,
            Do {
                device: 3,
                work: EditPhone,
                pick: 811_341_230,
            },
        ],
        ..Run::default()
    });
}

/// What a device did was acknowledged while the patient whom it refers to was known from a hub only. When what the hub
/// relayed was taken back, her row went and what refers to it stayed: the tables broke, and the device could take in no answer
/// any more.
#[test]
fn what_refers_to_a_row_that_only_a_hub_relays_is_not_acknowledged_before_the_stream_brings_both() {
    holds(&Run {
        devices: 2,
        page: 20,
        hubs: 1,
        steps: vec![
            Roam { device: 1, server: 1 },
            BackupServer,
            Exchange {
                device: 0,
                fate: Arrives,
            },
            SyncHub { hub: 1 },
            Sync { device: 1 },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Do {
                device: 0,
                work: TakeStock,
                pick: 3_612_110_252,
            },
            Do {
                device: 1,
                work: AdmitPatient,
                pick: 998_985_740,
            },
            Roam { device: 0, server: 1 },
            Do {
                device: 0,
                work: BookAppointment,
                pick: 2_203_641_042,
            },
            Do {
                device: 0,
                work: EditReviewed,
                pick: 1_383_826_440,
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Do {
                device: 1,
                work: AdmitPatient,
                pick: 4_075_055_868,
            },
            SyncHub { hub: 1 },
            RestoreServer,
            Do {
                device: 0,
                work: CreatePatient,
                pick: 3_513_956_158,
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            Do {
                device: 1,
                work: AdmitPatient,
                pick: 764_480_305,
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
        ],
        ..Run::default()
    });
}

/// The hospital had deleted a patient; at the hub she was shown as long as an appointment there referred to her, under another
/// number. When both were refused, the hub went on claiming her number of before for her, and the next one to get it lost it.
#[test]
fn a_deleted_patient_whose_appointment_a_hub_takes_back_claims_no_number_there() {
    holds(&Run {
        devices: 2,
        page: 100,
        hubs: 1,
        steps: vec![
            Sync { device: 0 },
            Sync { device: 1 },
            Do {
                device: 1,
                work: EditNumber,
                pick: 2_576_191_342,
            },
            Do {
                device: 0,
                work: DeletePatient,
                pick: 2_613_901_858,
            },
            Do {
                device: 1,
                work: BookAppointment,
                pick: 256_517_123,
            },
            Roam { device: 1, server: 1 },
            SignIn { device: 1, person: 6 },
            RestoreServer,
            Exchange {
                device: 1,
                fate: Arrives,
            },
        ],
        ..Run::default()
    });
}

/// The hospital took what the hub relays and lost it, nobody has it but the hub, and nothing else happens.
#[test]
fn what_a_restored_hospital_has_lost_is_pushed_again_by_a_hub_though_nothing_else_comes() {
    holds(&Run {
        devices: 1,
        page: 20,
        hubs: 1,
        personal: true,
        steps: vec![
            Errand {
                hub: 1,
                errand: Access,
                fate: Arrives,
            },
            Sync { device: 0 },
            Roam { device: 0, server: 1 },
            Do {
                device: 0,
                work: EditText,
                pick: 717_615_142,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Restore { device: 0 },
            Errand {
                hub: 1,
                errand: Push,
                fate: AnswerTwice,
            },
            RestoreServer,
        ],
        ..Run::default()
    });
}

/// The text's edit came to the hub before the edit that it builds on, which the hospital had lost. When something else was refused,
/// both were put back as they had come: on top of what was not there.
#[test]
fn what_a_hub_relays_is_put_back_behind_what_it_builds_on() {
    holds(&Run {
        devices: 6,
        page: 20,
        hubs: 1,
        steps: vec![
            Sync { device: 2 },
            Sync { device: 1 },
            BackupServer,
            Do {
                device: 1,
                work: EditReviewed,
                pick: 1_987_724_169,
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            RestoreServer,
            Sync { device: 1 },
            SyncHub { hub: 1 },
            Roam { device: 1, server: 1 },
            RestoreServer,
            Do {
                device: 1,
                work: EditText,
                pick: 347_984_399,
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            Roam { device: 5, server: 1 },
            Do {
                device: 2,
                work: EditPhone,
                pick: 2_287_494_479,
            },
            Exchange {
                device: 5,
                fate: Arrives,
            },
            Exchange {
                device: 2,
                fate: Arrives,
            },
            BackupServer,
            SignIn { device: 5, person: 0 },
            RestoreServer,
            Exchange {
                device: 5,
                fate: Arrives,
            },
            Do {
                device: 5,
                work: TakeStock,
                pick: 3_091_145_135,
            },
            SignIn { device: 5, person: 3 },
        ],
        ..Run::default()
    });
}

/// The hospital's server kept it since a time that is to come once more, after its clock was set right.
#[test]
fn what_waits_at_the_server_is_refused_in_the_end_though_the_clock_was_set_back() {
    holds(&Run {
        devices: 1,
        page: 20,
        hubs: 1,
        steps: vec![
            BackupServer,
            Newer { pick: 569_843_722 },
            Roam { device: 0, server: 1 },
            SyncHub { hub: 1 },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Do {
                device: 0,
                work: DeletePatient,
                pick: 2_699_101_768,
            },
            Sync { device: 0 },
            RestoreServer,
            Errand {
                hub: 1,
                errand: Push,
                fate: Arrives,
            },
            ServerClock { minutes: -576_000 },
        ],
        ..Run::default()
    });
}
