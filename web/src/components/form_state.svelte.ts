/** What a form holds while somebody fills it in. */
import type { Values } from '../engine/generated/commands'
import type { EngineError } from '../engine/port'
import { fromField } from '../schema/field_value'
import type { FormField } from '../schema/form_field'

export class FormState {
  readonly fields: FormField[]
  readonly #opened: Record<string, string>
  typed = $state<Record<string, string>>({})
  /** Steps of counters, by field. */
  steps = $state<Record<string, number>>({})
  /** What is wrong with a field. */
  problems = $state<Record<string, string>>({})
  /** What is wrong with the whole. */
  problem = $state<string | null>(null)
  busy = $state(false)

  constructor(fields: FormField[], opened: Record<string, string> = {}) {
    this.fields = fields
    this.#opened = Object.fromEntries(fields.map((field) => [field.name, opened[field.name] ?? '']))
    this.typed = { ...this.#opened }
  }

  /** Fields whose content differs from what the form was opened with. */
  changed(): FormField[] {
    return this.fields.filter((field) => !field.counts && this.typed[field.name] !== this.#opened[field.name])
  }

  /** Counters that were stepped. */
  added(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.steps).filter(([, step]) => step !== 0))
  }

  /** The fields' values, or null when one of them is wrong; the problems are then set. Empty fields are left out. */
  read(fields: FormField[] = this.fields, options: { keepEmpty?: boolean } = {}): Values | null {
    const values: Values = {}
    const problems: Record<string, string> = {}
    for (const field of fields) {
      const typed = fromField(field.column, this.typed[field.name] ?? '')
      if (!typed.ok) problems[field.name] = typed.problem
      else if (typed.value !== null || options.keepEmpty) values[field.name] = typed.value
    }
    this.problems = problems
    this.problem = null
    return Object.keys(problems).length === 0 ? values : null
  }

  refused(error: EngineError): void {
    // A row's columns may be named with the part of the command they stand in: `values.phone`.
    const name = error.field?.split('.').at(-1)
    const named = this.fields.find((field) => field.name === name)
    if (named) this.problems = { [named.name]: error.message }
    else this.problem = error.message
  }
}
