import { Effect } from "effect"
import type { RunRecord } from "../../JobRun.ts"
import { group } from "../internal/cases.ts"
import { check } from "../internal/check.ts"
import { numbers, run, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { defaultRetention } from "../internal/probe.ts"

const full: RunRecord = run(1, {
  job: "Send 'Digest'",
  queue: "mail",
  priority: 0,
  payload: '{"text":"\\u0000 ☃ %_\\\\"}',
  key: "user '1'",
  delivery: "atMostOnce",
  scheduleId: 'füll "schedule"',
  generation: uuid(77),
  nominal: t0 - 5,
  cause: `rerun:${uuid(9)}`,
  settles: true,
  runAt: t0 + 5,
  startBy: t0 + 10_000,
  attempt: 3,
  failures: 2,
  recoveries: 1,
  errors: '[{"at":1,"kind":"failed","message":"it\'s"}]',
  startedAt: t0 - 50,
  progress: '{"pgid":12}',
  createdAt: t0 - 100
})

export const enqueuing = group("enqueue", {
  *"stores a run with every field as it was given"(t) {
    yield* check(yield* t.enqueue(full), [full.id], "ids")
    yield* check(yield* t.unfinished(full.id), full, "the row")
  },

  *"answers the ids in the order of the runs"(t) {
    yield* check(yield* t.enqueue(run(3), run(1), run(2)), [uuid(3), uuid(1), uuid(2)], "ids")
  },

  *"of a run that is stored already does nothing"(t) {
    yield* t.enqueue(run(1))
    yield* t.claim()
    yield* check(yield* t.enqueue(run(1), run(2)), [uuid(1), uuid(2)], "ids")
    yield* check(yield* t.states(uuid(1), uuid(2)), ["running", "pending"], "states")
  },

  *"of a run that has ended does nothing"(t) {
    yield* t.enqueue(run(1))
    yield* t.succeed(...(yield* t.claim()))
    yield* check(yield* t.enqueue(run(1)), [uuid(1)], "ids")
    yield* check(yield* t.unfinished(uuid(1)), undefined, "the run")
    yield* check((yield* t.history()).length, 1, "rows of history")
  },

  *"with a unique text that is taken answers the run that took it"(t) {
    const enqueue = (n: number, unique: string | null, job = "job") =>
      Effect.map(t.store.enqueue({ now: t0, runs: [{ run: run(n, { job }), unique }] }), ({ ids }) => ids[0])
    yield* check(yield* enqueue(1, "order 1"), uuid(1), "the first")
    yield* check(yield* enqueue(2, "order 1"), uuid(1), "the second")
    yield* check(yield* enqueue(3, "order 2"), uuid(3), "another text")
    yield* check(yield* enqueue(4, "order 1", "other"), uuid(4), "another job")
    yield* check(yield* enqueue(5, null), uuid(5), "no text")
    yield* check(yield* enqueue(2, "order 1"), uuid(1), "the second again")
    yield* check(yield* t.unfinished(uuid(2)), undefined, "the second's row")
  },

  *"sees unique texts within its own batch"(t) {
    const { ids } = yield* t.store.enqueue({
      now: t0,
      runs: [1, 2, 3].map((n) => ({ run: run(n), unique: n === 3 ? "b" : "a" }))
    })
    yield* check(ids, [uuid(1), uuid(1), uuid(3)], "ids")
    yield* check((yield* t.store.listRuns({ filter: {}, limit: 10 })).items.length, 2, "runs")
  },

  *"remembers a unique text after its run ended, until its retention is over"(t) {
    const enqueue = (n: number, now: number) =>
      Effect.map(t.store.enqueue({ now, runs: [{ run: run(n), unique: "a" }] }), ({ ids }) => ids[0])
    yield* enqueue(1, t0)
    yield* t.succeed(...(yield* t.claim()))
    const retention = { ...defaultRetention, keys: 1000 }
    yield* t.maintain({ now: t0 + 1000, retention })
    yield* check(yield* enqueue(2, t0 + 1000), uuid(1), "within its retention")
    const { deleted } = yield* t.maintain({ now: t0 + 1001, retention })
    yield* check(deleted, 1, "deleted")
    yield* check(yield* enqueue(3, t0 + 1001), uuid(3), "after it")
  },

  *"remembers a unique text as long as its run is unfinished"(t) {
    yield* t.store.enqueue({ now: t0, runs: [{ run: run(1, { runAt: t0 + 1e9 }), unique: "a" }] })
    const retention = { ...defaultRetention, keys: 1000 }
    yield* check((yield* t.maintain({ now: t0 + 5000, retention })).deleted, 0, "deleted")
    const { ids } = yield* t.store.enqueue({ now: t0 + 5000, runs: [{ run: run(2), unique: "a" }] })
    yield* check(ids, [uuid(1)], "ids")
    yield* t.cancel(uuid(1))
    yield* check((yield* t.maintain({ now: t0 + 5000, retention })).deleted, 1, "deleted after its end")
  },

  *"forgets unique texts the oldest first where a janitor may not forget all"(t) {
    const enqueue = (n: number, now: number) =>
      t.store.enqueue({ now, runs: [{ run: run(n, { runAt: t0 + n }), unique: `u${n}` }] })
    for (const [n, at] of [
      [4, t0 + 3],
      [3, t0 + 1],
      [2, t0 + 2],
      [1, t0 + 1]
    ] as const) {
      yield* enqueue(n, at)
    }
    for (const n of [1, 2, 3, 4]) yield* t.cancel(uuid(n))
    const retention = { ...defaultRetention, keys: 0 }
    yield* check((yield* t.maintain({ now: t0 + 10, retention, limit: 2 })).deleted, 2, "deleted")
    const { ids } = yield* t.store.enqueue({
      now: t0 + 10,
      runs: [1, 2, 3, 4].map((n) => ({ run: run(10 + n), unique: `u${n}` }))
    })
    yield* check(ids, [11, 2, 13, 4].map(uuid), "ids")
  },

  *"of a nominal time that has an unfinished run of the same cause answers that run"(t) {
    const a = schedule("a")
    const again = (n: number, cause: string) => runOf(a, 1, { id: uuid(n), cause })
    yield* t.put(a)
    yield* t.enqueue(again(1, "rerun:x"))
    yield* check(
      yield* t.enqueue(again(2, "rerun:x"), again(3, "rerun:y"), runOf(a, 4)),
      [uuid(1), uuid(3), uuid(4)],
      "ids"
    )
    yield* check(yield* t.unfinished(uuid(2)), undefined, "the second")
  },

  *"takes any number of runs of a schedule that have no nominal time"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(...[1, 2, 3].map((n) => runOf(a, n, { cause: "runNow", nominal: null })))
    yield* check((yield* t.claim()).length, 3, "runs")
  },

  *"takes a thousand runs"(t) {
    const runs = numbers(1, 1000).map((n) => run(n, { runAt: t0 + (n % 7) }))
    const { ids } = yield* t.store.enqueue({
      now: t0,
      runs: runs.map((row, index) => ({ run: row, unique: `unique ${index % 500}` }))
    })
    yield* check(new Set(ids).size, 500, "runs")
    yield* check(ids[999], uuid(500), "the last id")
  },

  *"a hundred times at once with one unique text stores one run"(t) {
    const answers = yield* Effect.forEach(
      numbers(1, 100),
      (n) => t.store.enqueue({ now: t0, runs: [{ run: run(n), unique: "once" }] }),
      { concurrency: "unbounded" }
    )
    const ids = answers.flatMap((answer) => answer.ids)
    yield* check(new Set(ids).size, 1, "different ids")
    yield* check(
      (yield* t.store.listRuns({ filter: {}, limit: 10 })).items.map((row) => row.id),
      [ids[0]],
      "stored runs"
    )
  }
})
