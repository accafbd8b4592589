import { type Context, Effect, Exit, Schema, Scope } from "effect"
import * as Job from "../../Job.ts"
import type { JobRegistryService } from "../../JobRegistry.ts"
import type { SchedulerService } from "../../Scheduler.ts"
import { ScheduleExists } from "../../SchedulerError.ts"
import { announceCancel } from "./announce.ts"
import { type Core, effectsAlias, refuse, requireId } from "./Core.ts"

/**
 * Schedules any effect: as a job that is known to this scheduler alone, in a store of its own in memory. When the caller's
 * scope closes the schedule goes first, then what runs is drained, then what waited is dropped.
 */
export const make = (
  core: Core,
  registry: JobRegistryService,
  verbs: Pick<SchedulerService, "schedule" | "unschedule">
): SchedulerService["scheduleEffect"] =>
  Effect.fnUntraced(function* (effect, { timeout, ...options }) {
    if (registry.entries.has(options.id)) {
      return yield* refuse(new ScheduleExists({ scheduleId: options.id, store: effectsAlias }))
    }
    yield* requireId("scheduleEffect", "id", options.id, 255)
    const job = Job.make(options.id, { error: Schema.Unknown, timeout })
    const context = yield* Effect.context<never>()
    const handler = () => effect as Effect.Effect<unknown, unknown>
    // What is refused leaves nothing in the caller's scope.
    const own = yield* Effect.flatMap(Effect.scope, Scope.fork)
    yield* Effect.gen(function* () {
      yield* Effect.addFinalizer(() => dropRuns(core, options.id))
      yield* registry.register(job, handler, context as Context.Context<never>)
      yield* Effect.acquireRelease(verbs.schedule(job, { ...options, store: effectsAlias }), () =>
        Effect.ignore(verbs.unschedule(options.id, { store: effectsAlias }))
      )
    }).pipe(
      Scope.provide(own),
      Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
    )
  })

const dropRuns = Effect.fnUntraced(function* (core: Core, job: string) {
  const runner = core.stores.get(effectsAlias)?.runner
  if (runner === undefined) return
  const { items } = yield* runner.store.listRuns({ filter: { job }, limit: 100_000 })
  for (const { id } of items) {
    const cancel = runner.store.cancel({ now: runner.time.now(), id, transition: runner.advance })
    announceCancel(runner, id, yield* cancel)
  }
}, Effect.orDie)
