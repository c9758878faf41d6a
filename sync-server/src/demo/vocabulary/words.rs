//! Everything else that a hospital names.

/// A kind of equipment.
pub(in crate::demo) struct Equipment {
    pub category: &'static str,
    pub description: &'static str,
    pub names: &'static [&'static str],
    /// Pieces for 100 beds.
    pub per_100_beds: usize,
    /// Whole units of currency.
    pub cost: (i64, i64),
    pub purpose: &'static str,
    /// A reading that it takes: name, least, most.
    pub reading: (&'static str, i64, i64),
}

pub(in crate::demo) const EQUIPMENT: &[Equipment] = &[
    Equipment {
        category: "Patient monitors",
        description: "Vital signs at the bedside",
        names: &["Bedside monitor", "Transport monitor"],
        per_100_beds: 34,
        cost: (3_000, 12_000),
        purpose: "monitoring",
        reading: ("heart_rate", 58, 112),
    },
    Equipment {
        category: "Infusion pumps",
        description: "Volumetric and syringe pumps",
        names: &["Volumetric infusion pump", "Syringe pump"],
        per_100_beds: 44,
        cost: (1_200, 3_500),
        purpose: "treatment",
        reading: ("rate_ml_per_hour", 5, 120),
    },
    Equipment {
        category: "Ventilators",
        description: "Invasive and non-invasive ventilation",
        names: &["Intensive care ventilator", "Non-invasive ventilator"],
        per_100_beds: 8,
        cost: (18_000, 42_000),
        purpose: "treatment",
        reading: ("peep_mbar", 4, 14),
    },
    Equipment {
        category: "Oxygen therapy",
        description: "Concentrators and high-flow devices",
        names: &["Oxygen concentrator", "High-flow oxygen device"],
        per_100_beds: 16,
        cost: (700, 4_800),
        purpose: "treatment",
        reading: ("oxygen_l_per_min", 1, 12),
    },
    Equipment {
        category: "Imaging",
        description: "Mobile imaging",
        names: &["Mobile ultrasound", "Mobile X-ray unit"],
        per_100_beds: 5,
        cost: (25_000, 90_000),
        purpose: "diagnostic",
        reading: ("images", 1, 9),
    },
    Equipment {
        category: "Cardiac diagnostics",
        description: "ECG and defibrillation",
        names: &["12-lead ECG recorder", "Defibrillator"],
        per_100_beds: 10,
        cost: (2_500, 14_000),
        purpose: "diagnostic",
        reading: ("qtc_ms", 370, 470),
    },
    Equipment {
        category: "Mobility aids",
        description: "Wheelchairs, lifts and walkers",
        names: &["Wheelchair", "Patient lift", "Walker"],
        per_100_beds: 22,
        cost: (150, 5_000),
        purpose: "treatment",
        reading: ("minutes_out_of_bed", 10, 90),
    },
    Equipment {
        category: "Dialysis",
        description: "Haemodialysis machines",
        names: &["Haemodialysis machine"],
        per_100_beds: 4,
        cost: (14_000, 22_000),
        purpose: "treatment",
        reading: ("blood_flow_ml_per_min", 180, 320),
    },
];

/// A kind of supplies: name, description, and items with unit, cost in hundredths and the least stock for 100 beds.
pub(in crate::demo) type SupplyCategory = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, i64, i64)],
);

pub(in crate::demo) const SUPPLIES: &[SupplyCategory] = &[
    (
        "Protective equipment",
        "Gloves, masks and gowns",
        &[
            ("Examination gloves, nitrile, M", "box", 690, 60),
            ("Examination gloves, nitrile, L", "box", 690, 60),
            ("Surgical masks", "box", 450, 40),
            ("Respirators FFP2", "box", 1_490, 25),
            ("Isolation gowns", "piece", 180, 120),
        ],
    ),
    (
        "Infusion",
        "Fluids, sets and access",
        &[
            ("Sodium chloride 0.9 %, 500 ml", "bag", 210, 150),
            ("Ringer's lactate, 1000 ml", "bag", 290, 90),
            ("Glucose 5 %, 500 ml", "bag", 230, 60),
            ("Infusion set", "piece", 95, 140),
            ("Peripheral venous cannula 20G", "piece", 85, 160),
            ("Three-way stopcock", "piece", 60, 80),
        ],
    ),
    (
        "Wound care",
        "Dressings and sutures",
        &[
            ("Sterile gauze 10 × 10 cm", "pack", 120, 120),
            ("Adhesive wound dressing", "box", 890, 40),
            ("Elastic bandage 8 cm", "piece", 140, 80),
            ("Suture 3-0", "box", 3_450, 12),
            ("Skin stapler", "piece", 990, 10),
        ],
    ),
    (
        "Medication",
        "Ward stock of common drugs",
        &[
            ("Paracetamol 1 g, infusion", "vial", 240, 100),
            ("Ceftriaxone 2 g", "vial", 480, 50),
            ("Enoxaparin 40 mg", "syringe", 390, 90),
            ("Insulin glargine 100 units/ml", "pen", 1_250, 20),
            ("Furosemide 40 mg", "ampoule", 110, 60),
            ("Salbutamol 2.5 mg", "ampoule", 70, 60),
        ],
    ),
    (
        "Diagnostics",
        "Blood sampling and tests",
        &[
            ("Blood collection tube, EDTA", "box", 1_990, 25),
            ("Blood collection tube, serum", "box", 2_090, 25),
            ("Blood glucose strips", "box", 1_680, 30),
            ("Urine test strips", "box", 980, 15),
            ("Blood culture set", "set", 790, 20),
        ],
    ),
    (
        "Hygiene",
        "Hands, skin and surfaces",
        &[
            ("Hand disinfectant 500 ml", "bottle", 420, 80),
            ("Surface disinfectant wipes", "pack", 560, 70),
            ("Skin antiseptic 250 ml", "bottle", 510, 30),
            ("Wash gloves", "pack", 330, 50),
        ],
    ),
    (
        "Linen and disposables",
        "What a bed needs",
        &[
            ("Bed sheet", "piece", 890, 150),
            ("Pillow case", "piece", 390, 150),
            ("Disposable underpad", "pack", 640, 60),
            ("Patient gown", "piece", 720, 90),
        ],
    ),
];

