import { assert, describe, it } from "@effect/vitest"
import { Cron, Effect, Fiber, Option, Ref, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Trigger from "../../src/Trigger.ts"
import { iso, isoNext } from "./iso.ts"

describe("toStream", () => {
  it.effect("emits each instant when it comes", () =>
    Effect.gen(function* () {
      const seen = yield* Ref.make<ReadonlyArray<string>>([])
      yield* Trigger.toStream(Trigger.cron("@hourly")).pipe(
        Stream.runForEach((instant) => Ref.update(seen, (all) => [...all, iso(instant)])),
        Effect.forkChild
      )
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual(yield* Ref.get(seen), [])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Ref.get(seen), ["1970-01-01T01:00:00Z"])
      yield* TestClock.adjust("2 hours")
      assert.strictEqual((yield* Ref.get(seen)).length, 3)
    })
  )

  it.effect("anchors an open trigger when it begins, and ends after the last instant", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(90_000)
      const trigger = Trigger.every("1 minute").pipe(Trigger.bounded({ end: 220_000 }))
      const fiber = yield* Effect.forkChild(Stream.runCollect(Stream.map(Trigger.toStream(trigger), iso)))
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["1970-01-01T00:02:30Z", "1970-01-01T00:03:30Z"])
    })
  )
})

describe("toSchedule", () => {
  it.effect("recurs at the instants, and leaves out those that pass meanwhile", () =>
    Effect.gen(function* () {
      const starts = yield* Ref.make<ReadonlyArray<number>>([])
      const job = Effect.clockWith((clock) =>
        Ref.update(starts, (all) => [...all, clock.currentTimeMillisUnsafe() / 60_000])
      ).pipe(Effect.andThen(Effect.sleep("90 seconds")))
      yield* Effect.forkChild(Effect.repeat(job, Trigger.toSchedule(Trigger.cron("* * * * *"))))
      yield* TestClock.adjust("7 minutes")
      assert.deepStrictEqual(yield* Ref.get(starts), [0, 2, 4, 6])
    })
  )

  it.effect("ends with the trigger", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0)
      const trigger = Trigger.or(Trigger.at(1000), Trigger.at(2000))
      const fiber = yield* Effect.forkChild(
        Effect.repeat(
          Ref.update(runs, (n) => n + 1),
          Trigger.toSchedule(trigger)
        )
      )
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(iso(yield* Fiber.join(fiber)), "1970-01-01T00:00:02Z")
      assert.strictEqual(yield* Ref.get(runs), 3)
    })
  )

  it.effect("recurs a spaced trigger after each end", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0)
      const job = Effect.andThen(
        Ref.update(runs, (n) => n + 1),
        Effect.sleep("1 minute")
      )
      yield* Effect.forkChild(Effect.repeat(job, Trigger.toSchedule(Trigger.spaced("9 minutes"))))
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* Ref.get(runs), 4)
    })
  )
})

describe("upcoming", () => {
  it.effect("counts from the clock, and anchors there", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-01-01T10:20:00Z"))
      const found = yield* Trigger.upcoming(Trigger.every("1 hour"), 2)
      assert.deepStrictEqual(found.map(iso), ["2026-01-01T11:20:00Z", "2026-01-01T12:20:00Z"])
      assert.strictEqual((yield* Trigger.upcoming(Trigger.at(0), 2)).length, 0)
    })
  )
})

describe("toCron", () => {
  const texts = ["0 9 * * MON-FRI", "*/15 * 1,15 * *", "0 0 13 * +FRI", "30 2 * * *", "*/10 0 12 * 6 0-6"] as const

  it.each(texts)("%s comes back and fires alike", (text) => {
    const trigger = Option.getOrThrow(Option.some(Trigger.parseCron(text)))
    if (trigger._tag === "Failure") return assert.fail(text)
    const cron = Option.getOrThrow(Trigger.toCron(trigger.success))
    let ours = Date.parse("2026-01-01T00:00:00Z")
    for (let i = 0; i < 20; i++) {
      const next = Cron.next(cron, ours)
      assert.strictEqual(isoNext(trigger.success, ours), next.toISOString().replace(".000Z", "Z"))
      ours = next.getTime()
    }
    assert.strictEqual(isoNext(Trigger.cron(cron), 0), isoNext(trigger.success, 0))
  })

  it("moves a fixed time in a gap as Effect does", () => {
    const trigger = Trigger.cron("30 2 * * *", {
      timeZone: "Europe/Berlin",
      clockChange: { gap: "shift", overlap: "both" }
    })
    const cron = Option.getOrThrow(Trigger.toCron(trigger))
    for (const after of ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"]) {
      assert.strictEqual(isoNext(trigger, after), Cron.next(cron, after).toISOString().replace(".000Z", "Z"))
    }
  })

  it("is none for what Effect's Cron cannot say", () => {
    for (const trigger of [
      Trigger.cron("0 0 L * *"),
      Trigger.cron("0 0 15W * *"),
      Trigger.cron("0 0 * * FRI#2"),
      Trigger.cron("0 0 0 1 1 * 2026"),
      Trigger.cron({ week: 1 }),
      Trigger.cron("0 0 * * *", { timeZone: "Europe/Berlin" }),
      Trigger.every("1 hour")
    ]) {
      assert.isTrue(Option.isNone(Trigger.toCron(trigger)), String(trigger))
    }
  })
})
