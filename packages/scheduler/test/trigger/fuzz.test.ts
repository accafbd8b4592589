/** A million random texts at the parser, half of them a few characters away from valid ones. */
import { Option, Result } from "effect"
import { describe, expect, it } from "vitest"
import * as Trigger from "../../src/Trigger.ts"
import { utc } from "./cases.ts"
import { cronText, makeRandom, mutate, plan, soup } from "./random.ts"

/** Milliseconds that no single call may need: a busy machine may take one longer, so the best of five counts. */
const limit = 5

const fields = new Set(["text", "second", "minute", "hour", "day", "month", "weekday", "year"])

const timed = <A>(slow: Array<string>, name: () => string, call: () => A): A => {
  const started = performance.now()
  const result = call()
  if (performance.now() - started < limit) return result
  const tries = Array.from({ length: 5 }, () => {
    const again = performance.now()
    call()
    return performance.now() - again
  })
  if (Math.min(...tries) >= limit) slow.push(`${name()}: ${Math.min(...tries).toFixed(1)} ms`)
  return result
}

const show = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)

describe("parseCron under a million random texts", () => {
  it("throws nothing, hangs nowhere, and names what is wrong", { timeout: 300_000 }, () => {
    const { runs, seed } = plan(1_000_000)
    const random = makeRandom(seed)
    const slow: Array<string> = []
    const wrong: Array<string> = []
    // Recording where each of a million errors was made would take most of the time.
    const traced = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    const started = performance.now()
    let valid = 0
    let searched = 0
    let text = ""
    try {
      // Some valid texts are mutated many times: writing one anew costs more than reading it.
      let base = ""
      for (let index = 0; index < runs; index++) {
        if (index % 16 === 0) base = cronText(random)
        text = index % 2 === 0 ? mutate(random, base) : soup(random)
        const parsed = timed(
          slow,
          () => `parse ${show(text)}`,
          () => Trigger.parseCron(text)
        )
        if (Result.isFailure(parsed)) {
          const { _tag, expected, field, position } = parsed.failure
          const sound =
            _tag === "CronParseError" &&
            fields.has(field) &&
            position >= 0 &&
            position <= text.length &&
            expected.length > 0 &&
            // Writing a message takes longer than reading the text.
            (index % 8 > 1 || parsed.failure.message.length > 0)
          if (!sound) wrong.push(`${show(text)}: ${field} at ${position}, expected ${expected}`)
          continue
        }
        valid++
        if (valid % 20 !== 0) continue
        searched++
        const trigger =
          valid % 40 === 0 ? Result.getOrThrow(Trigger.parseCron(text, { timeZone: "Europe/Berlin" })) : parsed.success
        const from = random.int(Date.UTC(1990, 0, 1), Date.UTC(2060, 0, 1))
        const after = timed(
          slow,
          () => `next of ${show(text)}`,
          () => Trigger.next(trigger, utc(from))
        )
        const before = timed(
          slow,
          () => `prev of ${show(text)}`,
          () => Trigger.prev(trigger, utc(from))
        )
        if (Option.exists(after, (time) => time.epochMilliseconds <= from)) wrong.push(`next of ${show(text)}`)
        if (Option.exists(before, (time) => time.epochMilliseconds > from)) wrong.push(`prev of ${show(text)}`)
      }
    } catch (cause) {
      throw new Error(`SEED=${seed}: ${show(text)} throws: ${String(cause)}`, { cause })
    } finally {
      Error.stackTraceLimit = traced
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(
      `fuzz: ${runs} texts, ${valid} valid, ${searched} of them searched, ${seconds} s, SEED=${seed}\n`
    )
    expect(wrong.slice(0, 10)).toEqual([])
    expect(slow).toEqual([])
    expect(valid).toBeGreaterThan(runs < 10_000 ? -1 : runs / 50)
  })
})
