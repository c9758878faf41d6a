//! What patients have, and what is done about it.

/// Why somebody is here, and what is done about it.
pub(in crate::demo) struct Diagnosis {
    pub name: &'static str,
    pub treatments: &'static [Treatment],
}

/// A treatment.
pub(in crate::demo) struct Treatment {
    pub kind: &'static str,
    pub name: &'static str,
    pub dosage: Option<&'static str>,
    pub frequency: Option<&'static str>,
    pub duration: Option<&'static str>,
}

const fn of(name: &'static str, treatments: &'static [Treatment]) -> Diagnosis {
    Diagnosis { name, treatments }
}

const fn drug(name: &'static str, dosage: &'static str, frequency: &'static str, duration: &'static str) -> Treatment {
    Treatment {
        kind: "medication",
        name,
        dosage: Some(dosage),
        frequency: Some(frequency),
        duration: Some(duration),
    }
}

const fn procedure(name: &'static str) -> Treatment {
    Treatment {
        kind: "procedure",
        name,
        dosage: None,
        frequency: None,
        duration: None,
    }
}

const fn therapy(name: &'static str, frequency: &'static str) -> Treatment {
    Treatment {
        kind: "therapy",
        name,
        dosage: None,
        frequency: Some(frequency),
        duration: Some("2_weeks"),
    }
}

const PAIN: Treatment = drug("Paracetamol", "1 g", "three_times_daily", "7_days");
const CLOT: Treatment = drug("Enoxaparin", "40 mg", "daily", "7_days");

pub(super) const INTERNAL: &[Diagnosis] = &[
    of(
        "Type 2 diabetes, poorly controlled",
        &[
            drug("Metformin", "850 mg", "twice_daily", "ongoing"),
            drug("Insulin glargine", "14 units", "daily", "ongoing"),
            therapy("Diabetes education", "weekly"),
        ],
    ),
    of(
        "Acute pyelonephritis",
        &[
            drug("Ceftriaxone", "2 g", "daily", "7_days"),
            PAIN,
            procedure("Renal ultrasound"),
        ],
    ),
    of(
        "Gastrointestinal bleeding",
        &[
            drug("Pantoprazole", "40 mg", "twice_daily", "2_weeks"),
            procedure("Gastroscopy"),
        ],
    ),
    of(
        "Cellulitis of the leg",
        &[drug("Flucloxacillin", "1 g", "four_times_daily", "7_days"), CLOT],
    ),
];

pub(super) const SURGERY: &[Diagnosis] = &[
    of(
        "Acute appendicitis",
        &[
            procedure("Laparoscopic appendectomy"),
            PAIN,
            drug("Cefuroxime", "1.5 g", "three_times_daily", "7_days"),
        ],
    ),
    of(
        "Gallstones with cholecystitis",
        &[procedure("Laparoscopic cholecystectomy"), PAIN, CLOT],
    ),
    of("Inguinal hernia", &[procedure("Hernia repair with mesh"), PAIN]),
];

pub(super) const CARDIOLOGY: &[Diagnosis] = &[
    of(
        "Heart failure, decompensated",
        &[
            drug("Furosemide", "40 mg", "twice_daily", "ongoing"),
            drug("Bisoprolol", "2.5 mg", "daily", "ongoing"),
            procedure("Echocardiography"),
        ],
    ),
    of(
        "Atrial fibrillation",
        &[
            drug("Apixaban", "5 mg", "twice_daily", "ongoing"),
            procedure("Electrical cardioversion"),
        ],
    ),
    of(
        "Non-ST-elevation myocardial infarction",
        &[
            procedure("Coronary angiography"),
            drug("Acetylsalicylic acid", "100 mg", "daily", "ongoing"),
            drug("Atorvastatin", "40 mg", "daily", "ongoing"),
        ],
    ),
];

pub(super) const ORTHOPEDICS: &[Diagnosis] = &[
    of(
        "Hip fracture",
        &[
            procedure("Hip hemiarthroplasty"),
            CLOT,
            PAIN,
            therapy("Physiotherapy: walking", "daily"),
        ],
    ),
    of(
        "Knee osteoarthritis",
        &[
            procedure("Total knee replacement"),
            CLOT,
            therapy("Physiotherapy: knee", "daily"),
        ],
    ),
    of(
        "Distal radius fracture",
        &[procedure("Plate fixation of the radius"), PAIN],
    ),
];

pub(super) const PULMONOLOGY: &[Diagnosis] = &[
    of(
        "Community-acquired pneumonia",
        &[
            drug("Amoxicillin/clavulanate", "1.2 g", "three_times_daily", "7_days"),
            therapy("Breathing exercises", "daily"),
        ],
    ),
    of(
        "COPD exacerbation",
        &[
            drug("Prednisolone", "40 mg", "daily", "7_days"),
            drug("Salbutamol, inhaled", "2.5 mg", "as_needed", "7_days"),
            therapy("Non-invasive ventilation", "daily"),
        ],
    ),
];

pub(super) const NEUROLOGY: &[Diagnosis] = &[
    of(
        "Ischemic stroke",
        &[
            drug("Clopidogrel", "75 mg", "daily", "ongoing"),
            procedure("CT angiography"),
            therapy("Speech therapy", "daily"),
        ],
    ),
    of(
        "Epileptic seizure",
        &[
            drug("Levetiracetam", "500 mg", "twice_daily", "ongoing"),
            procedure("Electroencephalography"),
        ],
    ),
];

pub(super) const PEDIATRICS: &[Diagnosis] = &[
    of(
        "Bronchiolitis",
        &[
            therapy("Oxygen by nasal cannula", "daily"),
            drug("Saline, inhaled", "3 ml", "four_times_daily", "7_days"),
        ],
    ),
    of(
        "Gastroenteritis with dehydration",
        &[drug("Oral rehydration solution", "10 ml/kg", "as_needed", "7_days")],
    ),
    of(
        "Asthma attack",
        &[
            drug("Salbutamol, inhaled", "1.25 mg", "as_needed", "7_days"),
            drug("Prednisolone", "1 mg/kg", "daily", "7_days"),
        ],
    ),
];

pub(super) const MATERNITY: &[Diagnosis] = &[
    of("Spontaneous delivery", &[therapy("Postnatal care", "daily"), PAIN]),
    of("Caesarean section", &[procedure("Caesarean section"), PAIN, CLOT]),
];

pub(super) const INTENSIVE: &[Diagnosis] = &[
    of(
        "Septic shock",
        &[
            drug("Noradrenaline", "0.1 µg/kg/min", "continuous", "7_days"),
            drug("Meropenem", "1 g", "three_times_daily", "7_days"),
            procedure("Central venous catheter"),
        ],
    ),
    of(
        "Respiratory failure",
        &[
            procedure("Endotracheal intubation"),
            drug("Propofol", "2 mg/kg/h", "continuous", "7_days"),
            therapy("Mechanical ventilation", "daily"),
        ],
    ),
];

pub(super) const EMERGENCY: &[Diagnosis] = &[
    of("Concussion", &[PAIN, procedure("CT of the head")]),
    of(
        "Anaphylactic reaction",
        &[
            drug("Adrenaline", "0.5 mg", "once", "7_days"),
            drug("Prednisolone", "250 mg", "once", "7_days"),
        ],
    ),
    of(
        "Renal colic",
        &[
            drug("Metamizole", "1 g", "as_needed", "7_days"),
            procedure("CT of the abdomen"),
        ],
    ),
];
