//! Copies of the hospital that a hub gives, whole or in part.

use holdfast_simulation::prelude::*;
use holdfast_store::testing::Mutation;

use super::holds;

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
    for mutation in Mutation::OF_HUBS_AND_ROLES {
        let _broken = mutation.turn_on();
        assert!(simulate(&run).violation.is_some(), "{mutation:?} is not found");
    }
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

/// The copy's pages came from the hub and, further on in the stream, from the hospital. The hub's sum is not over what those hold.
#[test]
fn a_copy_whose_pages_were_read_further_on_is_not_compared_with_a_hub_that_is_behind() {
    holds(&Run {
        devices: 2,
        page: 5,
        hubs: 1,
        steps: vec![
            Roam { device: 0, server: 1 },
            Sync { device: 1 },
            Do {
                device: 1,
                work: EditPhone,
                pick: 355_279_876,
            },
            SignIn { device: 0, person: 4 },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Sync { device: 1 },
            Roam { device: 0, server: 0 },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Exchange {
                device: 0,
                fate: Arrives,
            },
            Roam { device: 0, server: 1 },
            Sync { device: 0 },
        ],
        ..Run::default()
    });
}
