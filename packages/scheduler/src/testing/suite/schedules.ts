import { Effect, Exit } from "effect"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import { group } from "../internal/cases.ts"
import { check, checkThat } from "../internal/check.ts"
import { changeTo, deferredOf, generation, numbers, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { collect, retry } from "../internal/probe.ts"

const full: ScheduleRecord = {
  id: "füll \"schedule\" 100 %_ 'x'",
  generation: uuid(77),
  revision: 0,
  job: "Send 'Digest'",
  queue: "mail",
  priority: 3,
  payload: '{"text":"\\u0000 ☃ \\n","n":1e300}',
  key: "user:1",
  delivery: "atMostOnce",
  trigger: '{"v":3,"cron":"*/5 * * * *"}',
  version: 3,
  needs: "lunar,tides",
  anchor: t0 - 123,
  policy: '{"missed":{"within":"Infinity"}}',
  origin: "billing",
  cause: "backfill:42",
  state: "faulty",
  firstWatermark: t0 - 500,
  watermark: t0 - 400,
  nextAt: null,
  counts: { fired: 5_000_000_000, skipped: 2, missed: 241_919, dropped: 4, paused: 5 },
  zoneData: "2025b",
  faults: 5,
  error: "it's broken",
  lastSuccess: { nominal: t0 - 450, value: '"ok"' },
  createdAt: t0 - 1000,
  updatedAt: t0 - 300
}

const paused = (row: ScheduleRecord): ScheduleRecord => ({ ...row, state: "paused", nextAt: null })

export const schedules = group("schedules", {
  *"are stored with every field as it was given"(t) {
    yield* t.put(full)
    yield* check(yield* t.schedule(full.id), full, "the row")
  },

  *"have revision 0 when they are inserted and one more after each change"(t) {
    yield* t.put(schedule("a", { revision: 41 }))
    yield* check((yield* t.schedule("a"))?.revision, 0, "inserted")
    yield* t.put(schedule("a", { revision: 41 }))
    yield* t.put(schedule("a", { revision: 41 }))
    yield* check((yield* t.schedule("a"))?.revision, 2, "after two changes")
  },

  *"can be replaced by another generation under the same id"(t) {
    const other = schedule("a", { generation: uuid(78), job: "other", nextAt: null, state: "paused" })
    yield* t.put(schedule("a"))
    yield* t.put(other)
    yield* check(yield* t.schedule("a"), { ...other, revision: 1 }, "the row")
    yield* check((yield* t.fire({ transition: (_, view) => changeTo(view!.schedule) })).applied, [], "due rows")
  },

  *"are removed by a change without a row"(t) {
    yield* t.put(schedule("a"), schedule("b"))
    const applied = yield* t.modify("a", () => changeTo(null))
    yield* check(applied[0]?.before, schedule("a"), "before")
    yield* check(applied[0]?.after, undefined, "after")
    yield* check(yield* t.schedule("a"), undefined, "the row")
    yield* check(yield* t.schedule("b"), schedule("b"), "the other row")
    yield* check(yield* t.modify("a", (view) => (view === undefined ? undefined : changeTo(null))), [], "again")
  },

  *"are changed by a transition that sees no row where there is none"(t) {
    const applied = yield* t.modify("a", (view) => (view === undefined ? changeTo(schedule("a")) : undefined))
    yield* check(applied[0]?.before, undefined, "before")
    yield* check(applied[0]?.after, schedule("a"), "after")
  },

  *"stay as they are where the transition answers nothing"(t) {
    yield* t.put(schedule("a"), schedule("b"))
    const applied = yield* t.store.modify({
      now: t0,
      ids: ["a", "b", "c"],
      transition: (id, view) => (id === "b" ? changeTo(paused(view!.schedule)) : undefined)
    })
    yield* check(
      applied.map((each) => each.id),
      ["b"],
      "ids that were changed"
    )
    yield* check(yield* t.schedule("a"), schedule("a"), "the untouched row")
    yield* check(yield* t.schedule("b"), { ...paused(schedule("b")), revision: 1 }, "the changed row")
  },

  *"answer what was, what is and what was done"(t) {
    yield* t.put(schedule("a"))
    const change = changeTo(schedule("a", { watermark: t0, nextAt: t0 + 1000 }))
    const applied = yield* t.modify("a", () => change)
    const after = { ...change.schedule, revision: 1 }
    yield* check(
      applied,
      [{ id: "a", before: schedule("a"), after, change, replaced: [], cancelled: [], cancelRequested: [] }],
      "what was applied"
    )
  },

  *"hand the transition the instant of the call"(t) {
    let seen = 0
    yield* t.store.modify({
      now: t0 + 7,
      ids: ["a"],
      transition: (_id, _view, now) => {
        seen = now
        return undefined
      }
    })
    yield* check(seen, t0 + 7, "now")
  },

  *"are untouched, all of a batch, when a transition throws"(t) {
    yield* t.put(schedule("a"), schedule("b"))
    const exit = yield* Effect.exit(
      t.store.modify({
        now: t0,
        ids: ["a", "b"],
        transition: (id, view) => {
          if (id === "b") throw new Error("a transition that throws")
          return changeTo({ ...view!.schedule, nextAt: t0 + 1000 })
        }
      })
    )
    yield* checkThat(Exit.isFailure(exit), "the call should fail")
    yield* check(yield* t.schedule("a"), schedule("a"), "the first row")
  },

  *"are changed a thousand at a time"(t) {
    const ids = numbers(1, 1000).map((n) => `s${n}`)
    yield* t.put(...ids.map((id) => schedule(id)))
    const applied = yield* t.store.modify({
      now: t0,
      ids,
      transition: (_, view) => changeTo({ ...view!.schedule, nextAt: t0 + 5 })
    })
    yield* check(
      applied.map((each) => each.id),
      ids,
      "ids that were changed"
    )
    const rows = yield* t.store.getSchedules({ ids })
    yield* checkThat(
      rows.every((row) => row.nextAt === t0 + 5 && row.revision === 1),
      "each row should have changed"
    )
  },

  *"are got in the order of the ids, without those that are not there"(t) {
    yield* t.put(schedule("a"), schedule("b"), schedule("c"))
    const rows = yield* t.store.getSchedules({ ids: ["c", "x", "a"] })
    yield* check(
      rows.map((row) => row.id),
      ["c", "a"],
      "ids"
    )
  },

  *"show a transition how many of their runs are active and how many deferred"(t) {
    const a = schedule("a", { key: "k" })
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1), runOf(a, 2, { key: null }), runOf(a, 3, { key: null }), runOf(a, 4))
    const claimed = yield* t.claim({ limit: 2 })
    yield* t.report([retry(claimed[1]!, { runAt: t0 + 60_000 })])
    yield* t.enqueue(deferredOf(a, 5), deferredOf(a, 6))
    // 1 runs, 2 waits for a retry, 3 is pending, 4 waits for the key; 5 and 6 are deferred.
    yield* t.claim({ limit: 1 })
    yield* t.claim({ limit: 1 })
    yield* check(
      yield* t.states(...numbers(1, 6).map(uuid)),
      ["running", "pending", "running", "deferred for key", "deferred for overlap", "deferred for overlap"],
      "states"
    )
    yield* check(yield* t.view("a"), { schedule: a, active: 4, deferred: 2 }, "the view")
  },

  *"do not count runs of other causes, generations and schedules"(t) {
    const a = schedule("a")
    yield* t.put(a, schedule("b"))
    yield* t.enqueue(
      runOf(a, 1),
      runOf(a, 2, { cause: "runNow", nominal: null }),
      runOf(a, 3, { cause: `rerun:${uuid(99)}` }),
      runOf(a, 4, { generation: uuid(98) }),
      deferredOf(a, 5, { generation: uuid(98) }),
      runOf(schedule("b"), 6)
    )
    yield* check(yield* t.view("a"), { schedule: a, active: 1, deferred: 0 }, "the view")
  },

  *"of a backfill count the runs of its own cause"(t) {
    const a = schedule("a", { cause: "backfill:1" })
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1), runOf(a, 2, { cause: "nominal" }))
    yield* check((yield* t.view("a"))?.active, 1, "active")
  }
})

