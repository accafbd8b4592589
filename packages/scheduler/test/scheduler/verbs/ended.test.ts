import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Job, Scheduler, Trigger } from "../../../src/index.ts"
import { settled } from "../support.ts"
import { messageOf } from "./world.ts"

class Task extends Job.make("Task", {
  payload: { fails: Schema.Boolean, seconds: Schema.Finite },
  success: Schema.String,
  error: Schema.String,
  priority: 1
}) {}

const world = () => {
  const broken = { value: true }
  const live = Task.toLayer(
    Effect.fn(function* ({ fails, seconds }) {
      yield* Effect.sleep(seconds * 1_000)
      return fails && broken.value ? yield* Effect.fail("broken") : "done"
    })
  )
  return { broken, layer: Layer.provideMerge(live, Scheduler.layer({ drainDeadline: 0 })) }
}

const failing = { fails: true, seconds: 0 }
const slow = { fails: false, seconds: 60 }

describe("rerun", () => {
  it.effect("of a run that was enqueued is a new run with its payload and priority", () => {
    const { broken, layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const failed = yield* scheduler.enqueue(Task, failing, { priority: 3 })
      yield* settled
      broken.value = false
      const again = yield* scheduler.rerun(failed)
      yield* settled
      assert.notStrictEqual(again, failed)
      assert.deepInclude(yield* scheduler.awaitEnd(again), {
        outcome: "succeeded",
        cause: `rerun:${failed}`,
        priority: 3,
        attempt: 1,
        result: '"done"'
      })
      assert.strictEqual((yield* scheduler.awaitEnd(failed)).outcome, "failed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("asked for twice at once is one run; when that has ended, it is another one", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const failed = yield* scheduler.enqueue(Task, failing)
      yield* settled
      yield* scheduler.pauseAll
      const [first, second] = yield* Effect.all([scheduler.rerun(failed), scheduler.rerun(failed)], {
        concurrency: "unbounded"
      })
      assert.strictEqual(first, second)
      yield* scheduler.resumeAll
      yield* settled
      assert.notStrictEqual(yield* scheduler.rerun(failed), first)
      yield* settled
      assert.strictEqual((yield* scheduler.history()).items.length, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("of a run that runNow made is one run too, asked for twice at once", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Task, { id: "task", trigger: Trigger.every("1 hour"), payload: failing })
      const failed = Option.getOrThrow(yield* scheduler.runNow("task"))
      yield* settled
      yield* scheduler.pauseAll
      const rerun = scheduler.rerun(failed)
      const [first, second] = yield* Effect.all([rerun, rerun], { concurrency: "unbounded" })
      assert.strictEqual(first, second)
    }).pipe(Effect.provide(layer))
  })

  it.effect("works for runs that were cancelled or timed out, and for the rerun itself", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const waits = yield* scheduler.enqueue(Task, slow, { at: 600_000 })
      yield* scheduler.cancel(waits)
      const again = yield* scheduler.rerun(waits)
      yield* settled
      yield* scheduler.cancel(again)
      yield* settled
      const third = yield* scheduler.rerun(again)
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* scheduler.awaitEnd(third), { outcome: "succeeded", cause: `rerun:${again}` })
    }).pipe(Effect.provide(layer))
  })
})

