//! Who may sign in, on which devices, for how long.

use holdfast_core::{
    document::DocumentId,
    ids::{DeviceId, UserId},
    policy::Role,
    schema::Schema,
};
use holdfast_server::store::{Session, SignedIn};
use holdfast_tests::{
    maker::Maker,
    stand::{Stand, minutes},
    writes::{create, delete, edit},
};
use serde_json::json;

crate::on_both_stores! {
    an_account_is_a_row_of_users_with_its_password
    a_password_may_come_before_the_user
    a_password_survives_edits_a_delete_and_a_return_of_its_user
    a_device_is_known_by_its_key_and_by_whom_it_served
    a_revoked_device_stays_revoked_and_its_sessions_end
    a_session_ends_when_it_expires_or_is_closed
    a_password_never_leaves_in_a_document
}

const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";

async fn nurse(stand: &Stand) -> (Maker, UserId) {
    let mut maker = Maker::new(1);
    let row = maker.row();
    let values = json!({ "username": "nurse", "email": "n@example.org", "role": "nurse",
        "first_name": "Nora", "last_name": "Berg", "is_active": true });
    stand.write(&mut maker, &[create("users", row, &values)]).await;
    (maker, UserId(row.0))
}

async fn an_account_is_a_row_of_users_with_its_password(stand: Stand) {
    let (_, user) = nurse(&stand).await;
    let account = stand.store.account_by_username("nurse").await.unwrap().unwrap();
    assert_eq!((account.user, account.display_name.as_str()), (user, "Nora Berg"));
    assert_eq!((account.role.as_str(), account.is_active), ("nurse", true));
    assert_eq!(account.password_hash, None);
    assert_eq!(
        stand.text("SELECT password_hash FROM users").await.as_deref(),
        Some("!"),
        "nobody can sign in without a password"
    );
    stand.store.set_password(user, HASH).await.unwrap();
    let account = stand.store.account(user).await.unwrap().unwrap();
    assert_eq!(account.password_hash.as_deref(), Some(HASH));
    assert_eq!(
        stand.text("SELECT password_hash FROM users").await.as_deref(),
        Some(HASH)
    );
    assert_eq!(stand.store.accounts().await.unwrap(), [account]);
    assert_eq!(stand.store.account_by_username("Nurse").await.unwrap(), None);
}

async fn a_password_may_come_before_the_user(stand: Stand) {
    let user = UserId(Maker::new(1).row().0);
    stand.store.set_password(user, HASH).await.unwrap();
    assert_eq!(nurse(&stand).await.1, user);
    assert_eq!(
        stand.text("SELECT password_hash FROM users").await.as_deref(),
        Some(HASH)
    );
}

async fn a_password_survives_edits_a_delete_and_a_return_of_its_user(stand: Stand) {
    let (mut maker, user) = nurse(&stand).await;
    let row = holdfast_core::ids::RowId(user.0);
    stand.store.set_password(user, HASH).await.unwrap();
    stand
        .write(&mut maker, &[edit("users", row, &json!({ "phone": "1" }))])
        .await;
    assert_eq!(
        stand.text("SELECT password_hash FROM users").await.as_deref(),
        Some(HASH)
    );
    stand.write(&mut maker, &[delete("users", row)]).await;
    assert_eq!(stand.store.account(user).await.unwrap(), None);
    stand
        .write(&mut maker, &[edit("users", row, &json!({ "phone": "2" }))])
        .await;
    assert_eq!(
        stand.text("SELECT password_hash FROM users").await.as_deref(),
        Some(HASH)
    );
    let account = stand.store.account(user).await.unwrap().unwrap();
    assert_eq!(account.password_hash.as_deref(), Some(HASH));
}

