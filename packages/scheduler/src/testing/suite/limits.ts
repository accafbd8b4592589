import type { RunRecord } from "../../JobRun.ts"
import { group } from "../internal/cases.ts"
import { check } from "../internal/check.ts"
import { nodeA, nodeB, numbers, run, t0, uuid } from "../internal/fixtures.ts"
import { release, retry } from "../internal/probe.ts"

const idsOf = (rows: ReadonlyArray<RunRecord>) => rows.map((row) => row.id)

export const limits = group("limits", {
  *"of a job hold over all nodes"(t) {
    const jobs = [{ name: "job", queue: "default", concurrency: 3 }]
    yield* t.enqueue(...numbers(1, 6).map((n) => run(n)))
    yield* check((yield* t.claim({ jobs, limit: 2 })).length, 2, "the first node's")
    yield* check((yield* t.claim({ jobs, node: nodeB })).length, 1, "the second's")
    yield* check(yield* t.claim({ jobs, node: nodeB }), [], "no more")
  },

  *"of a job are free again after an end, a retry, a release, and when a run is taken back"(t) {
    const jobs = [{ name: "job", queue: "default", concurrency: 1 }]
    yield* t.enqueue(...numbers(1, 5).map((n) => run(n)))
    yield* t.register(nodeA)
    yield* t.succeed(...(yield* t.claim({ jobs })))
    const [second] = yield* t.claim({ jobs })
    yield* t.report([retry(second!, { runAt: t0 + 9000 })])
    const [third] = yield* t.claim({ jobs })
    yield* t.report([release(third!)])
    const [again] = yield* t.claim({ jobs })
    yield* check([second?.id, third?.id, again?.id], [uuid(2), uuid(3), uuid(3)], "claimed")
    yield* check(yield* t.claim({ jobs, node: nodeB }), [], "while it runs")
    yield* t.reap({ now: t0 + 60_000, node: nodeB })
    yield* check((yield* t.claim({ jobs, now: t0 + 60_000, node: nodeB })).length, 1, "after it was taken back")
  },

  *"of a queue hold over its jobs and all nodes"(t) {
    const jobs = [
      { name: "x", queue: "mail" },
      { name: "y", queue: "mail" },
      { name: "z", queue: "default" }
    ]
    const queues = { mail: 2 }
    yield* t.enqueue(...numbers(1, 9).map((n) => run(n, { job: "xyz"[n % 3]!, queue: "any" })))
    yield* check(idsOf(yield* t.claim({ jobs, queues })), [1, 2, 3, 5, 8].map(uuid), "the first node's")
    yield* check(yield* t.claim({ jobs, queues, node: nodeB }), [], "the second's")
    yield* t.succeed({ ...run(3, { job: "x" }), attempt: 1 })
    yield* check(idsOf(yield* t.claim({ jobs, queues, node: nodeB })), [uuid(4)], "after an end")
  },

  *"that a queue does not have leave it unlimited"(t) {
    yield* t.enqueue(...numbers(1, 50).map((n) => run(n)))
    yield* check((yield* t.claim({ queues: { other: 1 } })).length, 50, "claimed")
  },

  *"of a job and its queue hold both"(t) {
    const jobs = [
      { name: "x", queue: "mail", concurrency: 1 },
      { name: "y", queue: "mail", concurrency: 5 }
    ]
    yield* t.enqueue(
      ...numbers(1, 4).map((n) => run(n, { job: "x" })),
      ...numbers(5, 4).map((n) => run(n, { job: "y" }))
    )
    yield* check(idsOf(yield* t.claim({ jobs, queues: { mail: 3 } })), [1, 5, 6].map(uuid), "claimed")
  },

  *"that are reached hide no other job, however many runs wait for them"(t) {
    const jobs = [
      { name: "x", queue: "default", concurrency: 1 },
      { name: "y", queue: "default" }
    ]
    yield* t.enqueue(...numbers(1, 500).map((n) => run(n, { job: "x", priority: 0 })), run(600, { job: "y" }))
    yield* check(idsOf(yield* t.claim({ jobs, limit: 2 })), [uuid(1), uuid(600)], "claimed")
    yield* check((yield* t.store.listRuns({ filter: { state: "pending" }, limit: 1000 })).items.length, 499, "waiting")
  },

  *"of a queue count the runs that were claimed into it"(t) {
    yield* t.enqueue(run(1), run(2), run(3))
    yield* t.claim({ jobs: [{ name: "job", queue: "old" }], limit: 1 })
    const queues = { new: 1, old: 1 }
    yield* check((yield* t.claim({ jobs: [{ name: "job", queue: "old" }], queues })).length, 0, "of the full queue")
    yield* check((yield* t.claim({ jobs: [{ name: "job", queue: "new" }], queues })).length, 1, "of the other")
  },

  *"of zero hold everything back"(t) {
    yield* t.enqueue(run(1))
    yield* check(yield* t.claim({ jobs: [{ name: "job", queue: "default", concurrency: 0 }] }), [], "of the job")
    yield* check(yield* t.claim({ queues: { default: 0 } }), [], "of the queue")
  }
})
