/** What the types promise of a scheduler's layers. */
import { type Config, Effect, Layer } from "effect"
import { type JobRegistry, type JobStore, MemoryJobStore, Scheduler } from "../../src/index.ts"
import type { SchedulerError } from "../../src/SchedulerError.ts"
import { Database, type Other, same } from "./given.ts"

export const layers = () => [
  Scheduler.layer({ maxRunning: 3, stores: { default: MemoryJobStore.layer }, queues: { mail: { concurrency: 2 } } }),
  // @ts-expect-error the option is spelled maxRunning
  Scheduler.layer({ maxrunning: 3 }),
  // @ts-expect-error with stores too, options are spelled right
  Scheduler.layer({ stores: { default: MemoryJobStore.layer }, leases: "1 minute" }),
  // @ts-expect-error a queue's bound is its concurrency
  Scheduler.layer({ queues: { mail: { limit: 2 } } }),
  // @ts-expect-error a queue's bound is its concurrency
  Scheduler.layer({ queues: { mail: 2 } }),
  // @ts-expect-error the kind of history is spelled succeeded
  Scheduler.layer({ retention: { success: "1 day" } }),
  // @ts-expect-error there is no such overlap
  Scheduler.layer({ policies: { overlap: "queue" } }),
  // @ts-expect-error a store is a layer of a JobStore
  Scheduler.layer({ stores: { default: Layer.succeed(Database, { read: Effect.succeed(1) }) } }),
  // @ts-expect-error the option is spelled maxRunning
  Scheduler.layerConfig({ maxrunning: 3 }),
  Scheduler.layerClient({ default: MemoryJobStore.layer }, { payloadLimit: 10 }),
  // @ts-expect-error a client never starts
  Scheduler.layerClient({ default: MemoryJobStore.layer }, { autoStart: false }),
  // @ts-expect-error a client has the stores that it is given
  Scheduler.layerClient()
]

export const declarations = () => [
  Scheduler.cron("nightly", "0 3 * * *", Effect.void, { timeZone: "Europe/Berlin", overlap: "allow" }),
  // @ts-expect-error hour field: "25" is not valid
  Scheduler.cron("nightly", "0 25 * * *", Effect.void),
  // @ts-expect-error cron takes a literal: use Trigger.parseCron
  Scheduler.cron("nightly", "0 3 * * *" as string, Effect.void),
  // @ts-expect-error the option is spelled timeZone
  Scheduler.cron("nightly", "0 3 * * *", Effect.void, { timezone: "Europe/Berlin" }),
  Scheduler.every("often", "5 seconds", Effect.void),
  // @ts-expect-error a duration is a number and a unit
  Scheduler.every("often", "5 moons", Effect.void),
  // @ts-expect-error a duration has no zone
  Scheduler.every("often", "5 seconds", Effect.void, { timeZone: "Europe/Berlin" })
]

// What stores may fail with and need is in the layer's type, of every store.
declare const fragile: Layer.Layer<JobStore.JobStore, Other, Database>
const one = () => Scheduler.layer({ stores: { default: fragile } })
same<Layer.Layer<Scheduler | JobRegistry, SchedulerError | Other, Database>, ReturnType<typeof one>>(true)
const two = () => Scheduler.layer({ stores: { default: MemoryJobStore.layer, archive: fragile } })
same<Layer.Layer<Scheduler | JobRegistry, SchedulerError | Other, Database>, ReturnType<typeof two>>(true)
const none = () => Scheduler.layer()
same<Layer.Layer<Scheduler | JobRegistry, SchedulerError>, ReturnType<typeof none>>(true)
const client = () => Scheduler.layerClient({ default: fragile })
same<Layer.Layer<Scheduler, SchedulerError | Other, Database>, ReturnType<typeof client>>(true)
const configured = () => Scheduler.layerConfig({ stores: { default: fragile } })
same<
  Layer.Layer<Scheduler | JobRegistry, SchedulerError | Other | Config.ConfigError, Database>,
  ReturnType<typeof configured>
>(true)
// @ts-expect-error the database that the store needs is missing
export const unprovided = (): Layer.Layer<Scheduler | JobRegistry, SchedulerError | Other> => one()
