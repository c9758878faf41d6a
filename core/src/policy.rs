//! Who may write what. Small on purpose: a hospital's people trust each other with the ward, and the log tells who did what.

use std::str::FromStr;

use crate::{
    document::{DocumentId, Facet},
    schema::Schema,
};

/// The roles of `users.role`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Everything.
    Admin,
    /// The ward.
    Doctor,
    /// The ward.
    Nurse,
    /// Everything, as an admin: staff, users and salaries too.
    Manager,
    /// The ward.
    Receptionist,
    /// Cleaning.
    Cleaner,
    /// Reads only.
    Auditor,
}

/// Not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a role: admin, doctor, nurse, manager, receptionist, cleaner or auditor")]
pub struct UnknownRole(pub String);

impl Role {
    const ALL: [Self; 7] = [
        Self::Admin,
        Self::Doctor,
        Self::Nurse,
        Self::Manager,
        Self::Receptionist,
        Self::Cleaner,
        Self::Auditor,
    ];

    /// As `users.role` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Doctor => "doctor",
            Self::Nurse => "nurse",
            Self::Manager => "manager",
            Self::Receptionist => "receptionist",
            Self::Cleaner => "cleaner",
            Self::Auditor => "auditor",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let role = Self::ALL.into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// The tables that a cleaner writes.
const CLEANING: [&str; 6] = [
    "beds",
    "bed_cleaning_tasks",
    "bed_turnovers",
    "bed_turnover_logs",
    "equipment",
    "equipment_turnovers",
];

/// The tables that decide who works here and what they may.
const ADMINISTRATION: [&str; 4] = ["users", "staff", "departments", "legacy_users"];

impl Role {
    /// True if the role may write a document.
    pub fn may_write(self, document: &DocumentId) -> bool {
        let Some(table) = Schema::hospital().get(document.table) else {
            return false;
        };
        match self {
            Self::Admin | Self::Manager => true,
            Self::Auditor => false,
            Self::Cleaner => CLEANING.contains(&table.name),
            Self::Doctor | Self::Nurse | Self::Receptionist => {
                document.facet == Facet::Main && !ADMINISTRATION.contains(&table.name)
            }
        }
    }

    /// True if the role's devices get a document.
    pub fn may_see(self, document: &DocumentId) -> bool {
        document.facet == Facet::Main || self.may_see_restricted()
    }

    /// True if the role's devices get restricted columns.
    pub fn may_see_restricted(self) -> bool {
        matches!(self, Self::Admin | Self::Manager | Self::Auditor)
    }
}
