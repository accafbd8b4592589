import { assert, describe, it } from "@effect/vitest"
import { Console, DateTime, Effect, Sink, Stream } from "effect"
import { Scheduler, Trigger } from "effect-scheduler"
import { Crash, iso, on, Tick, worker } from "./kit.ts"

const some = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  yield* scheduler.schedule(Tick, { id: "digest", trigger: Trigger.cron("0 9 * * MON-FRI") })
  yield* scheduler.schedule(Crash, { id: "poll", trigger: Trigger.every("15 minutes") })
  yield* scheduler.schedule(Tick, { id: "launch", trigger: Trigger.at("2200-05-19T00:00:00Z") })
  yield* scheduler.schedule(Tick, { id: "rest", trigger: Trigger.every("1 minute") })
  yield* scheduler.pause("rest")
})

const table = [
  "ID     JOB   TRIGGER                STATE      NEXT",
  "digest Tick  at 09:00 on Monday to… active     in 21h",
  "launch Tick  once at 2200-05-19T00… active     in 63629d 12h",
  "poll   Crash every 15 minutes       active     in 15m",
  "rest   Tick  every minute           paused     -"
]

describe("listing", () => {
  it.effect(
    "42 print_jobs: a table of schedules, their triggers and next times, printed or written into a given sink",
    () =>
      Effect.gen(function* () {
        const { layer } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          yield* some
          const text = yield* scheduler.render()
          for (const [index, line] of table.entries()) {
            assert.strictEqual(text.split("\n")[index]?.replace(/ +/g, " "), line.replace(/ +/g, " "))
          }

          const written: Array<string> = []
          const file = Sink.forEach((line: string) => Effect.sync(() => void written.push(line)))
          yield* Stream.fromEffect(scheduler.render()).pipe(Stream.splitLines, Stream.run(file))
          assert.deepStrictEqual(written, text.split("\n"))

          const printed: Array<unknown> = []
          const console: Console.Console = { ...globalThis.console, log: (line: unknown) => void printed.push(line) }
          yield* Effect.flatMap(scheduler.render(), Console.log).pipe(Effect.provideService(Console.Console, console))
          assert.deepStrictEqual(printed, [text])
        }).pipe(on(layer))
      })
  )

  it.effect("seed-print-jobs: an empty store says so", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      const text = yield* Effect.flatMap(Scheduler, (scheduler) => scheduler.render()).pipe(on(layer))
      assert.strictEqual(text, "No schedules")
    })
  )

  it.effect("43 get_jobs: schedules as values, those that wait for the start included and marked", () =>
    Effect.gen(function* () {
      const { layer } = worker({ autoStart: false })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* scheduler.schedule(Tick, { id: "poll", trigger: Trigger.every("15 minutes") })
        const tentative = yield* scheduler.list()
        yield* scheduler.start
        const started = yield* scheduler.list()
        const all = yield* Stream.runCollect(scheduler.listAll({ job: "Tick" }))
        assert.deepStrictEqual(
          [...tentative.items, ...started.items, ...all].map(({ id, job, nextAt, state, description }) => [
            id,
            job,
            state,
            iso(nextAt),
            description
          ]),
          ["tentative", "active", "active"].map((state) => [
            "poll",
            "Tick",
            state,
            "2026-03-02T12:15:00Z",
            "every 15 minutes"
          ])
        )
      }).pipe(on(layer))
    })
  )

  it.effect("v3-ordering: lists are by id in pages, coming times by time; what is paused has none", () =>
    Effect.gen(function* () {
      const { layer } = worker()
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        yield* some
        const first = yield* scheduler.list({ limit: 3 })
        const second = yield* scheduler.list({ limit: 3, cursor: first.cursor })
        assert.deepStrictEqual(
          [...first.items, ...second.items].map((view) => view.id),
          ["digest", "launch", "poll", "rest"]
        )
        const soon = yield* scheduler.upcoming(3)
        assert.deepStrictEqual(
          soon.map(
            ({ at, scheduleId }) => `${DateTime.formatIso(DateTime.makeUnsafe(at)).slice(11, 16)} ${scheduleId}`
          ),
          ["12:15 poll", "12:30 poll", "12:45 poll"]
        )
        const paused = yield* scheduler.list({ state: "paused" })
        assert.deepStrictEqual(
          paused.items.map((view) => view.id),
          ["rest"]
        )
      }).pipe(on(layer))
    })
  )
})
