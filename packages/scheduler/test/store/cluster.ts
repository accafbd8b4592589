import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { recoverAfter } from "../../src/internal/recovery.ts"
import type { JobStoreService } from "../../src/JobStore.ts"
import { FaultyStore, Invariants } from "../../src/testing/index.ts"
import { changeTo, run, t0, uuid } from "../../src/testing/internal/fixtures.ts"
import { countOf, periodic } from "../../src/testing/internal/model/periodic.ts"
import { Seeded } from "../../src/testing/internal/random.ts"
import { jobs, knowledge, queues, rows, Worker } from "./worker.ts"

const retention = { succeeded: 1e12, others: 1e12, exhausted: 1e12, keys: 1e12 }
const byId = new Map(rows.map((row) => [row.id, row]))
const scheduleIds = [...byId.keys()]

/** Two nodes, of which one dies now and then, and users who enqueue, change and cancel. */
class Cluster {
  readonly random: Seeded
  readonly patience: number
  readonly executions: Worker["executions"] = []
  readonly created: Array<string> = []
  readonly store: JobStoreService
  workers: Array<Worker>
  now = t0
  serial = 0x1000

  constructor(store: JobStoreService, seed: number, patience: number) {
    this.store = store
    this.random = new Seeded(seed)
    this.patience = patience
    this.workers = [this.start(), this.start()]
  }

  start(): Worker {
    return new Worker(uuid(++this.serial), this.store, this.random, this.executions, this.patience)
  }

  begin(): Effect.Effect<unknown> {
    const put = this.store.modify({
      now: this.now,
      ids: scheduleIds,
      transition: (id, view) => (view === undefined ? changeTo(byId.get(id)!) : undefined)
    })
    return this.workers[0]!.again(put)
  }

  step(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { random, store } = this
      this.now += random.int(0, 700)
      for (const worker of this.workers) {
        const lease = { now: this.now, node: worker.node, lease: 15_000, jobs: ["mail"], triggers: [] }
        yield* worker.again(store.register({ ...lease, version: 1 }))
        yield* worker.again(store.heartbeat(lease))
        yield* worker.step(this.now, random.int(0, 6))
      }
      yield* this.users()
      if (random.chance(0.1)) yield* this.crash()
      yield* this.upkeep()
      yield* this.look()
    })
  }

  users(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { now, random, store } = this
      const worker = this.workers[0]!
      const id = uuid(++this.serial)
      this.created.push(id)
      const made = run(0, { id, job: random.pick(jobs).name, runAt: now })
      yield* worker.again(store.enqueue({ now, runs: [{ run: made, unique: `u${this.serial}` }] }))
      yield* worker.once(store.cancel({ now, id: random.pick(this.created), transition: periodic }))
      yield* worker.once(
        store.modify({
          now,
          ids: random.some(scheduleIds, 0.2),
          transition: (_, view) => changeTo({ ...view!.schedule, payload: `${now}` })
        })
      )
    })
  }

  /** A process dies, with all that it runs. Its row goes, or stays until its lease has passed. */
  crash(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const dead = this.workers.shift()!
      if (this.random.chance(0.5)) yield* dead.again(this.store.leave({ node: dead.node }))
      else this.now += 20_000
      this.workers.push(this.start())
    })
  }

  upkeep(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const { now, store } = this
      const worker = this.workers[0]!
      const common = { now, node: worker.node, transition: periodic, limit: 100 }
      yield* worker.again(store.heartbeat({ now, node: worker.node, lease: 15_000, jobs: [], triggers: [] }))
      yield* worker.once(store.reap({ ...common, recovery: recoverAfter([0, 100, 100, 100, 100]) }))
      yield* worker.once(store.maintain({ ...common, retention, zoneData: "2026a", ...knowledge }))
      yield* worker.once(store.leave({ node: uuid(1) }))
    })
  }

  look(): Effect.Effect<void> {
    const page = { filter: {}, limit: 2 }
    const { patience, store } = this
    const reads: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
      store.nodes,
      store.held({ node: uuid(1) }),
      store.getSchedules({ ids: ["s1"] }),
      store.getRuns({ ids: this.created.slice(-1) }),
      store.listSchedules(page),
      store.listRuns(page),
      store.history(page)
    ]
    return Effect.forEach(reads, (read) => Effect.ignore(Effect.timeout(read, patience)), { discard: true })
  }

  /** Nothing new is fired, and one node that does not die goes on until nothing is left. */
  drain(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const worker = this.start()
      const common = { node: worker.node, transition: periodic, limit: 1000 }
      yield* worker.again(
        this.store.modify({
          now: this.now,
          ids: scheduleIds,
          transition: (_, view) => changeTo({ ...view!.schedule, state: "paused", nextAt: null })
        })
      )
      for (let step = 0; step < 200; step++) {
        this.now += 20_000
        const lease = { now: this.now, node: worker.node, lease: 30_000, jobs: [], triggers: [] }
        yield* worker.again(this.store.register({ ...lease, version: 1 }))
        yield* worker.again(this.store.reap({ ...common, now: this.now, recovery: recoverAfter([0, 0, 0, 0, 0, 0]) }))
        yield* worker.step(this.now, 100)
      }
    })
  }
}

/**
 * Puts faults over a fifth of the calls of an empty store and lets a cluster work on it: every invariant holds after each
 * step, and at the end nothing is unfinished. Each fault has happened to each method. `patience`: after so many milliseconds a
 * call that does not answer is given up.
 */
export const keepsInvariants = (options: {
  readonly inner: JobStoreService
  readonly seed: number
  readonly steps: number
  readonly patience: number
  /** A faster way to all rows than page by page. */
  readonly read?: Effect.Effect<Invariants.Dump>
}) =>
  Effect.gen(function* () {
    const { inner, patience, seed, steps } = options
    const read = options.read ?? Invariants.dump(inner)
    const { faults, store } = FaultyStore.make(inner, { seed, probability: 0.2, delay: "1 millis" })
    const cluster = new Cluster(store, seed, patience)
    yield* cluster.begin()
    const { created, executions } = cluster
    const expected = { count: countOf, wholeHistory: true, created, executions, jobs, queues }
    let previous = yield* read
    for (let step = 0; step < steps; step++) {
      yield* cluster.step()
      const state = yield* read
      const found = Invariants.violations(state, { ...expected, previous })
      assert.deepStrictEqual(found, [], `seed ${seed}, step ${step}`)
      previous = state
    }
    const missing = Effect.map(faults.counts, (counts) =>
      FaultyStore.methods.flatMap((method) =>
        FaultyStore.faults.filter((fault) => counts[method][fault] === 0).map((fault) => `${method} ${fault}`)
      )
    )
    // What is asked for rarely has met each of them only by luck.
    yield* Effect.repeat(Effect.andThen(cluster.look(), missing), { until: (left) => left.length === 0, times: 200 })
    yield* faults.enable(false)
    yield* cluster.drain()
    const end = yield* read
    const recovery = { now: cluster.now, within: 17_000 }
    const found = Invariants.violations(end, { ...expected, finished: true, recovery })
    assert.deepStrictEqual(found, [], `seed ${seed}`)

    yield* Effect.log(
      `${inner.description}, seed ${seed}, ${end.history.length} rows of history\n${yield* faults.report}`
    )
    assert.deepStrictEqual(yield* missing, [], `seed ${seed}: faults that did not happen`)
  })
