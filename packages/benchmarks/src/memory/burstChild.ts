/** `burstChild.ts LIBRARY COUNT`: so many schedules that are due once, all at one instant. */
import { Effect, Fiber, Layer } from "effect"
import { Job, Scheduler, Trigger } from "effect-scheduler"
import { answer, heap, spent } from "../child.ts"
import { PlainHeap } from "./plainHeap.ts"

const [name, count] = [process.argv[2]!, Number(process.argv[3])]

const millisecondsUntil = (at: number): number => at - performance.timeOrigin - performance.now()

/** Sets up so many that are due at an instant. */
type SetUp = (count: number, at: number, run: () => void) => Promise<() => Promise<void>>

const libraries: Readonly<Record<string, SetUp>> = {
  "effect-scheduler": async (count, at, run) => {
    class Once extends Job.make("Once") {}
    const live = Once.toLayer(() => Effect.sync(run)).pipe(Layer.provideMerge(Layer.orDie(Scheduler.layer())))
    let fiber: Fiber.Fiber<unknown, unknown> | undefined
    await new Promise<void>((resolve) => {
      const program = Effect.gen(function* () {
        const scheduler = yield* Scheduler
        const trigger = Trigger.at(at)
        yield* scheduler.scheduleAll(
          Once,
          Array.from({ length: count }, (_, i) => ({ id: `once-${i}`, trigger }))
        )
        resolve()
        return yield* Effect.never
      })
      fiber = Effect.runFork(Effect.provide(program, live))
    })
    return () => Effect.runPromise(Fiber.interrupt(fiber!)).then(() => undefined)
  },
  "heap and one timer": async (count, at, run) => {
    new PlainHeap().addAll(Array.from({ length: count }, () => ({ at, run })))
    return async () => undefined
  },
  "Effect, a fiber with Effect.delay each": async (count, at, run) => {
    const job = Effect.delay(Effect.sync(run), millisecondsUntil(at))
    for (let i = 0; i < count; i++) Effect.runFork(job)
    return async () => undefined
  }
}

/** From the instant to the start of the last, and what memory has grown by then at most. */
const burst = async (count: number, wait: number) => {
  const at = Math.ceil(performance.timeOrigin + performance.now() + wait)
  let started = 0
  let first = 0
  let last = 0
  let peak = 0
  let ended: () => void
  const all = new Promise<void>((resolve) => void (ended = resolve))
  const before = { heap: 0, rss: 0, spent: 0 }
  const close = await libraries[name]!(count, at, () => {
    if (started === 0) first = -millisecondsUntil(at)
    if (++started % 1_000 === 0) peak = Math.max(peak, process.memoryUsage.rss())
    if (started === count) {
      last = -millisecondsUntil(at)
      ended()
    }
  })
  before.heap = heap()
  before.rss = process.memoryUsage.rss()
  before.spent = spent()
  if (millisecondsUntil(at) < 0) throw new Error(`not set up in ${wait} ms`)
  await all
  const cpu = spent() - before.spent
  await new Promise((resolve) => setTimeout(resolve, 50))
  const grown = heap() - before.heap
  await close()
  return { first, last, cpu, peak: Math.max(0, peak - before.rss), kept: grown }
}

await burst(Math.min(count, 1_000), 1_000)
/** Milliseconds that are enough to set one up, on a slow machine too. */
const each = name === "heap and one timer" ? 0.005 : 0.03
answer(await burst(count, 1_000 + count * each))
