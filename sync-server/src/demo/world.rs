//! The demo hospital while it is being made: what later rows must know of earlier ones.

use std::collections::HashMap;

use holdfast_core::{
    ids::{RowId, Timestamp},
    row::RowWrite,
    schema::Schema,
    value::Value,
};

use super::{
    Size,
    dice::Dice,
    people::{Person, Usernames},
    record::{self, Values},
    vocabulary::{self, Diagnosis},
    workforce::SIGN_INS,
};

pub(super) struct Department {
    pub id: RowId,
    pub kind: &'static vocabulary::Department,
}

pub(super) struct Room {
    pub id: RowId,
    pub number: String,
    pub created: Timestamp,
}

/// What a bed is at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BedState {
    Occupied,
    Cleaning,
    Maintenance,
    Available,
}

#[derive(Clone)]
pub(super) struct Bed {
    pub id: RowId,
    pub number: String,
    pub room: usize,
    pub department: usize,
    pub state: BedState,
    /// Places in [`World::stays`], the latest first.
    pub stays: Vec<usize>,
}

/// A member of staff, who is also a user.
#[derive(Clone)]
pub(super) struct Member {
    pub user: RowId,
    pub staff: RowId,
    pub role: &'static str,
    pub person: Person,
    pub username: String,
    pub department: usize,
    pub hired: Timestamp,
    pub active: bool,
    pub shift: &'static str,
}

#[derive(Clone)]
pub(super) struct Patient {
    pub id: RowId,
    pub number: String,
    pub person: Person,
    pub registered: Timestamp,
    /// The department that he is, was or wants to be in.
    pub department: usize,
    /// What the discharge report says of him.
    pub summary: serde_json::Value,
}

/// A patient in a bed, from admission to discharge, if there was one.
#[derive(Clone)]
pub(super) struct Stay {
    pub patient: usize,
    pub bed: usize,
    pub from: Timestamp,
    pub to: Option<Timestamp>,
    /// Places in [`World::members`].
    pub doctor: usize,
    pub nurses: [usize; 2],
    pub diagnosis: &'static Diagnosis,
}

/// A piece of equipment.
#[derive(Clone)]
pub(super) struct Piece {
    pub id: RowId,
    pub name: String,
    pub kind: &'static vocabulary::Equipment,
    pub department: usize,
    /// The stay that it is in use for at the moment.
    pub stay: Option<usize>,
}

pub(super) struct World {
    pub dice: Dice,
    pub size: Size,
    /// What makes this hospital's numbers differ from those that are there already; usually empty.
    pub series: String,
    pub usernames: Usernames,
    pub departments: Vec<Department>,
    pub rooms: Vec<Room>,
    pub beds: Vec<Bed>,
    pub members: Vec<Member>,
    pub patients: Vec<Patient>,
    pub stays: Vec<Stay>,
    pub pieces: Vec<Piece>,
    /// Pieces in use, by stay.
    pub in_use: HashMap<usize, Vec<usize>>,
    /// Members by department and role.
    pub teams: HashMap<(usize, &'static str), Vec<usize>>,
    /// Made and not yet taken.
    pub rows: Vec<RowWrite>,
}

impl World {
    pub fn new(size: Size, seed: u64, now: Timestamp, series: &str) -> Self {
        Self {
            dice: Dice::new(seed, series, now),
            size,
            series: series.to_owned(),
            usernames: Usernames::without(&SIGN_INS),
            departments: Vec::new(),
            rooms: Vec::new(),
            beds: Vec::new(),
            members: Vec::new(),
            patients: Vec::new(),
            stays: Vec::new(),
            pieces: Vec::new(),
            in_use: HashMap::new(),
            teams: HashMap::new(),
            rows: Vec::new(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.dice.now
    }

    /// Makes a row.
    pub fn row(&mut self, table: &str, created: Timestamp, values: Values) -> RowId {
        let id = self.dice.id(created);
        self.row_with(table, id, created, values);
        id
    }

    /// Makes a row whose id is known already.
    pub fn row_with(&mut self, table: &str, id: RowId, created: Timestamp, values: Values) {
        let row = record::create(table, id, created, self.dice.now, values);
        self.rows.push(row);
    }

    /// Makes a row of a table whose key is two references.
    pub fn pair(&mut self, table: &str, parts: [(&'static str, RowId); 2]) {
        let id = Schema::hospital().expect(table).row_id(&parts.map(|(_, id)| id.0));
        let values = parts.map(|(name, id)| (name, Value::from(id))).to_vec();
        self.row_with(table, id, self.dice.now, values);
    }

    /// One of the department's people with this role, or of the whole house if it has none.
    pub fn someone(&mut self, role: &'static str, department: usize) -> usize {
        let own = self.teams.get(&(department, role)).filter(|team| !team.is_empty());
        match own {
            Some(team) => team[self.dice.index(team.len())],
            None => self.anyone(role),
        }
    }

    /// One of the house's people with this role.
    pub fn anyone(&mut self, role: &'static str) -> usize {
        let start = self.dice.index(self.members.len());
        (0..self.members.len())
            .map(|at| (start + at) % self.members.len())
            .find(|at| self.members[*at].role == role && self.members[*at].active)
            .expect("BUG: the demo hospital has nobody of this role")
    }

    /// The places of the departments with beds.
    pub fn wards(&self) -> usize {
        self.departments.iter().filter(|d| d.kind.share > 0).count()
    }

    /// A department without beds, by name.
    pub fn department(&self, name: &str) -> usize {
        let found = self.departments.iter().position(|d| d.kind.name == name);
        found.expect("BUG: the demo hospital lacks a department that the code names")
    }

    pub fn room_of(&self, bed: usize) -> &Room {
        &self.rooms[self.beds[bed].room]
    }

    /// `Hope Lind`, as the tables name people of the house.
    pub fn doctor_name(&self, member: usize) -> String {
        format!("Dr. {}", self.members[member].person.name())
    }
}
