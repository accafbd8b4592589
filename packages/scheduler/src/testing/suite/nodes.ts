import { Effect } from "effect"
import { group } from "../internal/cases.ts"
import { check } from "../internal/check.ts"
import { deferredOf, nodeA, nodeB, nodeC, numbers, run, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { success } from "../internal/probe.ts"

export const nodes = group("nodes", {
  *"are registered with their lease and what they know"(t) {
    const params = { now: t0, node: nodeA, lease: 15_000, version: 3, jobs: ["x", "y"], triggers: ["lunar"] }
    yield* t.store.register(params)
    const row = { id: nodeA, startedAt: t0, leaseUntil: t0 + 15_000, deadAt: null, version: 3, jobs: ["x", "y"] }
    yield* check(yield* t.store.nodes, [{ ...row, triggers: ["lunar"] }], "the rows")
    yield* t.store.register(params)
    yield* check((yield* t.store.nodes).length, 1, "rows after a repeat")
  },

  *"renew their lease, and tell what they know now"(t) {
    yield* t.register(nodeA)
    const answer = yield* t.store.heartbeat({
      now: t0 + 5000,
      node: nodeA,
      lease: 15_000,
      jobs: ["z"],
      triggers: ["tides"]
    })
    yield* check(answer, { fenced: false, cancel: [] }, "the answer")
    const [row] = yield* t.store.nodes
    yield* check(
      [row?.startedAt, row?.leaseUntil, row?.jobs, row?.triggers],
      [t0, t0 + 20_000, ["z"], ["tides"]],
      "the row"
    )
  },

  *"may renew late, as long as nobody has marked them"(t) {
    yield* t.register(nodeA)
    yield* check((yield* t.heartbeat(nodeA, t0 + 3_600_000)).fenced, false, "fenced")
    yield* check((yield* t.reap({ now: t0 + 3_600_001, node: nodeB })).dead, [], "marked afterwards")
  },

  *"are fenced once they were marked dead, and stay so"(t) {
    yield* t.register(nodeA)
    yield* t.reap({ now: t0 + 15_001, node: nodeB })
    yield* check(yield* t.heartbeat(nodeA, t0 + 15_002), { fenced: true, cancel: [] }, "the answer")
    yield* t.register(nodeA, 15_000, t0 + 15_003)
    yield* check((yield* t.heartbeat(nodeA, t0 + 15_004)).fenced, true, "fenced after a late registration")
    yield* check((yield* t.store.nodes)[0]?.deadAt, t0 + 15_001, "deadAt")
  },

  *"are fenced when they have no row"(t) {
    yield* check((yield* t.heartbeat(nodeA, t0)).fenced, true, "fenced")
    yield* check(yield* t.store.nodes, [], "rows")
  },

  *"hear of their own runs that were asked to cancel, until these end"(t) {
    yield* t.register(nodeA)
    yield* t.register(nodeB)
    yield* t.enqueue(run(1), run(2), run(3), run(4))
    const claimed = yield* t.claim({ limit: 3 })
    yield* t.claim({ node: nodeB })
    yield* Effect.forEach([3, 1, 4], (n) => t.cancel(uuid(n)))
    yield* check((yield* t.heartbeat(nodeA, t0 + 1)).cancel, [uuid(1), uuid(3)], "to cancel")
    yield* check((yield* t.heartbeat(nodeA, t0 + 2)).cancel, [uuid(1), uuid(3)], "told again")
    yield* t.report([success(claimed[0]!, { outcome: "cancelled" })])
    yield* check((yield* t.heartbeat(nodeA, t0 + 3)).cancel, [uuid(3)], "after one ended")
  },

  *"that leave have no row any more, and their runs become a reaper's"(t) {
    yield* t.register(nodeA)
    yield* t.enqueue(run(1))
    yield* t.claim()
    yield* t.store.leave({ node: nodeA })
    yield* check(yield* t.store.nodes, [], "rows")
    yield* check((yield* t.reap({ node: nodeB })).recovered.length, 1, "recovered")
    yield* t.store.leave({ node: nodeA })
  }
})

export const reaping = group("reap", {
  *"marks nodes whose lease has passed, once"(t) {
    yield* t.register(nodeA, 1000)
    yield* t.register(nodeB, 2000)
    yield* t.register(nodeC, 60_000)
    yield* check((yield* t.reap({ now: t0 + 1000, node: nodeC })).dead, [], "at the end of the lease")
    const first = yield* t.reap({ now: t0 + 2001, node: nodeC })
    yield* check(first.dead, [nodeA, nodeB], "dead")
    yield* check((yield* t.reap({ now: t0 + 2002, node: nodeC })).dead, [], "again")
  },

  *"never marks its own node"(t) {
    yield* t.register(nodeA, 1000)
    yield* t.enqueue(run(1))
    yield* t.claim()
    const { dead, recovered } = yield* t.reap({ now: t0 + 60_000, node: nodeA })
    yield* check([dead, recovered], [[], []], "dead and recovered")
  },

  *"answers the earliest lease end of a live node, and the time that it took"(t) {
    const none = yield* t.reap({ now: t0 + 3 })
    yield* check([none.nextLease, none.now], [undefined, t0 + 3], "without nodes")
    yield* t.register(nodeA, 1000)
    yield* t.register(nodeB, 5000)
    yield* t.register(nodeC, 9000)
    const { nextLease } = yield* t.reap({ now: t0 + 1001, node: nodeC })
    yield* check(nextLease, t0 + 5000, "the earliest of the living")
  },

  *"makes the runs of dead nodes pending, with one more recovery and its delay"(t) {
    yield* t.register(nodeA)
    yield* t.enqueue(run(1, { progress: "50", errors: "[1]", failures: 1 }), run(2, { recoveries: 1 }))
    const claimed = yield* t.claim()
    const { lost, recovered } = yield* t.reap({ now: t0 + 60_000, node: nodeB, delays: [100, 2000] })
    const back = (index: number, recoveries: number, delay: number) => ({
      ...claimed[index]!,
      state: "pending",
      node: null,
      recoveries,
      runAt: t0 + 60_000 + delay
    })
    yield* check(recovered, [back(0, 1, 100), back(1, 2, 2000)], "recovered")
    yield* check(lost, [], "lost")
    yield* check(yield* t.unfinished(uuid(1)), recovered[0], "the row")
  },

  *"asks when a run comes back, by the run as its node had it and by its own time"(t) {
    yield* t.enqueue(run(1, { recoveries: 3 }), run(2, { delivery: "atMostOnce" }), run(3))
    const claimed = yield* t.claim()
    const asked = new Map<string, unknown>()
    const { lost, recovered } = yield* t.reap({
      now: t0 + 7,
      node: nodeB,
      recovery: (row, now) => {
        asked.set(row.id, [row, now])
        return row.id === uuid(3) ? undefined : now + 4321
      }
    })
    yield* check(
      [...asked],
      claimed.map((row) => [row.id, [row, t0 + 7]]),
      "what it was asked"
    )
    yield* check(
      recovered.map((row) => [row.id, row.recoveries, row.runAt]),
      [
        [uuid(1), 4, t0 + 4328],
        [uuid(2), 1, t0 + 4328]
      ],
      "recovered"
    )
    yield* check(
      lost.map((row) => row.id),
      [uuid(3)],
      "lost"
    )
  },

  *"ends a run as lost where the list of delays has ended"(t) {
    yield* t.register(nodeA)
    yield* t.enqueue(run(1, { recoveries: 2, failures: 1, errors: "[1]", key: "k", payload: "[7]" }))
    yield* t.claim()
    const { lost, recovered } = yield* t.reap({ now: t0 + 60_000, node: nodeB, delays: [0, 0] })
    yield* check(recovered, [], "recovered")
    const [row] = lost
    yield* check(
      [row?.id, row?.outcome, row?.recoveries, row?.failures, row?.errors, row?.node, row?.endedAt, row?.payload],
      [uuid(1), "lost", 2, 1, "[1]", nodeA, t0 + 60_000, "[7]"],
      "lost"
    )
    yield* check(yield* t.ended(uuid(1)), row, "its history row")
  },

  *"ends a run that may be executed once only as lost at once"(t) {
    yield* t.register(nodeA)
    yield* t.enqueue(run(1, { delivery: "atMostOnce" }), run(2))
    yield* t.claim()
    const { lost, recovered } = yield* t.reap({ now: t0 + 60_000, node: nodeB })
    yield* check([lost.map((row) => row.id), recovered.map((row) => row.id)], [[uuid(1)], [uuid(2)]], "lost, recovered")
  },

  *"takes back runs of a node without a row"(t) {
    yield* t.register(nodeB)
    yield* t.enqueue(run(1), run(2))
    yield* t.claim({ limit: 1 })
    yield* t.claim({ node: nodeB })
    const { dead, recovered } = yield* t.reap({ node: nodeB })
    yield* check([dead, recovered.map((row) => row.id)], [[], [uuid(1)]], "dead and recovered")
  },

  *"leaves runs of living nodes, also of those that renewed late"(t) {
    yield* t.register(nodeA, 1000)
    yield* t.enqueue(run(1))
    yield* t.claim()
    yield* t.heartbeat(nodeA, t0 + 5000, 1000)
    yield* check((yield* t.reap({ now: t0 + 5500, node: nodeB })).recovered, [], "recovered")
  },

  *"takes back at most as many as it was told, says that there are more, and goes on"(t) {
    yield* t.register(nodeA)
    yield* t.enqueue(...numbers(1, 5).map((n) => run(n)))
    yield* t.claim()
    const sizes: Array<readonly [number, boolean]> = []
    for (const now of [t0 + 60_000, t0 + 60_001, t0 + 60_002]) {
      const { full, recovered } = yield* t.reap({ now, node: nodeB, limit: 2 })
      sizes.push([recovered.length, full])
    }
    yield* check(
      sizes,
      [
        [2, true],
        [2, true],
        [1, false]
      ],
      "how many, and full"
    )
  },

  *"counts recoveries through the whole list, then the run is lost"(t) {
    yield* t.enqueue(run(1))
    const delays = [0, 1, 10, 60, 300].map((seconds) => seconds * 1000)
    let now = t0
    for (const [index, delay] of delays.entries()) {
      const [claimed] = yield* t.claim({ now })
      yield* check(claimed?.attempt, index + 1, "attempt")
      const { recovered } = yield* t.reap({ now, node: nodeB, delays })
      yield* check([recovered[0]?.recoveries, recovered[0]?.runAt], [index + 1, now + delay], "recovered")
      now += delay
    }
    yield* t.claim({ now })
    yield* check((yield* t.reap({ now, node: nodeB, delays })).lost.length, 1, "lost")
  },

  *"makes the next deferred run pending when a schedule's run is lost, not when it comes back"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1), deferredOf(a, 2))
    yield* t.claim()
    yield* t.reap({ node: nodeB, delays: [0] })
    yield* check(yield* t.states(uuid(2)), ["deferred for overlap"], "after it came back")
    yield* t.claim()
    yield* t.reap({ node: nodeB, delays: [0] })
    yield* check(yield* t.states(uuid(2)), ["pending"], "after it was lost")
  },

  *"keeps that a cancel was asked for, and lets the run be claimed at once for it"(t) {
    yield* t.enqueue(run(1))
    yield* t.claim()
    yield* t.cancel(uuid(1), { now: t0 + 1 })
    const { recovered } = yield* t.reap({ now: t0 + 2, node: nodeB, delays: [5000] })
    yield* check([recovered[0]?.cancelAt, recovered[0]?.runAt], [t0 + 1, t0 + 2], "cancelAt and runAt")
  },

  *"frees the limits of what it takes back"(t) {
    yield* t.enqueue(run(1), run(2))
    const queues = { default: 1 }
    yield* t.claim({ queues })
    yield* t.reap({ node: nodeB, delays: [9000] })
    yield* check(
      (yield* t.claim({ queues, node: nodeB })).map((row) => row.id),
      [uuid(2)],
      "claimed"
    )
  },

  *"takes back a thousand runs"(t) {
    yield* t.enqueue(...numbers(1, 1000).map((n) => run(n, { delivery: n % 2 === 0 ? "atMostOnce" : "atLeastOnce" })))
    yield* t.claim()
    const { full, lost, recovered } = yield* t.reap({ node: nodeB })
    yield* check([lost.length, recovered.length, full], [500, 500, false], "lost, recovered and full")
  }
})
