/** A small made-up hospital for looking at screens and for trying the screens' queries on real SQL. */
import { wireTime } from '../format/time'

export type Seed = Record<string, string | number | null>
export type Hospital = Record<string, Seed[]>

const FIRST =
  'Mira Tobin Aylin Jonas Leocadia Piet Samira Ove Nadia Emre Ilse Ruben Freya Milan Yara Otis'.split(' ')
const LAST =
  'Vantongeren Oskarby Kilimo Brandewater Achterberg Solveit Marrowdale Tjellesen Quillham Dorsavi Hopeford Weidlich'.split(
    ' ',
  )
const ALLERGIES = [
  'Penicillin: rash and swelling',
  'Latex',
  'Peanuts, carries an auto-injector',
  'Iodine contrast',
]
const CONDITIONS = ['Hip fracture', 'Pneumonia', 'Chest pain, under observation', 'Appendicitis', 'Stroke']

export const NURSE = id('users', 3)

export function id(table: string, number: number): string {
  const code = [...table].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65536, 7)
  return `01900000-${code.toString(16).padStart(4, '0')}-7000-8000-${number.toString(16).padStart(12, '0')}`
}

const pick = <T>(list: T[], at: number): T => list[at % list.length] as T

/** All rows by table, related to each other, around the given moment. */
export function hospital(now: Date): Hospital {
  const at = (minutes: number) => wireTime(new Date(now.getTime() + minutes * 60_000))
  const stamps = { created_at: at(-90_000), updated_at: at(-400) }
  const range = (count: number) => Array.from({ length: count }, (_, number) => number)

  const departments = ['Cardiology', 'Emergency', 'Internal medicine', 'Surgery'].map((name, n) => ({
    id: id('departments', n),
    name,
    floor_number: n,
    ...stamps,
  }))
  const users = range(16).map((n) => ({
    id: id('users', n),
    username: `user${n}`,
    email: `user${n}@hospital.example`,
    role: ['doctor', 'doctor', 'admin', 'nurse', 'nurse', 'nurse', 'cleaner', 'receptionist'][
      n % 8
    ] as string,
    first_name: pick(FIRST, n * 5 + 1),
    last_name: pick(LAST, n * 7 + 2),
    is_active: 1,
    ...stamps,
  }))
  const staff = users.map((user, n) => ({
    id: id('staff', n),
    user_id: user.id,
    employee_id: `E-${1000 + n}`,
    department_id: id('departments', n % 4),
    position: user.role === 'doctor' ? 'Consultant' : 'Registered nurse',
    hire_date: '2019-03-01',
    shift_pattern: 'rotating',
    status: 'active',
    ...stamps,
  }))
  const patients = range(140).map((n) => ({
    id: id('patients', n),
    patient_number: `P-${100200 + n * 37}`,
    first_name: pick(FIRST, n * 3 + 2),
    last_name: pick(LAST, n * 5 + (n >> 3)),
    date_of_birth: `${1932 + ((n * 13) % 90)}-0${1 + (n % 9)}-1${n % 9}`,
    gender: n % 2 ? 'female' : 'male',
    blood_type: pick(['A+', '0-', 'B+', 'AB+'], n),
    phone: `555 01${10 + n}`,
    allergies: n % 3 === 0 ? pick(ALLERGIES, n / 3) : null,
    medical_history: n % 2 ? 'Hypertension since 2014.\nKnee replacement 2019.' : null,
    emergency_contact_name: 'Next of kin',
    address: `${n} Harbour Lane`,
    ...stamps,
  }))
  const rooms = range(16).map((n) => ({
    id: id('rooms', n),
    room_number: `${1 + (n % 4)}0${1 + (n >> 2)}`,
    floor_number: n % 4,
    room_type: pick(['general', 'private', 'icu'], n),
    department_id: id('departments', n % 4),
    capacity: 3,
    ...stamps,
  }))
  const state = (n: number) =>
    pick(
      ['occupied', 'occupied', 'available', 'occupied', 'cleaning', 'occupied', 'available', 'maintenance'],
      n,
    )
  const beds = range(44).map((n) => ({
    id: id('beds', n),
    bed_number: `${(rooms[n % 16] as Seed).room_number}${'ABC'[n >> 4]}`,
    room_id: id('rooms', n % 16),
    bed_type: pick(['standard', 'icu', 'standard'], n),
    status: state(n),
    patient_id: state(n) === 'occupied' ? id('patients', n) : null,
    admission_date: state(n) === 'occupied' ? at(-n * 300 - 60) : null,
    notes: null,
    ...stamps,
  }))
  const occupied = beds.filter((bed) => bed.patient_id)
  const cleaning = beds.filter((bed) => bed.status === 'cleaning')
  const supplies = range(26).map((n) => ({
    id: id('supplies', n),
    item_code: `S-${400 + n}`,
    name:
      pick(
        [
          'Nitrile gloves M',
          'Saline 0.9 % 500 ml',
          'Gauze 10×10',
          'Syringe 10 ml',
          'IV cannula 20G',
          'Face mask FFP2',
        ],
        n,
      ) + (n > 5 ? ` (${n})` : ''),
    category_id: id('supply_categories', 0),
    unit_of_measure: pick(['box', 'bag', 'pack'], n),
    minimum_stock_level: 20,
    maximum_stock_level: 200,
    current_stock: n === 4 ? -3 : (n * 17) % 90,
    location: `Store ${1 + (n % 3)}`,
    unit_cost: '4.20',
    ...stamps,
  }))
  return {
    departments,
    users,
    staff,
    patients,
    rooms,
    beds,
    supplies,
    supply_categories: [{ id: id('supply_categories', 0), name: 'Consumables', created_at: at(-9000) }],
    inventory_transactions: range(12).map((n) => ({
      id: id('inventory_transactions', n),
      supply_id: id('supplies', n % 3),
      transaction_type: n % 3 ? 'out' : 'in',
      quantity: 1 + n,
      performed_by: id('users', n),
      transaction_date: at(-n * 200),
      notes: n % 4 ? null : 'Night round',
    })),
    equipment_categories: [{ id: id('equipment_categories', 0), name: 'Monitoring', created_at: at(-9000) }],
    equipment: range(18).map((n) => ({
      id: id('equipment', n),
      equipment_id: `EQ-${200 + n}`,
      name: pick(['Infusion pump', 'Vital signs monitor', 'Ventilator', 'ECG 12-lead'], n),
      category_id: id('equipment_categories', 0),
      model: `M${n}`,
      location: `Floor ${n % 4}`,
      department_id: id('departments', n % 4),
      status: n < 5 ? 'in_use' : pick(['available', 'available', 'maintenance'], n),
      cost: '1250.00',
      ...stamps,
    })),
    equipment_usage: range(5).map((n) => ({
      id: id('equipment_usage', n),
      equipment_id: id('equipment', n),
      patient_id: (occupied[n] as Seed).patient_id ?? null,
      staff_id: id('staff', 3),
      bed_id: (occupied[n] as Seed).id ?? null,
      start_time: at(-n * 90 - 20),
      status: 'active',
      purpose: 'monitoring',
      settings: '{"rate":"12 ml/h"}',
      created_at: at(-100),
    })),
    bed_staff_assignments: occupied
      .filter((_, n) => n % 4 !== 3)
      .map((bed, n) => ({
        id: id('bed_staff_assignments', n),
        bed_id: bed.id,
        staff_id: id('staff', 3 + (n % 3)),
        patient_id: bed.patient_id,
        assignment_type: 'primary_nurse',
        assigned_at: at(-300),
        status: 'active',
        shift_type: 'night',
      })),
    staff_assignments: range(4).map((n) => ({
      id: id('staff_assignments', n),
      patient_id: id('patients', n),
      staff_id: id('staff', n % 2),
      assignment_type: 'consultation',
      start_date: at(-600),
      shift: 'day',
      created_at: at(-600),
    })),
    patient_queue: range(9).map((n) => ({
      id: id('patient_queue', n),
      patient_id: id('patients', 60 + n),
      department_id: id('departments', n % 4),
      queue_position: n + 1,
      bed_type_required: pick(['General', 'ICU', 'Private'], n),
      priority_level: pick(['normal', 'urgent', 'normal', 'high', 'low'], n),
      admission_type: pick(['emergency', 'scheduled'], n),
      queue_entry_time: at(-n * 25 - 4),
      medical_condition: pick(CONDITIONS, n),
      doctor_id: id('users', n % 2),
      status: 'waiting',
      ...stamps,
    })),
    bed_turnover_logs: cleaning.map((bed, n) => ({
      id: id('bed_turnover_logs', n),
      bed_id: bed.id,
      previous_patient_id: id('patients', 90 + n),
      discharge_started_at: at(-n * 30 - 22),
      cleaning_status: 'pending',
      status: 'initiated',
      priority: n === 0 ? 'urgent' : 'normal',
      ...stamps,
    })),
    bed_cleaning_tasks: cleaning.flatMap((_, n) =>
      ['Change linen', 'Disinfect surfaces', 'Mop floor'].map((name, k) => ({
        id: id('bed_cleaning_tasks', n * 3 + k),
        turnover_log_id: id('bed_turnover_logs', n),
        task_name: name,
        estimated_duration: 10 + k * 5,
        status: n === 0 && k === 0 ? 'completed' : n === 0 && k === 1 ? 'in_progress' : 'pending',
        started_at: n === 0 && k < 2 ? at(-9) : null,
        quality_check_passed: n === 0 && k === 0 ? 1 : null,
      })),
    ),
    treatment_records: range(14).map((n) => ({
      id: id('treatment_records', n),
      patient_id: id('patients', n % 6),
      doctor_id: id('users', n % 2),
      treatment_type: n % 3 ? 'medication' : 'procedure',
      treatment_name: pick(['Wound dressing', 'Paracetamol', 'Enoxaparin'], n),
      dosage: n % 3 ? '500 mg' : null,
      frequency: 'twice_daily',
      duration: '7_days',
      start_date: at(-n * 140 - 30),
      status: n > 9 ? 'completed' : 'active',
      ...stamps,
    })),
    appointments: range(10).map((n) => ({
      id: id('appointments', n),
      patient_id: id('patients', n * 4),
      doctor_id: id('users', n % 2),
      department_id: id('departments', n % 4),
      appointment_date: at(n * 45 - 200),
      duration_minutes: 30,
      status: n < 3 ? 'completed' : 'scheduled',
      reason: pick(['Follow-up', 'ECG', 'Consultation before surgery'], n),
      ...stamps,
    })),
    medical_documents: range(3).map((n) => ({
      id: id('medical_documents', n),
      patient_id: id('patients', 0),
      document_type: 'lab_result',
      file_name: `blood-count-${n}.pdf`,
      file_path: `/documents/${n}.pdf`,
      processing_status: 'completed',
      upload_date: at(-n * 900),
      ...stamps,
    })),
    discharge_reports: [
      {
        id: id('discharge_reports', 0),
        patient_id: id('patients', 0),
        bed_id: id('beds', 2),
        generated_by: id('users', 0),
        report_number: 'DR-2026-0007',
        admission_date: at(-90_000),
        discharge_date: at(-80_000),
        discharge_condition: 'improved',
        discharge_destination: 'home',
        medications: '["Paracetamol 500 mg"]',
        created_at: at(-80_000),
      },
    ],
    staff_meetings: range(3).map((n) => ({
      id: id('staff_meetings', n),
      title: pick(['Handover', 'Infection control', 'Bed planning'], n),
      meeting_time: at(n * 700 + 30),
      duration_minutes: 30,
      location: 'Ward office',
      organizer_id: id('staff', n),
      department_id: id('departments', 0),
      status: 'scheduled',
      ...stamps,
    })),
    staff_meeting_participants: range(6).map((n) => ({
      meeting_id: id('staff_meetings', n % 3),
      staff_id: id('staff', n + 2),
    })),
  }
}
