/** The colour group of a vocabulary word. The word itself is always shown with it. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle'

const TONES: Record<Tone, string[]> = {
  good: ['available', 'completed', 'active', 'admitted', 'clean', 'ready', 'passed', 'in', 'excellent'],
  busy: ['occupied', 'in_use', 'in_progress', 'scheduled', 'assigned', 'waiting', 'normal', 'processing'],
  warn: ['cleaning', 'pending', 'high', 'delayed', 'needs_cleaning', 'on_leave', 'initiated', 'adjustment'],
  bad: ['urgent', 'failed', 'out_of_order', 'critical', 'no_show', 'interrupted', 'rejected'],
  idle: ['maintenance', 'cancelled', 'inactive', 'released', 'low', 'discontinued', 'out'],
}

const byWord = new Map(
  (Object.entries(TONES) as [Tone, string[]][]).flatMap(([tone, words]) =>
    words.map((word) => [word, tone] as const),
  ),
)

export function toneOf(word: string): Tone {
  return byWord.get(word) ?? 'idle'
}
