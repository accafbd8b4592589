import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Scheduler, Trigger } from "effect-scheduler"
import type { PolicyOptions } from "effect-scheduler/JobSchedule"
import { TestClock } from "effect/testing"
import { away, on, pass, record, settle, Slow, Tick, time, worker } from "./kit.ts"

/** Every 5 s from 12:00:00, and nobody there from 11:59:59 to 12:00:14. */
const fourteenSecondsLate = Effect.fnUntraced(function* (policy: PolicyOptions) {
  const { began, layer, nominals } = worker()
  const program = Effect.gen(function* () {
    const scheduler = yield* Scheduler
    const missed = yield* record("RunMissed")
    const trigger = Trigger.every("5 seconds", { start: "2026-03-02T12:00:00Z" })
    yield* scheduler.schedule(Tick, { id: "tick", trigger, ...policy })
    yield* away("15 seconds")
    const view = yield* scheduler.get("tick")
    return {
      runs: nominals(),
      began: began.map((one) => one.at),
      missed: missed.map(({ first, last, count }) => ({ first: time(first), last: time(last), count })),
      next: view._tag === "Some" ? time(view.value.nextAt) : undefined
    }
  })
  return yield* program.pipe(on(layer, "2026-03-02T11:59:59Z"))
})

describe("misfire grace time", () => {
  it.effect("11 misfire_grace_time: a run late by at most this still runs", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker({ policies: { missed: { run: "none", grace: "1 second" } } })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const missed = yield* record("RunMissed")
        const trigger = Trigger.every("1 minute")
        yield* scheduler.schedule(Tick, { id: "scheduler's grace", trigger })
        yield* scheduler.schedule(Tick, { id: "own grace", trigger, missed: { grace: "5 seconds" } })
        yield* away("61 seconds")
        assert.deepStrictEqual(nominals(), ["12:01:00", "12:01:00"])
        assert.deepStrictEqual(missed, [])
        yield* away("60001 millis")
        assert.deepStrictEqual(nominals().slice(2), ["12:02:00"])
        assert.deepStrictEqual(
          missed.map((event) => event.scheduleId),
          ["scheduler's grace"]
        )
      }).pipe(on(layer))
    })
  )

  const lateness = [
    { id: "v3-grace-0.9-s", late: 900, grace: "1 second", runs: 1 },
    { id: "v3-grace-exactly-1.0-s", late: 1_000, grace: "1 second", runs: 1 },
    { id: "v3-grace-1.000001-s", late: 1_001, grace: "1 second", runs: 0 },
    { id: "v3-grace-5-s", late: 5_000, grace: "1 second", runs: 0 },
    { id: "v3-grace-none", late: 30 * 86_400_000, grace: Infinity, runs: 1 },
    { id: "v4-misfire", late: 1_000, grace: 0, runs: 0 }
  ] as const

  for (const { grace, id, late, runs } of lateness) {
    it.effect(`${id}: a date ${late} ms late with a grace of ${grace} makes ${runs} runs, and one record`, () =>
      Effect.gen(function* () {
        const { layer, nominals } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const events = yield* record("RunMissed", "RunStarted")
          const trigger = Trigger.at(Date.parse("2026-03-02T12:00:00Z") - late)
          yield* scheduler.schedule(Tick, { id: "once", trigger, missed: { run: "none", grace } })
          yield* settle
          assert.strictEqual(nominals().length, runs)
          assert.deepStrictEqual(
            events.map((event) => event._tag),
            runs === 1 ? ["RunStarted"] : ["RunMissed"]
          )
          const { items } = yield* scheduler.history()
          assert.strictEqual(items.length, 1)
        }).pipe(on(layer))
      })
    )
  }

  it.effect(
    "v4-no-default-grace: without a limit the newest time runs, however late",
    () =>
      Effect.gen(function* () {
        const { layer, nominals } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          yield* scheduler.schedule(Tick, { id: "daily", trigger: Trigger.cron("0 9 * * *") })
          yield* away("20 days")
          assert.deepStrictEqual(nominals(), ["09:00:00"])
        }).pipe(on(layer))
      }),
    60_000
  )
})

