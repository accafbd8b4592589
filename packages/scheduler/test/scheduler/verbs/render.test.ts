import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Job, Scheduler, Trigger } from "../../../src/index.ts"
import { minutely, Note, world } from "./world.ts"

class Archive extends Job.make("ArchiveOldInvoicesOfAllTenants") {}

const rendered = (...lines: ReadonlyArray<string>) => lines.join("\n")

/** Columns of a terminal; the texts of this file have two for each of these. */
const columns = (line: string) => [...line].reduce((sum, one) => sum + (/[\u3000-\u9fff]|🎉/u.test(one) ? 2 : 1), 0)

describe("render", () => {
  it.effect("says so where there is nothing", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* (yield* Scheduler).render(), "No schedules")
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("is as narrow as what is in it", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      assert.strictEqual(
        yield* scheduler.render(),
        rendered("ID JOB  TRIGGER      STATE  NEXT", "m  Note every minute active in 1m")
      )
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("shows each state, and how far the next time is, in its two largest units", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, id: "1 active", trigger: Trigger.every("90 seconds") })
      yield* scheduler.schedule(Note, { ...minutely, id: "2 paused" })
      yield* scheduler.pause("2 paused")
      yield* scheduler.schedule(Note, { ...minutely, id: "3 done", trigger: Trigger.at(0) })
      yield* scheduler.schedule(Archive, { id: "4 nobody", trigger: Trigger.at(93_784_000) })
      yield* scheduler.schedule(Note, { ...minutely, id: "5 rhythm", trigger: Trigger.spaced("1 minute") })
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(
        yield* scheduler.render(),
        rendered(
          "ID       JOB            TRIGGER                STATE      NEXT",
          "1 active Note           every 1 minute 30 sec… active     in 1m",
          "2 paused Note           every minute           paused     -",
          "3 done   Note           once at 1970-01-01T00… exhausted  -",
          "4 nobody ArchiveOldInv… once at 1970-01-02T02… unresolved in 1d 2h",
          "5 rhythm Note           1 minute after the en… active     in 30s"
        )
      )
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("fits 80 columns where everything in it is long", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Archive, {
        id: "x".repeat(255),
        trigger: Trigger.at("2099-12-31T23:59:59Z")
      })
      yield* TestClock.adjust("1 second")
      const text = yield* scheduler.render()
      assert.strictEqual(text.split("\n")[1]!.length, 80)
      assert.strictEqual(
        text,
        rendered(
          "ID                   JOB           TRIGGER              STATE      NEXT",
          `${"x".repeat(19)}… ArchiveOldIn… once at 2099-12-31T… unresolved in 47481d 23h`
        )
      )
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("aligns wide characters, cuts none in two, and keeps each schedule on one line", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, { ...minutely, id: "夜間バッチ" })
      yield* scheduler.schedule(Note, { ...minutely, id: "🎉".repeat(20) })
      yield* scheduler.schedule(Note, { ...minutely, id: "e\u0301te\u0301" })
      yield* scheduler.schedule(Note, { ...minutely, id: "two\nlines\tand a tab" })
      const text = yield* scheduler.render()
      assert.strictEqual(
        text,
        rendered(
          "ID                     JOB  TRIGGER      STATE  NEXT",
          "e\u0301te\u0301                    Note every minute active in 1m",
          "two lines and a tab    Note every minute active in 1m",
          "夜間バッチ             Note every minute active in 1m",
          `${"🎉".repeat(10)}…  Note every minute active in 1m`
        )
      )
      assert.isTrue(text.isWellFormed())
      assert.deepStrictEqual(new Set(text.replaceAll("\u0301", "").split("\n").slice(1).map(columns)), new Set([53]))
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("shows those of a filter", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Note, minutely)
      yield* scheduler.schedule(Note, { ...minutely, id: "other" })
      assert.strictEqual((yield* scheduler.render({ prefix: "o" })).split("\n").length, 2)
    }).pipe(Effect.provide(world().layer))
  )
})
