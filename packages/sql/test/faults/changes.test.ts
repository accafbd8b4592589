/** Schedules that are changed while they are being decided. */
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Job, Trigger } from "effect-scheduler"
import type { JobStoreService, Transition } from "effect-scheduler/JobStore"
import { fault, instead, type Node, type World } from "./kit.ts"
import { backdate } from "./offline.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const
const hour = 3_600_000

class Note extends Job.make("Note", { payload: { text: Schema.String } }) {}

type WithStore = Pick<World, "store">

/** All runs of a schedule, unfinished or ended: their ids and generations. */
const runsOf = ({ store }: WithStore, scheduleId: string) =>
  Effect.gen(function* () {
    const runs = yield* store.listRuns({ filter: { scheduleId }, limit: 1_000 })
    const history = yield* store.history({ filter: { scheduleId }, limit: 1_000 })
    const ended = history.items.filter((row) => row._tag === "Run")
    return [...runs.items, ...ended].map(({ generation, id }) => `${generation} ${id}`).toSorted()
  })

const rowOf = ({ store }: WithStore, id: string) => Effect.map(store.getSchedules({ ids: [id] }), (rows) => rows[0])

/** A schedule whose time has come, and its run, which is due more than a second later. */
const jittered = Effect.fnUntraced(function* (world: World, node: Node) {
  for (let n = 0; ; n++) {
    const id = `jittered ${n}`
    const trigger = Trigger.every("1 hour")
    yield* node.scheduler.schedule(Note, { id, trigger, jitter: "3 seconds", payload: { text: "old" } })
    yield* backdate(world.store, id, hour)
    const { items } = yield* world.until(
      "its time is decided",
      world.store.listRuns({ filter: { scheduleId: id }, limit: 2 }),
      (page) => page.items.length > 0
    )
    const found = items[0]!
    if (found.runAt - found.createdAt > 1_000) return { id, run: found }
    yield* node.scheduler.unschedule(id)
  }
})

fault(
  42,
  "a schedule is updated between its nominal and its jittered time",
  {
    on: everywhere,
    clock: "virtual",
    injected: "a new payload and a new trigger, given when the run was created and not due yet"
  },
  (world) =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const note = Note.toLayer(({ text }) =>
        Effect.map(world.executing, (current) => void ran.push(`${current.scheduleId} ${text}`))
      )
      const node = yield* world.node({ jobs: note })
      const { id, run } = yield* jittered(world, node)
      yield* node.scheduler.update(Note, id, { payload: { text: "new" } })
      yield* node.scheduler.reschedule(id, Trigger.every("2 hours"))
      const pending = yield* world.store.getRuns({ ids: [run.id] })
      assert.deepInclude(pending.unfinished[0], { state: "pending", runAt: run.runAt, payload: run.payload })
      yield* world.ended(run.id)
      const mine = ran.filter((line) => line.startsWith(`${id} `))
      assert.deepStrictEqual(mine, [`${id} old`])
      const row = yield* rowOf(world, id)
      assert.deepInclude(row!.counts, { fired: 1, missed: 0, skipped: 0 })
      assert.deepStrictEqual(JSON.parse(row!.payload), { text: "new" })
      assert.isAbove(row!.nextAt!, run.nominal! + hour)
      world.mustEnd(run.id)
      return "the run of the old definition stayed as it was and was executed once, at its time; the next time is the new definition's"
    })
)

/** Forty schedules that become due at the same moment, on a node that fires three at a time. */
const herd = Effect.fnUntraced(function* (world: World, over?: (store: JobStoreService) => JobStoreService) {
  const node = yield* world.node(over === undefined ? {} : { over })
  const ids = Array.from({ length: 40 }, (_, n) => `s${n}`)
  yield* node.scheduler.pauseAll
  const schedules = ids.map((id) => ({ id, trigger: Trigger.every("1 hour"), payload: { text: "" } }))
  yield* node.scheduler.scheduleAll(Note, schedules)
  yield* Effect.forEach(ids, (id) => backdate(world.store, id, hour))
  return { node, ids }
})

