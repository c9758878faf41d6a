//! `/v1/hub/…`: what the hospital's server gives to hubs, and to nobody else.

use holdfast_core::{
    ids::DeviceId,
    protocol::{
        HubAccess, HubSignedOut, PullResponse, PushOutcome, PushRequest, PushResponse, TokenDigest, decode, encode,
    },
};
use holdfast_server::{
    hex,
    store::{now, random},
};
use sha2::{Digest, Sha256};

use crate::support::{Answer, Device, Hospital, on_both_stores, request, users};

on_both_stores! {
    a_hubs_token_opens_what_is_for_hubs_and_a_devices_does_not
    a_hub_that_is_locked_out_gets_nothing_and_may_be_added_anew
    a_hub_is_told_who_may_sign_in_and_only_when_it_has_changed
    a_hub_passes_on_what_many_devices_signed_and_nothing_else
    a_session_that_ended_at_a_hub_ends
}

/// A hub that the hospital knows, by its token.
struct Hub<'h> {
    hospital: &'h Hospital,
    token: [u8; 32],
}

impl<'h> Hub<'h> {
    fn add(hospital: &'h Hospital, name: &str) -> Option<Self> {
        let token = random::bytes();
        let hash = Sha256::digest(token).into();
        let added = hospital.block_on(hospital.store.add_hub(name, hash, now())).unwrap();
        added.then_some(Self { hospital, token })
    }

    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", hex::encode(&self.token));
        let url = format!("{}/v1{path}", self.hospital.url);
        request(method, &url, &[("authorization", &bearer)], body)
    }

    fn access(&self) -> (HubAccess, String) {
        let answer = self.ask("GET", "/hub/access", &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let digest = hex::encode(&Sha256::digest(&answer.body));
        (decode(&answer.body).unwrap(), digest)
    }

    fn push(&self, transactions: Vec<holdfast_core::transaction::Transaction>) -> Vec<PushOutcome> {
        let answer = self.ask("POST", "/hub/push", &encode(&PushRequest { transactions }));
        assert_eq!(answer.status, 200, "{}", answer.text());
        decode::<PushResponse>(&answer.body).unwrap().outcomes
    }
}

const ROUTES: [(&str, &str); 5] = [
    ("GET", "/hub/access"),
    ("GET", "/hub/pull"),
    ("GET", "/hub/live"),
    ("POST", "/hub/push"),
    ("POST", "/hub/signed-out"),
];

fn a_hubs_token_opens_what_is_for_hubs_and_a_devices_does_not(hospital: &Hospital) {
    let phone = hospital.device(users::ADMIN);
    let hub = Hub::add(hospital, "ward 3").unwrap();
    for (method, path) in ROUTES {
        let bearer = format!("Bearer {}", phone.token);
        for headers in [&[("authorization", bearer.as_str())][..], &[]] {
            let refused = request(method, &format!("{}/v1{path}", hospital.url), headers, b"x");
            assert_eq!(refused.error(), (401, "unknown_hub".to_owned()), "{path}");
        }
    }
    for (method, path) in [
        ("GET", "/pull"),
        ("GET", "/snapshot"),
        ("POST", "/push"),
        ("GET", "/session"),
    ] {
        assert_eq!(
            hub.ask(method, path, b"x").error(),
            (401, "unauthorized".to_owned()),
            "{path}"
        );
    }
    let page: PullResponse = decode(&hub.ask("GET", "/hub/pull?after=0", &[]).body).unwrap();
    assert_eq!(page.head.0, hospital.stored("users").0);
    assert_eq!(page.entries.len() as u64, page.head.0);
    assert!(page.checksum.is_some_and(|sum| sum.restricted), "a hub sees everything");
    assert!(
        page.entries
            .iter()
            .all(|entry| entry.transaction.changes.iter().all(Option::is_some)),
        "nothing is withheld"
    );
    let wrong = hub.ask("GET", "/hub/pull?after=1&mark=another", &[]);
    assert_eq!(wrong.error(), (409, "diverged".to_owned()));
}

fn a_hub_that_is_locked_out_gets_nothing_and_may_be_added_anew(hospital: &Hospital) {
    let hub = Hub::add(hospital, "ward 3").unwrap();
    assert!(Hub::add(hospital, "ward 3").is_none(), "no two share a name");
    hub.access();
    let seen = hospital.block_on(hospital.store.hubs()).unwrap();
    assert!(seen[0].seen_at.is_some(), "{seen:?}");
    let revoke = |name| hospital.block_on(hospital.store.revoke_hub(name, now())).unwrap();
    assert!(!revoke("ward 4"), "there is none");
    assert!(revoke("ward 3"));
    for (method, path) in ROUTES {
        assert_eq!(
            hub.ask(method, path, b"x").error(),
            (403, "hub_revoked".to_owned()),
            "{path}"
        );
    }
    let anew = Hub::add(hospital, "ward 3").expect("the name is free again");
    anew.access();
    assert_eq!(
        hub.ask("GET", "/hub/access", &[]).error(),
        (401, "unknown_hub".to_owned())
    );
}

