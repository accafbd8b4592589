import { Effect, type Scope } from "effect"
import type { RunRecord } from "effect-scheduler/JobRun"
import type { Applied, JobStoreError, StoreSignal } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Methods } from "../dialect.ts"
import type { Answer, Params } from "../port.ts"
import type { Tables } from "../tables.ts"
import { makeExecutor } from "./executor.ts"
import type { Program } from "./program.ts"
import { claim, isClaimable, wake } from "./programs/claim.ts"
import { finish } from "./programs/finish.ts"
import { maintain } from "./programs/maintain.ts"
import { heartbeat, leave, nodes, reap, register } from "./programs/nodes.ts"
import { cancel, enqueue, getRuns, held, history, listRuns, progress } from "./programs/runs.ts"
import { fire, getSchedules, isDue, listSchedules, modify } from "./programs/schedules.ts"
import type { Transaction } from "./programs/transaction.ts"
import { makeRunner } from "./runner.ts"

/** A tick that ended runs, whose transaction was rolled back. */
const undone = { _tag: "Undone" }

const endsRuns = ({ cancelled, replaced }: Applied): boolean => cancelled.length + replaced.length > 0

/** The methods of a store on SQLite: each is a program that runs in one transaction, which nobody else's overlaps. */
export const makeSqliteStore = (options: {
  readonly client: SqlClient
  readonly tables: Tables
  readonly description: string
  /** Other processes may open the same. */
  readonly shared: boolean
  readonly notify: (signal: StoreSignal) => void
}): Effect.Effect<Methods, JobStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const { client, description, notify, shared, tables } = options
    const runner = makeRunner(client)
    const { read, write, writeUnsynced } = yield* makeExecutor({ client, runner, tables, description, notify })

    const writes =
      <P, A>(method: string, program: (tx: Transaction, params: P) => Program<A>) =>
      (params: P): Effect.Effect<A, JobStoreError> =>
        write(method, (tx) => program(tx, params))
    const reads =
      <P, A>(method: string, program: (tx: Transaction, params: P) => Program<A>) =>
      (params: P): Effect.Effect<A, JobStoreError> =>
        read(method, (tx) => program(tx, params))

    // The lock of a file is not taken to learn that there is nothing to do. What is known without asking: whether more is due
    // than the last call fired, and from when on what is left, or was inserted here since, can be claimed.
    let someDue = false
    let pendingFrom = Infinity
    const inserted = (run: RunRecord): void => {
      if (run.state === "pending" && run.runAt < pendingFrom) pendingFrom = run.runAt
    }
    const firing = (params: Params<"fire">, mayBeForgotten: boolean) =>
      function* (tx: Transaction): Program<Answer<"fire">> {
        const answer = yield* fire(tx, params)
        if (mayBeForgotten && answer.applied.some(endsRuns)) throw undone
        someDue = answer.full
        for (const { change } of answer.applied) change.runs.forEach(inserted)
        return answer
      }
    // A tick is decided again where a power cut makes the file forget it, and nothing is executed of it before: a claim
    // waits for the disk, which then has both. That a run has ended is told at once, so that such a tick waits itself.
    const fireDue = (params: Params<"fire">) =>
      Effect.flatMap(runner.isJoined, (isJoined) => {
        const synced = write("fire", firing(params, false))
        if (isJoined) return synced
        return Effect.catchDefect(writeUnsynced("fire", firing(params, true)), (defect) =>
          defect === undone ? synced : Effect.die(defect)
        )
      })
    const claimPending = writes("claim", function* (tx, params: Params<"claim">) {
      const answer = yield* claim(tx, params)
      pendingFrom = answer.runs.length === params.limit ? params.now : Infinity
      return answer
    })

    return {
      listen: Effect.void,
      shared,
      description,
      transaction: { active: runner.isJoined, afterCommit: client.afterCommit },
      register: writes("register", register),
      heartbeat: writes("heartbeat", heartbeat),
      leave: writes("leave", leave),
      nodes: read("nodes", nodes),
      reap: writes("reap", reap),
      fire: (params) =>
        Effect.suspend(() =>
          someDue
            ? fireDue(params)
            : Effect.flatMap(
                read("fire", (tx) => isDue(tx, params)),
                (found) => (found ? fireDue(params) : Effect.succeed({ applied: [], full: false, now: params.now }))
              )
        ),
      modify: writes("modify", modify),
      getSchedules: reads("getSchedules", getSchedules),
      listSchedules: reads("listSchedules", listSchedules),
      enqueue: writes("enqueue", function* (tx, params: Params<"enqueue">) {
        const answer = yield* enqueue(tx, params)
        for (const { run } of params.runs) inserted(run)
        return answer
      }),
      claim: (params) =>
        Effect.suspend(() =>
          params.limit > 0 && params.now >= pendingFrom
            ? claimPending(params)
            : Effect.flatMap(
                read("claim", (tx) => isClaimable(tx, params)),
                (found) => (found ? claimPending(params) : Effect.succeed({ runs: [], now: params.now }))
              )
        ),
      finish: writes("finish", finish),
      held: reads("held", held),
      progress: writes("progress", progress),
      cancel: writes("cancel", cancel),
      getRuns: reads("getRuns", getRuns),
      listRuns: reads("listRuns", listRuns),
      history: reads("history", history),
      wake: reads("wake", wake),
      maintain: writes("maintain", maintain)
    }
  })