fault(
  43,
  "a schedule is paused or deleted while it fires",
  {
    on: everywhere,
    shared: true,
    injected: "40 due schedules fired by one node, three at a time, while another node deletes or pauses each of them"
  },
  (world) =>
    Effect.gen(function* () {
      const few = instead({ fire: (call) => (params) => call({ ...params, limit: 3 }) })
      const { ids, node } = yield* herd(world, few)
      const other = yield* world.node({ over: instead({ fire: () => () => Effect.never }) })
      yield* node.scheduler.resumeAll
      const seen = yield* Effect.forEach(
        ids,
        (id, n) =>
          Effect.gen(function* () {
            yield* n % 2 === 0 ? other.scheduler.unschedule(id) : other.scheduler.pause(id)
            return yield* runsOf(world, id)
          }),
        { concurrency: 4 }
      )
      // What was fired is stored by then: a schedule that is fired after all the others.
      yield* node.scheduler.schedule(Note, { id: "last", trigger: Trigger.every("1 hour"), payload: { text: "" } })
      yield* backdate(world.store, "last", hour)
      yield* world.until("the last one fires", runsOf(world, "last"), (runs) => runs.length === 1)
      for (const [n, id] of ids.entries()) {
        const runs = yield* runsOf(world, id)
        assert.deepStrictEqual(runs, seen[n], `no run of ${id} after the answer`)
        assert.strictEqual(runs.length, 1, "its time had come before, and is decided by whoever was first")
        const row = yield* rowOf(world, id)
        assert.strictEqual(row?.state, n % 2 === 0 ? undefined : "paused")
      }
      return "the time that had come was decided once, by the firer or by the command itself; after the command's answer no further run came"
    })
)

fault(
  64,
  "a schedule is removed and added again between read and write of a decision",
  {
    on: everywhere,
    shared: true,
    injected:
      "another client removes and adds the schedule, sent when its decision has been computed and has not been written"
  },
  (world) =>
    Effect.gen(function* () {
      const runReplacing = Effect.runPromiseWith(yield* Effect.context<never>())
      const again: Array<Promise<ReadonlyArray<string>>> = []
      const replace = Effect.fnUntraced(function* (id: string) {
        yield* other.scheduler.unschedule(id)
        const old = yield* runsOf(world, id)
        yield* other.scheduler.schedule(Note, { id, trigger: Trigger.every("2 hours"), payload: { text: "again" } })
        return old
      })
      const watching =
        (transition: Transition): Transition =>
        (id, view, now) => {
          const change = transition(id, view, now)
          if (change !== undefined && again.length < 40) {
            again.push(Promise.resolve().then(() => runReplacing(replace(id))))
          }
          return change
        }
      const watched = instead({
        fire: (call) => (params) => call({ ...params, transition: watching(params.transition) })
      })
      const { ids, node } = yield* herd(world, watched)
      const other = yield* world.node({ over: instead({ fire: () => () => Effect.never }) })
      const before = new Map(
        yield* Effect.forEach(ids, (id) => Effect.map(rowOf(world, id), (row) => [id, row!] as const))
      )
      yield* node.scheduler.resumeAll
      yield* world.until(
        "all are decided",
        Effect.sync(() => again.length),
        (count) => count === ids.length
      )
      const old = (yield* Effect.promise(() => Promise.all(again))).flat().toSorted()
      yield* backdate(world.store, ids[0]!, 2 * hour)
      yield* world.until("the new one fires", runsOf(world, ids[0]!), (runs) => runs.length === 2)
      const all = (yield* Effect.forEach(ids, (id) => runsOf(world, id))).flat()
      const generations = new Set([...before.values()].map((row) => row.generation))
      const isOld = (run: string) => generations.has(run.split(" ")[0]!)
      assert.deepStrictEqual(all.filter(isOld).toSorted(), old, "no run of the old one after it was removed")
      assert.strictEqual(old.length, ids.length, "its time had come before")
      assert.strictEqual(all.length, ids.length + 1)
      for (const id of ids.slice(1)) {
        const row = (yield* rowOf(world, id))!
        assert.notStrictEqual(row.generation, before.get(id)!.generation)
        assert.deepInclude(row, { state: "active", watermark: row.firstWatermark })
        assert.strictEqual(row.counts.fired, 0)
      }
      return "the old schedule's due time became one run before it was removed and none after it; the new schedule was not touched by the old decision"
    })
)