describe("cancel", () => {
  it.effect('answers "cancelled" for a run that had not started: it ends at once and never runs', () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Task, slow, { at: 60_000 })
      assert.strictEqual(yield* scheduler.cancel(id), "cancelled")
      assert.deepInclude(yield* scheduler.awaitEnd(id), {
        outcome: "cancelled",
        endedAt: 0,
        startedAt: null,
        attempt: 0
      })
      assert.strictEqual((yield* scheduler.runs()).items.length, 0)
      assert.strictEqual(yield* scheduler.cancel(id), "finished")
    }).pipe(Effect.provide(layer))
  })

  it.effect('answers "requested" for a run that runs: its handler is interrupted', () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Task, slow)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* scheduler.cancel(id), "requested")
      yield* settled
      assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "cancelled", endedAt: 10_000, attempt: 1 })
    }).pipe(Effect.provide(layer))
  })

  it.effect('answers "finished" for a run that has ended, and changes nothing', () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Task, failing)
      yield* settled
      const before = yield* scheduler.awaitEnd(id)
      assert.strictEqual(yield* scheduler.cancel(id), "finished")
      assert.deepStrictEqual(yield* scheduler.awaitEnd(id), before)
    }).pipe(Effect.provide(layer))
  })

  it.effect("of a schedule's run lets the next one that was deferred run", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const trigger = Trigger.every("1 minute")
      yield* scheduler.schedule(Task, {
        id: "t",
        trigger,
        payload: { fails: false, seconds: 600 },
        overlap: "bufferOne"
      })
      yield* TestClock.adjust("2 minutes")
      const [first, second] = (yield* scheduler.runs()).items
      assert.deepStrictEqual([first!.state, second!.state], ["running", "deferred"])
      yield* scheduler.cancel(first!.id)
      yield* settled
      assert.deepInclude((yield* scheduler.runs()).items[0], { id: second!.id, state: "running" })
    }).pipe(Effect.provide(layer))
  })
})

describe("awaitEnd", () => {
  it.effect("answers as soon as the run has ended, and at once if it had", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Task, slow)
      const waiting = yield* Effect.forkChild(scheduler.awaitEnd(id))
      yield* TestClock.adjust("59 seconds")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(waiting.pollUnsafe()?._tag, "Success")
      assert.deepInclude(yield* scheduler.awaitEnd(id), { outcome: "succeeded", endedAt: 60_000 })
    }).pipe(Effect.provide(layer))
  })

  it.effect("of a run whose history has passed its retention is RunNotFound, and says so", () => {
    const live = Task.toLayer(() => Effect.succeed("done"))
    const layer = Layer.provideMerge(live, Scheduler.layer({ retention: { succeeded: "1 hour" } }))
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const id = yield* scheduler.enqueue(Task, failing)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(
        yield* messageOf(scheduler.awaitEnd(id)),
        `No run "${id}" in store "default": it never was, or its history has passed its retention`
      )
    }).pipe(Effect.provide(layer))
  })
})

describe("history", () => {
  it.effect("is newest first, in pages that together hold each row once", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      for (let i = 0; i < 25; i++) {
        yield* scheduler.enqueue(Task, { fails: i % 5 === 0, seconds: 0 })
        yield* TestClock.adjust("1 second")
      }
      const pages: Array<ReadonlyArray<number>> = []
      let cursor: string | undefined
      do {
        const page = yield* scheduler.history({ limit: 10, cursor })
        pages.push(page.items.map((row) => row.endedAt / 1_000))
        cursor = page.cursor
      } while (cursor !== undefined)
      assert.deepStrictEqual(
        pages.map((page) => page.length),
        [10, 10, 5]
      )
      assert.deepStrictEqual(
        pages.flat(),
        Array.from({ length: 25 }, (_, i) => 24 - i)
      )
      assert.strictEqual(yield* Stream.runCount(scheduler.historyAll()), 25)
      assert.strictEqual(
        yield* Stream.runCount(scheduler.historyAll({ outcome: "failed", from: 5_000, to: 20_000 })),
        3
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("has one row for a whole range of times that became no run", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Task, { id: "t", trigger: Trigger.every("1 second"), payload: failing })
      yield* scheduler.pauseAll
      yield* TestClock.adjust("1 hour")
      yield* scheduler.resumeAll
      yield* settled
      const { items } = yield* scheduler.history({ scheduleId: "t", outcome: "missed" })
      assert.strictEqual(items.length, 1)
      assert.deepInclude(items[0], { _tag: "Range", count: 3_599, first: 1_000, last: 3_599_000 })
    }).pipe(Effect.provide(layer))
  })
})