describe("misfire actions", () => {
  it.effect(
    "35 misfire_action: each schedule says what becomes of its missed times, and the scheduler for the rest",
    () =>
      Effect.gen(function* () {
        const { ended, layer } = worker({ policies: { missed: { run: "none", grace: "1 second" } } })
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const trigger = Trigger.every("20 seconds")
          yield* scheduler.schedule(Tick, { id: "usual", trigger })
          yield* scheduler.schedule(Tick, { id: "once", trigger, missed: { run: "latest" } })
          yield* scheduler.schedule(Tick, { id: "all", trigger, missed: { run: "all" } })
          yield* away("75 seconds")
          const runs = ["usual", "once", "all"].map((id) => ended.filter((one) => one.scheduleId === id).length)
          assert.deepStrictEqual(runs, [0, 1, 3])
        }).pipe(on(layer))
      })
  )

  const actions: ReadonlyArray<{
    readonly title: string
    readonly policy: PolicyOptions
    readonly runs: ReadonlyArray<string>
    readonly missed: ReadonlyArray<{ readonly first: string; readonly last: string; readonly count: number }>
  }> = [
    {
      title: "36 ACTION_NONE: nothing runs, and one event counts what was missed",
      policy: { missed: { run: "none", grace: "1 second" } },
      runs: [],
      missed: [{ first: "12:00:00", last: "12:00:10", count: 3 }]
    },
    {
      title: "37 ACTION_RUN_ONCE: the job runs once, for the newest time",
      policy: { missed: { run: "latest" } },
      runs: ["12:00:10"],
      missed: [{ first: "12:00:00", last: "12:00:05", count: 2 }]
    },
    {
      title: "38 ACTION_RUN_ALL: the job runs once for every missed time, each with its own scheduled time",
      policy: { missed: { run: "all", limit: Infinity, grace: "1 second" } },
      runs: ["12:00:00", "12:00:05", "12:00:10"],
      missed: []
    },
    {
      title: "seed-misfire-none: one event and no run",
      policy: { missed: { run: "none", grace: "1 second" } },
      runs: [],
      missed: [{ first: "12:00:00", last: "12:00:10", count: 3 }]
    },
    {
      title: "seed-misfire-once: one event and one run",
      policy: { missed: { run: "latest", grace: "1 second" } },
      runs: ["12:00:10"],
      missed: [{ first: "12:00:00", last: "12:00:05", count: 2 }]
    },
    {
      title: "seed-misfire-all: three runs, none of them counted as missed",
      policy: { missed: { run: "all", limit: Infinity }, overlap: "bufferAll" },
      runs: ["12:00:00", "12:00:05", "12:00:10"],
      missed: []
    },
    {
      title: "v3-coalesce-True-grace-None: one run of the last time",
      policy: { missed: { run: "latest" } },
      runs: ["12:00:10"],
      missed: [{ first: "12:00:00", last: "12:00:05", count: 2 }]
    },
    {
      title: "v3-coalesce-True-grace-6: one run of the last time",
      policy: { missed: { run: "latest", within: "6 seconds" } },
      runs: ["12:00:10"],
      missed: [{ first: "12:00:00", last: "12:00:05", count: 2 }]
    },
    {
      title: "v3-coalesce-True-grace-1: no run, because a limit was asked for; all three are counted",
      policy: { missed: { run: "latest", within: "1 second" } },
      runs: [],
      missed: [{ first: "12:00:00", last: "12:00:10", count: 3 }]
    },
    {
      title: "v3-coalesce-False-grace-None: three runs, one after another",
      policy: { missed: { run: "all" }, overlap: "bufferAll" },
      runs: ["12:00:00", "12:00:05", "12:00:10"],
      missed: []
    },
    {
      title: "v3-coalesce-False-grace-6: two missed, one run",
      policy: { missed: { run: "all", within: "6 seconds" }, overlap: "bufferAll" },
      runs: ["12:00:10"],
      missed: [{ first: "12:00:00", last: "12:00:05", count: 2 }]
    },
    {
      title: "v3-coalesce-False-grace-1: three missed, no run",
      policy: { missed: { run: "all", within: "1 second" }, overlap: "bufferAll" },
      runs: [],
      missed: [{ first: "12:00:00", last: "12:00:10", count: 3 }]
    }
  ]

  for (const { missed, policy, runs, title } of actions) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const seen = yield* fourteenSecondsLate(policy)
        assert.deepStrictEqual(seen.runs, [...runs])
        assert.deepStrictEqual(seen.missed, [...missed])
        assert.strictEqual(seen.next, "12:00:15")
      })
    )
  }

  const downtime: ReadonlyArray<{
    readonly title: string
    readonly run: "latest" | "all"
    readonly runs: ReadonlyArray<string>
  }> = [
    { title: "v4-coalesce-latest: one run, of the newest time", run: "latest", runs: ["12:03:00"] },
    {
      title: "v4-coalesce-all: four runs, each of its own time",
      run: "all",
      runs: ["12:00:00", "12:01:00", "12:02:00", "12:03:00"]
    }
  ]

  for (const { run, runs, title } of downtime) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const { layer, nominals } = worker()
        yield* Effect.gen(function* () {
          const scheduler = yield* Scheduler
          const trigger = Trigger.every("1 minute", { start: "2026-03-02T12:00:00Z" })
          // Without buffering, a time that is on time by its grace would be skipped while the ones before it run.
          yield* scheduler.schedule(Tick, { id: "tick", trigger, missed: { run }, overlap: "bufferAll" })
          yield* away("186 seconds")
          assert.deepStrictEqual(nominals(), [...runs])
        }).pipe(on(layer, "2026-03-02T11:59:59Z"))
      })
    )
  }
})

describe("why a run is late", () => {
  it.effect("34 misfires: a scheduler that was down, a full pool and a stalled process are all treated alike", () =>
    Effect.gen(function* () {
      const { layer, nominals } = worker({ maxRunning: 1 })
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const late = yield* record("RunMissed", "RunExpired")
        const trigger = Trigger.every("1 minute", { start: "2026-03-02T12:01:00Z" })
        const missed = { run: "none", grace: "2 seconds" } as const
        yield* scheduler.schedule(Tick, { id: "tick", trigger, missed })
        yield* away("65 seconds")
        assert.deepStrictEqual([nominals(), late.map((event) => event._tag)], [[], ["RunMissed"]])

        // Its run of 12:02 waits for the only slot until 12:02:05.
        yield* TestClock.setTime(Date.parse("2026-03-02T12:01:55Z"))
        yield* scheduler.enqueue(Slow, { millis: 10_000 })
        yield* pass("11 seconds")
        assert.deepStrictEqual(
          late.map((event) => event._tag),
          ["RunMissed", "RunExpired"]
        )

        yield* scheduler.pauseAll
        yield* TestClock.setTime(Date.parse("2026-03-02T12:03:05Z"))
        yield* scheduler.resumeAll
        yield* settle
        assert.deepStrictEqual(
          late.map((event) => event._tag),
          ["RunMissed", "RunExpired", "RunMissed"]
        )

        yield* pass("1 minute")
        assert.deepStrictEqual(nominals(), ["never", "12:04:00"])
      }).pipe(on(layer))
    })
  )
})
