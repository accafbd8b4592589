/** The compiler checks the files beside (`tsc -b`). Here is run what of them can be run: what compiles does what it says. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Option, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Job, JobRun, MemoryJobStore, Scheduler, Trigger } from "../../src/index.ts"
import { settled } from "../scheduler/support.ts"
import { Database, Refused, trigger, Work } from "./given.ts"
import * as job from "./job.ts"
import * as layers from "./layers.ts"
import * as scheduling from "./scheduling.ts"
import * as triggers from "./triggers.ts"

const database = Layer.succeed(Database, { read: Effect.succeed(7) })

describe("what the types promise", () => {
  it("stands in files whose every line the compiler checks", () => {
    for (const file of [job, layers, scheduling, triggers]) assert.isNotEmpty(Object.keys(file))
  })

  it.effect("execute answers with the success of the job's schema, or fails with its error", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      assert.strictEqual(yield* scheduler.execute(Work, { n: 2 }), "2 and 7")
      const refused = scheduler
        .execute(Work, { n: 0 })
        .pipe(Effect.catchTag("Refused", () => Effect.succeed("refused")))
      assert.strictEqual(yield* refused, "refused")
    }).pipe(
      Effect.provide(
        Work.toLayer(({ n }) =>
          n === 0 ? Effect.fail(new Refused()) : Effect.map(Database, ({ read }) => `${n} and ${Effect.runSync(read)}`)
        ).pipe(Layer.provide(database), Layer.provideMerge(Scheduler.layer()))
      )
    )
  )

  it.effect("scheduleEffect uses the services of its caller, and ends with the caller's scope", () =>
    Effect.gen(function* () {
      const scheduler = yield* Scheduler
      const read: Array<number> = []
      const scope = yield* Scope.make()
      yield* scheduler
        .scheduleEffect(
          Effect.flatMap(Database, (service) => Effect.map(service.read, (n) => void read.push(n))),
          { id: "a", trigger }
        )
        .pipe(Effect.provide(database), Scope.provide(scope))
      yield* TestClock.adjust("2 minutes")
      yield* settled
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(read, [7, 7])
    }).pipe(Effect.provide(Scheduler.layer()))
  )

  it.effect("lastSuccess is a value of the job's success schema", () => {
    class Count extends Job.make("Count", { success: Schema.DateFromString }) {}
    const days: Array<number> = []
    return Effect.gen(function* () {
      const scheduler = yield* Scheduler
      yield* scheduler.schedule(Count, { id: "count", trigger })
      yield* TestClock.adjust("3 minutes")
      yield* settled
      assert.deepStrictEqual(days, [1, 2, 3])
    }).pipe(
      Effect.provide(
        Count.toLayer(() =>
          Effect.gen(function* () {
            const last: Option.Option<Date> = yield* Effect.orDie(JobRun.lastSuccess(Count))
            const day = Option.match(last, { onNone: () => 1, onSome: (date) => date.getUTCDate() + 1 })
            days.push(day)
            return new Date(Date.UTC(2030, 0, day))
          })
        ).pipe(Layer.provideMerge(Scheduler.layer()))
      )
    )
  })

  it.effect("a layer fails with what its stores fail with", () =>
    Effect.gen(function* () {
      const broken = Layer.unwrap(Effect.as(Effect.fail(new Refused()), MemoryJobStore.layer))
      const error = yield* Effect.flip(Layer.build(Scheduler.layer({ stores: { default: broken } })))
      assert.strictEqual(error._tag, "Refused")
    })
  )

  it.effect("a handler has what its layer was given, and the run itself from the scheduler", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(job.provided)
      const answer = yield* Context.get(context, Scheduler).execute(Work, { n: 1 })
      assert.match(answer, /^[0-9a-f-]{36} 1$/)
    })
  )

  it("what the types refuse as a cron text, a program that is not checked refuses with the same words", () => {
    assert.throws(triggers.texts.bind(undefined, "nothing"), /minute/)
    assert.isTrue(Trigger.isSpaced(Trigger.during(Trigger.spaced("1 minute"), { from: "09:00", to: "17:00" })))
  })
})
