import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Option, Result, Schema } from "effect"
import { customNames, resolve } from "../../src/internal/trigger/custom.ts"
import { searchNext, searchPrev } from "../../src/internal/trigger/search.ts"
import * as Trigger from "../../src/Trigger.ts"
import { isoNext, isoPrev } from "./iso.ts"

const utc = DateTime.makeUnsafe

/** Every n minutes, asked for as a user would write it. */
const Grid = Trigger.custom("Grid", Schema.Struct({ minutes: Schema.Int }), {
  next: ({ minutes }, after) => {
    const step = minutes * 60_000
    return Option.some(utc((Math.floor(after.epochMilliseconds / step) + 1) * step))
  }
})

const Once = Trigger.custom("Once", Schema.Struct({ at: Schema.DateTimeUtcFromString }), {
  next: ({ at }, after) => (DateTime.isGreaterThan(at, after) ? Option.some(at) : Option.none()),
  prev: ({ at }, atOrBefore) => (DateTime.isLessThanOrEqualTo(at, atOrBefore) ? Option.some(at) : Option.none())
})

const broken = (next: (after: DateTime.Utc) => Option.Option<DateTime.DateTime>) =>
  Trigger.custom("Broken", Schema.Struct({}), { next: (_, after) => next(after) })({})

const decode = (trigger: Trigger.Rule): Trigger.Rule => {
  const decoded = Result.getOrThrow(Schema.decodeUnknownResult(Trigger.Trigger)(JSON.parse(JSON.stringify(trigger))))
  return Trigger.isRule(decoded) ? decoded : assert.fail(String(decoded))
}

describe("a custom rule", () => {
  it("fires where its function says", () => {
    assert.strictEqual(isoNext(Grid({ minutes: 7 }), "2026-01-01"), "2026-01-01T00:07:00Z")
  })

  it("finds the instant before without a prev, however far", () => {
    const trigger = Grid({ minutes: 7 })
    assert.strictEqual(isoPrev(trigger, "2026-01-01T00:13:59.999Z"), "2026-01-01T00:07:00Z")
    assert.strictEqual(isoPrev(trigger, "2026-01-01T00:14:00Z"), "2026-01-01T00:14:00Z")
    assert.isTrue(Trigger.matches(trigger, "2026-01-01T00:07:00Z"))
    const single = Trigger.custom("Single", Schema.Struct({}), {
      next: (_, after) => (after.epochMilliseconds < 5 ? Option.some(utc(5)) : Option.none())
    })({})
    assert.strictEqual(isoPrev(single, "2026-01-01"), "1970-01-01T00:00:00.005Z")
    assert.isUndefined(isoPrev(single, 4))
  })

  it("combines like any other", () => {
    const trigger = Trigger.and([Trigger.cron("@hourly"), Grid({ minutes: 7 })])
    assert.strictEqual(isoNext(trigger, "2026-01-01"), "2026-01-01T07:00:00Z")
  })

  it("is stored by name and encoded parameters, and resolved from the registry", () => {
    const trigger = Trigger.or(
      Once({ at: utc("2026-05-01T00:00:00Z") }),
      Trigger.offset(Grid({ minutes: 60 }), "1 minute")
    )
    const stored = decode(trigger)
    assert.deepStrictEqual(customNames(stored), ["Grid", "Once"])
    assert.deepStrictEqual(
      resolve(stored, () => undefined),
      { trigger: stored, missing: ["Grid", "Once"] }
    )
    const { missing, trigger: resolved } = resolve(stored, (name) => (name === "Once" ? Once : Grid))
    assert.deepStrictEqual(missing, [])
    assert.strictEqual(isoNext(resolved, "2026-04-30T23:30:00Z"), "2026-05-01T00:00:00Z")
    assert.strictEqual(resolve(resolved, () => undefined).trigger, resolved)
  })

  it("counts as missing where the definition refuses its parameters", () => {
    const other = Trigger.custom("Grid", Schema.Struct({ hours: Schema.Int }), { next: () => Option.none() })
    assert.deepStrictEqual(resolve(decode(Grid({ minutes: 7 })), () => other).missing, ["Grid"])
  })

  it("is faulty without its functions, and public questions answer none", () => {
    const stored = decode(Grid({ minutes: 7 }))
    const found = searchNext(stored, 0)
    assert.isTrue(found._tag === "Faulty" && String(found.cause).includes("Grid"))
    assert.isUndefined(isoNext(stored, 0))
    assert.isUndefined(isoPrev(Trigger.or(stored, Trigger.at(0)), 0))
  })

  it("is faulty when it throws, or answers against its contract", () => {
    const throws = broken(() => {
      throw new Error("no moon")
    })
    const found = searchNext(throws, 0)
    assert.isTrue(found._tag === "Faulty" && String(found.cause).includes("no moon"))
    const same = searchNext(Trigger.bounded(broken(Option.some), { end: 9 }), 5)
    assert.isTrue(same._tag === "Faulty" && same.cause instanceof Trigger.TriggerError)
    const nested = Trigger.startNow(Trigger.during(Trigger.except(Trigger.at(9), throws), { from: "00:00" }))
    assert.strictEqual(searchNext(nested, 5)._tag, "Faulty")
    assert.strictEqual(searchPrev(nested, 9)._tag, "Faulty")
    const later = Trigger.custom("Later", Schema.Struct({}), {
      next: () => Option.none(),
      prev: (_, at) => Option.some(DateTime.add(at, { seconds: 1 }))
    })({})
    assert.strictEqual(searchPrev(later, 5)._tag, "Faulty")
  })

  it("refuses parameters that its schema refuses", () => {
    assert.throws(() => Grid({ minutes: 1.5 }), Trigger.TriggerError)
    assert.throws(() => Trigger.custom("", Schema.Struct({}), { next: () => Option.none() }), Trigger.TriggerError)
  })
})

describe("the registry", () => {
  it.effect("finds definitions by name", () =>
    Effect.gen(function* () {
      const registry = yield* Trigger.TriggerRegistry
      assert.strictEqual(registry.lookup("Grid"), Grid)
      assert.isUndefined(registry.lookup("Other"))
    }).pipe(Effect.provide(Trigger.layerRegistry(Grid, Once)))
  )

  it.effect("is empty unless a layer says otherwise", () =>
    Effect.gen(function* () {
      const registry = yield* Trigger.TriggerRegistry
      assert.isUndefined(registry.lookup("Grid"))
    })
  )

  it("refuses a name twice", () => {
    assert.throws(() => Trigger.layerRegistry(Grid, Grid), Trigger.TriggerError)
  })
})
