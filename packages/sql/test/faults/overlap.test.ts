/** The overlap table of the design, cell by cell, as rows of each store. */
import { randomUUID } from "node:crypto"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Trigger } from "effect-scheduler"
import type { PolicyOptions } from "effect-scheduler/JobSchedule"
import { changeTo } from "../support.ts"
import { Tick } from "./jobs.ts"
import { fault, type Node, type World } from "./kit.ts"
import { backdate } from "./offline.ts"

const hour = 3_600_000

const policies = {
  skip: { overlap: "skip" },
  bufferOne: { overlap: "bufferOne" },
  "bufferAll 2": { overlap: "bufferAll", buffer: 2 },
  cancelPrevious: { overlap: "cancelPrevious" },
  allow: { overlap: "allow" }
} as const satisfies Record<string, PolicyOptions>

type Name = keyof typeof policies

const names = Object.keys(policies) as ReadonlyArray<Name>

/**
 * Four times have passed; the newest is within the grace, the others are late. What becomes of each, oldest first: Fired,
 * Deferred, Skipped, X for dropped.
 */
const table: Record<string, Record<Name, string>> = {
  idle: { skip: "FDDS", bufferOne: "FDSS", "bufferAll 2": "FDDX", cancelPrevious: "SSSF", allow: "FFFF" },
  "one running": { skip: "DDDS", bufferOne: "DSSS", "bufferAll 2": "DDXX", cancelPrevious: "SSSD", allow: "FFFF" },
  "running and buffered": {
    skip: "DDDS",
    bufferOne: "SSSS",
    "bufferAll 2": "XXXX",
    cancelPrevious: "SSSD",
    allow: "FFFF"
  },
  "a backfill running": {
    skip: "FDDS",
    bufferOne: "FDSS",
    "bufferAll 2": "FDDX",
    cancelPrevious: "SSSF",
    allow: "FFFF"
  }
}

const idOf = (situation: string, name: Name) => `${name}, ${situation}`

const declare = (node: Node, situation: string) =>
  Effect.forEach(names, (name) =>
    node.scheduler.schedule(Tick, {
      id: idOf(situation, name),
      trigger: Trigger.every("1 hour"),
      missed: { run: "all", grace: "10 minutes" },
      ...policies[name]
    })
  )

/** Lets the schedules of a situation have been left alone for so long, and waits until they are decided. */
const leave = (world: World, situation: string, millis: number) =>
  Effect.forEach(names, (name) =>
    Effect.gen(function* () {
      const id = idOf(situation, name)
      const [applied] = yield* backdate(world.store, id, millis)
      const from = applied!.after!
      const [row] = yield* world.until(
        `${id} is decided`,
        world.store.getSchedules({ ids: [id] }),
        ([now]) => now!.nextAt! > from.nextAt! + millis - hour
      )
      return { name, id, anchor: from.anchor, from: from.watermark, to: row!.watermark }
    })
  )

/** Lets a schedule's rule have had times before it was stored, for a backfill. */
const anchorEarlier = ({ store }: World, id: string, millis: number) =>
  store.modify({
    now: 0,
    ids: [id],
    transition: (_, view) => {
      const { anchor, ...row } = view!.schedule
      return changeTo({ ...row, anchor: anchor - millis, firstWatermark: anchor, watermark: anchor })
    }
  })

/** A letter for each nominal time between two watermarks. */
const lettersOf = (world: World, decided: Effect.Success<ReturnType<typeof leave>>[number]) =>
  Effect.gen(function* () {
    const filter = { scheduleId: decided.id }
    const { items: runs } = yield* world.store.listRuns({ filter, limit: 100 })
    const { items: history } = yield* world.store.history({ filter, limit: 100 })
    const ranges = history.filter((row) => row._tag === "Range")
    let letters = ""
    for (let at = decided.anchor + hour; at <= decided.to; at += hour) {
      if (at <= decided.from) continue
      const run = runs.find((each) => each.nominal === at && each.cause === "nominal")
      const range = ranges.find((each) => each.first <= at && at <= each.last)
      if (run !== undefined) letters += run.state === "deferred" ? "D" : "F"
      else letters += range === undefined ? "?" : { skipped: "S", dropped: "X", missed: "M", paused: "P" }[range.kind]
    }
    return letters
  })

/** A node that claims whatever is pending and never ends it. */
const occupy = Effect.fnUntraced(function* ({ store }: World, count: number) {
  const own = { now: Date.now(), node: randomUUID(), jobs: ["Tick"], triggers: [] }
  yield* store.register({ ...own, lease: 600_000, version: 1 })
  const jobs = [{ name: "Tick", queue: "default" }]
  const { runs } = yield* store.claim({ now: Date.now(), node: own.node, limit: 1_000, jobs, queues: {} })
  assert.strictEqual(runs.length, count)
})

fault(
  44,
  "every overlap policy with runs idle, running, buffered and of a backfill",
  {
    on: ["memory", "sqlite", "postgres"],
    injected: "four nominal times passed at once, for five policies in four situations"
  },
  (world) =>
    Effect.gen(function* () {
      const node = yield* world.node()
      const seen: Record<string, Record<string, string>> = {}
      const look = Effect.fnUntraced(function* (title: string, situation: string, millis: number) {
        const decided = yield* leave(world, situation, millis)
        seen[title] = {}
        for (const each of decided) seen[title]![each.name] = yield* lettersOf(world, each)
      })
      yield* declare(node, "busy")
      yield* leave(world, "busy", hour)
      yield* occupy(world, names.length)
      // A second more each time, so that no nominal time comes back.
      yield* look("one running", "busy", 4 * hour + 1_000)
      yield* look("running and buffered", "busy", 4 * hour + 2_000)
      const replaced = yield* world.store.history({ filter: { outcome: "skipped" }, limit: 100 })
      assert.strictEqual(
        replaced.items.filter((row) => row._tag === "Run").length,
        1,
        "the older deferred run gave way"
      )
      const asked = yield* world.store.listRuns({ filter: { state: "running" }, limit: 100 })
      assert.deepStrictEqual(
        asked.items.filter((row) => row.cancelAt !== null).map((row) => row.scheduleId),
        [idOf("busy", "cancelPrevious")]
      )

      yield* declare(node, "backfilled")
      yield* Effect.forEach(names, (name) => anchorEarlier(world, idOf("backfilled", name), 100 * hour))
      const to = Date.now() - 10 * hour
      yield* Effect.forEach(names, (name) =>
        node.scheduler.backfill(idOf("backfilled", name), { from: to - 2 * hour, to, request: "r" })
      )
      yield* world.until(
        "the backfills are decided",
        world.store.listRuns({ filter: { state: "pending" }, limit: 100 }),
        ({ items }) => items.filter((row) => row.cause === "backfill:r").length === names.length
      )
      yield* look("a backfill running", "backfilled", 4 * hour)
      yield* declare(node, "idle")
      yield* look("idle", "idle", 4 * hour)
      assert.deepStrictEqual(seen, table)
      return "each cell is that of the design's table, and the counters agree with the rows"
    })
)
