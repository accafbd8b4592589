import { SqlJobStore } from "@effect-scheduler/sql"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { JobStore } from "effect-scheduler"
import { live } from "../../scheduler/test/scheduler/events/life.ts"
import { illegal, untrue } from "../../scheduler/test/scheduler/events/machine.ts"
import { newFile } from "./support.ts"

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))
const lives = Number(process.env["LIVES"] ?? 1)

/** What a power cut could lose is not what the events are about. */
const client = (filename: string) =>
  Effect.map(Layer.build(Layer.fresh(SqlJobStore.layerSqlite({ filename, synchronous: "normal" }))), (context) =>
    Context.get(context, JobStore.JobStore)
  )

const kinds = [
  ["of one client", { clients: 1, lossy: false }],
  ["of two clients, of which one is taken for dead now and then", { clients: 2, lossy: false }],
  ["of two clients that lose answers", { clients: 2, lossy: true }]
] as const

describe("events of the runs in a SQLite file come in the order in which it happened, and say what history says", () => {
  for (const [name, { clients, lossy }] of kinds) {
    for (let one = seed; one < seed + lives; one++) {
      it.effect(
        `${name}: SEED=${one} LIVES=1`,
        () =>
          Effect.gen(function* () {
            const filename = yield* newFile
            const stores = yield* Effect.forEach(Array.from({ length: clients }), () => client(filename))
            const { history, nodes, unfinished } = yield* live({ lossy, stores, seed: one, steps: 80 })
            const told = { shared: clients > 1, lossy }
            assert.deepStrictEqual(
              [...nodes.flatMap((events) => illegal(events, told)), ...untrue(nodes, history, unfinished, told)],
              []
            )
            const tags = new Set(nodes.flat().map((event) => event._tag))
            for (const tag of ["RunCreated", "RunSucceeded", "RunFailed"] as const) {
              assert.isTrue(tags.has(tag), `${tag} happened`)
            }
          }),
        60_000
      )
    }
  }
})
