//! Medical documents, what was read out of them, and the vectors by which they are found.

use holdfast_core::{
    ids::{RowId, Timestamp},
    value::Value,
};
use serde_json::json;

use super::{
    dice::{DAY, HOUR},
    record::{date, json},
    treatments::lower_first,
    world::{Patient, World},
};

/// As many numbers as the vectors have.
const DIMENSIONS: usize = 16;

/// Who was or is in the house has one or two; some others too.
pub(super) fn make(world: &mut World, unit: usize) {
    let number = match world.stays.get(unit) {
        Some(_) => world.dice.weighted(&[(0, 4), (1, 5), (2, 1)]),
        None => world.dice.weighted(&[(0, 8), (1, 2)]),
    };
    for _ in 0..number {
        document(world, unit);
    }
}

/// What the document says.
struct Content {
    text: String,
    /// Kind, name, value and unit.
    data: Vec<(&'static str, String, Option<String>, Option<&'static str>)>,
}

fn document(world: &mut World, unit: usize) {
    let patient = world.patients[unit].clone();
    let stay = world.stays.get(unit).cloned();
    let time = match &stay {
        Some(stay) => world
            .dice
            .after(stay.from, HOUR, 20 * HOUR)
            .min(stay.to.unwrap_or(world.now())),
        None => world.dice.time(patient.registered, world.now()),
    }
    .min(world.now());
    let kind = world.dice.weighted(&[
        ("lab_result", 5),
        ("prescription", 3),
        ("imaging", 2),
        ("discharge_summary", 1),
    ]);
    let kind = if stay.as_ref().is_none_or(|stay| stay.to.is_none()) && kind == "discharge_summary" {
        "lab_result"
    } else {
        kind
    };
    let status = world
        .dice
        .weighted(&[("completed", 92), ("processing", 2), ("pending", 4), ("failed", 2)]);
    let content = content(world, &patient, kind, unit);
    let done = status == "completed";
    let file = format!("{}-{kind}-{}.pdf", patient.number, world.dice.between(1_000, 9_999));
    let confidence = format!("0.{:02}", world.dice.between(71, 99));
    let doctor = match &stay {
        Some(stay) => stay.doctor,
        None => world.someone("doctor", patient.department),
    };
    let metadata = json!({ "pages": world.dice.between(1, 4), "language": "en", "patient_number": patient.number });
    let values = vec![
        ("patient_id", patient.id.into()),
        ("document_type", kind.into()),
        ("file_name", file.as_str().into()),
        ("file_path", format!("documents/{}/{file}", patient.number).into()),
        ("file_size", world.dice.between(18_000, 900_000).into()),
        ("mime_type", "application/pdf".into()),
        ("upload_date", time.into()),
        ("extracted_text", done.then_some(content.text.as_str()).into()),
        ("processing_status", status.into()),
        ("extracted_metadata", if done { json(&metadata) } else { Value::Null }),
        ("confidence_score", done.then_some(confidence).into()),
    ];
    let id = world.row("medical_documents", time, values);
    if done {
        extracted(world, id, &patient, &content, doctor, time);
        embedding(world, id, &patient, &content.text, time);
    }
}

fn content(world: &mut World, patient: &Patient, kind: &str, unit: usize) -> Content {
    let name = patient.person.name();
    let diagnosis = match world.stays.get(unit) {
        Some(stay) => stay.diagnosis,
        None => world.dice.pick(world.departments[patient.department].kind.diagnoses),
    };
    let condition = ("condition", diagnosis.name.to_owned(), None, None);
    match kind {
        "lab_result" => {
            let (hemoglobin, crp) = (world.dice.between(92, 168), world.dice.between(1, 180));
            let text = format!("Laboratory report for {name}. Haemoglobin {hemoglobin} g/l, CRP {crp} mg/l.");
            let data = vec![
                (
                    "vital_sign",
                    "Haemoglobin".to_owned(),
                    Some(hemoglobin.to_string()),
                    Some("g/l"),
                ),
                ("vital_sign", "CRP".to_owned(), Some(crp.to_string()), Some("mg/l")),
            ];
            Content { text, data }
        }
        "prescription" => {
            let drug = diagnosis.treatments.iter().find(|t| t.kind == "medication");
            let (drug, dose) = drug.map_or(("Paracetamol", "1 g"), |t| (t.name, t.dosage.unwrap_or_default()));
            let text = format!(
                "Prescription for {name}: {drug} {dose}, for {}.",
                lower_first(diagnosis.name)
            );
            Content {
                text,
                data: vec![("medication", drug.to_owned(), Some(dose.to_owned()), None), condition],
            }
        }
        "imaging" => {
            let text = format!(
                "Imaging of {name}. Question: {}. No fracture seen.",
                lower_first(diagnosis.name)
            );
            Content {
                text,
                data: vec![("procedure", "Imaging".to_owned(), None, None), condition],
            }
        }
        _ => {
            let text = format!(
                "{name} was treated for {} and left improved.",
                lower_first(diagnosis.name)
            );
            Content {
                text,
                data: vec![condition],
            }
        }
    }
}

fn extracted(world: &mut World, document: RowId, patient: &Patient, content: &Content, doctor: usize, time: Timestamp) {
    let department = world.departments[patient.department].kind.name;
    let read = Timestamp((time.0 + HOUR).min(world.now().0));
    for (kind, name, value, unit) in &content.data {
        let confidence = format!("0.{:02}", world.dice.between(64, 99));
        let values = vec![
            ("document_id", document.into()),
            ("patient_id", patient.id.into()),
            ("data_type", (*kind).into()),
            ("entity_name", name.as_str().into()),
            ("entity_value", value.as_deref().into()),
            ("entity_unit", (*unit).into()),
            (
                "date_prescribed",
                if *kind == "medication" { date(time) } else { Value::Null },
            ),
            ("date_recorded", date(time)),
            ("date_effective", date(Timestamp(time.0 - DAY))),
            ("doctor_name", world.doctor_name(doctor).into()),
            ("hospital_name", "Demo Hospital".into()),
            ("department_name", department.into()),
            ("extraction_confidence", confidence.into()),
            (
                "extraction_method",
                world
                    .dice
                    .weighted(&[("OCR", 4), ("AI_PARSING", 5), ("MANUAL", 1)])
                    .into(),
            ),
            ("verified", world.dice.chance(40).into()),
        ];
        world.row("extracted_medical_data", read, values);
    }
}

fn embedding(world: &mut World, document: RowId, patient: &Patient, text: &str, time: Timestamp) {
    let vector: Vec<f64> = (0..DIMENSIONS)
        .map(|_| f64::from(world.dice.between(-9_999, 9_999) as i32) / 10_000.0)
        .collect();
    let values = vec![
        ("document_id", document.into()),
        ("patient_id", patient.id.into()),
        ("chunk_text", text.into()),
        ("chunk_index", Value::Int(0)),
        ("embedding_vector", json(&json!(vector))),
    ];
    world.row("document_embeddings", time, values);
}
