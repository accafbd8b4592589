import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { RunRecord } from "../../src/JobRun.ts"
import type { JobStoreError, JobStoreService, RunReport } from "../../src/JobStore.ts"
import { numbers, schedule, uuid } from "../../src/testing/internal/fixtures.ts"
import { periodic } from "../../src/testing/internal/model/periodic.ts"
import { release, retry, success } from "../../src/testing/internal/probe.ts"
import type { Seeded } from "../../src/testing/internal/random.ts"

export const jobs = [
  { name: "mail", queue: "default" },
  { name: "report", queue: "slow", concurrency: 3 }
]
export const queues = { default: 5 }
export const knowledge = { version: 1, triggers: [] }

export const rows = numbers(1, 8).map((n) =>
  schedule(`s${n}`, {
    generation: uuid(0x100 + n),
    job: n % 2 === 0 ? "mail" : "report",
    trigger: JSON.stringify(n % 4 === 3 ? { after: 400 } : { every: 500 + 100 * n }),
    policy: JSON.stringify({ overlap: ["skip", "defer", "replace", "allow"][n % 4], maxRuns: 1e9 }),
    key: n % 3 === 0 ? "k" : null,
    delivery: n === 4 ? "atMostOnce" : "atLeastOnce"
  })
)

/** A node that does what a scheduler does, one step at a time, and sends again what failed. */
export class Worker {
  readonly node: string
  readonly store: JobStoreService
  readonly random: Seeded
  readonly executions: Array<{ readonly run: string; readonly attempt: number }>
  held = new Map<string, RunRecord>()
  unsure = false

  /** After so many milliseconds a call that does not answer is given up. */
  readonly patience: number

  constructor(
    node: string,
    store: JobStoreService,
    random: Seeded,
    executions: Worker["executions"],
    patience: number
  ) {
    this.patience = patience
    this.node = node
    this.store = store
    this.random = random
    this.executions = executions
  }

  /** Sends a call until it is answered. What hangs is given up after a while. */
  again<A>(call: Effect.Effect<A, JobStoreError>): Effect.Effect<A> {
    return Effect.retry(Effect.timeout(call, this.patience), { times: 200 }).pipe(Effect.orDie)
  }

  /** Sends a call once; whether it was answered is another matter. */
  once<A>(call: Effect.Effect<A, JobStoreError>): Effect.Effect<A | undefined> {
    return Effect.timeout(call, this.patience).pipe(Effect.catch(() => Effect.undefined))
  }

  step(now: number, limit: number): Effect.Effect<void> {
    const { node, random, store } = this
    return Effect.gen({ self: this }, function* () {
      yield* this.once(store.fire({ now, limit: random.pick([1, 100]), ...knowledge, transition: periodic }))
      yield* this.once(store.wake({ now, jobs, queues, ...knowledge }))
      if (this.unsure) {
        // The answer of a claim was lost: ask what the store thinks this node has.
        for (const row of yield* this.again(store.held({ node }))) this.take(row)
        this.unsure = false
      } else {
        const claim = store.claim({ now, node, limit, jobs, queues })
        const answer = yield* this.once(claim)
        if (answer === undefined) this.unsure = true
        else answer.runs.forEach((row) => this.take(row))
      }
      const some = random.some([...this.held.values()], 0.6)
      const entries = some.map((row) => ({ id: row.id, attempt: row.attempt, progress: "1" }))
      yield* this.once(store.progress({ node, entries }))
      const reports = some.map((row) => this.report(row, now))
      const { busy = [], fenced } = yield* this.again(store.finish({ now, node, reports, transition: periodic }))
      assert.deepStrictEqual(fenced, [], "reports of a living node")
      // What somebody has locked is reported another time.
      for (const row of some) if (!busy.includes(row.id)) this.held.delete(row.id)
    })
  }

  take(row: RunRecord): void {
    if (this.held.get(row.id)?.attempt === row.attempt) return
    this.held.set(row.id, row)
    this.executions.push({ run: row.id, attempt: row.attempt })
  }

  report(row: RunRecord, now: number): RunReport {
    const choice = this.random.next()
    if (row.cancelAt !== null) return success(row, { outcome: "cancelled", failures: row.failures })
    if (choice < 0.15 && row.failures < 3) {
      const failures = row.failures + 1
      return retry(row, { failures, errors: `[${failures},${row.attempt}]`, runAt: now + this.random.int(0, 900) })
    }
    return choice < 0.2 ? release(row) : success(row, { failures: row.failures, errors: row.errors })
  }
}
