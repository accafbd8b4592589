import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Job, MemoryJobStore, Scheduler, SchedulerError, Trigger } from "../../src/index.ts"
import type { SchedulerService } from "../../src/Scheduler.ts"
import { settled, steered } from "./support.ts"

class Note extends Job.make("Note", { payload: { text: Schema.String } }) {}
class Plain extends Job.make("Plain") {}
class Keyed extends Job.make("Keyed", { payload: { key: Schema.String }, key: ({ key }) => key.repeat(4) }) {}

const layer = Layer.provideMerge(
  Layer.mergeAll(
    Note.toLayer(() => Effect.void),
    Plain.toLayer(() => Effect.void)
  ),
  Scheduler.layer({ payloadLimit: 100 })
)

const trigger = Trigger.every("1 minute")
const unknown = "018f0000-0000-7000-8000-000000000000"
const wrong = { text: 42 } as never

type Refusal = (scheduler: SchedulerService) => Effect.Effect<unknown, unknown>

const refusals: ReadonlyArray<readonly [title: string, reason: string, message: string, call: Refusal]> = [
  [
    "an id that is empty",
    "InvalidOption",
    "schedule: id must be a text of 1 to 255 characters, not 0 characters",
    (s) => s.schedule(Plain, { id: "", trigger })
  ],
  [
    "an id that is too long",
    "InvalidOption",
    "schedule: id must be a text of 1 to 255 characters, not 256 characters",
    (s) => s.schedule(Plain, { id: "x".repeat(256), trigger })
  ],
  [
    "an id with a character that no text of Postgres has",
    "InvalidOption",
    'schedule: id must be a text without NUL and without half a surrogate pair, not "a\\u0000b"',
    (s) => s.schedule(Plain, { id: "a\u0000b", trigger })
  ],
  [
    "an id with half a surrogate pair",
    "InvalidOption",
    'schedule: id must be a text without NUL and without half a surrogate pair, not "a\\ud800"',
    (s) => s.schedule(Plain, { id: "a\ud800", trigger })
  ],
  [
    "a key that is too long for an index",
    "InvalidPayload",
    'enqueue: the payload does not fit job "Keyed": its key has 280 characters, and at most 255 are allowed',
    (s) => s.enqueue(Keyed, { key: "x".repeat(70) })
  ],
  [
    "a key with a character that no text of Postgres has",
    "InvalidPayload",
    'schedule "k": the payload does not fit job "Keyed": its key must be a text without NUL and without half a surrogate pair, not "\\u0000\\u0000\\u0000\\u0000"',
    (s) => s.schedule(Keyed, { id: "k", trigger, payload: { key: "\u0000" } })
  ],
  [
    "an id among many that is empty",
    "InvalidOption",
    "schedule: id must be a text of 1 to 255 characters, not 0 characters",
    (s) =>
      s.scheduleAll(Plain, [
        { id: "fine", trigger },
        { id: "", trigger }
      ])
  ],
  [
    "a payload that does not match its schema, on scheduling",
    "InvalidPayload",
    'schedule "n": the payload does not fit job "Note": Expected string at ["text"]',
    (s) => s.schedule(Note, { id: "n", trigger, payload: wrong })
  ],
  [
    "a payload that does not match its schema, on enqueueing",
    "InvalidPayload",
    'enqueue: the payload does not fit job "Note": Expected string at ["text"]',
    (s) => s.enqueue(Note, wrong)
  ],
  [
    "a payload that does not match its schema, on an update",
    "InvalidPayload",
    'schedule "there": the payload does not fit job "Note": Expected string at ["text"]',
    (s) => s.update(Note, "there", { payload: wrong })
  ],
  [
    "a payload above the limit",
    "InvalidPayload",
    "takes 111 bytes, and payloadLimit is 100",
    (s) => s.enqueue(Note, { text: "x".repeat(100) })
  ],
  [
    "a policy that is out of range",
    "InvalidOption",
    'schedule "p": maxInstances must be a whole number, at least 1, or Infinity, not 0',
    (s) => s.schedule(Plain, { id: "p", trigger, maxInstances: 0 })
  ],
  [
    "an instant that is none",
    "InvalidOption",
    "at must be an instant, not soon",
    (s) => s.enqueue(Plain, undefined, { at: "soon" })
  ],
  ...(
    [
      ["unschedule", (s) => s.unschedule("gone")],
      ["reschedule", (s) => s.reschedule("gone", trigger)],
      ["update", (s) => s.update(Note, "gone", {})],
      ["pause", (s) => s.pause("gone")],
      ["resume", (s) => s.resume("gone")],
      ["runNow", (s) => s.runNow("gone")],
      ["backfill", (s) => s.backfill("gone", { from: 0, to: 1, request: "r" })]
    ] as ReadonlyArray<readonly [string, Refusal]>
  ).map(
    ([verb, call]) =>
      [
        `an unknown schedule, by ${verb}`,
        "ScheduleNotFound",
        'No schedule "gone" in store "default". List what is there with scheduler.list()',
        call
      ] as const
  ),
  ...(
    [
      ["cancel", (s) => s.cancel(unknown)],
      ["rerun", (s) => s.rerun(unknown)],
      ["awaitEnd", (s) => s.awaitEnd(unknown)]
    ] as ReadonlyArray<readonly [string, Refusal]>
  ).map(
    ([verb, call]) =>
      [`an unknown run, by ${verb}`, "RunNotFound", `No run "${unknown}" in store "default"`, call] as const
  ),
  ...(
    [
      ["schedule", (s) => s.schedule(Plain, { id: "p", trigger, store: "nowhere" })],
      ["enqueue", (s) => s.enqueue(Plain, undefined, { store: "nowhere" })],
      ["execute", (s) => s.execute(Plain, undefined, { store: "nowhere" })],
      ["get", (s) => s.get("there", { store: "nowhere" })],
      ["list", (s) => s.list({ store: "nowhere" })],
      ["history", (s) => s.history({ store: "nowhere" })],
      ["render", (s) => s.render({ store: "nowhere" })],
      ["cancel", (s) => s.cancel(unknown, { store: "nowhere" })],
      ["prune", (s) => s.prune("app", { store: "nowhere" })]
    ] as ReadonlyArray<readonly [string, Refusal]>
  ).map(
    ([verb, call]) =>
      [
        `an unknown store alias, by ${verb}`,
        "UnknownStore",
        'No store "nowhere" here; there is "default"',
        call
      ] as const
  ),
  [
    "the same store alias twice",
    "DuplicateStore",
    'A store "default" is there already',
    (s) => Effect.scoped(s.addStore("default", MemoryJobStore.layer))
  ],
  [
    "an empty store alias",
    "InvalidOption",
    "addStore: alias must be a text of 1 to 255 characters, not 0 characters",
    (s) => Effect.scoped(s.addStore("", MemoryJobStore.layer))
  ]
]

