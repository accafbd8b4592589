import { Effect } from "effect"
import type { RunRecord } from "../../JobRun.ts"
import type { ClaimableJob } from "../../JobStore.ts"
import { group } from "../internal/cases.ts"
import { check, checkThat } from "../internal/check.ts"
import { nodeA, nodeB, numbers, run, t0, uuid } from "../internal/fixtures.ts"
import { release, retry } from "../internal/probe.ts"

const idsOf = (rows: ReadonlyArray<RunRecord>) => rows.map((row) => row.id)

const xAndY = [
  { name: "x", queue: "default" },
  { name: "y", queue: "default" }
]

export const claiming = group("claim", {
  *"makes a due run running: with its node, the instant, and one attempt more"(t) {
    const row = run(1, {
      attempt: 4,
      failures: 2,
      recoveries: 1,
      errors: "[1]",
      progress: "50",
      key: "k",
      startBy: t0 - 1
    })
    yield* t.enqueue(row)
    const expected = { ...row, state: "running" as const, node: nodeB, attempt: 5, startedAt: t0 + 9 }
    yield* check(yield* t.claim({ now: t0 + 9, node: nodeB }), [expected], "claimed")
    yield* check(yield* t.unfinished(uuid(1)), expected, "the row")
    yield* check(yield* t.claim({ now: t0 + 9, node: nodeB }), [], "claimed again")
  },

  *"answers the time that it took"(t) {
    const { now } = yield* t.store.claim({ now: t0 + 3, node: nodeA, limit: 1, jobs: [], queues: {} })
    yield* check(now, t0 + 3, "now")
  },

  *"answers, if at all, the same instant of the next run as wake does"(t) {
    const limited = [{ name: "y", queue: "default", concurrency: 1 }]
    const differences: Array<string> = []
    const look = function* (now: number, limit: number, jobs: ReadonlyArray<ClaimableJob>) {
      const { next } = yield* t.store.claim({ now, node: nodeA, limit, jobs, queues: {} })
      const { runs } = yield* t.wake({ now, jobs })
      if (next !== undefined && next !== (runs ?? null)) differences.push(`${next} at ${now}, not ${runs}`)
    }
    yield* look(t0, 10, xAndY)
    yield* t.enqueue(
      ...numbers(1, 6).map((n) =>
        run(n, { job: n % 2 === 0 ? "x" : "y", runAt: t0 + 10 * n, priority: n % 2 === 0 ? 1 : 3 })
      ),
      ...numbers(7, 9).map((n) => run(n, { job: "z", key: "k", runAt: t0 + 10 * n })),
      run(10, { job: "z", runAt: t0 + 200 })
    )
    const all = [...xAndY, { name: "z", queue: "default" }]
    for (const now of numbers(0, 10).map((n) => t0 + 10 * n)) {
      yield* look(now, 1, xAndY)
      yield* look(now, 10, limited)
      yield* look(now, 10, all)
    }
    yield* check(differences, [], "what differs")
  },

  *"takes runs in the order of priority, runAt and id, over all jobs"(t) {
    yield* t.enqueue(
      run(1, { job: "x", priority: 3, runAt: t0 - 9000 }),
      run(6, { job: "x", runAt: t0 - 20 }),
      run(5, { job: "y", runAt: t0 - 20 }),
      run(4, { job: "x", runAt: t0 }),
      run(3, { job: "y", runAt: t0 - 10 }),
      run(2, { job: "y", priority: 1, runAt: t0 }),
      run(7, { job: "x", priority: 0, runAt: t0 })
    )
    const order = [7, 2, 5, 6, 3, 4, 1].map(uuid)
    const first = yield* t.claim({ jobs: xAndY, limit: 3 })
    const second = yield* t.claim({ jobs: xAndY })
    yield* check([idsOf(first), idsOf(second)], [order.slice(0, 3), order.slice(3)], "ids")
  },

  *"takes a run at its instant and not a millisecond before"(t) {
    yield* t.enqueue(run(1, { runAt: t0 + 1 }))
    yield* check(yield* t.claim(), [], "before")
    yield* check(idsOf(yield* t.claim({ now: t0 + 1 })), [uuid(1)], "at its instant")
  },

  *"lets no run that is not due hide one that is"(t) {
    yield* t.enqueue(run(1, { priority: 0, runAt: t0 + 1 }), run(2, { priority: 3 }))
    yield* check(idsOf(yield* t.claim({ limit: 1 })), [uuid(2)], "ids")
  },

  *"takes runs of the named jobs only"(t) {
    yield* t.enqueue(run(1, { job: "x" }), run(2, { job: "z", priority: 0 }), run(3, { job: "y" }))
    yield* check(idsOf(yield* t.claim({ jobs: xAndY })), [uuid(1), uuid(3)], "ids")
    yield* check(yield* t.claim({ jobs: [] }), [], "of no job")
    yield* check(yield* t.states(uuid(2)), ["pending"], "the other")
  },

  *"does not see runs of other jobs: thousands of them neither fill its limit nor hide later ones"(t) {
    yield* t.enqueue(...numbers(1, 1000).map((n) => run(n, { job: "z", priority: 0 })), run(2000))
    yield* check(idsOf(yield* t.claim({ limit: 1 })), [uuid(2000)], "ids")
  },

  *"takes at most as many as it was told"(t) {
    yield* t.enqueue(...numbers(1, 5).map((n) => run(n)))
    yield* check(idsOf(yield* t.claim({ limit: 2 })), [uuid(1), uuid(2)], "first")
    yield* check(yield* t.claim({ limit: 0 }), [], "of none")
    yield* check(idsOf(yield* t.claim({ limit: 9 })), [uuid(3), uuid(4), uuid(5)], "rest")
  },

  *"gives a run the queue of the job that claims it"(t) {
    yield* t.enqueue(run(1, { queue: "old" }))
    const [claimed] = yield* t.claim({ jobs: [{ name: "job", queue: "new" }] })
    yield* check(claimed?.queue, "new", "the queue")
    yield* t.report([release(claimed!)])
    yield* check((yield* t.unfinished(uuid(1)))?.queue, "new", "after its release")
  },

  *"leaves deferred runs"(t) {
    yield* t.enqueue(
      run(1, { scheduleId: "a", generation: uuid(9), nominal: t0, state: "deferred", waitsFor: "overlap" })
    )
    yield* check(yield* t.claim(), [], "claimed")
  },

  *"counts attempts up through retries and releases"(t) {
    yield* t.enqueue(run(1))
    const [first] = yield* t.claim()
    yield* t.report([release(first!)])
    const [second] = yield* t.claim()
    yield* t.report([retry(second!)])
    const [third] = yield* t.claim()
    yield* check([first?.attempt, second?.attempt, third?.attempt], [1, 2, 3], "attempts")
  },

  *"gives each run to one of several nodes"(t) {
    yield* t.enqueue(...numbers(1, 200).map((n) => run(n)))
    const claims = yield* Effect.forEach(
      numbers(0, 10),
      (n) => t.claim({ node: n % 2 === 0 ? nodeA : nodeB, limit: 25 }),
      { concurrency: "unbounded" }
    )
    const ids = claims.flatMap(idsOf)
    yield* check([ids.length, new Set(ids).size], [200, 200], "claims and runs")
  },

  *"takes a thousand runs at once"(t) {
    yield* t.enqueue(...numbers(1, 1000).map((n) => run(n, { runAt: t0 - n })))
    const claimed = yield* t.claim()
    yield* checkThat(claimed.length === 1000 && claimed[0]?.id === uuid(1000), "all, the oldest first")
  },

  *"takes a cancelled run with its cancelAt, so that the node ends it"(t) {
    yield* t.enqueue(run(1))
    const [claimed] = yield* t.claim()
    yield* t.cancel(uuid(1), { now: t0 + 1 })
    yield* t.report([release(claimed!)])
    yield* check((yield* t.claim())[0]?.cancelAt, t0 + 1, "cancelAt")
  }
})

export const holding = group("held", {
  *"lists the runs that a node holds, all their fields, by id"(t) {
    yield* t.enqueue(run(3), run(1), run(2), run(4))
    const first = yield* t.claim({ limit: 2 })
    yield* t.claim({ node: nodeB, limit: 1 })
    yield* t.claim({ limit: 1 })
    const held = yield* t.store.held({ node: nodeA })
    yield* check(idsOf(held), [uuid(1), uuid(2), uuid(4)], "ids")
    yield* check(held[0], first[0], "the first")
    yield* check(yield* t.store.held({ node: uuid(99) }), [], "of another node")
  },

  *"forgets what a node gave back or ended"(t) {
    yield* t.enqueue(run(1), run(2), run(3), run(4))
    const [a, b, c] = yield* t.claim()
    yield* t.succeed(a!)
    yield* t.report([release(b!), retry(c!)])
    yield* check(idsOf(yield* t.store.held({ node: nodeA })), [uuid(4)], "ids")
  }
})
