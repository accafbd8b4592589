import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { MemoryJobStore, type SchedulerEvent } from "effect-scheduler"
import { live } from "./life.ts"
import { illegal, untrue } from "./machine.ts"

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))
const lives = Number(process.env["LIVES"] ?? 3)

const kinds = [
  ["one scheduler on its store", { shared: false, lossy: false }],
  ["two schedulers, of which one is taken for dead now and then", { shared: true, lossy: false }],
  ["one scheduler whose store loses answers", { shared: false, lossy: true }],
  ["two schedulers whose store loses answers", { shared: true, lossy: true }]
] as const

describe("events of a run come in the order in which it happened, and say what history says", () => {
  for (const [name, told] of kinds) {
    for (let one = seed; one < seed + lives; one++) {
      it.effect(
        `${name}: SEED=${one} LIVES=1`,
        () =>
          Effect.gen(function* () {
            const store = yield* MemoryJobStore.make()
            const stores = told.shared ? [store, store] : [store]
            const { history, nodes, unfinished } = yield* live({ lossy: told.lossy, stores, seed: one, steps: 150 })
            assert.deepStrictEqual(
              [...nodes.flatMap((events) => illegal(events, told)), ...untrue(nodes, history, unfinished, told)],
              []
            )
            const tags = new Set(nodes.flat().map((event) => event._tag))
            for (const tag of ["RunCreated", "RunSucceeded", "RunFailed", "RunCancelled"] as const) {
              assert.isTrue(tags.has(tag), `${tag} happened`)
            }
          }),
        60_000
      )
    }
  }
})

const at = (tag: string, fields: object = {}) => ({
  _tag: tag,
  at: 0,
  node: "n",
  store: "default",
  runId: "r",
  job: "J",
  scheduleId: null,
  nominal: null,
  cause: "enqueue",
  attempt: 1,
  execution: 1,
  runAt: 0,
  nextAttemptAt: null,
  started: true,
  ...fields
})

const numbered = (events: ReadonlyArray<object>) =>
  events.map((event, i) => ({ sequence: i + 1, ...event }) as unknown as SchedulerEvent.SchedulerEvent)

describe("a legal order", () => {
  const created = at("RunCreated", { attempt: 0 })
  const again = { attempt: 2, execution: 2 }
  const failed = at("RunFailed", { nextAttemptAt: 5 })
  const alone = { shared: false, lossy: false }

  const legal: ReadonlyArray<ReadonlyArray<{ readonly _tag: string }>> = [
    [created, at("RunStarted"), at("RunSucceeded")],
    [created, at("RunStarted"), failed, at("RunStarted", { ...again, at: 5 }), at("RunFailed", { ...again, at: 5 })],
    [created, at("RunStarted"), at("RunTimedOut"), at("RunStuck"), at("RunFailed")],
    [
      created,
      at("RunStarted"),
      at("RunReleased"),
      at("RunStarted", { attempt: 2 }),
      at("RunSucceeded", { attempt: 2 })
    ],
    [created, at("RunCancelled", { attempt: 0, started: false })],
    [created, at("RunExpired")]
  ]
  for (const events of legal) {
    it(`is ${events.map((event) => event._tag).join(" ")}`, () => {
      assert.deepStrictEqual(illegal(numbered(events), alone), [])
    })
  }

  const wrong: ReadonlyArray<readonly [what: string, events: ReadonlyArray<object>]> = [
    ["begins before the run is created", [at("RunStarted"), at("RunSucceeded")]],
    ["ends twice", [created, at("RunStarted"), at("RunSucceeded"), at("RunSucceeded")]],
    ["goes on after its end", [created, at("RunStarted"), at("RunFailed"), at("RunStarted", again)]],
    ["starts what runs", [created, at("RunStarted"), at("RunStarted", again)]],
    ["starts an attempt twice", [created, at("RunStarted"), failed, at("RunStarted", { execution: 2, at: 5 })]],
    ["starts too early", [created, at("RunStarted"), failed, at("RunStarted", { ...again, at: 4 })]],
    ["does not count a failure", [created, at("RunStarted"), failed, at("RunStarted", { attempt: 2, at: 5 })]],
    ["succeeds without a start", [created, at("RunSucceeded")]],
    ["times out twice", [created, at("RunStarted"), at("RunTimedOut"), at("RunTimedOut")]],
    ["says of what ran that it had not started", [created, at("RunStarted"), at("RunCancelled", { started: false })]],
    ["has a gap", [created, at("RunStarted", { sequence: 3 })]],
    ["goes back in time", [at("RunCreated", { attempt: 0, at: 1 }), at("RunStarted")]]
  ]
  for (const [what, events] of wrong) {
    it(`is none that ${what}`, () => {
      assert.notDeepEqual(illegal(numbered(events), alone), [])
    })
  }
})
