/** An engine in the page's memory, for looking at the screens without a server: no sync, no durability, few rules. */
import type { Database } from 'sql.js'
import type { Command, ColumnValue, Values } from '../engine/generated/commands'
import type { Conflict, Engine, EngineError, OutboxEntry, Receipt, SqlValue, Status } from '../engine/port'
import { findTable } from '../schema/tables'
import { waitFor } from '../engine/wait_for'
import { NURSE, id } from './hospital'
import { ask, insert } from './replica'

const MINUTE = 60_000

export interface MockOptions {
  signedIn: boolean
  role: string
  connection: Status['connection']
  firstSync: boolean
  renewing: boolean
  differences: number
  unfolded: number
  quiet: boolean
  /** The ward has a hub: with a link to the hospital, or without. */
  hub: 'none' | 'linked' | 'unlinked'
  /** Others have used this device. */
  users: boolean
  locked: boolean
}

export function mockEngine(database: Database, options: MockOptions): Engine {
  const live = new Set<() => void>()
  const watchers = new Set<(status: Status) => void>()
  const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE).toISOString()
  const reached = options.hub === 'none' ? 'device' : 'hub'
  let outbox: OutboxEntry[] = options.quiet ? [] : sampleOutbox(ago, reached)
  let conflicts: Conflict[] = options.quiet ? [] : sampleConflicts(ago)
  const session = {
    server: 'https://hospital.example',
    userId: NURSE,
    username: 'user3',
    displayName: 'Otis Vantongeren',
    role: options.role,
    deviceId: '01900000-0000-7000-8000-00000000d00d',
  }
  let signedIn = options.signedIn
  const { server, username, displayName } = session
  const deviceUsers = [
    { server, username, displayName, waiting: 0 },
    { server, username: 'user7', displayName: 'Samira Oskarby', waiting: 3 },
  ]

  const status = (): Status => ({
    session: signedIn ? session : null,
    connection: options.connection,
    waiting: outbox.filter((entry) => entry.state !== 'rejected').length,
    held: outbox.filter((entry) => entry.state === 'held').length,
    atHub: outbox.filter((entry) => entry.durability === 'hub').length,
    hub:
      options.hub === 'none'
        ? null
        : {
            linked: options.hub === 'linked',
            contact: ago(options.hub === 'linked' ? 1 : 50),
            relayed: 5,
            leftOut: 0,
          },
    rejected: outbox.filter((entry) => entry.state === 'rejected' && !entry.mendedAt).length,
    conflicts: conflicts.length,
    renewing: options.renewing,
    differences: options.differences,
    unfolded: options.unfolded,
    lastInStep: ago(7),
    firstSync: options.firstSync ? { received: 31_200, expected: 98_000 } : null,
    problem: options.connection === 'offline' ? 'The server could not be reached.' : null,
    users: signedIn || options.users ? deviceUsers : [],
    locked: !signedIn && options.locked,
  })

  const onStatus: Engine['onStatus'] = (callback) => {
    watchers.add(callback)
    callback(status())
    return () => watchers.delete(callback)
  }

  function moved() {
    for (const callback of watchers) callback(status())
    for (const again of live) again()
  }

  function run(command: Command, mends?: string): Receipt {
    const rows: Receipt['rows'] = []
    apply(database, command, rows)
    if (command.type === 'settleConflict')
      conflicts = conflicts.filter((one) => one.id !== command.conflictId)
    const transactionId = crypto.randomUUID()
    const now = new Date().toISOString()
    outbox = [
      ...outbox.map((entry) => (entry.transactionId === mends ? { ...entry, mendedAt: now } : entry)),
      {
        transactionId,
        command: command.type,
        summary: command.type,
        madeAt: now,
        madeOffline: options.connection === 'offline',
        state: 'waiting',
        durability: reached,
        ...NOT_REFUSED,
      },
    ]
    moved()
    return { transactionId, rows }
  }

  return {
    open: async () => status(),
    signIn: async ({ password, oldPassword, startAnew }) => {
      if (password === 'wrong') throw problem('sign_in_failed', 'User name or password is not right.')
      if (password === 'changed' && !oldPassword && !startAnew)
        throw problem('password_changed', 'Your password was changed.')
      signedIn = true
      moved()
      return session
    },
    signOut: async () => {
      signedIn = false
      moved()
    },
    lock: async () => {
      signedIn = false
      moved()
    },
    query: async (sql, parameters) => ask(database, sql, parameters),
    live(sql, parameters, onRows, onError) {
      const again = () => {
        try {
          onRows(ask(database, sql, parameters))
        } catch (error) {
          onError?.(problem('store', String(error)))
        }
      }
      live.add(again)
      queueMicrotask(again)
      return () => live.delete(again)
    },
    run: async (command, mends) => run(command, mends),
    conflicts: async () => conflicts,
    outbox: async () => outbox,
    discard: async (transactionId) => {
      outbox = outbox.filter((entry) => entry.transactionId !== transactionId)
      moved()
    },
    waitFor: (transactionId, durability, waiting) =>
      waitFor(
        {
          durability: async (id) => outbox.find((entry) => entry.transactionId === id)?.durability ?? null,
          onStatus,
        },
        transactionId,
        durability,
        waiting,
      ),
    syncNow: () => undefined,
    onStatus,
  }
}

