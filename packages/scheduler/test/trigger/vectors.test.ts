import { existsSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Option } from "effect"
import * as Trigger from "../../src/Trigger.ts"
import { cases, triggerOf, type Vector } from "./vector.ts"

const FILES = {
  "cron-text.json": 211,
  "cron-oracle.json": 732,
  "apscheduler-cases.json": 73,
  "apscheduler-oracle.json": 333
} as const

/** Vectors that are believed wrong, by id, with the argument. */
const WRONG: ReadonlyMap<string, string> = new Map()

const iso = (instant: Option.Option<DateTime.Utc>): string | undefined =>
  Option.getOrUndefined(Option.map(instant, DateTime.formatIso))

const instants = (trigger: Trigger.Rule, vector: Vector, n: number): Array<string> => {
  const found: Array<string> = []
  for (const instant of Trigger.between(trigger, Date.parse(vector.from) + (vector.inclusive ? 0 : 1))) {
    if (found.length === n) break
    found.push(DateTime.formatIso(instant))
  }
  return found
}

const check = (vector: Vector): void => {
  if (vector.invalid === true) {
    assert.throws(() => triggerOf(vector.trigger, undefined), Trigger.CronParseError)
    return
  }
  for (const [preset, expected] of cases(vector)) {
    const trigger = triggerOf(vector.trigger, preset)
    const n = expected.length + (vector.exhausted === true ? 1 : 0)
    assert.deepStrictEqual(instants(trigger, vector, n), expected, `${vector.id} ${preset ?? ""}: ${String(trigger)}`)
    // Backwards the same instants come in the other order.
    for (const [index, instant] of expected.entries()) {
      assert.strictEqual(iso(Trigger.prev(trigger, instant)), instant, `${vector.id} ${preset ?? ""}: prev`)
      if (index > 0) {
        const before = Trigger.prev(trigger, Date.parse(instant) - 1)
        assert.strictEqual(iso(before), expected[index - 1], `${vector.id} ${preset ?? ""}: prev before ${instant}`)
      }
    }
    if (expected.length > 0) {
      const from = Date.parse(vector.from) - (vector.inclusive ? 1 : 0)
      const count = Trigger.count(trigger, from, expected[expected.length - 1]!)
      assert.strictEqual(count, expected.length, `${vector.id} ${preset ?? ""}: count`)
    }
  }
}

describe("vectors", () => {
  for (const [file, expected] of Object.entries(FILES)) {
    const text = readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8")

    it(`${file}: ${expected} vectors give their instants, forwards, backwards and counted`, () => {
      const vectors: ReadonlyArray<Vector> = JSON.parse(text)
      const failures: Array<string> = []
      let ran = 0
      for (const vector of vectors) {
        if (WRONG.has(vector.id)) continue
        try {
          check(vector)
          ran++
        } catch (error) {
          failures.push(`${vector.id}: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
      process.stdout.write(`${file}: ${ran} of ${vectors.length} vectors ran (tz data ${process.versions["tz"]})\n`)
      assert.deepStrictEqual(failures, [])
      assert.strictEqual(ran, expected)
    })

    it(`${file}: the copy is the shared one, where that is there`, () => {
      const shared = new URL(`../../../../../shared/vectors/${file}`, import.meta.url)
      assert.strictEqual(text, existsSync(shared) ? readFileSync(shared, "utf8") : text)
    })
  }
})