export const scheduleLists = group("lists of schedules", {
  *"are ordered by id"(t) {
    yield* t.put(...["b", "a10", "a2", "c", "a1"].map((id) => schedule(id)))
    const page = yield* t.store.listSchedules({ filter: {}, limit: 10 })
    yield* check(
      page.items.map((row) => row.id),
      ["a1", "a10", "a2", "b", "c"],
      "ids"
    )
    yield* check(page.cursor, undefined, "the cursor")
  },

  *"come in pages that end without a cursor, also where the last one is full"(t) {
    yield* t.put(...["a", "b", "c", "d", "e", "f"].map((id) => schedule(id)))
    for (const [limit, sizes] of [
      [2, [2, 2, 2]],
      [4, [4, 2]],
      [6, [6]]
    ] as const) {
      const seen: Array<number> = []
      const rows = yield* collect((cursor) =>
        Effect.tap(t.store.listSchedules({ filter: {}, limit, cursor }), (page) =>
          Effect.sync(() => seen.push(page.items.length))
        )
      )
      yield* check(seen, sizes, `sizes of pages of ${limit}`)
      yield* check(rows.map((row) => row.id).join(""), "abcdef", `ids in pages of ${limit}`)
    }
  },

  *"go on where they were when rows are added and removed between two pages"(t) {
    yield* t.put(...["b", "d", "f", "h"].map((id) => schedule(id)))
    const first = yield* t.store.listSchedules({ filter: {}, limit: 2 })
    yield* t.modify("d", () => changeTo(null))
    yield* t.put(schedule("a"), schedule("e"))
    const second = yield* t.store.listSchedules({ filter: {}, limit: 10, cursor: first.cursor })
    yield* check(
      second.items.map((row) => row.id),
      ["e", "f", "h"],
      "ids of the second page"
    )
  },

  *"show a row once that was removed and added again"(t) {
    yield* t.put(schedule("a"), schedule("b"))
    yield* t.store.listSchedules({ filter: {}, limit: 10 })
    yield* t.modify("a", () => changeTo(null))
    yield* t.put(schedule("a", { generation: uuid(5) }))
    const page = yield* t.store.listSchedules({ filter: {}, limit: 10 })
    yield* check(
      page.items.map((row) => [row.id, row.generation]),
      [
        ["a", uuid(5)],
        ["b", generation]
      ],
      "rows"
    )
  },

  *"are restricted by job, origin, state and prefix, alone and together"(t) {
    yield* t.put(
      schedule("app/a", { job: "x", origin: "one" }),
      schedule("app/b", { job: "y", origin: "one", state: "paused", nextAt: null }),
      schedule("app/c", { job: "x", origin: "two", state: "exhausted", nextAt: null }),
      schedule("bpp", { job: "x" })
    )
    for (const [filter, ids] of [
      [{ job: "x" }, ["app/a", "app/c", "bpp"]],
      [{ origin: "one" }, ["app/a", "app/b"]],
      [{ state: "paused" }, ["app/b"]],
      [{ prefix: "app/" }, ["app/a", "app/b", "app/c"]],
      [{ prefix: "app/", job: "x", state: "active" }, ["app/a"]],
      [{ origin: "none" }, []]
    ] as const) {
      const rows = yield* collect((cursor) => t.store.listSchedules({ filter, limit: 1, cursor }))
      yield* check(
        rows.map((row) => row.id),
        ids,
        `ids for ${JSON.stringify(filter)}`
      )
    }
  },

  *"take a prefix literally"(t) {
    yield* t.put(...["a%b", "a_b", "axb", "A%b", "a\\b", "a*b", "a[b"].map((id) => schedule(id)))
    for (const prefix of ["a%", "a_", "a\\", "a*", "a["]) {
      const page = yield* t.store.listSchedules({ filter: { prefix }, limit: 10 })
      yield* check(
        page.items.map((row) => row.id),
        [`${prefix}b`],
        `ids for ${prefix}`
      )
    }
  }
})