const problem = (code: string, message: string): EngineError => ({ code, message })

function store(value: ColumnValue): SqlValue {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value
}

function update(database: Database, table: string, key: string, values: Values): void {
  const primary = findTable(table)?.primaryKey ?? []
  for (const [column, value] of Object.entries(values)) {
    database.run(`UPDATE ${table} SET ${column} = ? WHERE ${primary.join(` || '/' || `)} = ?`, [
      store(value),
      key,
    ])
  }
}

function apply(database: Database, command: Command, rows: Receipt['rows']): void {
  switch (command.type) {
    case 'createRow':
    case 'registerPatient': {
      const table = command.type === 'createRow' ? command.table : 'patients'
      const made = Object.fromEntries(
        Object.entries(command.values).map(([name, value]) => [name, store(value)]),
      )
      const key = crypto.randomUUID()
      insert(database, table, findTable(table)?.primaryKey[0] === 'id' ? { id: key, ...made } : made)
      rows.push({ table, id: key, action: 'created' })
      return
    }
    case 'editRow':
      update(database, command.table, command.id, command.values)
      for (const [column, step] of Object.entries(command.add ?? {})) {
        database.run(`UPDATE ${command.table} SET ${column} = coalesce(${column}, 0) + ? WHERE id = ?`, [
          step,
          command.id,
        ])
      }
      return
    case 'admitPatient':
      update(database, 'beds', command.bedId, { patient_id: command.patientId, status: 'occupied' })
      database.run(`UPDATE patient_queue SET status = 'admitted' WHERE id = ?`, [command.queueEntryId ?? ''])
      return
    case 'dischargePatient':
      return update(database, 'beds', command.bedId, { patient_id: null, status: 'cleaning' })
    case 'bedReady':
      return update(database, 'beds', command.bedId, { status: 'available' })
    case 'startCleaning':
      return update(database, 'bed_cleaning_tasks', command.taskId, { status: 'in_progress' })
    case 'finishCleaning':
      return update(database, 'bed_cleaning_tasks', command.taskId, { status: 'completed' })
    case 'takeStock':
      database.run('UPDATE supplies SET current_stock = current_stock - ? WHERE id = ?', [
        command.quantity,
        command.supplyId,
      ])
      return
    default:
  }
}

const NOT_REFUSED = { reason: null, refused: null, mendedAt: null }

function sampleOutbox(ago: (minutes: number) => string, reached: 'device' | 'hub'): OutboxEntry[] {
  return [
    {
      transactionId: 't1',
      command: 'recordTreatment',
      summary: 'Paracetamol 500 mg for Solveit, Nadia',
      madeAt: ago(4),
      madeOffline: true,
      state: 'waiting',
      durability: reached,
      ...NOT_REFUSED,
    },
    {
      transactionId: 't2',
      command: 'takeStock',
      summary: '2 box Nitrile gloves M taken',
      madeAt: ago(2),
      madeOffline: true,
      state: 'waiting',
      durability: reached,
      ...NOT_REFUSED,
    },
    {
      transactionId: 't3',
      command: 'editRow',
      summary: 'Department of staff E-1004 changed',
      madeAt: ago(55),
      madeOffline: false,
      state: 'rejected',
      durability: 'refused',
      reason: 'Your role (nurse) may not change staff. Ask a manager.',
      refused: {
        type: 'editRow',
        table: 'staff',
        id: id('staff', 0),
        values: { department_id: id('departments', 1) },
      },
      mendedAt: null,
    },
    {
      transactionId: 't4',
      command: 'admitPatient',
      summary: 'Kilimo, Emre admitted to bed 101-A',
      madeAt: ago(95),
      madeOffline: true,
      state: 'rejected',
      durability: 'refused',
      reason: 'This bed is taken. Choose another.',
      refused: { type: 'admitPatient', patientId: id('patients', 61), bedId: id('beds', 0) },
      mendedAt: null,
    },
  ]
}

function sampleConflicts(ago: (minutes: number) => string): Conflict[] {
  const side = (value: SqlValue, shown: boolean, userName: string, minutes: number) => ({
    value,
    shown,
    userId: NURSE,
    userName,
    deviceId: `device-00000${minutes}ab`,
    time: ago(minutes),
  })
  return [
    {
      id: 'c1',
      kind: 'claim',
      table: 'beds',
      row: id('beds', 0),
      column: 'patient_id',
      task: 'Two patients were given this bed. Find another bed for the one who does not lie in it.',
      sides: [
        side(id('patients', 0), true, 'Emre Kilimo', 34),
        side(id('patients', 61), false, 'Otis Vantongeren', 31),
      ],
      raisedAt: ago(12),
    },
    {
      id: 'c2',
      kind: 'concurrent',
      table: 'patients',
      row: id('patients', 3),
      column: 'blood_type',
      task: 'Two people wrote different values. Check with the laboratory and choose the right one.',
      sides: [side('0-', true, 'Samira Oskarby', 80), side('A+', false, 'Piet Quillham', 78)],
      raisedAt: ago(70),
    },
  ]
}
