/** Schedules that nobody looked at for a while, and triggers that fail or never come. */
import { assert } from "@effect/vitest"
import { Clock, DateTime, Effect, Option, Result, Schema } from "effect"
import { Trigger } from "effect-scheduler"
import type { ScheduleRecord } from "effect-scheduler/JobSchedule"
import { changeTo } from "../support.ts"
import { Tick } from "./jobs.ts"
import { fault, type Node, type World } from "./kit.ts"
import { backdate } from "./offline.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const
const [second, minute, hour] = [1_000, 60_000, 3_600_000]
const week = 7 * 24 * hour

const rowOf = ({ store }: Pick<World, "store">, id: string) =>
  Effect.map(store.getSchedules({ ids: [id] }), (rows) => rows[0]!)

const historyOf = ({ store }: Pick<World, "store">, scheduleId: string) =>
  Effect.map(store.history({ filter: { scheduleId }, limit: 100 }), ({ items }) => items)

/** Waits until the schedule's counters say that so many of its times fired. */
const fires = (world: World, id: string, count: number) =>
  world.until(`${id} has fired`, rowOf(world, id), (row) => row.counts.fired >= count)

const tick = (world: World) => Tick.toLayer(() => Effect.asVoid(world.executing))

fault(
  39,
  "two weeks offline with a 5 second interval",
  { on: everywhere, injected: "the schedule's past moved back by 14 days, as if no node had looked at it since" },
  (world) =>
    Effect.gen(function* () {
      const node = yield* world.node({ jobs: tick(world) })
      const trigger = Trigger.every("5 seconds")
      yield* node.scheduler.schedule(Tick, { id: "latest", trigger })
      const begin = performance.now()
      const [moved] = yield* backdate(world.store, "latest", 2 * week)
      const latest = yield* fires(world, "latest", 1)
      yield* world.measured(`decided and stored after ${Math.round(performance.now() - begin)} ms`)
      const range = (yield* historyOf(world, "latest")).find((row) => row._tag === "Range")!
      // Where this machine took longer than 5 s to decide, that many more times had come.
      const late = Math.floor((range.endedAt - moved!.after!.updatedAt) / 5_000)
      const all = 2 * 7 * 24 * 720
      assert.deepInclude(range, { kind: "missed", count: all - 1 + late })
      assert.deepInclude(latest.counts, { fired: 1, missed: 241_919 + late })

      const within = { run: "all", within: "1 minute", limit: 5 } as const
      yield* node.scheduler.schedule(Tick, { id: "all", trigger, missed: within, overlap: "allow" })
      yield* backdate(world.store, "all", 2 * week)
      const row = yield* fires(world, "all", 5)
      assert.strictEqual(row.counts.fired, 5)
      assert.isAtLeast(row.counts.missed, all - 5)
      yield* node.scheduler.unschedule("latest")
      yield* node.scheduler.unschedule("all")
      return "`latest` made one run and counted 241,919 times as missed, in one history row and one decision; `all` with a window and a limit of 5 made 5 runs"
    })
)

/** Two grids that never meet: a search spends all its steps on a bit more than an hour of them. */
const search = Trigger.and([Trigger.every("1 second", { start: 0 }), Trigger.every("1 second", { start: 500 })])

fault(
  40,
  "a trigger that never fires, and one whose search takes too long",
  { on: everywhere, injected: "the 30th of February; two rules that never meet, which a search cannot know" },
  (world) =>
    Effect.gen(function* () {
      const node = yield* world.node({ jobs: tick(world) })
      const never = Trigger.cron("0 0 30 2 *")
      assert.strictEqual((yield* node.scheduler.schedule(Tick, { id: "never", trigger: never })).state, "exhausted")
      yield* node.scheduler.schedule(Tick, { id: "search", trigger: search })
      const [moved] = yield* backdate(world.store, "search", 6 * hour)
      const found = yield* world.until(
        "the search has come to the present",
        rowOf(world, "search"),
        (row) => row.nextAt! > Date.now() + minute
      )
      assert.deepInclude(found, { state: "active", faults: 0 })
      assert.isAtMost(found.revision - moved!.after!.revision, 10, "each look goes on from the one before")
      yield* node.scheduler.schedule(Tick, { id: "other", trigger: Trigger.every("20 millis") })
      yield* fires(world, "other", 10)
      yield* node.scheduler.unschedule("other")
      assert.strictEqual((yield* rowOf(world, "search")).revision, found.revision, "no spin")
      assert.deepInclude(yield* rowOf(world, "never"), { state: "exhausted", nextAt: null })
      return "the first was stored as exhausted; the second stayed active with an instant to look again, and was left alone until then; another schedule fired meanwhile"
    })
)

