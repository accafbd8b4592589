/** One program, on whichever store: what was stored before, a schedule, and a run that is awaited. */
import { Console, Effect, Layer, Schema } from "effect"
import { Job, type JobRegistry, Scheduler, Trigger } from "effect-scheduler"

class Greet extends Job.make("Greet", { payload: { name: Schema.String }, success: Schema.String }) {}

const GreetLive = Greet.toLayer(({ name }) => Effect.succeed(`Good morning, ${name}`))

const program = Effect.gen(function* () {
  const scheduler = yield* Scheduler
  const { items } = yield* scheduler.list()
  yield* Console.log(`${items.length} stored before`)
  const { description, state } = yield* scheduler.schedule(Greet, {
    id: "greet",
    payload: { name: "Ada" },
    trigger: Trigger.cron("0 9 * * MON-FRI", { timeZone: "Europe/Berlin" })
  })
  yield* Console.log(`${state}: ${description}`)
  yield* Console.log(yield* scheduler.execute(Greet, { name: "Ada" }))
})

export const runOn = <E>(live: Layer.Layer<Scheduler | JobRegistry, E>): Promise<void> =>
  Effect.runPromise(Effect.provide(program, Layer.provideMerge(GreetLive, live)))
