import { assert, describe, it } from "@effect/vitest"
import { intlOffsets } from "../../src/internal/zone/offsets.ts"
import { zoneDataVersion } from "../../src/internal/zone/version.ts"
import { zoneOf } from "../../src/internal/zone/Zone.ts"

const second = (iso: string): number => Date.parse(iso) / 1000

const offsetIn = (zone: string, iso: string): number => zoneOf(zone)!.spanAt(second(iso)).offset

/** The offset before an instant and at it. */
const change = (zone: string, iso: string): readonly [number, number] => [
  zoneOf(zone)!.spanAt(second(iso) - 1).offset,
  zoneOf(zone)!.spanAt(second(iso)).offset
]

describe("zones", () => {
  it("know the span of constant offset around an instant, and its neighbours", () => {
    const span = zoneOf("Europe/Berlin")!.spanAt(second("2026-07-01T00:00:00Z"))
    assert.strictEqual(span.offset, 7200)
    assert.deepStrictEqual([span.before, span.after], [3600, 3600])
    assert.strictEqual(span.start, second("2026-03-29T01:00:00Z"))
    assert.strictEqual(span.end, second("2026-10-25T01:00:00Z"))
  })

  it("see two changes within a month: Casablanca around Ramadan", () => {
    assert.deepStrictEqual(change("Africa/Casablanca", "2026-02-15T02:00:00Z"), [3600, 0])
    assert.deepStrictEqual(change("Africa/Casablanca", "2026-03-22T02:00:00Z"), [0, 3600])
  })

  it("see a change that is taken back within a week: Recife 2000, Gaza 2040, Freetown 1939", () => {
    assert.deepStrictEqual(change("America/Recife", "2000-10-08T03:00:00Z"), [-10_800, -7200])
    assert.deepStrictEqual(change("America/Recife", "2000-10-15T02:00:00Z"), [-7200, -10_800])
    assert.strictEqual(offsetIn("Asia/Gaza", "2040-10-24T00:00:00Z"), 10_800)
    assert.strictEqual(offsetIn("Asia/Gaza", "2040-10-30T00:00:00Z"), 7200)
  })

  it("skip a whole day: Apia 2011", () => {
    assert.deepStrictEqual(change("Pacific/Apia", "2011-12-30T10:00:00Z"), [-36_000, 50_400])
  })

  it("keep local mean time before there were zones, to the second", () => {
    assert.strictEqual(offsetIn("Europe/Berlin", "1700-01-01T00:00:00Z"), 3208)
  })

  it("repeat their last rule for ever", () => {
    assert.strictEqual(offsetIn("Europe/Berlin", "9998-07-01T00:00:00Z"), 7200)
    assert.strictEqual(offsetIn("Europe/Berlin", "9998-01-01T00:00:00Z"), 3600)
  })

  it("agree with Intl at random instants of all zones", () => {
    let state = 42
    const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32
    for (const name of Intl.supportedValuesOf("timeZone").filter((_, index) => index % 8 === 0)) {
      const offsetAt = intlOffsets(name)!
      for (let i = 0; i < 20; i++) {
        const at = Math.floor(-2e9 + random() * 1e10)
        assert.strictEqual(zoneOf(name)!.spanAt(at).offset, offsetAt(at), `${name} at ${at}`)
      }
    }
  })

  it("may be offsets, and are unknown otherwise", () => {
    assert.strictEqual(offsetIn("+05:30", "2026-01-01T00:00:00Z"), 19_800)
    assert.strictEqual(offsetIn("-0330", "2026-01-01T00:00:00Z"), -12_600)
    assert.isTrue(zoneOf("Etc/UTC")!.fixed)
    assert.isUndefined(zoneOf("Mars/Olympus"))
    assert.isUndefined(zoneOf(""))
    assert.isUndefined(zoneOf("+25:00"))
  })

  it("come with the version of their data", () => {
    assert.strictEqual(zoneDataVersion, process.versions["tz"])
  })
})
