//! Integer keys of older databases as UUIDs: the same number always gives the same UUID, so that an import can be repeated.

use holdfast_core::schema::Table;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// True for the tables whose keys were integers once.
pub fn had_integer_keys(table: &Table) -> bool {
    table.column("legacy_id").is_some()
}

/// The UUID (version 8) of an integer key: SHA-256 over the table's name and the number.
pub fn uuid(table: &Table, number: i64) -> Uuid {
    let mut hasher = Sha256::new();
    hasher.update(b"holdfast legacy key 1\0");
    hasher.update(table.name.as_bytes());
    hasher.update(number.to_be_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize()[..16]);
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_core::schema::Schema;

    #[test]
    fn a_number_gives_the_same_uuid_in_its_table_and_another_in_the_other() {
        let table = |name| Schema::hospital().expect(name);
        let (users, interactions) = (table("legacy_users"), table("staff_interactions"));
        assert_eq!(uuid(users, 7), uuid(users, 7));
        assert_eq!(uuid(users, 7).get_version_num(), 8);
        assert_ne!(uuid(users, 7), uuid(users, 8));
        assert_ne!(uuid(users, 7), uuid(interactions, 7));
        assert!(had_integer_keys(users) && !had_integer_keys(table("patients")));
    }
}
