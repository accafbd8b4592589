import type { RunRecord } from "../../JobRun.ts"
import { group } from "../internal/cases.ts"
import { check, checkThat } from "../internal/check.ts"
import { nodeA, nodeB, numbers, run, t0, uuid } from "../internal/fixtures.ts"
import { release, retry, success } from "../internal/probe.ts"

const idsOf = (rows: ReadonlyArray<RunRecord>) => rows.map((row) => row.id)
const keyed = (n: number, fields: Partial<RunRecord> = {}) => run(n, { key: "k", ...fields })

export const keys = group("keys", {
  *"let one run of a job and key run; due ones that find it taken are deferred by the same call"(t) {
    yield* t.enqueue(keyed(1), keyed(2), keyed(3, { key: "other" }), run(4), keyed(5))
    yield* check(idsOf(yield* t.claim()), [1, 3, 4].map(uuid), "claimed")
    const deferred = { ...keyed(2), state: "deferred", waitsFor: "key" }
    yield* check(yield* t.unfinished(uuid(2)), deferred, "the second")
    yield* check(yield* t.states(uuid(5)), ["deferred for key"], "the fifth")
    yield* t.enqueue(keyed(6))
    yield* check(yield* t.claim({ node: nodeB }), [], "claimed by another node")
    yield* check(yield* t.states(uuid(6)), ["deferred for key"], "the sixth")
  },

  *"of different jobs have nothing to do with each other"(t) {
    yield* t.enqueue(keyed(1, { job: "x" }), keyed(2, { job: "y" }))
    const jobs = ["x", "y"].map((name) => ({ name, queue: "default" }))
    yield* check((yield* t.claim({ jobs })).length, 2, "claimed")
  },

  *"take no room from the claim: deferred runs do not count for its limit"(t) {
    yield* t.enqueue(...numbers(1, 20).map((n) => keyed(n)), run(21))
    yield* check(idsOf(yield* t.claim({ limit: 2 })), [uuid(1), uuid(21)], "claimed")
  },

  *"leave a run that is not due where it is"(t) {
    yield* t.enqueue(keyed(1), keyed(2, { runAt: t0 + 1000 }))
    yield* t.claim()
    yield* check(yield* t.states(uuid(2)), ["pending"], "before it is due")
    yield* t.claim({ now: t0 + 1000 })
    yield* check(yield* t.states(uuid(2)), ["deferred for key"], "when it is")
  },

  *"do not defer runs of a job that is at its limit, nor runs after the claim is full"(t) {
    yield* t.enqueue(keyed(1), keyed(2))
    yield* t.claim({ jobs: [{ name: "job", queue: "default", concurrency: 1 }] })
    yield* check(yield* t.states(uuid(2)), ["pending"], "at its limit")
    yield* t.enqueue(run(3, { priority: 0 }))
    yield* t.claim({ limit: 1 })
    yield* check(yield* t.states(uuid(2), uuid(3)), ["pending", "running"], "after a full claim")
  },

  *"go to the highest priority, then the oldest runAt, then the lowest id, one at each end"(t) {
    yield* t.enqueue(keyed(1, { runAt: t0 - 100 }))
    let [running] = yield* t.claim()
    yield* t.enqueue(
      keyed(2),
      keyed(3, { runAt: t0 - 5 }),
      keyed(5, { runAt: t0 - 5 }),
      keyed(4, { priority: 1 }),
      keyed(6, { priority: 3, runAt: t0 - 50 })
    )
    yield* t.claim()
    const order: Array<string> = []
    while (running !== undefined) {
      yield* t.report([success(running)])
      const promoted = (yield* t.store.listRuns({ filter: { state: "pending" }, limit: 10 })).items
      yield* checkThat(promoted.length <= 1, "at most one run should be promoted")
      yield* checkThat(
        promoted.every((row) => row.waitsFor === null),
        "it should wait for nothing"
      )
      ;[running] = yield* t.claim()
      if (running !== undefined) order.push(running.id)
    }
    yield* check(order, [4, 3, 5, 2, 6].map(uuid), "order")
  },

  *"are free while a run waits for its retry"(t) {
    yield* t.enqueue(keyed(1), keyed(2))
    const [first] = yield* t.claim()
    yield* t.report([retry(first!, { runAt: t0 + 1000 })])
    yield* check(yield* t.states(uuid(1), uuid(2)), ["pending", "pending"], "after the failure")
    yield* check(idsOf(yield* t.claim()), [uuid(2)], "claimed meanwhile")
    yield* check(yield* t.claim({ now: t0 + 1000 }), [], "claimed when the retry is due")
    yield* check(yield* t.states(uuid(1)), ["deferred for key"], "the retry")
    yield* t.report([success({ id: uuid(2), attempt: 1 })])
    yield* check(idsOf(yield* t.claim({ now: t0 + 1000 })), [uuid(1)], "claimed at last")
  },

  *"are free after a release"(t) {
    yield* t.enqueue(keyed(2), keyed(3))
    yield* t.enqueue(keyed(1, { runAt: t0 - 1 }))
    const [first] = yield* t.claim()
    yield* t.report([release(first!)])
    yield* check(yield* t.states(...[1, 2, 3].map(uuid)), ["pending", "pending", "deferred for key"], "states")
  },

  *"are free when a run is taken back or lost"(t) {
    yield* t.register(nodeA)
    yield* t.enqueue(keyed(1), keyed(2), keyed(3))
    yield* t.claim()
    const { recovered } = yield* t.reap({ now: t0 + 60_000, node: nodeB, delays: [5000] })
    yield* check(idsOf(recovered), [uuid(1)], "recovered")
    yield* check(yield* t.states(uuid(1), uuid(2)), ["pending", "pending"], "after it was taken back")
    yield* t.claim({ now: t0 + 60_000 })
    const { lost } = yield* t.reap({ now: t0 + 60_000, node: nodeB, delays: [] })
    yield* check([lost.map((row) => row.id), yield* t.states(uuid(3))], [[uuid(2)], ["pending"]], "after a loss")
  },

  *"are passed on when a run that was promoted is cancelled"(t) {
    yield* t.enqueue(keyed(1), keyed(2), keyed(3))
    yield* t.succeed(...(yield* t.claim()))
    yield* check(yield* t.states(uuid(2), uuid(3)), ["pending", "deferred for key"], "promoted")
    yield* t.cancel(uuid(2))
    yield* check(yield* t.states(uuid(3)), ["pending"], "after the cancel")
  },

  *"are not passed on by a cancel while the key is taken"(t) {
    yield* t.enqueue(keyed(1), keyed(2))
    yield* t.claim()
    yield* t.enqueue(keyed(3))
    yield* t.cancel(uuid(3))
    yield* check(yield* t.states(uuid(2)), ["deferred for key"], "after a pending one was cancelled")
    yield* t.enqueue(keyed(4))
    yield* t.claim()
    yield* t.cancel(uuid(4))
    yield* check(yield* t.states(uuid(2)), ["deferred for key"], "after a deferred one was cancelled")
  },

  *"run a hundred runs one after the other"(t) {
    yield* t.enqueue(...numbers(1, 100).map((n) => keyed(n)))
    const order: Array<string> = []
    let claimed = yield* t.claim()
    while (claimed.length > 0) {
      yield* check(claimed.length, 1, "runs at once")
      order.push(claimed[0]!.id)
      yield* t.succeed(...claimed)
      claimed = yield* t.claim()
    }
    yield* check(order, numbers(1, 100).map(uuid), "order")
  },

  *"that a thousand deferred runs wait for hide nothing from a claim"(t) {
    yield* t.enqueue(...numbers(1, 1000).map((n) => keyed(n, { priority: 0 })))
    yield* t.claim()
    yield* t.enqueue(run(2000, { priority: 3 }))
    yield* check(idsOf(yield* t.claim({ limit: 1 })), [uuid(2000)], "claimed")
  }
})
