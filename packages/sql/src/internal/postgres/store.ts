import { Effect, type Scope } from "effect"
import type { JobStoreError, StoreSignal } from "effect-scheduler/JobStore"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Methods } from "../dialect.ts"
import type { Params } from "../port.ts"
import { toOpenError, toStoreError } from "../storeError.ts"
import type { Tables } from "../tables.ts"
import { makeClaim } from "./claim.ts"
import { makeClaimInTurn } from "./claimInTurn.ts"
import { makeDatabase } from "./database.ts"
import { makeEnding } from "./ending.ts"
import { makeEnqueue } from "./enqueue.ts"
import { makeFinish } from "./finish.ts"
import { makeFire } from "./fire.ts"
import { makeHeads } from "./heads.ts"
import { Horizon } from "./horizon.ts"
import { makeLane } from "./lane.ts"
import { makeMaintain } from "./maintain.ts"
import { makeNodes } from "./nodes.ts"
import { makeReminder } from "./reminder.ts"
import { makeRuns } from "./runs.ts"
import { makeSchedules } from "./schedules.ts"
import { makeSignals } from "./signals.ts"
import { makeWorkbench } from "./workbench.ts"

/** The methods of a store on Postgres. */
export const makePostgresStore = (options: {
  readonly client: SqlClient
  readonly tables: Tables
  readonly description: string
  readonly believesCallers: boolean
  /** How many connections of the pool may be kept for calls. */
  readonly ownConnections: number
  readonly notify: (signal: StoreSignal) => void
}): Effect.Effect<Methods, JobStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const { client, description, tables } = options
    const opening = Effect.mapError((error: SqlError) => toOpenError(description, error))
    const signals = yield* makeSignals({ client, tables, hear: options.notify })
    const heart = yield* makeLane(client, options.believesCallers).pipe(opening)
    const workbench = yield* makeWorkbench(client, options.ownConnections)
    const db = makeDatabase({ ...options, workbench, signals })
    const ending = makeEnding(tables)
    const schedules = makeSchedules(tables, ending)
    const dueFrom = new Horizon(tables.schedules)
    const ask = makeHeads(tables, db, dueFrom)
    const claimedFrom = new Horizon(tables.runs)
    const remind = yield* makeReminder(options.notify)
    const { claim, wake } = makeClaim(tables, db, claimedFrom, dueFrom, ask, makeClaimInTurn(tables), remind)
    const nodes = makeNodes(tables, db, heart, schedules, ending)
    const runs = makeRuns(tables, db, schedules, ending)

    const method =
      <P, A>(name: string, run: (params: P) => Effect.Effect<A, SqlError>) =>
      (params: P): Effect.Effect<A, JobStoreError> =>
        Effect.mapError(
          Effect.suspend(() => run(params)),
          (error) => toStoreError(name, description, error)
        )

    return {
      listen: signals.listen,
      shared: true,
      description,
      transaction: { active: db.isJoined, afterCommit: client.afterCommit },
      register: method("register", nodes.register),
      heartbeat: method("heartbeat", nodes.heartbeat),
      leave: method("leave", nodes.leave),
      nodes: method("nodes", nodes.nodes)(undefined),
      reap: method("reap", nodes.reap),
      fire: method("fire", makeFire(tables, db, dueFrom, ask, schedules)),
      modify: method("modify", ({ ids, now, transition }: Params<"modify">) =>
        db.transact(now, (tx) => schedules.modify(tx, ids, transition))
      ),
      getSchedules: method("getSchedules", runs.getSchedules),
      listSchedules: method("listSchedules", runs.listSchedules),
      enqueue: method("enqueue", makeEnqueue(tables, db)),
      claim: method("claim", claim),
      finish: method("finish", makeFinish(tables, db, schedules, ending)),
      held: method("held", runs.held),
      progress: method("progress", runs.progress),
      cancel: method("cancel", runs.cancel),
      getRuns: method("getRuns", runs.getRuns),
      listRuns: method("listRuns", runs.listRuns),
      history: method("history", runs.history),
      wake: method("wake", wake),
      maintain: method("maintain", makeMaintain(tables, db, schedules))
    }
  })
