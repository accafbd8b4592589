import { Effect } from "effect"
import { group } from "../internal/cases.ts"
import { check } from "../internal/check.ts"
import { deferredOf, nodeA, nodeB, numbers, run, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { collect, release, retry } from "../internal/probe.ts"

export const cancelling = group("cancel", {
  *"ends a run that has not started"(t) {
    yield* t.enqueue(run(1, { key: "k", payload: "[1]", runAt: t0 + 9000 }))
    const { answer, applied, ended, node } = yield* t.cancel(uuid(1), { now: t0 + 5 })
    yield* check([answer, node, applied], ["cancelled", undefined, []], "the answer")
    yield* check(
      [ended?.outcome, ended?.endedAt, ended?.attempt, ended?.node, ended?.startedAt, ended?.payload, ended?.key],
      ["cancelled", t0 + 5, 0, null, null, "[1]", "k"],
      "what ended"
    )
    yield* check([ended?.result, ended?.resultStored], [null, false], "its result")
    yield* check(yield* t.ended(uuid(1)), ended, "its history row")
    yield* check(yield* t.claim({ now: t0 + 9000 }), [], "claimed afterwards")
  },

  *"ends a run that waits for a retry, for a key or for another of its schedule"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(
      run(1, { key: "k" }),
      run(2, { key: "k" }),
      run(3),
      runOf(a, 4, { runAt: t0 + 1 }),
      deferredOf(a, 5)
    )
    const claimed = yield* t.claim()
    yield* t.report([retry(claimed[1]!, { runAt: t0 + 9000 })])
    yield* check(yield* t.states(uuid(2), uuid(3)), ["deferred for key", "pending"], "before")
    for (const n of [2, 3, 5]) {
      const { answer, ended } = yield* t.cancel(uuid(n))
      yield* check([answer, ended?.id], ["cancelled", uuid(n)], `the answer for run ${n}`)
    }
    yield* check((yield* t.ended(uuid(3)))?.startedAt, t0, "when the retried one had started")
    yield* check(yield* t.states(uuid(1), uuid(4)), ["running", "pending"], "the others")
  },

  *"asks the node that runs it, and keeps the first instant"(t) {
    yield* t.enqueue(run(1))
    const [claimed] = yield* t.claim()
    const requested = { answer: "requested", ended: undefined, node: nodeA, applied: [] }
    yield* check(yield* t.cancel(uuid(1), { now: t0 + 5 }), requested, "the answer")
    yield* check(yield* t.unfinished(uuid(1)), { ...claimed!, cancelAt: t0 + 5 }, "the row")
    yield* check(yield* t.cancel(uuid(1), { now: t0 + 6 }), requested, "the answer again")
    yield* check((yield* t.unfinished(uuid(1)))?.cancelAt, t0 + 5, "cancelAt again")
  },

  *"says that a run has finished, whatever its outcome, also when it is sent again"(t) {
    yield* t.enqueue(run(1), run(2))
    yield* t.succeed(...(yield* t.claim({ limit: 1 })))
    yield* t.cancel(uuid(2))
    const finished = { answer: "finished", ended: undefined, node: undefined, applied: [] }
    yield* check(yield* t.cancel(uuid(1)), finished, "of one that succeeded")
    yield* check(yield* t.cancel(uuid(2)), finished, "of one that was cancelled")
    yield* check((yield* t.history()).length, 2, "rows of history")
  },

  *"says that no run has the id"(t) {
    yield* t.put(schedule("a"))
    yield* check((yield* t.cancel(uuid(1))).answer, "unknown", "the answer")
  },

  *"that races an end has one winner, and is told which"(t) {
    yield* t.enqueue(...numbers(1, 20).map((n) => run(n)))
    const claimed = yield* t.claim()
    yield* t.report(claimed.map((row) => release(row)))
    const again = yield* t.claim({ limit: 10 })
    const answers = yield* Effect.all(
      [
        Effect.forEach(numbers(1, 20), (n) => t.cancel(uuid(n)), { concurrency: "unbounded" }),
        Effect.forEach(again, (row) => t.succeed(row), { concurrency: "unbounded", discard: true })
      ],
      { concurrency: "unbounded" }
    )
    const rows = yield* t.store.getRuns({ ids: numbers(1, 20).map(uuid) })
    const outcome = new Map(rows.ended.map((row) => [row.id, row.outcome]))
    yield* check([rows.unfinished.length, rows.ended.length], [0, 20], "unfinished and ended")
    yield* check(
      answers[0].map((each, index) => [each.answer === "cancelled", outcome.get(uuid(index + 1)) === "cancelled"]),
      numbers(0, 20).map((index) => [index >= 10, index >= 10]),
      "whether each was cancelled, as told and as stored"
    )
  },

  *"makes the next deferred run of its schedule pending, unless it was deferred itself"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1, { runAt: t0 + 9000 }), deferredOf(a, 2), deferredOf(a, 3), deferredOf(a, 4))
    yield* t.cancel(uuid(2))
    yield* check(yield* t.states(uuid(3)), ["deferred for overlap"], "after a deferred one")
    yield* t.cancel(uuid(1))
    yield* check(yield* t.states(uuid(3), uuid(4)), ["pending", "deferred for overlap"], "after the active one")
  }
})

