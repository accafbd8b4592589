import { Effect } from "effect"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import type { Transition } from "../../JobStore.ts"
import { group } from "../internal/cases.ts"
import { check } from "../internal/check.ts"
import {
  changeTo,
  deferredOf,
  nodeA,
  nodeB,
  numbers,
  range,
  run,
  runOf,
  schedule,
  t0,
  uuid
} from "../internal/fixtures.ts"
import { defaultRetention, success } from "../internal/probe.ts"

const day = 86_400_000
const retention = { succeeded: 7 * day, others: 30 * day, exhausted: 20 * day, keys: 5 * day }
const exhausted = (id: string, updatedAt: number) => schedule(id, { state: "exhausted", nextAt: null, updatedAt })
const waiting = (id: string, fields: Partial<ScheduleRecord> = {}) =>
  schedule(id, { state: "waiting", nextAt: null, ...fields })
const waits = (n: number, key: string) => run(n, { key, state: "deferred", waitsFor: "key" })
const touch: Transition = (_, view) => changeTo({ ...view!.schedule, zoneData: "2026b", error: "touched" })
const idsOf = (rows: ReadonlyArray<{ readonly id: string }>) => rows.map((row) => row.id)

export const retaining = group("retention", {
  *"deletes successes, other ends and ranges after their own times"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(...numbers(1, 4).map((n) => run(n)))
    const claimed = yield* t.claim()
    yield* t.report([success(claimed[0]!), success(claimed[1]!, { outcome: "failed" })], { now: t0 })
    yield* t.report([success(claimed[2]!), success(claimed[3]!, { outcome: "expired" })], { now: t0 + 1 })
    yield* t.change("a", { ranges: [range(a, 5, { endedAt: t0 }), range(a, 6, { endedAt: t0 + 1 })] })
    const left = (now: number) =>
      Effect.gen(function* () {
        const { deleted } = yield* t.maintain({ now, retention })
        return [deleted, idsOf(yield* t.history())] as const
      })
    yield* check(yield* left(t0 + 7 * day), [0, [6, 4, 3, 5, 2, 1].map(uuid)], "when the first success is of age")
    yield* check(yield* left(t0 + 7 * day + 1), [1, [6, 4, 3, 5, 2].map(uuid)], "a millisecond later")
    yield* check(yield* left(t0 + 30 * day), [1, [6, 4, 5, 2].map(uuid)], "when the others are of age")
    yield* check(yield* left(t0 + 30 * day + 1), [2, [6, 4].map(uuid)], "a millisecond later")
    yield* check(yield* t.ended(uuid(1)), undefined, "the first run by its id")
  },

  *"deletes exhausted schedules after their time, and no others"(t) {
    yield* t.put(
      exhausted("old", t0),
      exhausted("new", t0 + 1),
      schedule("paused", { state: "paused", nextAt: null }),
      schedule("faulty", { state: "faulty", nextAt: null }),
      schedule("active", { nextAt: t0 + 100 * day })
    )
    yield* check((yield* t.maintain({ now: t0 + 20 * day, retention })).deleted, 0, "deleted when it is of age")
    yield* check((yield* t.maintain({ now: t0 + 20 * day + 1, retention })).deleted, 1, "deleted a millisecond later")
    const rows = yield* t.store.listSchedules({ filter: {}, limit: 10 })
    yield* check(idsOf(rows.items), ["active", "faulty", "new", "paused"], "ids")
  },

  *"deletes at most as many rows of each kind as it was told, the oldest first, and says that there may be more"(t) {
    yield* t.enqueue(...numbers(1, 5).map((n) => run(n)))
    const claimed = yield* t.claim()
    for (const [index, row] of claimed.entries()) yield* t.report([success(row)], { now: t0 + 10 - index })
    yield* t.put(...numbers(1, 4).map((n) => exhausted(`s${n}`, t0 + n)))
    const params = { now: t0 + 90 * day, retention, limit: 3 }
    const first = yield* t.maintain(params)
    yield* check([first.deleted, first.full], [6, true], "first")
    yield* check(idsOf(yield* t.history()), [1, 2].map(uuid), "history")
    yield* check(idsOf((yield* t.store.listSchedules({ filter: {}, limit: 9 })).items), ["s4"], "schedules")
    const second = yield* t.maintain(params)
    yield* check([second.deleted, second.full], [3, false], "second")
  },

  *"forgets nodes that are long dead, and neither living ones nor fresh dead"(t) {
    yield* t.register(nodeA, 1000)
    yield* t.register(nodeB, 100 * day)
    yield* t.reap({ now: t0 + 2000, node: nodeB })
    yield* t.maintain({ now: t0 + 3000, retention })
    yield* check((yield* t.store.nodes).length, 2, "rows")
    yield* t.maintain({ now: t0 + 2001 + 30 * day, retention })
    yield* check(idsOf(yield* t.store.nodes), [nodeB], "ids")
  },

  *"leaves unfinished runs, however old"(t) {
    yield* t.enqueue(run(1))
    yield* t.maintain({ now: t0 + 1000 * day, retention })
    yield* check(yield* t.unfinished(uuid(1)), run(1), "the run")
  }
})

