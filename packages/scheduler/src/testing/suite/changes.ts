import { Effect } from "effect"
import { group } from "../internal/cases.ts"
import { check } from "../internal/check.ts"
import { changeTo, deferredOf, nodeA, numbers, range, run, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { retry, success } from "../internal/probe.ts"

export const changes = group("changes", {
  *"insert the row, its runs and its ranges together"(t) {
    const a = schedule("a")
    const applied = yield* t.modify("a", () =>
      changeTo(a, { runs: [runOf(a, 1), deferredOf(a, 2)], ranges: [range(a, 3), range(a, 4, { kind: "paused" })] })
    )
    yield* check(applied[0]?.after, a, "the row")
    yield* check(yield* t.unfinished(uuid(1)), runOf(a, 1), "the first run")
    yield* check(yield* t.unfinished(uuid(2)), deferredOf(a, 2), "the second run")
    yield* check(yield* t.history(), [range(a, 4, { kind: "paused" }), range(a, 3)], "history")
  },

  *"leave the runs of a removed schedule"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1), deferredOf(a, 2))
    yield* t.modify("a", () => changeTo(null, { runs: [deferredOf(a, 3)] }))
    yield* check(
      yield* t.states(...numbers(1, 3).map(uuid)),
      ["pending", "deferred for overlap", "deferred for overlap"],
      "states"
    )
    yield* t.succeed(...(yield* t.claim()))
    yield* check(
      yield* t.states(...numbers(1, 3).map(uuid)),
      ["gone", "pending", "deferred for overlap"],
      "after the first ended"
    )
  },

  *"replace what is deferred: it ends as skipped, before new runs come in"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(
      runOf(a, 1),
      deferredOf(a, 2),
      deferredOf(a, 3),
      deferredOf(a, 4, { cause: "runNow" }),
      deferredOf(a, 5, { generation: uuid(99) })
    )
    const applied = yield* t.change("a", { replaceDeferred: true, runs: [deferredOf(a, 6)] }, t0 + 50)
    yield* check(
      applied.replaced.map((row) => [row.id, row.outcome, row.endedAt, row.payload]),
      [
        [uuid(2), "skipped", t0 + 50, "null"],
        [uuid(3), "skipped", t0 + 50, "null"]
      ],
      "replaced"
    )
    yield* check(yield* t.ended(uuid(2)), applied.replaced[0], "its history row")
    yield* check(
      yield* t.states(...numbers(1, 6).map(uuid)),
      ["pending", "gone", "gone", "deferred for overlap", "deferred for overlap", "deferred for overlap"],
      "states"
    )
  },

  *"cancel what is active: what has not started ends, what runs is asked"(t) {
    const a = schedule("a", { key: "k" })
    yield* t.put(a)
    yield* t.enqueue(
      runOf(a, 1),
      runOf(a, 2),
      runOf(a, 3, { key: null, runAt: t0 + 9000 }),
      runOf(a, 4, { key: null, runAt: t0 - 1 }),
      deferredOf(a, 5),
      runOf(a, 6, { cause: "runNow", nominal: null, runAt: t0 + 9000 }),
      runOf(a, 7, { generation: uuid(99), runAt: t0 + 9000 }),
      run(8, { runAt: t0 + 9000 })
    )
    // 4 and 1 run, 2 waits for the key, 4 then for a retry.
    const claimed = yield* t.claim()
    yield* t.report([retry(claimed[0]!, { runAt: t0 + 9000 })])
    const applied = yield* t.change("a", { cancelActive: true }, t0 + 50)
    yield* check(
      applied.cancelled.map((row) => [row.id, row.outcome, row.attempt]),
      [
        [uuid(2), "cancelled", 0],
        [uuid(3), "cancelled", 0],
        [uuid(4), "cancelled", 1]
      ],
      "cancelled"
    )
    yield* check(yield* t.ended(uuid(4)), applied.cancelled[2], "the history row")
    yield* check(applied.cancelRequested, [uuid(1)], "asked")
    yield* check((yield* t.unfinished(uuid(1)))?.cancelAt, t0 + 50, "the instant at which it was asked")
    yield* check(
      yield* t.states(...[6, 7, 8].map(uuid)),
      ["pending", "pending", "pending"],
      "runs of another cause, generation or none"
    )
  },

  *"ask a running run again without moving the instant at which it was asked first"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1))
    yield* t.claim()
    yield* t.change("a", { cancelActive: true }, t0 + 1)
    const applied = yield* t.change("a", { cancelActive: true }, t0 + 2)
    yield* check(applied.cancelRequested, [uuid(1)], "asked")
    yield* check((yield* t.unfinished(uuid(1)))?.cancelAt, t0 + 1, "cancelAt")
  },

  *"let the run that takes the place of a cancelled one go at once"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1), deferredOf(a, 2))
    yield* t.change("a", { replaceDeferred: true, cancelActive: true, runs: [deferredOf(a, 3)] })
    yield* check(yield* t.states(...numbers(1, 3).map(uuid)), ["gone", "gone", "pending"], "states")
  },

  *"let it wait where the cancelled one still runs"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1))
    const [running] = yield* t.claim()
    yield* t.change("a", { replaceDeferred: true, cancelActive: true, runs: [deferredOf(a, 2)] })
    yield* check(yield* t.states(uuid(1), uuid(2)), ["running", "deferred for overlap"], "states")
    yield* t.report([success(running!, { outcome: "cancelled" })])
    yield* check(yield* t.states(uuid(1), uuid(2)), ["gone", "pending"], "after it ended")
  },

  *"pass on the key of a run that they cancel"(t) {
    const a = schedule("a", { key: "k" })
    yield* t.put(a)
    yield* t.enqueue(run(1, { key: "k" }), runOf(a, 2), run(3, { key: "k" }))
    const [first] = yield* t.claim()
    yield* t.succeed(first!)
    yield* check(yield* t.states(uuid(2), uuid(3)), ["pending", "deferred for key"], "before")
    yield* t.change("a", { cancelActive: true })
    yield* check(yield* t.states(uuid(2), uuid(3)), ["gone", "pending"], "after")
  },

  *"of one call are decided before any is carried out, and all are"(t) {
    const rows = numbers(1, 500).map((n) => schedule(`s${n}`))
    yield* t.put(...rows)
    yield* t.store.modify({
      now: t0,
      ids: rows.map((row) => row.id),
      transition: (id, view) => changeTo(view!.schedule, { runs: [runOf(view!.schedule, Number(id.slice(1)))] })
    })
    const claimed = yield* t.claim({ node: nodeA })
    yield* check(claimed.length, 500, "runs")
  },

  *"that race for one schedule are carried out one after the other"(t) {
    yield* t.put(schedule("a"))
    yield* Effect.forEach(
      numbers(1, 20),
      () =>
        t.modify("a", (view) => {
          const { counts } = view!.schedule
          return changeTo({ ...view!.schedule, counts: { ...counts, fired: counts.fired + 1 } })
        }),
      { concurrency: "unbounded", discard: true }
    )
    const row = yield* t.schedule("a")
    yield* check([row?.counts.fired, row?.revision], [20, 20], "fired and revision")
  }
})
