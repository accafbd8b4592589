import { SqliteClient as OfficialClient } from "@effect/sql-sqlite-node"
import { assert, describe, it, layer as withLayer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { JobStore, type JobStoreError, type JobStoreService } from "effect-scheduler/JobStore"
import { NaiveJobStore, StoreModel } from "effect-scheduler/testing"
import { SqlJobStore } from "../src/index.ts"
import { Emptied, emptied } from "./postgres/emptied.ts"
import { newFile } from "./support.ts"

/** More with `MODEL_SEQUENCES=2000`, others with `MODEL_SEED=12345`. */
const sequences = Number(process.env["MODEL_SEQUENCES"] ?? 300)
const firstSeed = Number(process.env["MODEL_SEED"] ?? 1)

/** Mostly short, since many beginnings find more than few long ones; every tenth goes on. */
const lengthOf = (seed: number): number => (seed % 10 === 0 ? 60 : 5 + ((seed * 7) % 11))

/** Two clients of one file, as two processes have it, that take turns. */
const inTurns = (stores: ReadonlyArray<JobStoreService>): JobStoreService => {
  let turn = 0
  const either =
    <P, A>(method: (store: JobStoreService) => (params: P) => Effect.Effect<A, JobStoreError>) =>
    (params: P): Effect.Effect<A, JobStoreError> =>
      Effect.suspend(() => method(stores[turn++ % 2]!)(params))
  return {
    ...stores[0]!,
    register: either((store) => store.register),
    heartbeat: either((store) => store.heartbeat),
    leave: either((store) => store.leave),
    nodes: Effect.suspend(() => stores[turn++ % 2]!.nodes),
    reap: either((store) => store.reap),
    fire: either((store) => store.fire),
    modify: either((store) => store.modify),
    getSchedules: either((store) => store.getSchedules),
    listSchedules: either((store) => store.listSchedules),
    enqueue: either((store) => store.enqueue),
    claim: either((store) => store.claim),
    finish: either((store) => store.finish),
    held: either((store) => store.held),
    progress: either((store) => store.progress),
    cancel: either((store) => store.cancel),
    getRuns: either((store) => store.getRuns),
    listRuns: either((store) => store.listRuns),
    history: either((store) => store.history),
    wake: either((store) => store.wake),
    maintain: either((store) => store.maintain)
  }
}

const bothOf = Effect.gen(function* () {
  const filename = yield* newFile
  const open = Effect.map(Layer.build(SqlJobStore.layerSqlite({ filename, synchronous: "normal" })), (context) =>
    Context.get(context, JobStore)
  )
  return inTurns([yield* open, yield* open])
})

const stores = {
  "the embedded client": [SqlJobStore.layerSqlite({ filename: ":memory:" }), 1],
  "two embedded clients of one file in turns": [Layer.effect(JobStore, bothOf), 10],
  "@effect/sql-sqlite-node": [
    SqlJobStore.layer().pipe(Layer.provide(OfficialClient.layer({ filename: ":memory:" }))),
    6
  ]
} as const

for (const [client, [layer, share]] of Object.entries(stores)) {
  const count = Math.ceil(sequences / share)
  describe(`SqlJobStore on ${client}, beside the specification`, () => {
    it.effect(
      `answers the same to ${count} random sequences of 5 to 60 commands, seeds ${firstSeed} to ${firstSeed + count - 1}`,
      () =>
        Effect.gen(function* () {
          const seen = new Map<string, number>()
          for (let seed = firstSeed; seed < firstSeed + count; seed++) {
            const { commands } = yield* Effect.gen(function* () {
              const model = yield* NaiveJobStore.make
              return yield* StoreModel.compare({ model, subject: yield* JobStore, seed, length: lengthOf(seed) })
            }).pipe(Effect.provide(Layer.fresh(layer)))
            for (const [name, times] of Object.entries(commands)) seen.set(name, (seen.get(name) ?? 0) + times)
          }
          assert.isAbove(seen.size, 15)
        }),
      { timeout: 60_000 + sequences * 1_000 }
    )
  })
}

withLayer(emptied(2), { excludeTestServices: true })("SqlJobStore on two clients of one Postgres in turns", (it) => {
  const count = sequences
  it.effect(
    `answers the same as the specification to ${count} random sequences of 5 to 60 commands, seeds ${firstSeed} to ${firstSeed + count - 1}`,
    () =>
      Effect.gen(function* () {
        const { dump, empty, stores } = yield* Emptied
        for (let seed = firstSeed; seed < firstSeed + count; seed++) {
          yield* empty
          const model = yield* NaiveJobStore.make
          yield* StoreModel.compare({ model, subject: inTurns(stores), seed, length: lengthOf(seed), read: dump })
        }
      }),
    { timeout: 60_000 + sequences * 1_000 }
  )
})
