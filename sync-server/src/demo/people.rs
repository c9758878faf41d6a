//! Invented people: names, addresses and telephone numbers of the `fake` library. E-mail addresses lie in domains that
//! are reserved for examples.

use std::collections::HashSet;

use fake::faker::{
    address::en::{BuildingNumber, CityName, SecondaryAddress, StateAbbr, StreetName, ZipCode},
    name::en::{FirstName, LastName},
    phone_number::en::CellNumber,
};

use super::dice::Dice;

/// What makes a person.
#[derive(Clone)]
pub(super) struct Person {
    pub first: String,
    pub last: String,
    pub phone: String,
}

impl Person {
    pub fn invent(dice: &mut Dice) -> Self {
        Self {
            first: dice.fake(&FirstName()),
            last: dice.fake(&LastName()),
            phone: phone(dice),
        }
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// A name that tells: most given names with these endings are women's.
    pub fn sounds_female(&self) -> bool {
        const ENDINGS: [&str; 12] = [
            "a", "ie", "ee", "ey", "yn", "elle", "ette", "ine", "ice", "eth", "ene", "ry",
        ];
        ENDINGS.iter().any(|ending| self.first.ends_with(ending))
    }

    /// A private address.
    pub fn email(&self, dice: &mut Dice) -> String {
        let host = dice.pick(&["example.com", "example.net", "example.org"]);
        format!(
            "{}.{}{}@{host}",
            plain(&self.first),
            plain(&self.last),
            dice.between(1, 99)
        )
    }
}

pub(super) fn phone(dice: &mut Dice) -> String {
    dice.fake(&CellNumber())
}

/// A postal address in one line.
pub(super) fn address(dice: &mut Dice) -> String {
    let number: String = dice.fake(&BuildingNumber());
    let street: String = dice.fake(&StreetName());
    let city: String = dice.fake(&CityName());
    let state: String = dice.fake(&StateAbbr());
    let zip: String = dice.fake(&ZipCode());
    if dice.chance(25) {
        let flat: String = dice.fake(&SecondaryAddress());
        return format!("{number} {street}, {flat}, {city}, {state} {zip}");
    }
    format!("{number} {street}, {city}, {state} {zip}")
}

/// Names for signing in, each given out once.
pub(super) struct Usernames(HashSet<String>);

impl Usernames {
    /// None is given out yet, and these never are.
    pub fn without(reserved: &[&str]) -> Self {
        Self(reserved.iter().map(ToString::to_string).collect())
    }

    /// `jdoe`, or `jdoe2` if there is one already.
    pub fn give(&mut self, person: &Person) -> String {
        let initial: String = plain(&person.first).chars().take(1).collect();
        let base = format!("{initial}{}", plain(&person.last));
        let mut name = base.clone();
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            name = format!("{base}{number}");
            number += 1;
        }
        name
    }
}

/// Lower-case letters alone.
fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
