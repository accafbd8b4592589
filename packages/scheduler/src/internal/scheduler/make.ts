import { Clock, Context, Effect, Layer, type Scope } from "effect"
import { JobRegistry, type JobRegistryService } from "../../JobRegistry.ts"
import { JobStore } from "../../JobStore.ts"
import * as MemoryJobStore from "../../MemoryJobStore.ts"
import type { SchedulerService } from "../../Scheduler.ts"
import { DuplicateStore, SchedulerError } from "../../SchedulerError.ts"
import type { SchedulerOptions, Stores } from "../../SchedulerOptions.ts"
import { TriggerRegistry } from "../../Trigger.ts"
import { makeRegistry } from "../registry.ts"
import * as transitions from "../transitions/index.ts"
import { makeUuidV7 } from "../uuid.ts"
import { type Core, defaultAlias, effectsAlias, requireId } from "./Core.ts"
import { contextOf, encodedPolicy } from "./drafts.ts"
import { make as makeEffects } from "./effects.ts"
import * as EventHub from "./EventHub.ts"
import { make as makeLifecycle } from "./lifecycle.ts"
import * as Resolver from "./Resolver.ts"
import { make as makeRunVerbs } from "./runVerbs.ts"
import { make as makeScheduleVerbs } from "./scheduleVerbs.ts"
import { resolve, type StoresError, type StoresServices } from "./settings.ts"
import { Slots } from "./Slots.ts"
import * as StoreRunner from "./StoreRunner.ts"
import { supervise } from "./supervise.ts"
import { make as makeViews } from "./views.ts"
import { makeClockWatch } from "./Wakeup.ts"

/** A scheduler for as long as the scope is open. A client does everything but fire and run. */
export const make = <S extends Stores>(
  options: SchedulerOptions<S>,
  client: boolean
): Effect.Effect<SchedulerService, StoresError<S> | SchedulerError, StoresServices<S> | JobRegistry | Scope.Scope> =>
  // The stores are gone through by alias, which loses what each of them may fail with and needs.
  build(options, client) as Effect.Effect<
    SchedulerService,
    StoresError<S> | SchedulerError,
    StoresServices<S> | JobRegistry | Scope.Scope
  >

const build = Effect.fnUntraced(function* (
  options: SchedulerOptions<Stores>,
  client: boolean
): Effect.fn.Return<SchedulerService, unknown, unknown> {
  const settings = resolve(options)
  const registry: JobRegistryService = yield* JobRegistry
  registry.drainDeadline = settings.drainDeadline
  const triggers = yield* TriggerRegistry
  const newId = yield* makeUuidV7
  const stores: Core["stores"] = new Map()
  const wall = yield* Clock.Clock
  const hub = yield* EventHub.make({
    now: () => Math.floor(wall.currentTimeMillisUnsafe()),
    node: (store) => (stores.get(store) ?? stores.get(defaultAlias))?.runner.state.node ?? "",
    capacity: settings.eventsBuffer
  })
  const clock = makeClockWatch(wall, (by) => {
    hub.publish({ _tag: "ClockJumped", store: "", by })
    for (const { runner } of stores.values()) {
      runner.bells.fire.ring()
      runner.bells.claim.ring()
    }
  })
  yield* Effect.forkScoped(
    supervise(clock.watch, (message) => hub.publish({ _tag: "FiberRestarted", store: "", fiber: "clock", message }))
  )
  const resolver = Resolver.make([...triggers.definitions, ...settings.triggers], triggers.lookup)
  const core: Core = {
    settings,
    hub,
    registry,
    clock,
    newId,
    resolver,
    stores,
    usualPolicy: encodedPolicy({ settings }, {}, "policies of the scheduler"),
    declared: new Map(),
    state: { started: false, paused: false, tentative: settings.autoStart || client ? undefined : new Map() }
  }
  const advance = transitions.advance(contextOf(core))
  const slots = new Slots(settings.maxRunning)

  const attach = Effect.fnUntraced(function* <E, R>(
    alias: string,
    layer: Layer.Layer<JobStore, E, R>,
    handlers: JobRegistryService
  ): Effect.fn.Return<void, E | SchedulerError, R | Scope.Scope> {
    if (stores.has(alias)) return yield* new SchedulerError({ reason: new DuplicateStore({ store: alias }) })
    const store = Context.get(yield* Layer.build(layer), JobStore)
    if (stores.has(alias)) return yield* new SchedulerError({ reason: new DuplicateStore({ store: alias }) })
    const runner = yield* StoreRunner.make({
      alias,
      store,
      settings,
      hub,
      registry: handlers,
      slots,
      clock,
      newId,
      advance,
      triggers: resolver.names
    })
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        stores.set(alias, runner)
        runner.setPaused(core.state.paused)
        hub.publish({ _tag: "StoreAdded", store: alias, description: store.description, shared: store.shared })
      }),
      () =>
        Effect.andThen(
          runner.drain(settings.drainDeadline),
          Effect.sync(() => {
            stores.delete(alias)
            hub.publish({ _tag: "StoreRemoved", store: alias })
          })
        )
    )
    if (core.state.started) yield* runner.start
  })

  const given: Stores = options.stores ?? {}
  const aliases = Object.keys(given)
  // A client's would be one that nobody ever runs.
  if (!client && !aliases.includes(defaultAlias)) yield* attach(defaultAlias, MemoryJobStore.layer, registry)
  for (const alias of aliases) yield* attach(alias, given[alias]!, registry)
  const effects = makeRegistry()
  effects.drainDeadline = settings.drainDeadline
  if (!client) yield* attach(effectsAlias, Layer.fresh(MemoryJobStore.layer), effects)

  const { close, ...lifecycle } = makeLifecycle(core, client)
  const scheduleVerbs = makeScheduleVerbs(core)
  const service: SchedulerService = {
    ...makeViews(core),
    ...makeRunVerbs(core),
    ...scheduleVerbs,
    scheduleEffect: makeEffects(core, effects, scheduleVerbs),
    node: Effect.sync(
      () => [defaultAlias, ...aliases].map((alias) => stores.get(alias)).find(Boolean)?.runner.state.node ?? ""
    ),
    ...lifecycle,
    addStore: (alias, layer) =>
      Effect.andThen(requireId("addStore", "alias", alias, 255), attach(alias, layer, registry)),
    stores: Effect.sync(() => [...stores.keys()].filter((alias) => alias !== effectsAlias)),
    events: hub.stream,
    on: hub.on
  }
  // The first finalizer to run: nothing of a store may close before its runs have been drained.
  yield* Effect.addFinalizer(() => close)
  if (settings.autoStart) yield* lifecycle.start
  return service
})
