import type { Outcome } from "../../JobRun.ts"
import { group } from "../internal/cases.ts"
import { check, checkThat } from "../internal/check.ts"
import { deferredOf, nodeA, nodeB, numbers, run, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { release, retry, success } from "../internal/probe.ts"

const outcomes: ReadonlyArray<Outcome> = ["failed", "timedOut", "cancelled", "expired", "lost", "skipped"]

export const finishing = group("finish", {
  *"with End deletes the run and writes its history row, every field"(t) {
    const a = schedule("a", { key: "k", queue: "mail", priority: 1, delivery: "atMostOnce", payload: "[1]" })
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1, { runAt: t0 - 3, recoveries: 2, attempt: 6, createdAt: t0 - 7 }))
    const [claimed] = yield* t.claim({ now: t0 + 1, jobs: [{ name: "job", queue: "mail" }] })
    yield* t.store.progress({ node: nodeA, entries: [{ id: uuid(1), attempt: 7, progress: "50" }] })
    yield* t.report(
      [success(claimed!, { outcome: "failed", failures: 4, errors: "[4]", result: "1", resultStored: false })],
      { now: t0 + 2 }
    )
    yield* check(yield* t.unfinished(uuid(1)), undefined, "the run")
    yield* check(
      yield* t.ended(uuid(1)),
      {
        _tag: "Run",
        id: uuid(1),
        outcome: "failed",
        job: "job",
        queue: "mail",
        priority: 1,
        delivery: "atMostOnce",
        scheduleId: "a",
        generation: a.generation,
        nominal: t0 + 1000,
        cause: "nominal",
        attempt: 7,
        failures: 4,
        recoveries: 2,
        node: nodeA,
        createdAt: t0 - 7,
        runAt: t0 - 3,
        startedAt: t0 + 1,
        endedAt: t0 + 2,
        result: "1",
        resultStored: false,
        errors: "[4]",
        progress: "50",
        payload: "[1]",
        key: "k"
      },
      "its history row"
    )
  },

  *"keeps payload and key of every run that did not succeed, and of no other"(t) {
    yield* t.enqueue(...numbers(0, 7).map((n) => run(n, { key: `k${n}`, payload: `${n}` })))
    const claimed = yield* t.claim()
    yield* t.report([success(claimed[6]!), ...outcomes.map((outcome, index) => success(claimed[index]!, { outcome }))])
    for (const [index, outcome] of outcomes.entries()) {
      const row = yield* t.ended(uuid(index))
      yield* check([row?.outcome, row?.payload, row?.key], [outcome, `${index}`, `k${index}`], outcome)
    }
    const row = yield* t.ended(uuid(6))
    yield* check([row?.outcome, row?.payload, row?.key], ["succeeded", null, null], "succeeded")
  },

  *"stores a result, or that it was not stored"(t) {
    yield* t.enqueue(run(1), run(2))
    const [a, b] = yield* t.claim()
    yield* t.report([success(a!, { result: '{"n":"☃"}' }), success(b!, { result: null, resultStored: false })])
    const [first, second] = [yield* t.ended(uuid(1)), yield* t.ended(uuid(2))]
    yield* check([first?.result, first?.resultStored], ['{"n":"☃"}', true], "stored")
    yield* check([second?.result, second?.resultStored], [null, false], "not stored")
  },

  *"with Retry makes the run pending with its failure, from its instant on"(t) {
    yield* t.enqueue(run(1, { progress: "50", startBy: t0 + 5 }))
    const [claimed] = yield* t.claim({ now: t0 + 1 })
    yield* t.report([retry(claimed!, { failures: 3, errors: "[1,2,3]", runAt: t0 + 900 })], { now: t0 + 2 })
    const pending = { ...claimed!, state: "pending", node: null, failures: 3, errors: "[1,2,3]", runAt: t0 + 900 }
    yield* check(yield* t.unfinished(uuid(1)), pending, "the row")
    yield* check(yield* t.history(), [], "history")
    yield* check(yield* t.claim({ now: t0 + 899 }), [], "claimed before its instant")
    yield* check((yield* t.claim({ now: t0 + 900 })).length, 1, "claimed at its instant")
  },

  *"with Release gives the run back as it was"(t) {
    yield* t.enqueue(run(1, { failures: 1, recoveries: 1, errors: "[1]", progress: "50", runAt: t0 - 5 }))
    const [claimed] = yield* t.claim({ now: t0 + 1 })
    yield* t.report([release(claimed!)], { now: t0 + 2 })
    yield* check(yield* t.unfinished(uuid(1)), { ...claimed!, state: "pending", node: null }, "the row")
    yield* check((yield* t.claim({ now: t0 + 2, node: nodeB })).length, 1, "claimed by another node")
  },

  *"lets a run that was asked to cancel be claimed at once, whatever its retry wanted"(t) {
    yield* t.enqueue(run(1), run(2))
    const [a, b] = yield* t.claim()
    yield* t.cancel(uuid(1), { now: t0 + 1 })
    yield* t.report([retry(a!, { runAt: t0 + 3_600_000 }), retry(b!, { runAt: t0 + 3_600_000 })], { now: t0 + 2 })
    const rows = yield* t.store.getRuns({ ids: [uuid(1), uuid(2)] })
    yield* check(
      rows.unfinished.map((row) => [row.state, row.runAt, row.cancelAt]),
      [
        ["pending", t0 + 2, t0 + 1],
        ["pending", t0 + 3_600_000, null]
      ],
      "rows"
    )
  },

  *"of a schedule's run makes its oldest deferred run pending, whatever the outcome"(t) {
    const a = schedule("a")
    for (const [index, outcome] of (["succeeded", ...outcomes] as const).entries()) {
      const of = schedule(`s${index}`, { generation: uuid(500 + index) })
      yield* t.put(of)
      const [first, second, third] = numbers(10 * index + 1, 3)
      yield* t.enqueue(
        runOf(of, first!),
        deferredOf(of, third!),
        deferredOf(of, second!, { runAt: t0 + 9000, priority: 3 })
      )
      const [claimed] = yield* t.claim()
      yield* t.report([success(claimed!, { outcome })])
      yield* check(
        yield* t.states(...[first!, second!, third!].map(uuid)),
        ["gone", "pending", "deferred for overlap"],
        `after ${outcome}`
      )
      const promoted = deferredOf(of, second!, { runAt: t0 + 9000, priority: 3, state: "pending", waitsFor: null })
      yield* check(yield* t.unfinished(uuid(second!)), promoted, "the promoted row")
    }
    yield* check(yield* t.view(a.id), undefined, "another schedule")
  },

  *"makes as many deferred runs pending as ended"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1), runOf(a, 2), deferredOf(a, 3), deferredOf(a, 4), deferredOf(a, 5))
    yield* t.succeed(...(yield* t.claim()))
    yield* check(yield* t.states(...[3, 4, 5].map(uuid)), ["pending", "pending", "deferred for overlap"], "states")
  },

  *"promotes nothing of the schedule by a retry, a release, or a run of another cause, generation or schedule"(t) {
    const a = schedule("a")
    yield* t.put(a, schedule("b"))
    yield* t.enqueue(
      runOf(a, 1),
      runOf(a, 2),
      runOf(a, 3, { cause: "runNow", nominal: null }),
      runOf(a, 4, { generation: uuid(99) }),
      runOf(schedule("b"), 5),
      deferredOf(a, 6)
    )
    const [first, second, ...others] = yield* t.claim()
    yield* t.report([retry(first!), release(second!)])
    yield* t.succeed(...others)
    yield* check(yield* t.states(uuid(6)), ["deferred for overlap"], "the deferred run")
  },

  *"applies a thousand reports of all kinds"(t) {
    yield* t.enqueue(...numbers(1, 1000).map((n) => run(n)))
    const claimed = yield* t.claim()
    const { fenced } = yield* t.report(
      claimed.map((row, index) => (index % 4 === 0 ? retry(row) : index % 4 === 1 ? release(row) : success(row)))
    )
    yield* check(fenced, [], "fenced")
    yield* check((yield* t.history()).length, 500, "rows of history")
    yield* check((yield* t.claim()).length, 500, "claimed again")
  },

  *"answers the time that it took"(t) {
    yield* check((yield* t.report([], { now: t0 + 3 })).now, t0 + 3, "now")
  }
})

