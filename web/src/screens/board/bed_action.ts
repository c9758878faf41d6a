/** What can be done at a bed that needs a form. */
export type BedAction = 'admit' | 'treat' | 'transfer' | 'discharge' | 'assign' | 'equip'

export interface Offer {
  action: BedAction
  title: string
  primary?: boolean
  danger?: boolean
}

const WITH_PATIENT: Offer[] = [
  { action: 'treat', title: 'Treat', primary: true },
  { action: 'transfer', title: 'Transfer' },
  { action: 'assign', title: 'Assign staff' },
  { action: 'equip', title: 'Use equipment' },
  { action: 'discharge', title: 'Discharge', danger: true },
]

/** A bed with a patient offers care whatever its state says: tables of old may disagree with themselves. */
export function offers(bed: { status: string | null; patient_id: string | null }): Offer[] {
  if (bed.patient_id) return WITH_PATIENT
  const free = bed.status === null || bed.status === 'available'
  return free ? [{ action: 'admit', title: 'Admit a patient', primary: true }] : []
}
