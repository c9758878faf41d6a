//! Who signs in, and what their role may see.

use holdfast_simulation::prelude::*;

use super::holds;

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

/// The server lost the edit of a salary, and the device gives it back under a nurse, who has no salaries for it to be done on top of.
#[test]
fn what_is_given_back_of_a_salary_leaves_nothing_of_it_with_a_nurse() {
    holds(&Run {
        devices: 6,
        page: 100,
        steps: vec![
            Sync { device: 5 },
            BackupServer,
            Exchange {
                device: 1,
                fate: Arrives,
            },
            Sync { device: 3 },
            SignIn { device: 1, person: 0 },
            Do {
                device: 1,
                work: TakeStock,
                pick: 3_160_708_580,
            },
            Do {
                device: 5,
                work: EditSalary,
                pick: 3_923_711_391,
            },
            Do {
                device: 3,
                work: TakeStock,
                pick: 3_025_209_226,
            },
            Do {
                device: 3,
                work: TakeStock,
                pick: 87_358_208,
            },
            Sync { device: 1 },
            Sync { device: 3 },
            Sync { device: 5 },
            Do {
                device: 5,
                work: SettleConflict,
                pick: 1_487_195_700,
            },
            SignIn { device: 5, person: 0 },
            Sync { device: 5 },
            RestoreServer,
            SignIn { device: 1, person: 5 },
        ],
        ..Run::default()
    });
}

/// An answer to the nurse who was signed in before took the salaries away again: the edit was done on top of nothing that was here.
#[test]
fn an_edit_of_a_salary_is_acknowledged_where_no_salaries_are() {
    holds(&Run {
        devices: 1,
        page: 2,
        hubs: 0,
        processes: 1,
        personal: false,
        steps: vec![
            Sync { device: 0 },
            Exchange {
                device: 0,
                fate: AnswerLate,
            },
            SignIn { device: 0, person: 5 },
            Do {
                device: 0,
                work: EditSalary,
                pick: 508_595_192,
            },
        ],
    });
}

/// What a cleaner may not was refused, and the count behind it made anew under another name. The backup knew only the first
/// name: the device sent it again.
#[test]
fn what_was_made_anew_is_done_once_though_a_backup_knows_it_by_its_first_name() {
    holds(&Run {
        devices: 1,
        page: 5,
        personal: true,
        steps: vec![
            Sync { device: 0 },
            Do {
                device: 0,
                work: RecordTreatment,
                pick: 2_311_971_513,
            },
            Do {
                device: 0,
                work: TakeStock,
                pick: 2_929_783_420,
            },
            Backup { device: 0 },
            Role {
                person: 0,
                role: "cleaner",
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Role {
                person: 0,
                role: "manager",
            },
            Exchange {
                device: 0,
                fate: RequestTwice,
            },
            Restore { device: 0 },
        ],
        ..Run::default()
    });
}
