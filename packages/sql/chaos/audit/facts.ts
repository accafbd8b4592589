/** What an audit knows: rows read by plain SQL, logs, and what was done to which process. Instants are milliseconds. */
import type { Log } from "../log.ts"

export interface ScheduleRow {
  readonly id: string
  readonly generation: string
  readonly state: string
  readonly anchor: number
  readonly firstWatermark: number
  readonly watermark: number
  readonly nextAt: number | null
  readonly counts: Readonly<Record<"fired" | "skipped" | "missed" | "dropped" | "paused", number>>
}

/** A row of history that is a run's. */
export interface EndedRow {
  readonly id: string
  readonly outcome: string
  readonly job: string
  readonly queue: string
  readonly delivery: string
  readonly scheduleId: string | null
  readonly generation: string | null
  readonly nominal: number | null
  readonly cause: string
  readonly attempt: number
  readonly recoveries: number
  readonly node: string | null
  readonly startedAt: number | null
  readonly endedAt: number
  /** The number of the work: the result of what succeeded, the payload of what did not. */
  readonly n: number | null
  /** Computed from the number: history keeps it only of what did not succeed. */
  readonly key: string | null
}

/** A row of history that is a range of nominal times. */
export interface RangeRow {
  readonly id: string
  readonly kind: "missed" | "skipped" | "dropped" | "paused"
  readonly scheduleId: string
  readonly generation: string
  readonly first: number
  readonly last: number
  readonly count: number
}

export interface NodeRow {
  readonly id: string
  readonly startedAt: number
  readonly deadAt: number | null
}

export interface Rows {
  readonly schedules: ReadonlyArray<ScheduleRow>
  readonly ended: ReadonlyArray<EndedRow>
  readonly ranges: ReadonlyArray<RangeRow>
  readonly nodes: ReadonlyArray<NodeRow>
  /** How many rows of history there are, and how many ids of runs among them. */
  readonly distinct: { readonly rows: number; readonly ids: number }
  readonly unfinished: number
}

/** What the tables held at one instant of the run. */
export interface Sample {
  readonly at: number
  readonly watermarks: ReadonlyArray<{ readonly id: string; readonly generation: string; readonly watermark: number }>
  /** Running runs by job and queue. */
  readonly running: ReadonlyArray<{ readonly job: string; readonly queue: string; readonly count: number }>
  /** Nodes that are dead or have no row, and under whose id runs are. */
  readonly ghosts: ReadonlyArray<string>
}

export interface ProcessFact {
  readonly pid: number
  readonly startedAt: number
  readonly killedAt: number | undefined
  readonly frozen: ReadonlyArray<{ readonly from: number; readonly until: number }>
}

export interface Facts {
  /** Whether all work was done before the deadline. */
  readonly ended: boolean
  /** Processes that ended by themselves, with what they printed. */
  readonly failures: ReadonlyArray<string>
  /** The processes that were told to end, and how many did so with exit code 0. */
  readonly stopped: { readonly asked: number; readonly inOrder: number }
  readonly took: number
  /** How many runs were to be enqueued, and the ids that enqueueing answered. */
  readonly runs: number
  readonly known: ReadonlySet<string>
  readonly lease: number
  readonly maxRunning: number
  readonly limits: {
    readonly job: Readonly<Record<string, number>>
    readonly queue: Readonly<Record<string, number>>
  }
  readonly processes: ReadonlyArray<ProcessFact>
  readonly rows: Rows
  readonly samples: ReadonlyArray<Sample>
  readonly logs: ReadonlyArray<Log>
}

/** What was looked at, and each thing that is wrong. */
export interface Verdict {
  readonly name: string
  readonly checked: string
  readonly wrong: ReadonlyArray<string>
}
