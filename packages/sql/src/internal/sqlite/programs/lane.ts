import type { RunRecord } from "effect-scheduler/JobRun"
import type { ClaimableJob } from "effect-scheduler/JobStore"
import type { Row, Value } from "../../values.ts"
import { type Program, query } from "../program.ts"
import type { Placed } from "./ending.ts"
import type { Transaction } from "./transaction.ts"

/** How many runs of taken keys one claim puts aside in each lane. What is left there is seen by the next one, so that a
 * hundred thousand of them neither hold up the others nor block the process. */
const maxDeferrals = 500

/** What is read of a pending run to claim it: all that the lane and the claim do not say. Each column costs a tenth of a microsecond. */
export const laneColumns = [
  "id",
  "payload",
  "key",
  "delivery",
  "schedule_id",
  "generation",
  "nominal",
  "cause",
  "settles",
  "run_at",
  "start_by",
  "attempt",
  "failures",
  "recoveries",
  "errors",
  "cancel_at",
  "progress",
  "created_at"
] as const

/** Who claims, and when. */
export interface Claimant {
  readonly node: string
  readonly now: number
  readonly startedAt: number
}

/** The due pending runs of one job and priority, in order, read in pieces, each as it is when it is claimed. */
export class Lane {
  readonly job: ClaimableJob
  private readonly priority: RunRecord["priority"]
  private readonly claimant: Claimant
  private runs: ReadonlyArray<Placed> = []
  private next = 0
  private isRead = false
  private deferrals = 0

  constructor(job: ClaimableJob, priority: RunRecord["priority"], claimant: Claimant) {
    this.job = job
    this.priority = priority
    this.claimant = claimant
  }

  /** The first that was not dropped. Undefined where there is none, or `mustRead`. */
  get first(): Placed | undefined {
    return this.deferrals < maxDeferrals ? this.runs[this.next] : undefined
  }

  get mustRead(): boolean {
    return this.next === this.runs.length && !this.isRead && this.deferrals < maxDeferrals
  }

  *read(tx: Transaction, size: number): Program<void> {
    const last = this.runs[this.next - 1]
    const from = last === undefined ? [Number.MIN_SAFE_INTEGER, ""] : [last.run.runAt, last.run.id]
    const rows = yield* query(tx.sql.lane, [this.job.name, this.priority, this.claimant.now, ...from, size])
    this.runs = rows.map((row) => this.decode(row))
    this.next = 0
    this.isRead = rows.length < size
  }

  drop(): void {
    this.next++
  }

  defer(): void {
    this.deferrals++
  }

  private decode(row: Row): Placed {
    const run: RunRecord = {
      id: row[0] as string,
      job: this.job.name,
      queue: this.job.queue,
      priority: this.priority,
      payload: row[1] as string,
      key: row[2] as string | null,
      delivery: row[3] as RunRecord["delivery"],
      scheduleId: row[4] as string | null,
      generation: row[5] as string | null,
      nominal: row[6] as number | null,
      cause: row[7] as string,
      settles: row[8] === 1,
      state: "running",
      waitsFor: null,
      runAt: row[9] as number,
      startBy: row[10] as number | null,
      attempt: (row[11] as number) + 1,
      failures: row[12] as number,
      recoveries: row[13] as number,
      errors: row[14] as string,
      node: this.claimant.node,
      startedAt: this.claimant.startedAt,
      cancelAt: row[15] as number | null,
      progress: row[16] as string | null,
      createdAt: row[17] as number
    }
    return { run, place: row[laneColumns.length] as Value }
  }
}