fault(
  41,
  "a trigger function throws",
  {
    on: everywhere,
    injected:
      "a custom rule that works when it is scheduled and throws from then on; the waits between its tries cut short"
  },
  (world) =>
    Effect.gen(function* () {
      let calendarIsGone = false
      const Holidays = Trigger.custom("Holidays", Schema.Struct({}), {
        next: (_, after) => {
          if (calendarIsGone) throw new Error("the calendar is gone")
          return Option.some(DateTime.makeUnsafe((Math.floor(after.epochMilliseconds / hour) + 1) * hour))
        }
      })
      const node = yield* world.node({ jobs: tick(world), triggers: [Holidays] })
      yield* node.scheduler.schedule(Tick, { id: "broken", trigger: Holidays({}) })
      yield* node.scheduler.schedule(Tick, { id: "other", trigger: Trigger.every("20 millis") })
      calendarIsGone = true
      const delays: Array<number | undefined> = []
      for (let faults = 1; faults <= 5; faults++) {
        const before = yield* Clock.currentTimeMillis
        yield* world.store.modify({
          now: before,
          ids: ["broken"],
          // Unless it has been tried again by itself.
          transition: (_, view, now) =>
            view!.schedule.faults < faults ? changeTo({ ...view!.schedule, nextAt: now }) : undefined
        })
        const row = yield* world.until(`failure ${faults}`, rowOf(world, "broken"), (each) => each.faults === faults)
        delays.push(row.nextAt === null ? undefined : Math.round((row.nextAt - row.updatedAt) / second))
        assert.include(row.error!, "the calendar is gone")
      }
      assert.deepStrictEqual(delays, [1, 10, 60, 300, undefined])
      assert.deepInclude(yield* rowOf(world, "broken"), { state: "faulty", nextAt: null })
      yield* world.until(
        "it is told",
        Effect.sync(() => node.only("ScheduleFaulty").length),
        (count) => count === 1
      )
      const { fired } = (yield* rowOf(world, "other")).counts
      yield* fires(world, "other", fired + 5)
      calendarIsGone = false
      assert.strictEqual(
        (yield* node.scheduler.schedule(Tick, { id: "broken", trigger: Holidays({}) })).state,
        "active"
      )
      yield* node.scheduler.unschedule("other")
      return "it was asked again after 1, 10, 60 and 300 s, then the schedule was faulty with the error's message, told by an event; another schedule fired all the time; declared again with a rule that works it was active"
    })
)

fault(
  52,
  "a backfill of a year while live times happen",
  {
    on: everywhere,
    injected: "a year of daily times asked for, 20 at once, on a node with 4 slots and a live schedule of 30 ms"
  },
  (world) =>
    Effect.gen(function* () {
      const handler = Effect.andThen(world.executing, Effect.sleep(2))
      const node = yield* world.node({ jobs: Tick.toLayer(() => handler), maxRunning: 4 })
      const to = Date.now() - week
      const from = to - 365 * 24 * hour
      const daily = Trigger.every("1 day", { start: from })
      yield* node.scheduler.schedule(Tick, { id: "daily", trigger: daily })
      yield* node.scheduler.schedule(Tick, { id: "live", trigger: Trigger.every("30 millis") })
      const id = yield* node.scheduler.backfill("daily", { from, to, request: "year", concurrency: 20 })
      const row = yield* world.until("the backfill is decided", rowOf(world, id), ({ state }) => state === "exhausted")
      assert.strictEqual(row.counts.fired, 366)
      assert.strictEqual(row.counts.dropped + row.counts.missed + row.counts.skipped, 0)
      yield* world.until(
        "and has run",
        world.store.listRuns({ filter: { scheduleId: id }, limit: 1 }),
        ({ items }) => items.length === 0
      )
      yield* node.scheduler.unschedule("live")
      const waits = waitsOfLive(node.events)
      assert.isAbove(waits.length, 3, "live times came meanwhile")
      // Those in the slots, and those of a claim that was on its way.
      assert.isAtMost(Math.max(...waits), 8)
      const lateness = node.only("RunStarted").filter((event) => event.cause === "nominal")
      yield* world.measured(
        `${waits.length} live runs, at most ${Math.max(...waits)} others began before one, lateness at most ${Math.max(...lateness.map((event) => event.lateness))} ms`
      )
      return "all 366 times of the year ran; of no live run's wait did the backfill take more than the slots that it had"
    })
)

/** For each live run how many runs of the backfill began between its creation and its start. */
const waitsOfLive = (events: Node["events"]): ReadonlyArray<number> => {
  const open = new Map<string, number>()
  const waits: Array<number> = []
  for (const event of events) {
    if (event._tag === "RunCreated" && event.cause === "nominal") open.set(event.runId, 0)
    if (event._tag !== "RunStarted") continue
    const wait = open.get(event.runId)
    if (wait !== undefined) {
      waits.push(wait)
      open.delete(event.runId)
    } else for (const [run, count] of open) open.set(run, count + 1)
  }
  return waits
}

