/** A program that does a little of everything and ends: `exit.test.ts` sees that its process ends by itself. */
import { Console, Effect, Layer } from "effect"
import { Job, Scheduler, Trigger } from "../../src/index.ts"

class Work extends Job.make("Work") {}
class Endless extends Job.make("Endless") {}

const program = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  yield* scheduler.on("RunSucceeded", () => Effect.void)
  yield* scheduler.schedule(Work, { id: "w", trigger: Trigger.every("50 millis") })
  yield* scheduler.scheduleEffect(Effect.sleep("1 hour"), { id: "e", trigger: Trigger.every("100 millis") })
  yield* scheduler.enqueue(Endless)
  yield* scheduler.enqueue(Work, undefined, { at: 4e12 })
  yield* Effect.sleep("300 millis")
  const { items } = yield* scheduler.history()
  yield* Console.log(items.length > 0 ? "it ran" : "nothing ran")
})

const live = Layer.mergeAll(
  Work.toLayer(() => Effect.void),
  Endless.toLayer(() => Effect.never)
)

await Effect.runPromise(
  Effect.scoped(program).pipe(
    Effect.provide(Layer.provideMerge(live, Scheduler.layer({ drainDeadline: "100 millis" })))
  )
)
