/** Clocks that jump or differ, and local time that does. */
import { assert } from "@effect/vitest"
import { Context, DateTime, Effect, Layer } from "effect"
import { Trigger } from "effect-scheduler"
import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import { Invariants, OffsetClock } from "effect-scheduler/testing"
import { changeTo } from "../support.ts"
import { Tick, Work } from "./jobs.ts"
import { fault, type NodeOptions, type World } from "./kit.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const ticking = (world: World) => Tick.toLayer(() => Effect.asVoid(world.executing))

/** A node whose wall clock can be set off from the test's. */
const withOffset = Effect.fnUntraced(function* (world: World, options: NodeOptions, offset = 0) {
  const context = yield* Layer.build(Layer.fresh(OffsetClock.layer))
  const clock = Context.get(context, OffsetClock.OffsetClock)
  yield* clock.setOffset(offset)
  // A minute of virtual time would be a thousand polls.
  const slower = world.virtual ? ({ pollInterval: "30 seconds", lease: "5 minutes" } as const) : {}
  const node = yield* Effect.provideContext(world.node({ ...slower, ...options }), context)
  const client = yield* Effect.provideContext(world.client, context)
  return { node, client, jump: clock.jump }
})

const rowOf = (world: World, id: string) =>
  Effect.map(Effect.orDie(world.store.getSchedules({ ids: [id] })), ([row]) => row!)

const sum = (counts: ScheduleRecord["counts"]) =>
  counts.fired + counts.missed + counts.skipped + counts.dropped + counts.paused

/** What a node on a Postgres does not do when its own clock jumps, since it takes its time from the server. */
const untouched = Effect.fnUntraced(function* (world: World, by: number) {
  const { client, jump, node } = yield* withOffset(world, { jobs: ticking(world) })
  const before = yield* node.scheduler.node
  yield* client.schedule(Tick, { id: "ticks", trigger: Trigger.every("100 millis") })
  yield* client.schedule(Tick, { id: "hourly", trigger: Trigger.every("1 hour") })
  const runs = Effect.sync(() => node.only("RunSucceeded").length)
  yield* world.until("it works", runs, (count) => count > 2)
  yield* jump(by)
  const meanwhile = yield* runs
  yield* world.until("it works on", runs, (count) => count > meanwhile + 10)
  const id = yield* client.enqueue(Tick)
  assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1 })
  yield* client.pause("ticks")
  const hourly = yield* rowOf(world, "hourly")
  assert.deepStrictEqual([hourly.counts.fired, hourly.counts.missed], [0, 0])
  assert.isBelow((yield* rowOf(world, "ticks")).counts.missed, 5_000, "a day would be 864,000")
  assert.deepStrictEqual(node.only("NodeFenced"), [])
  assert.strictEqual(yield* node.scheduler.node, before)
  const nodes = yield* world.store.nodes
  const lease = nodes.find((row) => row.id === before)!.leaseUntil
  assert.isBelow(Math.abs(lease - Date.now()), minute, "the lease is in the server's time")
  return "nothing: due times, leases and a run enqueued for now went by the server's clock"
})

const offset = {
  memory: "the wall clock of an OffsetClock over a TestClock",
  sqlite: "the wall clock of an OffsetClock over a TestClock",
  postgres: "the wall clock of the node's process, by an OffsetClock; the server's stays"
}

fault(12, "the clock jumps forward by a day", { on: everywhere, clock: "virtual", injected: offset }, (world) =>
  Effect.gen(function* () {
    if (!world.virtual) return yield* untouched(world, day)
    const { client, jump, node } = yield* withOffset(world, { jobs: ticking(world) })
    yield* client.schedule(Tick, { id: "hourly", trigger: Trigger.every("1 hour") })
    yield* world.pass(1_000)
    yield* jump(day)
    yield* world.pass(minute)
    assert.deepStrictEqual(
      node.only("ClockJumped").map((event) => event.by),
      [day]
    )
    const row = yield* rowOf(world, "hourly")
    assert.deepInclude(row.counts, { fired: 1, missed: 23 })
    assert.strictEqual(world.begun(), 1)
    return "told as ClockJumped; the missed policy decided the 24 times at once: the latest ran, 23 were counted as missed"
  })
)