export const progressing = group("progress", {
  *"is stored while the run is held, and kept when it ends or comes back"(t) {
    yield* t.enqueue(run(1), run(2))
    const claimed = yield* t.claim()
    const entries = claimed.map((row, index) => ({ id: row.id, attempt: row.attempt, progress: `{"n":${index}}` }))
    yield* t.store.progress({ node: nodeA, entries })
    yield* check(yield* t.unfinished(uuid(1)), { ...claimed[0]!, progress: '{"n":0}' }, "the row")
    yield* t.succeed(claimed[0]!)
    yield* t.reap({ node: nodeB })
    yield* check((yield* t.ended(uuid(1)))?.progress, '{"n":0}', "after its end")
    yield* check((yield* t.claim({ node: nodeB }))[0]?.progress, '{"n":1}', "for the next attempt")
  },

  *"of another attempt, another node, or a run that is not held changes nothing"(t) {
    yield* t.enqueue(run(1), run(2))
    const [claimed] = yield* t.claim({ limit: 1 })
    const entry = { id: uuid(1), attempt: 1, progress: "1" }
    yield* t.store.progress({ node: nodeB, entries: [entry] })
    yield* t.store.progress({
      node: nodeA,
      entries: [
        { ...entry, attempt: 0 },
        { ...entry, id: uuid(2), attempt: 0 },
        { ...entry, id: uuid(9) }
      ]
    })
    yield* check(yield* t.unfinished(uuid(1)), claimed, "the held run")
    yield* check(yield* t.unfinished(uuid(2)), run(2), "the pending run")
  },

  *"takes a thousand entries"(t) {
    yield* t.enqueue(...numbers(1, 1000).map((n) => run(n)))
    const claimed = yield* t.claim()
    yield* t.store.progress({
      node: nodeA,
      entries: claimed.map((row) => ({ id: row.id, attempt: row.attempt, progress: `"${row.id}"` }))
    })
    const held = yield* t.store.held({ node: nodeA })
    yield* check(new Set(held.map((row) => row.progress)).size, 1000, "texts")
  }
})

export const runLists = group("lists of runs", {
  *"by id tell the unfinished from the ended and leave out the unknown"(t) {
    yield* t.enqueue(run(1), run(2), run(3))
    yield* t.succeed(...(yield* t.claim({ limit: 1 })))
    const rows = yield* t.store.getRuns({ ids: [3, 9, 1, 2].map(uuid) })
    yield* check(
      [rows.unfinished.map((row) => row.id), rows.ended.map((row) => row.id)],
      [[uuid(3), uuid(2)], [uuid(1)]],
      "ids"
    )
  },

  *"are ordered by id, in pages that end without a cursor"(t) {
    yield* t.enqueue(...[5, 2, 6, 1, 4, 3].map((n) => run(n)))
    const first = yield* t.store.listRuns({ filter: {}, limit: 4 })
    yield* t.cancel(uuid(4))
    yield* t.enqueue(run(0), run(7))
    const second = yield* t.store.listRuns({ filter: {}, limit: 3, cursor: first.cursor })
    yield* check(
      [first, second].map((page) => page.items.map((row) => row.id)),
      [[1, 2, 3, 4].map(uuid), [5, 6, 7].map(uuid)],
      "ids"
    )
    yield* check(second.cursor, undefined, "the last cursor")
  },

  *"are restricted by job, schedule and state, alone and together"(t) {
    const a = schedule("a", { job: "x" })
    yield* t.put(a)
    yield* t.enqueue(run(1, { job: "x" }), run(2, { job: "y" }), runOf(a, 3), deferredOf(a, 4))
    yield* t.claim({ jobs: [{ name: "y", queue: "default" }] })
    for (const [filter, ids] of [
      [{ job: "x" }, [1, 3, 4]],
      [{ scheduleId: "a" }, [3, 4]],
      [{ state: "running" }, [2]],
      [{ state: "deferred" }, [4]],
      [{ job: "x", scheduleId: "a", state: "pending" }, [3]],
      [{ job: "z" }, []]
    ] as const) {
      const rows = yield* collect((cursor) => t.store.listRuns({ filter, limit: 1, cursor }))
      yield* check(
        rows.map((row) => row.id),
        ids.map(uuid),
        `ids for ${JSON.stringify(filter)}`
      )
    }
  }
})
