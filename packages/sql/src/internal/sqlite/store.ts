import { Effect, type Scope } from "effect"
import type { JobStoreError, StoreSignal } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Methods } from "../dialect.ts"
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
    const { read, write } = yield* makeExecutor({ client, runner, tables, description, notify })

    const writes =
      <P, A>(method: string, program: (tx: Transaction, params: P) => Program<A>) =>
      (params: P): Effect.Effect<A, JobStoreError> =>
        write(method, (tx) => program(tx, params))
    const reads =
      <P, A>(method: string, program: (tx: Transaction, params: P) => Program<A>) =>
      (params: P): Effect.Effect<A, JobStoreError> =>
        read(method, (tx) => program(tx, params))

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
      // The lock of a file is not taken to learn that there is nothing to do.
      fire: (params) =>
        Effect.flatMap(
          read("fire", (tx) => isDue(tx, params)),
          (found) =>
            found
              ? write("fire", (tx) => fire(tx, params))
              : Effect.succeed({ applied: [], full: false, now: params.now })
        ),
      modify: writes("modify", modify),
      getSchedules: reads("getSchedules", getSchedules),
      listSchedules: reads("listSchedules", listSchedules),
      enqueue: writes("enqueue", enqueue),
      claim: (params) =>
        Effect.flatMap(
          read("claim", (tx) => isClaimable(tx, params)),
          (found) => (found ? write("claim", (tx) => claim(tx, params)) : Effect.succeed({ runs: [], now: params.now }))
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