fault(13, "the clock jumps back by a day", { on: everywhere, clock: "virtual", injected: offset }, (world) =>
  Effect.gen(function* () {
    if (!world.virtual) return yield* untouched(world, -day)
    const { client, jump, node } = yield* withOffset(world, { jobs: ticking(world) }, 2 * day)
    yield* client.schedule(Tick, { id: "steady", trigger: Trigger.every("10 minutes") })
    yield* world.pass(20 * minute + 1_000)
    const before = yield* rowOf(world, "steady")
    assert.deepInclude(before.counts, { fired: 2 })
    yield* jump(-day)
    yield* world.pass(5 * minute)
    assert.deepStrictEqual(
      node.only("ClockJumped").map((event) => event.by),
      [-day]
    )
    const after = yield* rowOf(world, "steady")
    assert.deepStrictEqual([after.watermark, after.nextAt], [before.watermark, before.nextAt])
    assert.strictEqual(world.begun(), 2)
    // Back where it was, it fires at its time as if nothing had been.
    yield* jump(day)
    yield* world.pass(6 * minute)
    assert.strictEqual(world.begun(), 3)
    assert.strictEqual((yield* rowOf(world, "steady")).watermark, before.watermark + 10 * minute)
    return "no time was fired again, the watermark stayed; the next time fired when the clock came to it"
  })
)

fault(
  14,
  "the clocks of two nodes differ by 10 minutes",
  {
    on: ["postgres"],
    without: {
      memory: "its nodes are in one process",
      sqlite: "its processes are on one machine, with one clock"
    },
    injected: "a node 5 minutes ahead and one 5 minutes behind the server, by an OffsetClock each"
  },
  (world) =>
    Effect.gen(function* () {
      const jobs = Layer.merge(
        ticking(world),
        Work.toLayer(() => Effect.asVoid(world.executing))
      )
      const ahead = yield* withOffset(world, { jobs, lease: "2 seconds" }, 5 * minute)
      const behind = yield* withOffset(world, { jobs, lease: "2 seconds" }, -5 * minute)
      yield* ahead.client.schedule(Tick, { id: "by ahead", trigger: Trigger.every("200 millis") })
      yield* behind.client.schedule(Tick, { id: "by behind", trigger: Trigger.every("200 millis") })
      const nodes = [ahead.node, behind.node]
      for (const id of ["by ahead", "by behind"]) {
        yield* world.until(`${id} fires`, rowOf(world, id), (row) => row.counts.fired > 5)
      }
      const ids: Array<string> = []
      for (const { client } of [ahead, behind]) {
        const id = yield* client.enqueue(Work, { deed: { _tag: "End" } })
        assert.deepInclude(yield* world.ended(id), { outcome: "succeeded", attempt: 1 })
        ids.push(id)
      }
      // Two leases long.
      yield* world.pass(4_000)
      for (const node of nodes) {
        assert.deepStrictEqual(node.only("NodeReaped"), [])
        assert.deepStrictEqual(node.only("NodeFenced"), [])
      }
      for (const row of yield* world.store.nodes) assert.isBelow(Math.abs(row.leaseUntil - Date.now()), minute)
      for (const id of ["by ahead", "by behind"]) {
        yield* ahead.client.pause(id)
        const row = yield* rowOf(world, id)
        assert.isBelow(Math.abs(row.watermark - Date.now()), minute)
        assert.isBelow(sum(row.counts), 200)
      }
      return "leases, due times and runs enqueued for now went by the server's clock on both"
    })
)

/** A schedule as it is stored, but last decided at an instant long ago. */
const offSince = Effect.fnUntraced(function* (world: World, id: string, since: number) {
  yield* world.store.modify({
    now: Date.now(),
    ids: [id],
    transition: (_, view) => {
      const { schedule } = view!
      return changeTo({
        ...schedule,
        state: "active",
        anchor: since,
        firstWatermark: since,
        watermark: since,
        nextAt: since + 1
      })
    }
  })
})