async fn a_device_is_known_by_its_key_and_by_whom_it_served(stand: Stand) {
    let (mut maker, user) = nurse(&stand).await;
    let other = UserId(maker.row().0);
    let (key, id) = ([7; 32], DeviceId::of_public_key(&[7; 32]));
    assert_eq!(stand.store.device(id).await.unwrap(), None);
    let device = stand
        .store
        .register_device(key, "Phone", user, minutes(1))
        .await
        .unwrap();
    assert_eq!((device.id, device.public_key, device.user), (id, key, user));
    assert_eq!((device.registered_at, device.revoked_at), (minutes(1), None));
    assert!(stand.store.has_signed_in(id, user).await.unwrap());
    assert!(!stand.store.has_signed_in(id, other).await.unwrap());
    let renamed = stand
        .store
        .register_device(key, "Ward phone", other, minutes(2))
        .await
        .unwrap();
    assert_eq!(
        (renamed.name.as_str(), renamed.user, renamed.registered_at),
        ("Ward phone", user, minutes(1))
    );
    assert!(stand.store.has_signed_in(id, other).await.unwrap());
}

async fn a_revoked_device_stays_revoked_and_its_sessions_end(stand: Stand) {
    let (_, user) = nurse(&stand).await;
    let device = stand
        .store
        .register_device([7; 32], "Phone", user, minutes(0))
        .await
        .unwrap();
    stand
        .store
        .open_session([1; 32], session(user, device.id))
        .await
        .unwrap();
    assert!(stand.store.revoke_device(device.id, minutes(5)).await.unwrap());
    assert_eq!(stand.store.signed_in([1; 32], minutes(6)).await.unwrap(), None);
    let again = stand
        .store
        .register_device([7; 32], "Phone", user, minutes(9))
        .await
        .unwrap();
    assert_eq!(again.revoked_at, Some(minutes(5)));
    let unknown = DeviceId::of_public_key(&[8; 32]);
    assert!(!stand.store.revoke_device(unknown, minutes(5)).await.unwrap());
}

fn session(user: UserId, device: DeviceId) -> Session {
    Session {
        user,
        device,
        created_at: minutes(0),
        expires_at: minutes(60),
    }
}

async fn a_session_ends_when_it_expires_or_is_closed(stand: Stand) {
    let (_, user) = nurse(&stand).await;
    let device = stand
        .store
        .register_device([7; 32], "Phone", user, minutes(0))
        .await
        .unwrap();
    let one = session(user, device.id);
    for token in [[1; 32], [2; 32]] {
        stand.store.open_session(token, one.clone()).await.unwrap();
        assert_eq!(
            stand.store.signed_in(token, minutes(59)).await.unwrap(),
            Some(SignedIn {
                session: one.clone(),
                account: stand.store.account(user).await.unwrap(),
                device: Some(device.clone()),
            })
        );
        assert_eq!(stand.store.signed_in(token, minutes(60)).await.unwrap(), None);
    }
    stand.store.close_session([1; 32]).await.unwrap();
    assert_eq!(stand.store.signed_in([1; 32], minutes(1)).await.unwrap(), None);
    assert!(stand.store.signed_in([2; 32], minutes(1)).await.unwrap().is_some());
    assert_eq!(stand.store.signed_in([3; 32], minutes(1)).await.unwrap(), None);
}

async fn a_password_never_leaves_in_a_document(stand: Stand) {
    let (mut maker, user) = nurse(&stand).await;
    stand.store.set_password(user, HASH).await.unwrap();
    let row = holdfast_core::ids::RowId(user.0);
    stand
        .write(&mut maker, &[edit("users", row, &json!({ "phone": "1" }))])
        .await;
    let holds = |bytes: &[u8]| bytes.windows(8).any(|w| w == &HASH.as_bytes()[..8]);
    let page = stand.store.snapshot(None, 100, Role::Admin).await.unwrap().unwrap();
    let id = DocumentId::main(Schema::hospital().expect("users").id, row);
    assert!(page.documents.iter().any(|d| d.id == id));
    assert!(!page.documents.iter().any(|d| holds(&d.state)));
    let entries = stand
        .store
        .pull(holdfast_core::ids::Seq(0), 100, 1 << 20)
        .await
        .unwrap()
        .entries;
    let changes = entries.iter().flat_map(|e| &e.transaction.changes);
    assert!(!changes.flatten().any(|c| holds(c)));
    // Whoever tries to write one is refused.
    let forged = create("users", maker.row(), &json!({ "password_hash": HASH }));
    let submission = maker.make(&stand.store, &[forged]).await;
    let (code, reason) = stand.refusal(submission).await;
    assert!(
        reason.contains("password_hash") || code == "missing_value",
        "{code}: {reason}"
    );
}
