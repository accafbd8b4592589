import { assert, describe, it } from "@effect/vitest"
import { account } from "../src/accounting.ts"
import * as Crontab from "../src/Crontab.ts"
import type { History, RangeRow, RunRow } from "../src/history.ts"
import { isGood, table, verdict } from "../src/table.ts"
import { painter } from "../src/text.ts"

const { entries } = Crontab.parse("* * * * * every minute\n@reboot at start")
const [minutely, reboot] = entries as [Crontab.Entry, Crontab.Entry]

const at = (minute: number) => Date.UTC(2026, 0, 1, 0, minute)

const run = (minute: number, options?: Partial<RunRow>): RunRow => ({
  id: `run ${minute}`,
  entry: minutely.id,
  nominal: at(minute),
  outcome: "succeeded",
  recoveries: 0,
  ...options
})

const range = (kind: string, first: number, last: number, count: number): RangeRow => ({
  entry: minutely.id,
  kind,
  first: at(first),
  last: at(last),
  count
})

const history = (runs: ReadonlyArray<RunRow>, ranges: ReadonlyArray<RangeRow> = []): History => ({
  runs,
  ranges,
  open: []
})

const faults = (...args: Parameters<typeof history>) => account(entries, history(...args)).faults

describe("each nominal time is accounted for exactly once", () => {
  it("where each has a run", () => {
    assert.deepStrictEqual(faults([run(1), run(2), run(3)]), [])
  })

  it("where each has a run or is in a range", () => {
    assert.deepStrictEqual(faults([run(1), run(5)], [range("missed", 2, 3, 2), range("skipped", 4, 4, 1)]), [])
  })

  it("where a run lies in a range that does not count it", () => {
    assert.deepStrictEqual(faults([run(3)], [range("missed", 1, 5, 4)]), [])
  })

  it("where ranges lie across each other", () => {
    assert.deepStrictEqual(faults([], [range("skipped", 1, 6, 3), range("missed", 2, 5, 3)]), [])
  })

  it("and otherwise it is said which is not", () => {
    assert.deepStrictEqual(faults([run(1), run(3)]), ["line 1: 2026-01-01T00:02:00.000Z is nowhere"])
    assert.deepStrictEqual(faults([run(1), run(2), run(2)]), ["line 1: 2026-01-01T00:02:00.000Z has more than one run"])
    assert.deepStrictEqual(faults([run(1), run(2)], [range("skipped", 2, 2, 1)]), [
      "line 1: 1 of 1 skipped from 2026-01-01T00:02:00.000Z to 2026-01-01T00:02:00.000Z are of no time"
    ])
    assert.deepStrictEqual(faults([], [range("missed", 1, 3, 2)]), ["line 1: 2026-01-01T00:03:00.000Z is nowhere"])
    assert.deepStrictEqual(faults([], [range("missed", 1, 3, 4)]), [
      "line 1: 1 of 4 missed from 2026-01-01T00:01:00.000Z to 2026-01-01T00:03:00.000Z are of no time"
    ])
    assert.strictEqual(faults([], [range("missed", 1, 3, 3), range("skipped", 2, 2, 1)]).length, 1)
    assert.deepStrictEqual(faults([run(1), run(2, { nominal: at(2) + 1 })]), [
      "line 1: a run of 2026-01-01T00:02:00.001Z, which is no time of it",
      "line 1: 2026-01-01T00:02:00.000Z is nowhere"
    ])
    assert.deepStrictEqual(faults([run(1, { entry: "gone" })]), ["1 rows of lines that are not in the crontab"])
  })

  it("also at the ends, where it is known from elsewhere what they are", () => {
    const window = (from: number, to: number) =>
      account(entries, history([run(2), run(3)]), { from: at(from), to: at(to) + 59_000 }).faults
    assert.deepStrictEqual(window(2, 3), [])
    assert.deepStrictEqual(window(1, 3), ["line 1: 2026-01-01T00:01:00.000Z is nowhere"])
    assert.deepStrictEqual(window(2, 4), ["line 1: 2026-01-01T00:04:00.000Z is nowhere"])
    assert.deepStrictEqual(account(entries, history([]), { from: at(1), to: at(2) }).faults.length, 2)
  })
})

describe("the table", () => {
  const accounting = account(
    entries,
    history(
      [
        run(1),
        run(2, { outcome: "failed" }),
        run(3, { recoveries: 1 }),
        run(4, { outcome: "timedOut" }),
        { ...run(0), entry: reboot.id, nominal: null }
      ],
      [range("missed", 5, 9, 5), range("skipped", 10, 11, 2)]
    )
  )

  it("has a row for each line, of 80 characters at most", () => {
    const lines = table(accounting, painter(false))
    assert.deepStrictEqual(
      lines.map((line) => line.replaceAll(/ {2,}/g, "  ")),
      [
        "line  nominal runs  ok failed missed skipped recovered",
        "* * * * * every minute  11  4  2  2  5  2  1",
        "@reboot at start  -  1  1  -  -  -  -"
      ]
    )
    assert.isTrue(lines.every((line) => line.length <= 80))
  })

  it("ends with the verdict", () => {
    assert.deepStrictEqual(verdict(accounting, painter(false)), [
      "All 11 nominal times from first to last are accounted for exactly once."
    ])
    const lines = verdict(account(entries, history([run(1), run(3)])), painter(false))
    assert.deepStrictEqual(lines, [
      "  line 1: 2026-01-01T00:02:00.000Z is nowhere",
      "NOT every one of 3 nominal times from first to last is accounted for exactly once."
    ])
  })

  it("is no good where there is nothing to account for", () => {
    const nothing = account(entries, history([]))
    assert.isFalse(isGood(nothing))
    assert.match(verdict(nothing, painter(false)).join(), /^NOT every one of 0/)
  })
})