export const remembering = group("last success", {
  *"is the value of the newest nominal time that succeeded, whenever it ended"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1), runOf(a, 2), runOf(a, 3))
    const [first, second, third] = yield* t.claim()
    const end = (row: typeof first) => t.report([success(row!, { result: `"${row!.id}"`, remember: true })])
    yield* end(second)
    yield* check((yield* t.schedule("a"))?.lastSuccess, { nominal: t0 + 2000, value: `"${uuid(2)}"` }, "after the 2nd")
    yield* end(first)
    yield* check((yield* t.schedule("a"))?.lastSuccess?.nominal, t0 + 2000, "after the first, which is older")
    yield* end(third)
    yield* check((yield* t.schedule("a"))?.lastSuccess?.nominal, t0 + 3000, "after the third")
  },

  *"raises the revision, so that a change computed without it is not written over it"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1))
    const [claimed] = yield* t.claim()
    yield* t.report([success(claimed!, { result: "1", remember: true })])
    yield* check(
      yield* t.schedule("a"),
      { ...a, revision: 1, lastSuccess: { nominal: t0 + 1000, value: "1" } },
      "the row"
    )
  },

  *"is written by successes only, and only where the report says so and has a value"(t) {
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1), runOf(a, 2), runOf(a, 3))
    const [first, second, third] = yield* t.claim()
    yield* t.report([
      success(first!, { result: "1", remember: true, outcome: "failed" }),
      success(second!, { result: "1", remember: false }),
      success(third!, { result: null, resultStored: false, remember: true })
    ])
    yield* check(yield* t.schedule("a"), a, "the row")
  },

  *"is not written by runs of another cause or generation"(t) {
    const a = schedule("a")
    const backfill = schedule("b", { cause: "backfill:1" })
    yield* t.put(a, backfill)
    yield* t.enqueue(
      runOf(a, 1, { cause: "runNow" }),
      runOf(a, 2, { cause: `rerun:${uuid(9)}` }),
      runOf(a, 3, { generation: uuid(99) }),
      runOf(backfill, 4),
      run(5)
    )
    const claimed = yield* t.claim()
    yield* t.report(claimed.map((row) => success(row, { result: "1", remember: true })))
    yield* check(yield* t.schedule("a"), a, "the schedule")
    yield* check(yield* t.schedule("b"), backfill, "the backfill")
  }
})

