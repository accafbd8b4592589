import { Cause, Effect, Exit, PubSub, type Scope, Stream } from "effect"
import type { Of, SchedulerEvent, Tag } from "../../SchedulerEvent.ts"
import { logFailure } from "../printed.ts"

/** An event without what the hub adds. */
export type EventBody = {
  [T in Tag]: Omit<Of<T>, "sequence" | "at" | "node">
}[Tag]

/**
 * Numbers events and hands them to whoever listens. Publishing never waits: each subscriber has a sliding buffer, and a
 * slow one is told in place how many it lost.
 */
export interface EventHub {
  /** Whether anyone listens: an event nobody hears need not be made. */
  readonly active: () => boolean
  readonly publish: (event: EventBody) => void
  readonly stream: Stream.Stream<SchedulerEvent>
  readonly on: <T extends Tag, E, R>(
    tags: T | ReadonlyArray<T>,
    handler: (event: Of<T>) => Effect.Effect<unknown, E, R>
  ) => Effect.Effect<void, never, R | Scope.Scope>
}

export const make = Effect.fnUntraced(function* (options: {
  readonly now: () => number
  readonly node: (store: string) => string
  readonly capacity: number
}) {
  const hub = yield* Effect.acquireRelease(PubSub.sliding<SchedulerEvent>(options.capacity), PubSub.shutdown)
  const slide = Effect.runSyncWith(yield* Effect.context<never>())
  let sequence = 0
  let subscribers = 0

  const subscribe = Effect.acquireRelease(
    Effect.suspend(() => {
      subscribers++
      return Effect.map(PubSub.subscribe(hub), (subscription) => ({ subscription, last: sequence }))
    }),
    () => Effect.sync(() => void subscribers--)
  )

  const stream: Stream.Stream<SchedulerEvent> = Stream.unwrap(
    Effect.map(subscribe, ({ subscription, last }) => {
      let seen = last
      return Stream.flatMap(Stream.fromSubscription(subscription), (event) => {
        const lost = event.sequence - seen - 1
        seen = event.sequence
        return lost === 0 ? Stream.succeed(event) : Stream.make(eventsLost(event, lost), event)
      })
    })
  )

  const publish = (body: EventBody): void => {
    sequence++
    if (subscribers === 0) return
    const event = Object.assign(body, {
      sequence,
      at: options.now(),
      node: options.node(body.store)
    }) as SchedulerEvent
    // `publishUnsafe` refuses when a buffer is full; the effect slides the oldest event out, and never waits.
    if (!PubSub.publishUnsafe(hub, event)) slide(PubSub.publish(hub, event))
  }

  const on: EventHub["on"] = Effect.fnUntraced(function* (tags, handler) {
    const wanted = new Set<Tag>(typeof tags === "string" ? [tags] : tags)
    const { last, subscription } = yield* subscribe
    let seen = last
    const deliver = (event: SchedulerEvent) =>
      wanted.has(event._tag) ? tolerant(Effect.suspend(() => handler(event as never))) : Effect.void
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.flatMap(PubSub.take(subscription), (event) => {
          const lost = event.sequence - seen - 1
          seen = event.sequence
          return lost === 0 ? deliver(event) : Effect.andThen(deliver(eventsLost(event, lost)), deliver(event))
        }),
        { disableYield: true }
      )
    )
  })

  return { active: () => subscribers > 0, publish, stream, on } satisfies EventHub as EventHub
})

const eventsLost = (event: SchedulerEvent, count: number): SchedulerEvent => ({
  _tag: "EventsLost",
  sequence: event.sequence - 1,
  at: event.at,
  node: event.node,
  store: "",
  count
})

/** A handler's failure is its own: it is logged and the subscription goes on. */
const tolerant = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.flatMap(Effect.exit(effect), (exit) =>
    Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)
      ? Effect.void
      : logFailure("An event handler failed", exit.cause)
  )