export const janitor = group("maintain", {
  *"promotes the oldest deferred run of a schedule that has no active one"(t) {
    const a = schedule("a")
    yield* t.put(a, schedule("b"))
    yield* t.enqueue(
      deferredOf(a, 2),
      deferredOf(a, 1),
      runOf(schedule("b"), 3, { runAt: t0 + 9000 }),
      deferredOf(schedule("b"), 4),
      deferredOf(schedule("gone"), 5)
    )
    const { full, promoted } = yield* t.maintain({})
    yield* check([promoted, full], [2, false], "promoted and full")
    yield* check(
      yield* t.states(...[1, 2, 4, 5].map(uuid)),
      ["pending", "deferred for overlap", "deferred for overlap", "pending"],
      "states"
    )
    yield* check((yield* t.maintain({})).promoted, 0, "promoted by the next call")
  },

  *"promotes the first run that waits for a key which nobody holds"(t) {
    yield* t.enqueue(run(1, { key: "busy" }))
    yield* t.claim()
    yield* t.enqueue(waits(2, "free"), waits(3, "free"), waits(4, "busy"))
    yield* check((yield* t.maintain({})).promoted, 1, "promoted")
    yield* check(yield* t.states(...[2, 3, 4].map(uuid)), ["pending", "deferred for key", "deferred for key"], "states")
  },

  *"has waiting schedules decided that have no unfinished run"(t) {
    const withRun = waiting("b")
    const withDeferred = waiting("c")
    yield* t.put(waiting("a"), withRun, withDeferred, schedule("d"), waiting("e", { cause: "backfill:1" }))
    yield* t.enqueue(
      runOf(withRun, 1),
      deferredOf(withDeferred, 2),
      runOf(waiting("a"), 3, { cause: "runNow", nominal: null }),
      runOf(waiting("a"), 4, { generation: uuid(99) })
    )
    yield* t.claim()
    const { applied } = yield* t.maintain({ transition: touch })
    yield* check(idsOf(applied), ["a", "e"], "ids")
  },

  *"has active schedules decided whose next time other zone data computed"(t) {
    yield* t.put(
      schedule("b", { zoneData: "2025a", nextAt: t0 + 1 }),
      schedule("a", { zoneData: "2025b", nextAt: t0 + 9000 }),
      schedule("c", { zoneData: "2026b" }),
      schedule("d", { zoneData: "2025a", state: "paused", nextAt: null })
    )
    const params = { zoneData: "2026b", transition: touch }
    yield* check(idsOf((yield* t.maintain(params)).applied), ["a", "b"], "ids")
    yield* check((yield* t.maintain(params)).applied, [], "by the next call")
  },

  *"goes by the zone data that the last change wrote"(t) {
    const params = { zoneData: "2026b", transition: touch }
    yield* t.put(schedule("a", { zoneData: "2025a" }), schedule("b", { zoneData: "2026b" }))
    yield* t.put(schedule("a", { zoneData: "2026b" }), schedule("b", { zoneData: "2025a" }))
    yield* check(idsOf((yield* t.maintain(params)).applied), ["b"], "ids")
    yield* t.put(schedule("a", { zoneData: "2025a", nextAt: null, state: "paused" }))
    yield* check((yield* t.maintain(params)).applied, [], "ids after the other was paused")
  },

  *"leaves schedules of newer versions or with custom rules that it does not know"(t) {
    const other = { zoneData: "2025a" }
    yield* t.put(
      waiting("a", { version: 2 }),
      waiting("b", { needs: "lunar" }),
      schedule("c", { ...other, version: 2 }),
      schedule("d", { ...other, needs: "lunar,tides" }),
      schedule("e", other),
      waiting("f")
    )
    const params = { zoneData: "2026b", transition: touch }
    yield* check(idsOf((yield* t.maintain(params)).applied), ["e", "f"], "ids")
    const knowing = yield* t.maintain({ ...params, version: 2, triggers: ["lunar", "tides"] })
    yield* check(idsOf(knowing.applied), ["a", "b", "c", "d", "f"], "ids with a newer node")
  },

  *"has at most as many decided as it was told, and says that there may be more"(t) {
    yield* t.put(...numbers(1, 5).map((n) => schedule(`s${n}`, { zoneData: "2025a" })))
    const params = { zoneData: "2026b", transition: touch, limit: 3 }
    const first = yield* t.maintain(params)
    yield* check([idsOf(first.applied), first.full], [["s1", "s2", "s3"], true], "first")
    const second = yield* t.maintain(params)
    yield* check([idsOf(second.applied), second.full], [["s4", "s5"], false], "second")
  },

  *"finds nothing to do in a store that is in order"(t) {
    yield* t.put(schedule("a"))
    yield* t.enqueue(run(1), run(2))
    yield* t.succeed(...(yield* t.claim({ limit: 1 })))
    const answer = yield* t.maintain({ retention: defaultRetention, transition: touch })
    yield* check(answer, { deleted: 0, promoted: 0, applied: [], full: false }, "the answer")
  }
})
