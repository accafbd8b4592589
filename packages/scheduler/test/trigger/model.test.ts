/** The brute-force model is right itself: it gives the instants of the cron vectors under each preset that they name. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import * as model from "./model.ts"

interface Vector {
  readonly id: string
  readonly trigger: { readonly expression: string; readonly timeZone: string }
  readonly from: string
  readonly inclusive: boolean
  readonly invalid?: boolean
  readonly expected: ReadonlyArray<string>
  readonly presets?: ReadonlyArray<string>
  readonly byPreset?: Readonly<Record<string, ReadonlyArray<string>>>
}

const vectors = (file: string): ReadonlyArray<Vector> =>
  (JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8")) as ReadonlyArray<Vector>).filter(
    (vector) => vector.invalid !== true
  )

const changes: Readonly<Record<string, model.ClockChange | model.Preset>> = {
  vixie: "vixie",
  ocps: "ocps",
  compatible: "compatible",
  "gap-end": { gap: "gapEnd", overlap: "first" }
}

/** What the vector says and what the model does, under each preset. */
const compare = ({ byPreset, expected, from, id, inclusive, presets, trigger }: Vector) => {
  const lists = byPreset ?? Object.fromEntries((presets ?? ["vixie"]).map((preset) => [preset, expected]))
  return Object.entries(lists).map(([preset, instants]) => {
    const first = Date.parse(from) + (inclusive ? 0 : 1)
    const last = instants.length === 0 ? first + 366 * 86_400_000 : Date.parse(instants.at(-1)!)
    const rule = model.zoned(model.cronPattern(trigger.expression), trigger.timeZone, changes[preset]!)
    const found = rule.instants(first, last).map((instant) => new Date(instant).toISOString())
    return { name: `${id} under ${preset}`, found, instants }
  })
}

describe("the brute-force model", () => {
  it.each(["cron-text.json", "cron-oracle.json"])("gives the instants of %s", (file) => {
    const compared = vectors(file)
      .filter((_, index) => file === "cron-text.json" || index % 4 === 0)
      .flatMap(compare)
    expect(compared.filter(({ found, instants }) => found.join() !== instants.join())).toEqual([])
    expect(compared.length).toBeGreaterThan(200)
  })
})