fn a_hub_is_told_who_may_sign_in_and_only_when_it_has_changed(hospital: &Hospital) {
    let hub = Hub::add(hospital, "ward 3").unwrap();
    let phone = hospital.device(users::NURSE);
    let (access, digest) = hub.access();
    assert_eq!(access.credentials.len(), users::ALL.len());
    assert!(
        access
            .credentials
            .iter()
            .all(|(_, hash)| hash.starts_with("$argon2id$"))
    );
    let keys: Vec<_> = access
        .devices
        .iter()
        .map(|d| DeviceId::of_public_key(&d.public_key))
        .collect();
    assert!(keys.contains(&phone.id()));
    assert!(access.device_users.iter().any(|(device, _)| *device == phone.id()));
    let token: [u8; 32] = hex::decode(&phone.token).unwrap();
    let session = access.sessions.iter().find(|s| s.device == phone.id()).unwrap();
    assert_eq!(session.token.0, <[u8; 32]>::from(Sha256::digest(token)));

    let again = hub.ask("GET", &format!("/hub/access?known={digest}"), &[]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    hospital
        .block_on(hospital.store.revoke_device(phone.id(), now()))
        .unwrap();
    let changed = hub.ask("GET", &format!("/hub/access?known={digest}"), &[]);
    let changed: HubAccess = decode(&changed.body).unwrap();
    let revoked = |d: &&holdfast_core::protocol::HubDevice| d.revoked_at.is_some();
    assert_eq!(changed.devices.iter().filter(revoked).count(), 1);
}

fn a_hub_passes_on_what_many_devices_signed_and_nothing_else(hospital: &Hospital) {
    let hub = Hub::add(hospital, "ward 3").unwrap();
    let (mut phone, mut tablet) = (hospital.device(users::NURSE), hospital.device(users::ADMIN));
    let mut lost = hospital.device(users::NURSE);
    let mut unknown = Device::new(&hospital.url);
    let (_, of_lost) = lost.new_patient("P-lost");
    hospital
        .block_on(hospital.store.revoke_device(lost.id(), now()))
        .unwrap();
    let (_, first) = phone.new_patient("P-1");
    let (_, second) = tablet.new_patient("P-2");
    let (_, strange) = unknown.new_patient("P-3");
    let (_, mut forged) = phone.new_patient("P-4");
    let end = forged.transaction.signature.len() - 1;
    forged.transaction.signature[end] ^= 1;
    let pushed = [&first, &of_lost, &second, &strange, &forged];
    let outcomes = hub.push(pushed.map(|signed| signed.transaction.clone()).to_vec());
    let codes: Vec<&str> = outcomes
        .iter()
        .map(|outcome| match outcome {
            PushOutcome::Accepted { .. } => "accepted",
            PushOutcome::Rejected { code, .. } => code,
            PushOutcome::Later { missing: 0, .. } => "later",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        codes,
        ["accepted", "device_revoked", "accepted", "later", "wrong_signature"]
    );
    // The device itself is told the same.
    assert!(phone.accepted(&first));
    let places: Vec<_> = outcomes.into_iter().take(1).collect();
    assert_eq!(phone.push_all(vec![first.transaction]), places);
}

fn a_session_that_ended_at_a_hub_ends(hospital: &Hospital) {
    let hub = Hub::add(hospital, "ward 3").unwrap();
    let (phone, tablet) = (hospital.device(users::NURSE), hospital.device(users::NURSE));
    let token: [u8; 32] = hex::decode(&phone.token).unwrap();
    let ended = HubSignedOut {
        tokens: vec![TokenDigest(Sha256::digest(token).into()), TokenDigest([7; 32])],
    };
    let told = hub.ask("POST", "/hub/signed-out", &encode(&ended));
    assert_eq!(told.status, 204, "{}", told.text());
    assert_eq!(phone.send("GET", "/v1/session", &[], &[]).status, 401);
    assert_eq!(tablet.send("GET", "/v1/session", &[], &[]).status, 200);
    assert_eq!(
        hub.ask("POST", "/hub/signed-out", b"x").error(),
        (400, "malformed".to_owned())
    );
}
