import { Effect } from "effect"
import { Signal, type StoreSignal } from "../../JobStore.ts"
import { group } from "../internal/cases.ts"
import { check, checkThat } from "../internal/check.ts"
import { changeTo, deferredOf, nodeB, numbers, run, runOf, schedule, t0, uuid } from "../internal/fixtures.ts"
import { type Probe, release, retry, success } from "../internal/probe.ts"

export const waking = group("wake", {
  *"answers never for an empty store, and the time that it took"(t) {
    const never = { schedules: undefined, runs: undefined, now: t0 + 3 }
    yield* check(yield* t.wake({ now: t0 + 3 }), never, "the answer")
  },

  *"answers the earliest next time of a schedule, past or future"(t) {
    yield* t.put(schedule("a", { nextAt: t0 + 500 }), schedule("b", { nextAt: t0 + 100 }))
    yield* check((yield* t.wake()).schedules, t0 + 100, "in the future")
    yield* t.put(schedule("c", { nextAt: t0 - 900 }), schedule("d", { nextAt: null, state: "paused" }))
    yield* check((yield* t.wake()).schedules, t0 - 900, "in the past")
    yield* t.modify("c", () => changeTo(null))
    yield* check((yield* t.wake()).schedules, t0 + 100, "after it was removed")
  },

  *"leaves out schedules that this node may not fire"(t) {
    yield* t.put(
      schedule("a", { version: 2, nextAt: t0 - 5 }),
      schedule("b", { needs: "lunar", nextAt: t0 - 4 }),
      schedule("c", { nextAt: t0 + 7 })
    )
    yield* check((yield* t.wake()).schedules, t0 + 7, "for a node that knows little")
    yield* check((yield* t.wake({ triggers: ["lunar"] })).schedules, t0 - 4, "for one that knows the rule")
    yield* check((yield* t.wake({ version: 2 })).schedules, t0 - 5, "for a newer one")
  },

  *"answers the earliest pending run of the named jobs, of any priority"(t) {
    yield* t.enqueue(
      run(1, { runAt: t0 + 900, priority: 0 }),
      run(2, { runAt: t0 + 300, priority: 3 }),
      run(3, { job: "other", runAt: t0 - 5 }),
      deferredOf(schedule("a"), 4, { runAt: t0 - 9 })
    )
    yield* check((yield* t.wake()).runs, t0 + 300, "of one job")
    const jobs = ["job", "other"].map((name) => ({ name, queue: "default" }))
    yield* check((yield* t.wake({ jobs })).runs, t0 - 5, "of both")
    yield* check((yield* t.wake({ jobs: [] })).runs, undefined, "of none")
  },

  *"leaves out runs that are running, and those that wait for a key"(t) {
    yield* t.enqueue(run(1, { key: "k" }), run(2, { key: "k" }))
    yield* t.claim()
    yield* check((yield* t.wake()).runs, undefined, "runs")
  },

  *"leaves out jobs and queues at their limit"(t) {
    const jobs = [
      { name: "x", queue: "a", concurrency: 1 },
      { name: "y", queue: "b" },
      { name: "z", queue: "c" }
    ]
    const queues = { b: 1 }
    yield* t.enqueue(
      ...["x", "y"].flatMap((job, index) => [1, 2].map((n) => run(10 * index + n, { job, runAt: t0 - 50 }))),
      run(30, { job: "z", runAt: t0 + 70 })
    )
    yield* check((yield* t.wake({ jobs, queues })).runs, t0 - 50, "below them")
    const claimed = yield* t.claim({ jobs, queues })
    yield* check((yield* t.wake({ jobs, queues })).runs, t0 + 70, "at them")
    yield* t.succeed(claimed[0]!)
    yield* check((yield* t.wake({ jobs, queues })).runs, t0 - 50, "after an end")
  },

  *"leaves out pending runs whose key is taken"(t) {
    yield* t.enqueue(run(1, { key: "k" }))
    const [claimed] = yield* t.claim()
    yield* t.enqueue(...numbers(2, 30).map((n) => run(n, { key: "k", runAt: t0 + n })))
    yield* check((yield* t.wake()).runs, undefined, "while it runs")
    yield* t.enqueue(run(100, { key: "other", runAt: t0 + 800 }), run(101, { runAt: t0 + 700 }))
    yield* check((yield* t.wake()).runs, t0 + 700, "others")
    yield* t.succeed(claimed!)
    yield* check((yield* t.wake()).runs, t0 + 2, "after it ended")
  },

  *"answers an instant at which fire and claim find something"(t) {
    yield* t.put(...numbers(1, 5).map((n) => schedule(`s${n}`, { nextAt: t0 + 100 * n })))
    yield* t.enqueue(...numbers(1, 5).map((n) => run(n, { runAt: t0 + 70 * n, priority: n % 2 === 0 ? 1 : 3 })))
    let fired = 0
    let claimed = 0
    for (let at = yield* t.wake(); at.schedules !== undefined; at = yield* t.wake()) {
      const { applied } = yield* t.fire({ now: at.schedules, transition: () => changeTo(null) })
      yield* checkThat(applied.length > 0, "fire should find something")
      fired += applied.length
    }
    for (let at = yield* t.wake(); at.runs !== undefined; at = yield* t.wake()) {
      const runs = yield* t.claim({ now: at.runs })
      yield* checkThat(runs.length > 0, "claim should find something")
      claimed += runs.length
    }
    yield* check([fired, claimed], [5, 5], "fired and claimed")
  }
})

