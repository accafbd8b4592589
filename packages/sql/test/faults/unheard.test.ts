/** Those who are not listened to, and those who do not listen. */
import { assert } from "@effect/vitest"
import { Deferred, Effect, Stream } from "effect"
import type { SchedulerEvent } from "effect-scheduler/SchedulerEvent"
import { Tick } from "./jobs.ts"
import { fault, type World } from "./kit.ts"

const everywhere = ["memory", "sqlite", "postgres"] as const

const tick = (world: World) => Tick.toLayer(() => Effect.asVoid(world.executing))

fault(
  35,
  "a subscriber of events never reads",
  { on: everywhere, injected: "a subscriber with a buffer of 64 that stops at its first event, while 300 runs happen" },
  (world) =>
    Effect.gen(function* () {
      const node = yield* world.node({ jobs: tick(world), eventsBuffer: 64 })
      const goOn = yield* Deferred.make<void>()
      const seen: Array<SchedulerEvent> = []
      const reads = Stream.runForEach(node.scheduler.events, (event) =>
        Effect.andThen(
          Effect.sync(() => void seen.push(event)),
          Deferred.await(goOn)
        )
      )
      yield* Effect.forkScoped(reads, { startImmediately: true })
      const ids = yield* node.scheduler.enqueueAll(Tick, Array.from({ length: 300 }))
      for (const id of ids) assert.strictEqual((yield* world.ended(id)).outcome, "succeeded")
      assert.strictEqual(seen.length, 1, "it has not read on")
      yield* Deferred.succeed(goOn, undefined)
      const lost = yield* world.until(
        "it is told what it lost",
        Effect.sync(() => seen.filter((event) => event._tag === "EventsLost")),
        (events) => events.length > 0
      )
      const count = lost.reduce((sum, event) => sum + event.count, 0)
      assert.isAbove(count, 300)
      // Whatever it reads from now on, no number is missing that it was not told of.
      let before = seen[0]!.sequence
      for (const event of seen.slice(1)) {
        assert.strictEqual(event.sequence, before + (event._tag === "EventsLost" ? event.count : 1))
        before = event.sequence
      }
      world.mustEnd(...ids)
      return "all runs succeeded meanwhile; when it read on it was told in place how many events it had lost, and got the newest"
    })
)

/** Backends that listen, in the database of this test. */
const listeners = `from pg_stat_activity where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()`

/** How long a run takes to end that another client enqueues. */
const delay = Effect.fnUntraced(function* (world: World, enqueue: Effect.Effect<string, unknown>) {
  const begin = performance.now()
  const id = yield* Effect.orDie(enqueue)
  assert.strictEqual((yield* world.ended(id)).outcome, "succeeded")
  world.mustEnd(id)
  return `${Math.round(performance.now() - begin)} ms`
})

fault(
  36,
  "a notification is lost, the listener is disconnected",
  {
    on: everywhere,
    shared: true,
    own: "database",
    injected: {
      memory: "a node that hears of no change",
      sqlite: "a node that hears of no change: another process has no way to tell it",
      postgres:
        "a node that hears of no change; pg_terminate_backend on the listeners of a node that polls once an hour"
    }
  },
  (world) =>
    Effect.gen(function* () {
      const client = yield* world.client
      const enqueue = client.enqueue(Tick)
      // Its renewals, which let it look too, are rare.
      const quiet = { jobs: tick(world), lease: "10 minutes" } as const
      const deaf = yield* world.node({
        ...quiet,
        pollInterval: "100 millis",
        over: (store) => ({ ...store, subscribe: () => Effect.void })
      })
      yield* world.measured(`with no notification after ${yield* delay(world, enqueue)}, polling each 100 ms`)
      yield* deaf.stop
      if (world.name !== "postgres") return "the run was found by the next poll"

      const node = yield* world.node({ ...quiet, pollInterval: "1 hour" })
      const count = Effect.map(
        world.sql(() => `select count(*)::int as n ${listeners}`),
        (rows) => rows[0]!["n"]
      )
      const before = yield* count
      yield* world.measured(`heard after ${yield* delay(world, enqueue)}`)
      yield* world.sql(() => `select pg_terminate_backend(pid) ${listeners}`)
      yield* world.measured(`without listener after ${yield* delay(world, enqueue)}`)
      yield* world.until("all listen again", count, (now) => now === before)
      yield* world.measured(`listening again after ${yield* delay(world, enqueue)}`)
      assert.deepStrictEqual(node.only("NodeFenced"), [])
      return "the run was found by the next poll; a listener that was cut off came back and looked at once, and then heard again"
    })
)
