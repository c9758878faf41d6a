/** Turns the schema's words into words for people. */

/** Short forms that are not lower-cased. */
const KEPT = new Map(
  ['ICU', 'OCR', 'AI', 'ID', 'MIME', 'ms'].map((word) => [word.toLowerCase(), word] as const),
)

/** `in_progress` → `In progress`; what a person typed with capitals or spaces stays as it is. */
export function words(name: string): string {
  if (!/^[a-z0-9_]+$/i.test(name)) return name
  const parts = name.split('_').map((part) => KEPT.get(part.toLowerCase()) ?? part.toLowerCase())
  const text = parts.join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** `7_days` and `2_weeks` read well as they are; a plain vocabulary word starts with a capital. */
export function columnTitle(column: { name: string; references?: unknown }): string {
  return words(column.references ? column.name.replace(/_id$/, '') : column.name)
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-GB')} ${number === 1 ? one : many}`
}