describe("refused, with an error that names what is wrong, and nothing lost:", () => {
  for (const [title, reason, message, call] of refusals) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Note, { id: "there", trigger, payload: { text: "as it was" } })
        const before = yield* scheduler.list()
        const error = yield* Effect.flip(call(scheduler))
        assert.instanceOf(error, SchedulerError.SchedulerError)
        assert.strictEqual((error as SchedulerError.SchedulerError).reason._tag, reason)
        assert.include((error as Error).message, message)
        assert.deepStrictEqual(yield* scheduler.list(), before)
        assert.deepStrictEqual((yield* scheduler.runs()).items, [])
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("the same store alias twice, with the first alias untouched", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.addStore("more", steered().layer)
      yield* scheduler.schedule(Plain, { id: "p", trigger, store: "more" })
      yield* Effect.flip(scheduler.addStore("more", steered().layer))
      assert.isTrue(Option.isSome(yield* scheduler.get("p", { store: "more" })))
    }).pipe(Effect.provide(layer))
  )

  it.effect("a run that has not ended, or that succeeded, by rerun", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const waiting = yield* scheduler.enqueue(Plain, undefined, { at: 60_000 })
      const done = yield* scheduler.enqueue(Plain)
      yield* settled
      assert.strictEqual(
        (yield* Effect.flip(scheduler.rerun(waiting))).message,
        `Run "${waiting}" cannot be run again: it has not ended yet`
      )
      assert.strictEqual(
        (yield* Effect.flip(scheduler.rerun(done))).message,
        `Run "${done}" cannot be run again: it succeeded, and the payload of a success is not kept`
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("one reason is handled by its name", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const answer = yield* scheduler
        .pause("gone")
        .pipe(Effect.catchReason("SchedulerError", "ScheduleNotFound", (reason) => Effect.succeed(reason.scheduleId)))
      assert.strictEqual(answer, "gone")
    }).pipe(Effect.provide(layer))
  )
})

describe("a job with no handler", () => {
  it.effect(
    "waits, visible: its schedule is unresolved, its runs are pending, and an event says so after a minute",
    () =>
      Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const told: Array<string> = []
        yield* scheduler.on("JobUnresolved", (event) => Effect.sync(() => told.push(`${event.job} ${event.at}`)))
        yield* scheduler.schedule(Plain, { id: "p", trigger, overlap: "bufferAll" })
        yield* TestClock.adjust("119 seconds")
        assert.deepStrictEqual(told, [])
        assert.strictEqual((yield* scheduler.list()).items[0]?.state, "unresolved")
        assert.deepInclude((yield* scheduler.runs()).items[0]!, { state: "pending", attempt: 0 })
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(told, ["Plain 120000"])
        yield* Effect.gen(function* () {
          yield* settled
          assert.strictEqual((yield* scheduler.list()).items[0]?.state, "active")
          yield* settled.pipe(Effect.repeat({ times: 5 }))
          assert.deepStrictEqual((yield* scheduler.runs()).items, [])
          assert.strictEqual((yield* scheduler.history()).items.length, 11)
        }).pipe(Effect.provide(Plain.toLayer(() => Effect.void)))
      }).pipe(Effect.provide(Scheduler.layer()))
  )
})
