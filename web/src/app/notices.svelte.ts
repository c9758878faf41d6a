/** Short messages about what was just done. Errors of a form are shown in the form instead. */

export interface Notice {
  id: number
  kind: 'done' | 'problem'
  text: string
}

const SHOWN_FOR = 6000
let list = $state<Notice[]>([])
let last = 0

function dismiss(id: number): void {
  list = list.filter((notice) => notice.id !== id)
}

function show(kind: Notice['kind'], text: string): void {
  const id = ++last
  list = [...list.slice(-2), { id, kind, text }]
  // A problem stays until it is read.
  if (kind === 'done') setTimeout(() => dismiss(id), SHOWN_FOR)
}

export const notices = {
  get list(): Notice[] {
    return list
  },
  done: (text: string) => show('done', text),
  problem: (text: string) => show('problem', text),
  dismiss,
}
