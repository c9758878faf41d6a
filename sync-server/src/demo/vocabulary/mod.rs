//! Medical words, as data: what the library of invented names has none of. No advice: doses are plausible, nothing more.

mod departments;
mod diagnoses;
mod words;

pub(super) use departments::{DEPARTMENTS, Department};
pub(super) use diagnoses::{Diagnosis, Treatment};
pub(super) use words::{
    ALLERGIES, BLOOD_TYPES, CLEANING, DELAYS, EQUIPMENT, Equipment, FOLLOW_UP, HISTORY, INSTRUCTIONS, MEETINGS,
    QUESTIONS, QUEUE_NEEDS, SUPPLIES, VISIT_REASONS,
};
