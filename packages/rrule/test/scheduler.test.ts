/** A scheduler that stores a recurrence, and one that finds it again. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Option } from "effect"
import { Job, JobRun, JobStore, MemoryJobStore, Scheduler } from "effect-scheduler"
import { TestClock } from "effect/testing"
import { Rrule } from "../src/index.ts"

class Report extends Job.make("Report") {}

const text = "DTSTART;TZID=Europe/Berlin:20260101T170000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR\nEXDATE:20260130T160000Z"

const iso = (at: number | null): string => (at === null ? "never" : DateTime.formatIso(DateTime.makeUnsafe(at)))

describe("a scheduled recurrence", () => {
  it.effect("fires, and after a restart goes on where the rule is known and waits where it is not", () =>
    Effect.gen(function* () {
      const nominals: Array<string> = []
      const store = Layer.succeed(JobStore.JobStore, yield* MemoryJobStore.make())
      const handler = Report.toLayer(() =>
        Effect.map(JobRun.current, ({ nominal }) => void nominals.push(iso(nominal)))
      )
      const process = (triggers: ReadonlyArray<typeof Rrule.rule>) =>
        Layer.fresh(Layer.provideMerge(handler, Scheduler.layer({ stores: { default: store }, triggers })))

      yield* TestClock.setTime(Date.parse("2026-02-27T15:59:00Z"))
      yield* Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const view = yield* scheduler.schedule(Report, { id: "report", trigger: Rrule.rrule(text) })
        assert.strictEqual(iso(view.nextAt), "2026-02-27T16:00:00.000Z")
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(nominals, ["2026-02-27T16:00:00.000Z"])
      }).pipe(Effect.provide(process([Rrule.rule])))

      yield* Effect.gen(function* () {
        const view = Option.getOrThrow(yield* (yield* Scheduler).get("report"))
        assert.strictEqual(view.state, "unresolved")
      }).pipe(Effect.provide(process([])))

      yield* TestClock.setTime(Date.parse("2026-03-27T15:59:00Z"))
      yield* Effect.gen(function* () {
        const view = Option.getOrThrow(yield* (yield* Scheduler).get("report"))
        assert.deepStrictEqual([view.state, iso(view.nextAt)], ["active", "2026-03-27T16:00:00.000Z"])
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(nominals.slice(1), ["2026-03-27T16:00:00.000Z"])
        const [next] = yield* (yield* Scheduler).upcoming(1)
        assert.strictEqual(iso(next?.at ?? null), "2026-04-24T15:00:00.000Z")
      }).pipe(Effect.provide(process([Rrule.rule])))
    })
  )
})