export const fences = group("fences", {
  *"refuse a report of another attempt, of another node, of an unknown run"(t) {
    yield* t.enqueue(run(1))
    const [claimed] = yield* t.claim()
    const row = { id: uuid(1), attempt: 1 }
    for (const kind of [success, retry, release]) {
      yield* check((yield* t.report([kind({ ...row, attempt: 0 })])).fenced, [uuid(1)], "of an older attempt")
      yield* check((yield* t.report([kind({ ...row, attempt: 2 })])).fenced, [uuid(1)], "of a newer attempt")
      yield* check((yield* t.report([kind(row)], { node: nodeB })).fenced, [uuid(1)], "of another node")
      yield* check((yield* t.report([kind({ ...row, id: uuid(9) })])).fenced, [uuid(9)], "of an unknown run")
    }
    yield* check(yield* t.unfinished(uuid(1)), claimed, "the run")
    yield* check(yield* t.history(), [], "history")
  },

  *"refuse a report of a run that nobody has claimed"(t) {
    yield* t.enqueue(run(1))
    for (const kind of [success, retry]) {
      yield* check((yield* t.report([kind({ id: uuid(1), attempt: 1 })])).fenced, [uuid(1)], "fenced")
    }
    yield* check(yield* t.unfinished(uuid(1)), run(1), "the run")
  },

  *"hinder no other report of the batch"(t) {
    yield* t.enqueue(run(1), run(2), run(3))
    const [a, b, c] = yield* t.claim()
    const { fenced } = yield* t.report([success(a!), success({ ...b!, attempt: 7 }), success(c!)])
    yield* check(fenced, [uuid(2)], "fenced")
    yield* check(yield* t.states(...[1, 2, 3].map(uuid)), ["gone", "running", "gone"], "states")
  },

  *"refuse the late report of a node whose run was taken back"(t) {
    yield* t.register(nodeA)
    yield* t.enqueue(run(1), run(2), run(3))
    const claimed = yield* t.claim()
    yield* t.reap({ now: t0 + 60_000, node: nodeB })
    const { fenced } = yield* t.report([success(claimed[0]!), retry(claimed[1]!)])
    yield* check(fenced, [uuid(1), uuid(2)], "fenced while it is pending")
    yield* t.claim({ now: t0 + 60_000, node: nodeB })
    const late = yield* t.report([success(claimed[0]!), retry(claimed[1]!), release(claimed[2]!)])
    yield* check(late.fenced, [1, 2, 3].map(uuid), "fenced while it runs elsewhere")
    yield* check(yield* t.states(...[1, 2, 3].map(uuid)), ["running", "running", "running"], "states")
  },

  *"refuse the late end of a run that was ended as lost"(t) {
    yield* t.register(nodeA)
    yield* t.enqueue(run(1, { delivery: "atMostOnce" }))
    const [claimed] = yield* t.claim()
    yield* t.reap({ now: t0 + 60_000, node: nodeB })
    yield* check((yield* t.succeed(claimed!)).fenced, [uuid(1)], "fenced")
    yield* check((yield* t.ended(uuid(1)))?.outcome, "lost", "the outcome")
  },

  *"take an End that was already applied as applied"(t) {
    yield* t.enqueue(run(1))
    const [claimed] = yield* t.claim()
    yield* t.report([success(claimed!)], { now: t0 + 1 })
    const ended = yield* t.ended(uuid(1))
    const again = yield* t.report([success(claimed!), success(claimed!)], { now: t0 + 2 })
    yield* check(again.fenced, [], "fenced")
    yield* check(yield* t.history(), [ended], "history")
  },

  *"take an End as applied after ten thousand others"(t) {
    yield* t.enqueue(run(1, { runAt: t0 - 1 }))
    const [first] = yield* t.claim({ limit: 1 })
    yield* t.succeed(first!)
    for (const batch of numbers(0, 10)) {
      yield* t.enqueue(...numbers(10 + batch * 1000, 1000).map((n) => run(n)))
      yield* t.succeed(...(yield* t.claim()))
    }
    yield* t.enqueue(run(20_000))
    const held = yield* t.claim()
    yield* check((yield* t.succeed(first!)).fenced, [], "fenced")
    yield* check(yield* t.store.held({ node: nodeA }), held, "what runs")
  },

  *"take an End twice in one batch as applied once"(t) {
    yield* t.enqueue(run(1))
    const [claimed] = yield* t.claim()
    yield* check((yield* t.succeed(claimed!, claimed!)).fenced, [], "fenced")
    yield* check((yield* t.history()).length, 1, "rows of history")
  },

  *"take a Retry that was already applied as applied"(t) {
    yield* t.enqueue(run(1))
    const [claimed] = yield* t.claim()
    const report = retry(claimed!, { runAt: t0 + 5 })
    yield* t.report([report])
    const pending = yield* t.unfinished(uuid(1))
    yield* check((yield* t.report([report])).fenced, [], "fenced")
    yield* check(yield* t.unfinished(uuid(1)), pending, "the row")
    const [next] = yield* t.claim({ now: t0 + 5 })
    yield* check((yield* t.report([report])).fenced, [], "fenced while the next attempt runs")
    yield* check(yield* t.unfinished(uuid(1)), next, "the next attempt")
  },

  *"take a Release that was already applied as applied"(t) {
    yield* t.enqueue(run(1))
    const [claimed] = yield* t.claim()
    yield* t.report([release(claimed!)])
    yield* check((yield* t.report([release(claimed!)])).fenced, [], "fenced")
    yield* check(yield* t.states(uuid(1)), ["pending"], "the run")
  },

  *"let a repeated report promote nothing more"(t) {
    const a = schedule("a", { key: "k" })
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1), ...numbers(2, 3).map((n) => deferredOf(a, n)))
    const [claimed] = yield* t.claim()
    yield* t.succeed(claimed!)
    yield* t.succeed(claimed!)
    yield* check(
      yield* t.states(...[2, 3, 4].map(uuid)),
      ["pending", "deferred for overlap", "deferred for overlap"],
      "states"
    )
    yield* checkThat((yield* t.history()).length === 1, "one row of history")
  }
})