/** What a subscriber hears while the effect runs, once the store has had time to tell. */
const heard = (t: Probe, effect: Effect.Effect<unknown, unknown>) =>
  Effect.scoped(
    Effect.gen(function* () {
      let bits: StoreSignal = 0
      yield* t.store.subscribe((change) => {
        bits |= change
      })
      yield* Effect.orDie(effect)
      return bits
    })
  )

const has = (bits: StoreSignal, bit: StoreSignal) => (bits & bit) !== 0

export const signals = group("signals", {
  *"tell of schedules that were added or changed"(t) {
    const bits = yield* heard(t, t.put(schedule("a")))
    yield* checkThat(has(bits, Signal.schedules), "schedules should be told")
    yield* checkThat(!has(bits, Signal.cancel | Signal.ended), "nothing else should be")
  },

  *"tell of runs that were enqueued or fired"(t) {
    yield* t.put(schedule("a"))
    yield* checkThat(has(yield* heard(t, t.enqueue(run(1))), Signal.runs), "an enqueued run")
    const fire = t.fire({ transition: (_, view) => changeTo(null, { runs: [runOf(view!.schedule, 2)] }) })
    yield* checkThat(has(yield* heard(t, fire), Signal.runs), "a fired run")
  },

  *"tell of runs that can go because another gave way: its end, retry and release"(t) {
    yield* t.enqueue(...numbers(1, 4).map((n) => run(n, { key: "k", runAt: t0 - 10 + n })))
    for (const report of [success, retry, release]) {
      const [claimed] = yield* t.claim({ limit: 1 })
      const bits = yield* heard(t, t.report([report(claimed!)]))
      yield* checkThat(has(bits, Signal.runs), "runs should be told")
      yield* check(has(bits, Signal.ended), report === success, "whether an end is told")
    }
  },

  *"tell of runs that were taken back, and of those lost"(t) {
    yield* t.enqueue(run(1))
    yield* t.claim()
    yield* checkThat(has(yield* heard(t, t.reap({ node: nodeB, delays: [0] })), Signal.runs), "taken back")
    yield* t.claim()
    yield* checkThat(has(yield* heard(t, t.reap({ node: nodeB, delays: [0] })), Signal.ended), "lost")
  },

  *"tell the heart of cancels that were asked for, and others of those that ended a run"(t) {
    yield* t.enqueue(run(1), run(2))
    yield* t.claim({ limit: 1 })
    yield* checkThat(has(yield* heard(t, t.cancel(uuid(1))), Signal.cancel), "asked for")
    yield* checkThat(has(yield* heard(t, t.cancel(uuid(2))), Signal.ended), "ended")
    const a = schedule("a")
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 3))
    yield* t.claim()
    yield* checkThat(has(yield* heard(t, t.change("a", { cancelActive: true })), Signal.cancel), "by a transition")
  },

  *"tell of schedules that the end of a run has decided"(t) {
    const a = schedule("a", { state: "waiting", nextAt: null })
    yield* t.put(a)
    yield* t.enqueue(runOf(a, 1, { settles: true }))
    const [claimed] = yield* t.claim()
    const finish = t.report([success(claimed!)], {
      transition: (_, view) => changeTo({ ...view!.schedule, state: "active", nextAt: t0 + 1 })
    })
    yield* checkThat(has(yield* heard(t, finish), Signal.schedules), "schedules should be told")
  },

  *"say nothing where nothing changed"(t) {
    yield* t.put(schedule("a"))
    yield* t.enqueue(run(1))
    const reads = [
      t.wake(),
      t.history(),
      t.store.listRuns({ filter: {}, limit: 1 }),
      t.view("a"),
      t.cancel(uuid(9)),
      t.enqueue(run(1)),
      t.fire({})
    ]
    for (const read of reads) yield* check(yield* heard(t, read), 0, "bits")
  },

  *"are heard by every subscriber, and by none whose scope has closed"(t) {
    const counts = [0, 0]
    const listen = (index: number) =>
      t.store.subscribe(() => {
        counts[index]!++
      })
    yield* listen(0)
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* listen(1)
        yield* Effect.orDie(t.enqueue(run(1)))
      })
    )
    yield* t.enqueue(run(2))
    yield* checkThat(counts[0]! >= 2 && counts[1]! >= 1, "both should have heard")
    const closed = counts[1]
    yield* t.enqueue(run(3))
    yield* check(counts[1], closed, "calls after the scope closed")
  }
})
