import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { cursorOf, History } from "../../src/internal/memory/history.ts"
import type { EndedRange, HistoryRecord } from "../../src/JobRun.ts"
import * as MemoryJobStore from "../../src/MemoryJobStore.ts"
import { numbers, range, run, schedule, t0, uuid } from "../../src/testing/internal/fixtures.ts"
import { makeProbe } from "../../src/testing/internal/probe.ts"
import { Seeded } from "../../src/testing/internal/random.ts"

const newestFirst = (rows: Iterable<HistoryRecord>) =>
  [...rows].toSorted((a, b) => b.endedAt - a.endedAt || (a.id < b.id ? 1 : -1))

const rangeAt = (n: number, endedAt: number): EndedRange => range(schedule("a"), n, { endedAt })

describe("history in memory", () => {
  it("stays in order, whatever the order in which its rows come", () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e9))
    for (const disorder of [0, 3, 1000, 1e9]) {
      const random = new Seeded(seed)
      const history = new History(Infinity)
      const rows: Array<HistoryRecord> = []
      for (const n of numbers(0, 3000)) {
        const row = rangeAt(random.int(0, 2 ** 40), t0 + n + random.int(0, disorder))
        rows.push(row)
        history.add(row)
      }
      const expected = newestFirst(rows)
      assert.deepStrictEqual(history.list({}, Infinity, undefined), expected, `seed ${seed}, disorder ${disorder}`)
      const middle = expected[1234]!
      assert.deepStrictEqual(history.list({}, 10, cursorOf(middle)), expected.slice(1235, 1245), `seed ${seed}`)
      const until = expected[2000]!.endedAt
      assert.strictEqual(history.expire("others", until, Infinity), rows.filter((row) => row.endedAt < until).length)
      assert.deepStrictEqual(
        history.list({}, Infinity, undefined),
        expected.filter((row) => row.endedAt >= until)
      )
    }
  })

  it.effect("drops its oldest rows beyond its limit, of every kind, and the runs with them", () =>
    Effect.gen(function* () {
      const store = yield* MemoryJobStore.make({ historyLimit: 5 })
      const t = makeProbe(store)
      yield* t.put(schedule("a"))
      yield* t.enqueue(...numbers(1, 6).map((n) => run(n)))
      const claimed = yield* t.claim()
      yield* t.succeed(...claimed.slice(0, 2))
      yield* t.change("a", { ranges: [rangeAt(7, t0 + 1)] })
      yield* t.report(
        claimed.slice(2).map((row) => ({
          _tag: "End",
          id: row.id,
          attempt: 1,
          outcome: "failed",
          failures: 1,
          errors: "[]",
          result: null,
          resultStored: false,
          remember: false
        })),
        { now: t0 + 2 }
      )
      const history = yield* t.history()
      assert.deepStrictEqual(
        history.map((row) => row.id),
        [6, 5, 4, 3, 7].map(uuid)
      )
      assert.strictEqual(yield* t.ended(uuid(1)), undefined)
      assert.strictEqual((yield* t.cancel(uuid(2))).answer, "unknown")
    })
  )
})

describe("a store in memory", () => {
  it.effect("is a new one for each build of its layer", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* MemoryJobStore.make(), yield* MemoryJobStore.make()]
      yield* makeProbe(first).put(schedule("a"))
      assert.deepStrictEqual(yield* second.getSchedules({ ids: ["a"] }), [])
      assert.deepStrictEqual([first.shared, first.description], [false, "memory"])
    })
  )

  it.effect("takes a hundred thousand schedules in batches and finds the due ones among them", () =>
    Effect.gen(function* () {
      const store = yield* MemoryJobStore.make()
      const t = makeProbe(store)
      for (const batch of numbers(0, 100)) {
        const rows = numbers(batch * 1000, 1000).map((n) =>
          schedule(`s${n}`, { nextAt: t0 + 1 + ((n * 7919) % 100_000) })
        )
        yield* t.put(...rows)
      }
      assert.strictEqual((yield* t.wake()).schedules, t0 + 1)
      const { applied } = yield* t.fire({
        now: t0 + 10,
        transition: (_, view) => ({
          schedule: { ...view!.schedule, nextAt: view!.schedule.nextAt! + 100_000 },
          runs: [],
          ranges: [],
          replaceDeferred: false,
          cancelActive: false
        })
      })
      assert.deepStrictEqual(
        applied.map((each) => each.before?.nextAt),
        [...numbers(t0 + 1, 10)]
      )
      assert.strictEqual((yield* t.wake()).schedules, t0 + 11)
    })
  )
})