/// What is done to a bed between two patients: name, minutes, how. The names are those that a discharge opens.
pub(in crate::demo) const CLEANING: [(&str, i64, &str); 6] = [
    (
        "Remove linen",
        5,
        "Strip the bed; used linen goes into the laundry bag at the bedside.",
    ),
    (
        "Remove waste",
        5,
        "Empty the bins and take out single-use material; sharps into their container.",
    ),
    (
        "Disinfect bed",
        10,
        "Wipe mattress, frame, rails and controls from clean to soiled; observe the contact time.",
    ),
    (
        "Disinfect surroundings",
        10,
        "Wipe locker, table, call button, light switches and door handles.",
    ),
    ("Clean floor", 10, "Mop the bed space wet, towards the door."),
    (
        "Make bed",
        5,
        "Fresh linen; bed lowered, brakes on, call button in reach.",
    ),
];

pub(in crate::demo) const ALLERGIES: &[&str] = &[
    "Penicillin",
    "Latex",
    "Iodinated contrast media",
    "Ibuprofen",
    "Peanuts",
    "Wasp venom",
    "Adhesive plasters",
];
pub(in crate::demo) const BLOOD_TYPES: &[(&str, u32)] = &[
    ("O+", 37),
    ("A+", 34),
    ("B+", 10),
    ("AB+", 4),
    ("O-", 6),
    ("A-", 6),
    ("B-", 2),
    ("AB-", 1),
];
pub(in crate::demo) const HISTORY: &[&str] = &[
    "Hypertension",
    "Hypothyroidism",
    "Appendectomy",
    "Migraine",
    "Osteoporosis",
    "Former smoker",
    "Depression, in remission",
    "Gout",
    "Tonsillectomy",
];
pub(in crate::demo) const INSTRUCTIONS: &[&str] = &[
    "Rest for a week, then return to usual activity step by step.",
    "Drink at least 1.5 litres a day and keep a light diet.",
    "Keep the wound dry for ten days; stitches come out at the general practice.",
    "Take the medication as listed; come back at once with fever, breathlessness or new pain.",
    "Weigh yourself every morning and write it down.",
];
pub(in crate::demo) const FOLLOW_UP: &[&str] = &[
    "General practice in one week",
    "Outpatient clinic in two weeks",
    "Outpatient clinic in six weeks, with blood test",
    "Physiotherapy twice a week",
];
pub(in crate::demo) const VISIT_REASONS: &[&str] = &[
    "Follow-up after a stay",
    "New complaint",
    "Discussion of results",
    "Pre-operative assessment",
    "Yearly check",
    "Vaccination",
];
pub(in crate::demo) const QUEUE_NEEDS: &[&str] =
    &["isolation", "oxygen", "interpreter", "telemetry", "wheelchair access"];
pub(in crate::demo) const MEETINGS: &[&str] = &[
    "Ward round preparation",
    "Morbidity and mortality conference",
    "Infection control",
    "Bed management",
    "Shift planning",
    "Medication safety",
    "Budget review",
    "New staff introduction",
];
pub(in crate::demo) const DELAYS: &[&str] = &[
    "waiting for transport",
    "waiting for discharge papers",
    "no cleaner free",
    "mattress exchanged",
];
/// What people ask the assistants: agent, question, answer, action.
pub(in crate::demo) const QUESTIONS: &[(&str, &str, &str, Option<&str>)] = &[
    (
        "bed_management",
        "Which beds on this floor are free?",
        "The available beds are marked on the ward board.",
        None,
    ),
    (
        "bed_management",
        "How long until the next bed is clean?",
        "One cleaning is in progress and should end within the hour.",
        None,
    ),
    (
        "equipment_tracker",
        "Where is the nearest mobile ultrasound?",
        "It stands in the department's equipment room.",
        Some("located_equipment"),
    ),
    (
        "equipment_tracker",
        "Which pumps are due for maintenance?",
        "Those whose next maintenance lies in this month are listed.",
        Some("listed_maintenance"),
    ),
    (
        "staff_allocation",
        "Who is on the night shift?",
        "The assignments of the night shift are listed by ward.",
        None,
    ),
    (
        "staff_allocation",
        "Which nurse has the fewest patients?",
        "The assignments were counted per nurse.",
        Some("counted_assignments"),
    ),
    (
        "supply_inventory",
        "What is below its minimum stock?",
        "The items below their minimum are listed.",
        Some("listed_low_stock"),
    ),
    (
        "supply_inventory",
        "How many gloves were used last week?",
        "The sum of last week's withdrawals is given per size.",
        None,
    ),
];