fault(
  53,
  "the zone data changes between versions",
  {
    on: everywhere,
    injected:
      "rows as another zone data would have left them, since there is one ICU here: another version and another next time"
  },
  (world) =>
    Effect.gen(function* () {
      const now = DateTime.makeUnsafe(Date.now())
      // Half a day from now, so that no time of it passes during the test.
      const text = `0 ${(DateTime.toPartsUtc(now).hour + 12) % 24} * * *`
      const daily = Result.getOrThrow(Trigger.parseCron(text, { timeZone: "Europe/Berlin" }))
      const last = Option.getOrThrow(Trigger.prev(daily, now)).epochMilliseconds
      const next = Option.getOrThrow(Trigger.next(daily, now)).epochMilliseconds
      const node = yield* world.node({ jobs: tick(world), janitorInterval: "50 millis" })
      const put = (id: string, change: (row: ScheduleRecord, now: number) => Partial<ScheduleRecord>) =>
        world.store.modify({
          now: Date.now(),
          ids: [id],
          transition: (_, view, at) => changeTo({ ...view!.schedule, ...change(view!.schedule, at) })
        })
      const others = { zoneData: "1999a" }
      for (const id of ["later", "earlier", "again"]) yield* node.scheduler.schedule(Tick, { id, trigger: daily })
      yield* put("again", () => ({ firstWatermark: last - 1, watermark: last - 1, nextAt: last }))
      yield* fires(world, "again", 1)
      yield* put("later", () => ({ ...others, nextAt: next + week }))
      yield* put("earlier", (_, at) => ({ ...others, nextAt: at }))
      yield* put("again", () => ({ ...others, nextAt: last + 1 }))
      for (const [id, fired] of [
        ["later", 0],
        ["earlier", 0],
        ["again", 1]
      ] as const) {
        const row = yield* world.until(`${id} is put right`, rowOf(world, id), (each) => each.zoneData !== "1999a")
        assert.deepInclude(row, { state: "active", nextAt: next })
        assert.strictEqual(row.counts.fired, fired)
      }
      yield* world.until(
        "the run has ended",
        world.store.listRuns({ filter: {}, limit: 1 }),
        ({ items }) => items.length === 0
      )
      assert.strictEqual(world.executions.length, 1)
      return "the janitor computed the next times again, later and earlier ones; a time that had been decided was not decided again"
    })
)

fault(
  65,
  "`spaced` off for a week, `at` passed before the start, a changed trigger declared after an outage",
  { on: everywhere, injected: "the past of each schedule moved back by a week" },
  (world) =>
    Effect.gen(function* () {
      const node = yield* world.node({ jobs: tick(world) })
      const { scheduler } = node
      yield* scheduler.schedule(Tick, { id: "spaced", trigger: Trigger.spaced("1 hour") })
      const spaced = (fired: number) =>
        world.until(
          `run ${fired} of the spaced schedule has ended`,
          rowOf(world, "spaced"),
          (row) => row.counts.fired === fired && row.state === "active" && row.nextAt! > row.updatedAt
        )
      yield* spaced(1)
      yield* backdate(world.store, "spaced", week)
      assert.deepInclude((yield* spaced(2)).counts, { fired: 2, missed: 0, skipped: 0 })

      const passed = Trigger.at(Date.now() - week)
      yield* scheduler.schedule(Tick, { id: "at", trigger: passed })
      assert.deepInclude((yield* fires(world, "at", 1)).counts, { fired: 1, missed: 0 })
      yield* scheduler.schedule(Tick, { id: "at, none", trigger: passed, missed: { run: "none", grace: "1 minute" } })
      const none = yield* world.until("it is decided", rowOf(world, "at, none"), (row) => row.state === "exhausted")
      assert.deepInclude(none.counts, { fired: 0, missed: 1 })

      // Paused, so that nobody has decided what passed before it is declared again.
      yield* scheduler.pauseAll
      yield* scheduler.schedule(Tick, { id: "changed", trigger: Trigger.every("1 hour") })
      yield* backdate(world.store, "changed", week)
      yield* scheduler.schedule(Tick, { id: "changed", trigger: Trigger.every("2 hours") })
      const changed = yield* rowOf(world, "changed")
      assert.deepInclude(changed.counts, { fired: 1, missed: 167, skipped: 0 })
      assert.strictEqual(changed.nextAt, changed.updatedAt + 2 * hour)
      yield* scheduler.resumeAll
      yield* world.until(
        "all have run",
        Effect.sync(() => world.executions.length),
        (count) => count === 4
      )
      yield* world.until("and ended", world.store.listRuns({ filter: {}, limit: 1 }), ({ items }) => items.length === 0)
      return "`spaced` ran once and went on from its end; `at` ran by the default policy and was missed by `none`; of the old trigger one time ran and 167 were counted as missed, and the new one began at that instant"
    })
)
