import { Effect } from "effect"
import type { RunFilter } from "../../JobStore.ts"
import { group } from "../internal/cases.ts"
import { check, checkThat } from "../internal/check.ts"
import { changeTo, numbers, range, run, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { collect, defaultRetention, type Probe, success } from "../internal/probe.ts"

/** Ends run `n` at an instant, as succeeded unless told. */
const endedAt = (t: Probe, n: number, at: number, fields: Partial<Parameters<typeof success>[1]> = {}) =>
  Effect.gen(function* () {
    yield* t.enqueue(run(n, { job: "ended" }))
    const [claimed] = yield* t.claim({ jobs: [{ name: "ended", queue: "default" }] })
    yield* t.report([success(claimed!, fields)], { now: at })
  })

const idsOf = (rows: ReadonlyArray<{ readonly id: string }>) => rows.map((row) => row.id)

export const historyPages = group("history", {
  *"has runs and ranges, newest first, then by the greater id"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* endedAt(t, 1, t0 + 5)
    yield* endedAt(t, 4, t0 + 3, { outcome: "failed" })
    yield* endedAt(t, 2, t0 + 5)
    yield* t.change("a", { ranges: [range(a, 3, { endedAt: t0 + 5 }), range(a, 5, { endedAt: t0 + 1 })] })
    yield* check(idsOf(yield* t.history()), [3, 2, 1, 4, 5].map(uuid), "ids")
  },

  *"keeps the order where a clock went back between two ends"(t) {
    for (const [n, at] of [50, 20, 40, 10, 30].entries()) yield* endedAt(t, n, t0 + at)
    yield* check(idsOf(yield* t.history()), [0, 2, 4, 1, 3].map(uuid), "ids")
  },

  *"keeps a range with every field as it was given"(t) {
    const a = schedule("a")
    yield* t.put(a)
    const rows = (["missed", "skipped", "dropped", "paused"] as const).map((kind, index) =>
      range(a, index, { kind, cause: "backfill:9", first: t0 - 99, last: t0 - 9, count: 241_919, endedAt: t0 + index })
    )
    yield* t.change("a", { ranges: rows })
    yield* check(yield* t.history(), rows.toReversed(), "rows")
  },

  *"comes in pages that end without a cursor, also where the last one is full"(t) {
    for (const n of numbers(0, 12)) yield* endedAt(t, n, t0 + Math.floor(n / 4))
    for (const [limit, sizes] of [
      [5, [5, 5, 2]],
      [4, [4, 4, 4]],
      [12, [12]]
    ] as const) {
      const seen: Array<number> = []
      const rows = yield* collect((cursor) =>
        Effect.tap(t.store.history({ filter: {}, limit, cursor }), (page) =>
          Effect.sync(() => seen.push(page.items.length))
        )
      )
      yield* check([seen, idsOf(rows)], [sizes, numbers(0, 12).toReversed().map(uuid)], `pages of ${limit}`)
    }
  },

  *"pages are stable while rows are added at the front and deleted at the end"(t) {
    for (const n of numbers(1, 6)) yield* endedAt(t, n, t0 + n)
    const first = yield* t.store.history({ filter: {}, limit: 2 })
    yield* endedAt(t, 7, t0 + 7)
    yield* t.maintain({ now: t0 + 1002, retention: { ...defaultRetention, succeeded: 1000 } })
    const second = yield* t.store.history({ filter: {}, limit: 10, cursor: first.cursor })
    yield* check(idsOf([...first.items, ...second.items]), [6, 5, 4, 3, 2].map(uuid), "ids")
  },

  *"is restricted by job, schedule, outcome and time, alone and together"(t) {
    const a = schedule("a", { job: "x" })
    yield* t.put(a, schedule("b"))
    yield* t.enqueue(runOf(a, 1), runOf(a, 2), run(3, { job: "y" }))
    const jobs = ["x", "y"].map((name) => ({ name, queue: "default" }))
    const [first, second, third] = yield* t.claim({ jobs })
    yield* t.report([success(first!)], { now: t0 + 10 })
    yield* t.report([success(second!, { outcome: "skipped" })], { now: t0 + 20 })
    yield* t.report([success(third!, { outcome: "failed" })], { now: t0 + 30 })
    yield* t.modify("a", (view) =>
      changeTo(view!.schedule, {
        ranges: [range(a, 4, { kind: "skipped", endedAt: t0 + 40 }), range(a, 5, { kind: "missed", endedAt: t0 + 50 })]
      })
    )
    for (const [filter, ids] of [
      [{}, [5, 4, 3, 2, 1]],
      [{ job: "x" }, [5, 4, 2, 1]],
      [{ scheduleId: "a" }, [5, 4, 2, 1]],
      [{ outcome: "failed" }, [3]],
      [{ outcome: "skipped" }, [4, 2]],
      [{ outcome: "missed" }, [5]],
      [{ from: t0 + 20 }, [5, 4, 3, 2]],
      [{ to: t0 + 20 }, [1]],
      [{ from: t0 + 20, to: t0 + 40 }, [3, 2]],
      [{ scheduleId: "a", outcome: "skipped", to: t0 + 40 }, [2]],
      [{ scheduleId: "b" }, []]
    ] satisfies ReadonlyArray<readonly [RunFilter, ReadonlyArray<number>]>) {
      const rows = yield* collect((cursor) => t.store.history({ filter, limit: 1, cursor }))
      yield* check(idsOf(rows), ids.map(uuid), `ids for ${JSON.stringify(filter)}`)
    }
  },

  *"of thousands of rows is read in pages, each row once"(t) {
    for (const batch of numbers(0, 3)) {
      yield* t.enqueue(...numbers(batch * 1000, 1000).map((n) => run(n)))
      const claimed = yield* t.claim()
      yield* t.report(
        claimed.map((row, index) => success(row, { outcome: index % 3 === 0 ? "failed" : "succeeded" })),
        { now: t0 + (batch % 2) }
      )
    }
    const rows = yield* t.history()
    yield* checkThat(
      rows.every((row, index) => {
        const next = rows[index + 1]
        return next === undefined || next.endedAt < row.endedAt || (next.endedAt === row.endedAt && next.id < row.id)
      }),
      "the rows should be in order"
    )
    yield* check(new Set(idsOf(rows)).size, 3000, "rows")
  }
})
