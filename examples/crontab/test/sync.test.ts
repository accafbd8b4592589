import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { Scheduler } from "effect-scheduler"
import { TestClock } from "effect/testing"
import { CronJob } from "../src/CronJob.ts"
import * as Crontab from "../src/Crontab.ts"
import { enqueueReboot, sync } from "../src/sync.ts"

/** Runs every command in no time. */
const Live = Layer.unwrap(
  Effect.sync(() =>
    CronJob.toLayer(() => Effect.succeed({ output: "" })).pipe(Layer.provideMerge(Scheduler.layer({ origin: "test" })))
  )
)

const load = (...lines: ReadonlyArray<string>) => sync(Crontab.parse(lines.join("\n")), "crontab:tab")

const id = (line: string) => Crontab.parse(line).entries[0]!.id

const view = Effect.fnUntraced(function* (line: string) {
  const scheduler = yield* Scheduler
  return Option.getOrThrow(yield* scheduler.get(id(line)))
})

const titles = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  const views = yield* Stream.runCollect(scheduler.listAll({ origin: "crontab:tab" }))
  return views.map(({ payload }) => (payload as { title: string }).title).toSorted()
})

/** Begins between two minutes, at 00:00:30. */
const scheduling = <E>(title: string, test: Effect.Effect<void, E, Scheduler>) =>
  it.effect(title, () => Effect.provide(Effect.andThen(TestClock.adjust("30 seconds"), test), Live))

describe("a crontab that is read again", () => {
  scheduling(
    "adds, keeps and removes lines",
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* load("* * * * * one", "* * * * * two"), [])
      assert.deepStrictEqual(yield* titles, ["* * * * * one", "* * * * * two"])
      assert.deepStrictEqual(yield* load("@daily three", "* * * * * two"), [id("* * * * * one")])
      assert.deepStrictEqual(yield* titles, ["* * * * * two", "@daily three"])
    })
  )

  scheduling(
    "leaves what is known of an unchanged line, wherever it stands now",
    Effect.gen(function* () {
      yield* load("*/5 * * * * one", "* * * * * two")
      yield* TestClock.adjust("12 minutes")
      const before = yield* view("*/5 * * * * one")
      assert.strictEqual(before.counts.fired, 2)
      yield* load("# a comment", "* * * * * three", "*/5  *  * * *   one")
      assert.deepStrictEqual(yield* view("*/5 * * * * one"), before)
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual((yield* view("*/5 * * * * one")).counts.fired, 3)
      assert.strictEqual((yield* view("* * * * * three")).counts.fired, 4)
    })
  )

  scheduling(
    "gives an unchanged line its new environment, and keeps its state",
    Effect.gen(function* () {
      yield* load("A=1", "*/5 * * * * one")
      yield* TestClock.adjust("12 minutes")
      yield* load("A=2", "CRON_TIMEOUT=9", "*/5 * * * * one")
      const { counts, payload } = yield* view("*/5 * * * * one")
      assert.strictEqual(counts.fired, 2)
      assert.deepInclude(payload, { env: { A: "2", CRON_TIMEOUT: "9" }, timeout: 9 })
    })
  )

  scheduling(
    "does not fire a removed line any more, and begins anew with one that comes back",
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* load("* * * * * one")
      yield* TestClock.adjust("2 minutes")
      yield* load("")
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* scheduler.history()).items.length, 2)
      yield* load("* * * * * one")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* scheduler.history()).items.length, 3)
      assert.strictEqual((yield* view("* * * * * one")).counts.fired, 1)
    })
  )

  scheduling(
    "touches no schedule of anyone else",
    Effect.gen(function* () {
      yield* sync(Crontab.parse("* * * * * other"), "crontab:other")
      assert.deepStrictEqual(yield* load("* * * * * one"), [])
      assert.deepStrictEqual(yield* load(""), [id("* * * * * one")])
      assert.strictEqual((yield* view("* * * * * other")).origin, "crontab:other")
    })
  )

  scheduling(
    "runs two lines that are the same, each",
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* load("* * * * * one", "* * * * * one")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* scheduler.history()).items.length, 2)
    })
  )
})

describe("@reboot", () => {
  scheduling(
    "runs once at each start of the program",
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const { entries } = Crontab.parse("@reboot one\n* * * * * two\n@reboot three")
      const known = new Map<string, string>()
      yield* enqueueReboot(entries, "start 1", known)
      yield* enqueueReboot(entries, "start 1", known)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* scheduler.history()).items.length, 2)
      yield* enqueueReboot(entries, "start 2", known)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* scheduler.history()).items.length, 4)
      assert.deepStrictEqual([...known.values()], ["@reboot one", "@reboot three", "@reboot one", "@reboot three"])
    })
  )
})