fault(
  15,
  "local time skips an hour and repeats one",
  {
    on: everywhere,
    injected:
      "daily schedules of Europe/Berlin at 02:30, one of each minute of that hour, and of one in UTC, over both changes of 2025"
  },
  (world) =>
    Effect.gen(function* () {
      const client = yield* world.client
      const timeZone = "Europe/Berlin"
      const since = Date.parse("2025-03-28T12:00:00Z")
      const until = DateTime.makeUnsafe("2025-10-28T12:00:00Z")
      const all = { missed: { run: "all", limit: Infinity }, overlap: "allow" } as const
      const triggers = {
        daily: Trigger.cron("30 2 * * *", { timeZone }),
        both: Trigger.cron("30 2 * * *", { timeZone, clockChange: { gap: "skip", overlap: "both" } }),
        utc: Trigger.cron("30 1 * * *")
      }
      for (const [id, trigger] of Object.entries(triggers)) {
        yield* client.schedule(Tick, { id, trigger: Trigger.bounded(trigger, { end: until }), ...all })
        yield* offSince(world, id, since)
      }
      yield* world.node({ jobs: ticking(world) })
      for (const id of Object.keys(triggers)) {
        yield* world.until(`${id} has fired`, rowOf(world, id), (row) => row.state === "exhausted")
      }
      yield* world.until(
        "all have run",
        world.store.listRuns({ filter: {}, limit: 1 }),
        (page) => page.items.length === 0
      )
      const zone = DateTime.zoneMakeNamedUnsafe(timeZone)
      const { history } = yield* Invariants.dump(world.store)
      const timesOf = (id: string) =>
        history
          .flatMap((row) => (row._tag === "Run" && row.scheduleId === id ? row.nominal! : []))
          .map((nominal) => DateTime.formatIsoZoned(DateTime.makeZonedUnsafe(nominal, { timeZone: zone })))
          .toSorted()
      const days = Array.from({ length: 214 }, (_, i) =>
        new Date(Date.parse("2025-03-29") + i * day).toISOString().slice(0, 10)
      )
      assert.deepStrictEqual(
        timesOf("daily").map((time) => time.slice(0, 10)),
        days
      )
      const at = (id: string, date: string) =>
        timesOf(id)
          .filter((time) => time.startsWith(date))
          .map((time) => time.slice(11, 25))
      assert.deepStrictEqual(at("daily", "2025-03-30"), ["03:00:00.000+0"])
      assert.deepStrictEqual(at("daily", "2025-10-26"), ["02:30:00.000+0"])
      assert.deepStrictEqual(at("both", "2025-03-30"), [])
      assert.strictEqual(at("both", "2025-10-26").length, 2)
      assert.strictEqual(timesOf("utc").length, 214)
      return "the daily one ran once on each of the 214 local days: at the end of the gap, and at the first pass of the repeated hour; skipping and firing twice where it was asked for"
    })
)

fault(
  16,
  "a laptop sleeps for 8 hours",
  {
    on: everywhere,
    clock: "virtual",
    injected: {
      memory: "the wall clock goes on by 8 hours and the monotonic one does not, by an OffsetClock",
      sqlite: "the wall clock goes on by 8 hours and the monotonic one does not, by an OffsetClock",
      postgres: "SIGSTOP of the only node for three leases, the nearest: the server does not sleep"
    }
  },
  (world) =>
    Effect.gen(function* () {
      if (!world.virtual) return yield* frozenAlone(world)
      const { client, jump, node } = yield* withOffset(world, { jobs: ticking(world) })
      const before = yield* node.scheduler.node
      yield* client.schedule(Tick, { id: "hourly", trigger: Trigger.every("1 hour") })
      yield* world.pass(1_000)
      yield* jump(8 * hour)
      yield* world.pass(minute)
      assert.strictEqual(node.only("ClockJumped").length, 1)
      assert.deepInclude((yield* rowOf(world, "hourly")).counts, { fired: 1, missed: 7 })
      assert.strictEqual(world.begun(), 1)
      assert.deepStrictEqual(node.only("NodeFenced"), [])
      assert.strictEqual(yield* node.scheduler.node, before)
      return "one ClockJumped; one run, 7 times counted as missed; the lease was renewed late, under the same node id"
    })
)

const frozenAlone = Effect.fnUntraced(function* (world: World) {
  const client = yield* world.client
  const worker = yield* world.worker()
  const { node } = worker.of("Ready")[0]!
  yield* client.schedule(Tick, { id: "ticks", trigger: Trigger.every("100 millis") })
  const begun = Effect.sync(() => world.begun())
  yield* world.until("it works", begun, (count) => count > 2)
  yield* worker.signal("SIGSTOP")
  yield* world.pass(3_000)
  const asleep = yield* begun
  yield* worker.signal("SIGCONT")
  yield* world.until("it works again", begun, (count) => count > asleep + 3)
  yield* client.pause("ticks")
  const row = yield* rowOf(world, "ticks")
  assert.isAbove(row.counts.missed, 10)
  assert.deepStrictEqual(
    (yield* world.store.nodes).map(({ deadAt, id }) => ({ deadAt, id })),
    [{ deadAt: null, id: node }]
  )
  yield* worker.signal("SIGTERM")
  assert.strictEqual(yield* worker.end, 0)
  return "one run, and the times that passed counted as missed; the lease was renewed late, under the same node id"
})
