import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Cron, Equal, Hash, Result, Schema } from "effect"
import * as Trigger from "../../src/Trigger.ts"
import { isoNext } from "./iso.ts"

const Weekly = Trigger.custom("Weekly", Schema.Struct({ day: Schema.Number }), {
  next: () => assert.fail("is not asked")
})

const triggers: ReadonlyArray<Trigger.Trigger> = [
  Trigger.at("2026-07-01T10:00:00.250Z"),
  Trigger.every("90 seconds"),
  Trigger.every("90 seconds", { start: "2026-01-01" }),
  Trigger.anchor(Trigger.every("90 seconds"), "2026-01-01"),
  Trigger.spaced("5 minutes", { first: "1 minute" }),
  Trigger.spaced("5 minutes").pipe(Trigger.during({ days: "mon-fri", from: "09:00" }), Trigger.bounded({ start: 0 })),
  Trigger.anchor(Trigger.spaced("5 minutes"), 7),
  Trigger.cron("0 9 * * MON-FRI", { timeZone: "Europe/Berlin" }),
  Trigger.cron("@daily", { clockChange: { gap: "shift", overlap: "last" } }),
  Trigger.cron({ day: "last fri", hour: "8-10", minute: 30 }, { timeZone: "+02:00", clockChange: "ocps" }),
  Trigger.cron(Cron.parseUnsafe("*/15 9 1 * 1", "Asia/Tokyo", { onDstOverlap: "both" })),
  Trigger.calendar(
    { months: 1, days: 2, start: "2026-01-31", at: "08:00:30", day: "clamp" },
    { timeZone: "Asia/Tokyo" }
  ),
  Trigger.anchor(Trigger.calendar({ weeks: 2 }), "2026-01-01T12:00:00Z"),
  Trigger.or(Trigger.at(0), Trigger.or(Trigger.at(1), Trigger.cron("@hourly"))),
  Trigger.and([Trigger.cron("@hourly"), Trigger.every("7 minutes")], { tolerance: "1 second" }),
  Weekly({ day: 3 }),
  Trigger.cron("@hourly").pipe(Trigger.except(Trigger.cron("@daily")), Trigger.offset("-1 hour"), Trigger.startNow),
  Trigger.cron("@hourly").pipe(
    Trigger.except({ dates: ["2026-12-25", { year: 2026, month: 1, day: 1 }], timeZone: "Cuba" })
  ),
  Trigger.cron("@hourly").pipe(Trigger.during([{ days: "sat,sun" }, { from: "22:00", to: "06:00", timeZone: "Cuba" }]))
]

const encode = Schema.encodeSync(Trigger.Trigger)
const decode = Schema.decodeUnknownResult(Trigger.Trigger)

const refused = (json: unknown): string =>
  Result.match(decode(json), { onFailure: (error) => `${error._tag}: ${error.message}`, onSuccess: () => "read" })

const custom = (params: unknown) =>
  Result.getOrThrow(decode({ version: 1, trigger: { _tag: "Custom", name: "Two", params } }))

describe("the stored form", () => {
  it.each(triggers.map((trigger) => [String(trigger), trigger] as const))("%s", (_, trigger) => {
    const json = encode(trigger)
    assert.strictEqual(json.version, Trigger.version)
    const text = JSON.stringify(json)
    // Plain JSON: nothing is lost on the way through text.
    assert.deepStrictEqual(JSON.parse(text), json)
    const back = Result.getOrThrow(decode(JSON.parse(text)))
    assert.isTrue(Equal.equals(back, trigger))
    assert.strictEqual(Hash.hash(back), Hash.hash(trigger))
    assert.strictEqual(String(back), String(trigger))
    assert.strictEqual(JSON.stringify(back), text)
  })

  it("differs between different triggers", () => {
    const texts = new Set(triggers.map((trigger) => JSON.stringify(trigger)))
    assert.strictEqual(texts.size, triggers.length)
    assert.isFalse(Equal.equals(triggers[0], triggers[1]))
  })

  it("is what a person can read", () => {
    assert.deepStrictEqual(encode(Trigger.cron("0 9 * * mon-fri", { timeZone: "Europe/Berlin" })), {
      version: 1,
      trigger: { _tag: "Cron", text: "0 9 * * MON-FRI", timeZone: "Europe/Berlin", clockChange: "vixie" }
    })
  })

  it("is a SchemaError where the version or the shape is unknown, and says what the constructors refuse", () => {
    const at = { _tag: "At", at: "2026-01-01T00:00:00.000Z" }
    assert.include(refused({ version: 2, trigger: at }), "SchemaError")
    assert.include(refused({ version: 1, trigger: { _tag: "Lunar" } }), "SchemaError")
    assert.include(refused({ version: 1 }), "SchemaError")
    assert.include(refused("0 0 * * *"), "SchemaError")
    assert.include(refused({ version: 1, trigger: { _tag: "At", at: "tomorrow" } }), "is not an instant")
    assert.include(refused({ version: 1, trigger: { _tag: "Every", every: 0 } }), "interval 0 ms")
    const cron = { _tag: "Cron", text: "0 25 * * *", timeZone: "UTC", clockChange: "vixie" }
    assert.include(refused({ version: 1, trigger: cron }), `hour field: "25"`)
    assert.include(refused({ version: 1, trigger: { ...cron, text: "@daily", timeZone: "Mars/X" } }), "Mars/X")
    assert.include(refused({ version: 1, trigger: { _tag: "Or", of: [] } }), "SchemaError")
  })

  it("does not depend on the order of keys in the parameters of a custom rule", () => {
    assert.isTrue(Equal.equals(custom({ a: 1, b: { c: 2, d: 3 } }), custom({ b: { d: 3, c: 2 }, a: 1 })))
  })

  it("is what Node prints", () => {
    assert.strictEqual(
      inspect(Trigger.at(0)),
      "{\n  version: 1,\n  trigger: { _tag: 'At', at: '1970-01-01T00:00:00.000Z' }\n}".replaceAll(/\n */g, " ")
    )
  })
})

describe("Effect's Cron", () => {
  it("brings its zone and its rule for clock changes, which options override", () => {
    const cron = Cron.parseUnsafe("30 2 * * *", "Europe/Berlin", { onDstOverlap: "later" })
    const trigger = Trigger.cron(cron)
    assert.strictEqual(trigger.timeZone, "Europe/Berlin")
    assert.strictEqual(isoNext(trigger, "2026-10-24T12:00:00Z"), "2026-10-25T01:30:00Z")
    assert.strictEqual(isoNext(trigger, "2026-03-28T12:00:00Z"), "2026-03-29T01:30:00Z")
    assert.strictEqual(Trigger.cron(cron, { timeZone: "UTC" }).timeZone, "UTC")
    assert.strictEqual(Trigger.cron(Cron.parseUnsafe("0 0 * * *")).timeZone, "UTC")
  })

  it("keeps whether both day fields must match", () => {
    const cron = Cron.make({ minutes: [0], hours: [0], days: [13], months: [], weekdays: [5], and: true })
    assert.strictEqual(isoNext(Trigger.cron(cron), "2026-01-01"), "2026-02-13T00:00:00Z")
  })
})
