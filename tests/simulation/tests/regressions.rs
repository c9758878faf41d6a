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

/// A manager becomes a nurse while signed in: salaries are gone with the next answer. And back again.
#[test]
fn who_may_not_see_salaries_any_more_has_none_and_who_may_again_has_all() {
    let lost = vec![
        Sync { device: 0 },
        Role {
            person: 5,
            role: "nurse",
        },
        Sync { device: 0 },
    ];
    let mut regained = lost.clone();
    regained.extend([
        Role {
            person: 5,
            role: "manager",
        },
        Sync { device: 0 },
    ]);
    for steps in [lost, regained] {
        let mut all = vec![SignIn { device: 0, person: 5 }];
        all.extend(steps);
        holds(&Run {
            steps: all,
            ..Run::default()
        });
    }
}

/// A nurse has worked offline and become a manager meanwhile: the sign-in is not refused, the work is sent.
#[test]
fn who_may_see_more_now_can_sign_in_while_work_waits() {
    holds(&Run {
        personal: true,
        steps: vec![
            Sync { device: 0 },
            Do {
                device: 0,
                work: RegisterPatient,
                pick: 3_640_861_751,
            },
            Role {
                person: 0,
                role: "manager",
            },
            EndSessions,
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

/// The hub's pages, from before the hospital was put back, were in place when the copy began again.
#[test]
fn a_first_copy_that_begins_again_keeps_nothing_of_a_history_that_is_gone() {
    holds(&Run {
        devices: 2,
        page: 20,
        hubs: 1,
        steps: vec![
            Sync { device: 1 },
            Roam { device: 0, server: 1 },
            Do {
                device: 1,
                work: RegisterPatient,
                pick: 4_276_083_028,
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
            SyncHub { hub: 1 },
            RestoreServer,
            Exchange {
                device: 0,
                fate: Arrives,
            },
        ],
        ..Run::default()
    });
}

/// Its person had become a manager again, which the hub did not know yet when it gave the copy.
#[test]
fn a_copy_from_a_hub_that_knows_an_older_role_is_known_to_lack_restricted_columns() {
    let run = Run {
        devices: 2,
        page: 100,
        hubs: 1,
        personal: true,
        steps: vec![
            Role {
                person: 1,
                role: "manager",
            },
            SignIn { device: 1, person: 6 },
            Role {
                person: 1,
                role: "cleaner",
            },
            Roam { device: 1, server: 1 },
            SyncHub { hub: 1 },
            Role {
                person: 1,
                role: "manager",
            },
            Exchange {
                device: 1,
                fate: Arrives,
            },
        ],
        ..Run::default()
    };
    holds(&run);
    let _broken = Mutation::CopyCutUnnoticed.turn_on();
    assert!(simulate(&run).violation.is_some());
}

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

/// After the restore nobody had signed in for the first two commands; the push with them was refused, what could be was made
/// anew, and then the same push came once more, late, when their maker had signed in again.
#[test]
fn what_is_refused_for_its_maker_is_refused_for_good() {
    holds(&Run {
        devices: 1,
        page: 100,
        steps: vec![
            Sync { device: 0 },
            Do {
                device: 0,
                work: UseEquipment,
                pick: 2_666_042_276,
            },
            RestoreServer,
            Do {
                device: 0,
                work: UseEquipment,
                pick: 941_070_562,
            },
            SignIn { device: 0, person: 7 },
            Exchange {
                device: 0,
                fate: RequestLate,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            SignIn { device: 0, person: 0 },
        ],
        ..Run::default()
    });
}

/// The page still had the role of the sign-in, the device had been told of the new one.
#[test]
fn who_may_not_see_salaries_any_more_writes_none() {
    holds(&Run {
        devices: 6,
        page: 2,
        steps: vec![
            Role {
                person: 5,
                role: "nurse",
            },
            Sync { device: 5 },
            EndSessions,
            Do {
                device: 5,
                work: EditSalary,
                pick: 2_462_658_688,
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

/// The hub refused what the hospital's server took after all; the device heard of that by a new copy, not by the stream.
#[test]
fn what_a_new_copy_has_is_not_refused_any_more() {
    holds(&Run {
        devices: 3,
        page: 20,
        hubs: 2,
        personal: true,
        steps: vec![
            Sync { device: 1 },
            Sync { device: 2 },
            BackupServer,
            Roam { device: 0, server: 2 },
            Do {
                device: 2,
                work: CreatePatient,
                pick: 638_457_006,
            },
            Do {
                device: 1,
                work: UseEquipment,
                pick: 1_019_034_468,
            },
            SyncHub { hub: 2 },
            Do {
                device: 2,
                work: QueuePatient,
                pick: 61_701_659,
            },
            Roam { device: 1, server: 2 },
            Sync { device: 2 },
            Errand {
                hub: 2,
                errand: Page,
                fate: Arrives,
            },
            Sync { device: 0 },
            Sync { device: 1 },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Do {
                device: 0,
                work: EditJson,
                pick: 1_571_328_956,
            },
            RestoreServer,
            SyncHub { hub: 2 },
            Sync { device: 0 },
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

/// Their making was refused, the admission waited at the server: it was put back on tables that had no such patient any more.
#[test]
fn what_was_sent_and_refers_to_a_patient_who_was_refused_is_made_again() {
    holds(&Run {
        devices: 1,
        page: 5,
        steps: vec![
            Sync { device: 0 },
            RestoreServer,
            Do {
                device: 0,
                work: CreatePatient,
                pick: 1_951_936_773,
            },
            Do {
                device: 0,
                work: RegisterPatient,
                pick: 270_953_073,
            },
            Do {
                device: 0,
                work: RegisterPatient,
                pick: 2_879_073_530,
            },
            SignIn { device: 0, person: 3 },
            Do {
                device: 0,
                work: AdmitPatient,
                pick: 1_605_398_028,
            },
            Do {
                device: 0,
                work: TransferPatient,
                pick: 2_489_621_714,
            },
            Do {
                device: 0,
                work: FinishCleaning,
                pick: 4_099_525_434,
            },
        ],
        ..Run::default()
    });
}
