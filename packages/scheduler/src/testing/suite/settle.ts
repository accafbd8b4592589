import type { ScheduleRecord } from "../../JobSchedule.ts"
import type { ScheduleView, Transition } from "../../JobStore.ts"
import { group } from "../internal/cases.ts"
import { check } from "../internal/check.ts"
import { changeTo, nodeA, nodeB, numbers, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { release, retry, success } from "../internal/probe.ts"

const waiting = (id: string, fields: Partial<ScheduleRecord> = {}) =>
  schedule(id, { state: "waiting", nextAt: null, ...fields })

const settling = (owner: ScheduleRecord, n: number, fields: Partial<Parameters<typeof runOf>[2]> = {}) =>
  runOf(owner, n, { settles: true, ...fields })

/** Sets the next time a minute after the end. */
const aMinuteAfter: Transition = (_, view, now) =>
  changeTo({ ...view!.schedule, state: "active", nextAt: now + 60_000 })

export const settles = group("settles", {
  *"has the schedule decided by the call that ends its run, whatever the outcome"(t) {
    for (const [index, outcome] of (["succeeded", "failed", "cancelled", "expired"] as const).entries()) {
      const a = waiting(outcome)
      yield* t.put(a)
      yield* t.enqueue(settling(a, 1, { id: uuid(index) }))
      const [claimed] = yield* t.claim()
      const { applied } = yield* t.report([success(claimed!, { outcome })], { now: t0 + 5, transition: aMinuteAfter })
      const after = { ...a, revision: 1, state: "active", nextAt: t0 + 60_005 }
      yield* check(
        applied.map((each) => [each.id, each.before, each.after]),
        [[outcome, a, after]],
        `applied after ${outcome}`
      )
      yield* check(yield* t.schedule(outcome), after, "the row")
    }
  },

  *"shows the transition what the end left: no active run, and the last success"(t) {
    const a = waiting("a")
    yield* t.put(a)
    yield* t.enqueue(settling(a, 1))
    const [claimed] = yield* t.claim()
    let seen: ScheduleView | undefined
    const look: Transition = (_, view) => {
      seen = view
      return undefined
    }
    yield* t.report([success(claimed!, { result: "1", remember: true })], { transition: look })
    const lastSuccess = { nominal: t0 + 1000, value: "1" }
    yield* check(seen, { schedule: { ...a, revision: 1, lastSuccess }, active: 0, deferred: 0 }, "the view")
  },

  *"happens after all reports of the batch, once for each schedule"(t) {
    const a = waiting("a")
    const b = waiting("b")
    yield* t.put(a, b)
    yield* t.enqueue(settling(b, 1), settling(a, 2), settling(b, 3))
    const claimed = yield* t.claim()
    const seen: Array<readonly [string, number | undefined]> = []
    const look: Transition = (id, view) => {
      seen.push([id, view?.active])
      return undefined
    }
    yield* t.report(
      claimed.map((row) => success(row)),
      { transition: look }
    )
    yield* check(
      seen.toSorted(([x], [y]) => (x < y ? -1 : 1)),
      [
        ["a", 0],
        ["b", 0]
      ],
      "what the transition saw"
    )
  },

  *"does not happen on a retry, a release, a fenced or a repeated report"(t) {
    const a = waiting("a")
    yield* t.put(a)
    yield* t.enqueue(settling(a, 1), settling(a, 2), settling(a, 3))
    const [first, second, third] = yield* t.claim()
    const params = { transition: aMinuteAfter }
    yield* check((yield* t.report([retry(first!), release(second!)], params)).applied, [], "given back")
    yield* check((yield* t.report([success({ ...third!, attempt: 9 })], params)).applied, [], "fenced")
    yield* t.report([success(third!)])
    yield* check((yield* t.report([success(third!)], params)).applied, [], "repeated")
    yield* check(yield* t.schedule("a"), a, "the row")
  },

  *"does not happen by runs that do not settle, nor to schedules that do not wait"(t) {
    const a = waiting("a")
    const others = (["active", "paused", "exhausted", "faulty"] as const).map((state) =>
      schedule(state, { state, nextAt: null })
    )
    yield* t.put(a, ...others)
    yield* t.enqueue(runOf(a, 1), ...others.map((other, index) => settling(other, 2 + index)))
    const claimed = yield* t.claim()
    const { applied } = yield* t.report(
      claimed.map((row) => success(row)),
      { transition: aMinuteAfter }
    )
    yield* check(applied, [], "applied")
  },

  *"does not happen to another generation, nor to a schedule that was removed"(t) {
    const a = waiting("a")
    yield* t.put(a)
    yield* t.enqueue(settling(a, 1, { generation: uuid(99) }), settling(waiting("gone"), 2))
    const claimed = yield* t.claim()
    const { applied } = yield* t.report(
      claimed.map((row) => success(row)),
      { transition: aMinuteAfter }
    )
    yield* check(applied, [], "applied")
  },

  *"happens by a cancel that ends the run"(t) {
    const a = waiting("a")
    yield* t.put(a)
    yield* t.enqueue(settling(a, 1))
    const { applied } = yield* t.cancel(uuid(1), { now: t0 + 5, transition: aMinuteAfter })
    yield* check(applied[0]?.after?.nextAt, t0 + 60_005, "the next time")
  },

  *"happens by a reaper that ends the run as lost, not by one that takes it back"(t) {
    const a = waiting("a")
    yield* t.put(a)
    yield* t.register(nodeA)
    yield* t.enqueue(settling(a, 1))
    yield* t.claim()
    const params = { node: nodeB, transition: aMinuteAfter }
    const first = yield* t.reap({ ...params, now: t0 + 60_000, delays: [0] })
    yield* check([first.recovered.length, first.applied], [1, []], "taken back")
    yield* t.claim({ now: t0 + 60_000 })
    const second = yield* t.reap({ ...params, now: t0 + 70_000, delays: [0] })
    yield* check(second.applied[0]?.after?.nextAt, t0 + 130_000, "the next time after a loss")
  },

  *"does not happen by the cancel of a transition, which decides itself"(t) {
    const a = waiting("a")
    yield* t.put(a)
    yield* t.enqueue(settling(a, 1))
    let calls = 0
    yield* t.modify("a", (view) => {
      calls++
      return changeTo(view!.schedule, { cancelActive: true })
    })
    yield* check([calls, yield* t.states(uuid(1))], [1, ["gone"]], "calls of the transition and the run")
  },

  *"inserts what the transition wants"(t) {
    const a = waiting("a")
    yield* t.put(a)
    yield* t.enqueue(settling(a, 1))
    const [claimed] = yield* t.claim()
    const again: Transition = (_, view) => changeTo(view!.schedule, { runs: [settling(view!.schedule, 2)] })
    yield* t.report([success(claimed!)], { transition: again })
    yield* check((yield* t.claim()).length, 1, "claimed")
  },

  *"decides five hundred schedules in one call"(t) {
    const rows = numbers(1, 500).map((n) => waiting(`s${n}`))
    yield* t.put(...rows)
    yield* t.enqueue(...rows.map((row, index) => settling(row, index + 1)))
    const claimed = yield* t.claim()
    const { applied } = yield* t.report(
      claimed.map((row) => success(row)),
      { transition: aMinuteAfter }
    )
    yield* check(applied.length, 500, "applied")
    const { schedules } = yield* t.wake()
    yield* check(schedules, t0 + 60_000, "the next time")
  }
})
