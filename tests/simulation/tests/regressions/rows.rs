//! What several devices make of the same rows.

use holdfast_simulation::prelude::*;

use super::holds;

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

/// A row whose key says which it is, made by two people: which change counts as its first was a matter of arrival.
#[test]
fn a_row_that_two_people_make_has_the_same_first_change_everywhere() {
    holds(&Run {
        devices: 2,
        page: 5,
        steps: vec![
            Sync { device: 0 },
            Do {
                device: 0,
                work: CallMeeting,
                pick: 4_189_639_422,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Sync { device: 1 },
            Do {
                device: 0,
                work: CreateParticipant,
                pick: 4_250_723_946,
            },
            Do {
                device: 1,
                work: CreateParticipant,
                pick: 1_662_900_967,
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
                role: "cleaner",
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

/// A newer device writes a column that the server and an older device do not know; the older one edits the same rows.
#[test]
fn an_older_device_takes_nothing_away_that_it_does_not_know() {
    let mut steps = vec![Sync { device: 0 }];
    for pick in 0..12 {
        steps.push(Newer { pick });
        steps.push(Do {
            device: 0,
            work: EditText,
            pick: 100 + pick,
        });
        steps.push(Sync { device: 0 });
        steps.push(Older { pick: 200 + pick });
        steps.push(Sync { device: 0 });
    }
    holds(&Run {
        devices: 2,
        page: 100,
        steps,
        ..Run::default()
    });
}

/// Two phone numbers were set at the same time, and an older device sets the one that is shown.
#[test]
fn an_older_device_writes_no_value_that_is_shown_already() {
    holds(&Run {
        devices: 16,
        page: 2,
        steps: vec![
            Sync { device: 15 },
            Do {
                device: 15,
                work: EditPhone,
                pick: 2_844_618_763,
            },
            Older { pick: 3_689_356_291 },
            Sync { device: 15 },
            Older { pick: 912_795_128 },
        ],
        ..Run::default()
    });
}
