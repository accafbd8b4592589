/** An option that is not there, or is spelled wrongly, does not compile; the compiler names it, and often the right one. */
import { SqliteClient, SqlJobStore } from "@effect-scheduler/sql"
import { Effect, Option, Schema } from "effect"
import { Job, MemoryJobStore, Scheduler, Trigger } from "effect-scheduler"
import { describe, it } from "tstyche"
import { Plain, trigger, Work } from "./given.ts"

declare const scheduler: Scheduler["Service"]

describe("options of a job", () => {
  it("are refused where they are not known", () => {
    // @ts-expect-error 'timeOut' does not exist
    Job.make("J", { timeOut: "1 minute" })
    // @ts-expect-error 'concurency' does not exist
    Job.make("J", { payload: { n: Schema.Finite }, concurency: 1 })
    // @ts-expect-error 'retries' does not exist
    Job.make("J", { delivery: "atMostOnce", retries: 3 })
  })

  it("have values that are checked", () => {
    // @ts-expect-error '"exactlyOnce"' is not assignable
    Job.make("J", { delivery: "exactlyOnce" })
    // @ts-expect-error Type '4' is not assignable
    Job.make("J", { priority: 4 })
    // @ts-expect-error '"soon"' is not assignable
    Job.make("J", { timeout: "soon" })
  })
})

describe("options of a scheduler", () => {
  it("are refused where they are not known", () => {
    // @ts-expect-error 'maxrunning' does not exist in type 'SchedulerOptions<{}>'. Did you mean to write 'maxRunning'?
    Scheduler.layer({ maxrunning: 3 })
    // @ts-expect-error 'leases' does not exist
    Scheduler.layer({ stores: { default: MemoryJobStore.layer }, leases: "1 minute" })
    // @ts-expect-error 'maxrunning' does not exist
    Scheduler.layerConfig({ maxrunning: 3 })
    // @ts-expect-error 'maxrunning' does not exist
    Scheduler.layerClient({ default: MemoryJobStore.layer }, { maxrunning: 3 })
    // @ts-expect-error 'autoStart' does not exist
    Scheduler.layerClient({ default: MemoryJobStore.layer }, { autoStart: false })
  })

  it("are refused within queues, retention and policies", () => {
    // @ts-expect-error 'limit' does not exist
    Scheduler.layer({ queues: { mail: { limit: 2 } } })
    // @ts-expect-error 'success' does not exist
    Scheduler.layer({ retention: { success: "1 day" } })
    // @ts-expect-error 'overlaps' does not exist
    Scheduler.layer({ policies: { overlaps: "skip" } })
    // @ts-expect-error 'graces' does not exist
    Scheduler.layer({ policies: { missed: { graces: "1 minute" } } })
    // @ts-expect-error 'overlaps' does not exist
    Scheduler.layerConfig({ policies: { overlaps: "skip" } })
  })

  it("are refused of schedules that are declared as layers", () => {
    // @ts-expect-error 'timezone' does not exist
    Scheduler.cron("nightly", "0 3 * * *", Effect.void, { timezone: "Europe/Berlin" })
    // @ts-expect-error 'timeZone' does not exist
    Scheduler.every("often", "5 seconds", Effect.void, { timeZone: "Europe/Berlin" })
  })
})

describe("options of a verb", () => {
  it("are refused where a schedule is stored or changed", () => {
    // @ts-expect-error 'max_instances' does not exist
    scheduler.schedule(Plain, { id: "a", trigger, max_instances: 2 })
    // @ts-expect-error 'mode' does not exist
    scheduler.schedule(Plain, { id: "a", trigger, missed: { mode: "latest" } })
    // @ts-expect-error 'replaceExisting' does not exist
    scheduler.scheduleAll(Plain, [{ id: "a", trigger }], { replaceExisting: true })
    // @ts-expect-error 'maxInstance' does not exist
    scheduler.scheduleAll(Plain, [{ id: "a", trigger, maxInstance: 2 }])
    // @ts-expect-error 'overlaps' does not exist
    scheduler.scheduleEffect(Effect.void, { id: "a", trigger, overlaps: "allow" })
    // @ts-expect-error 'trigger' does not exist
    scheduler.update(Work, "a", { trigger })
    // @ts-expect-error 'alias' does not exist
    scheduler.reschedule("a", trigger, { alias: "default" })
    // @ts-expect-error 'form' does not exist
    scheduler.resume("a", { form: "now" })
    // @ts-expect-error 'alias' does not exist
    scheduler.pause("a", { alias: "default" })
    // @ts-expect-error 'alias' does not exist
    scheduler.unschedule("a", { alias: "default" })
    // @ts-expect-error 'alias' does not exist
    scheduler.prune("shop", { alias: "default" })
    // @ts-expect-error 'until' does not exist
    scheduler.backfill("a", { from: 0, until: 1, request: "r" })
  })

  it("are refused where a run is enqueued", () => {
    // @ts-expect-error 'idempotenceKey' does not exist
    scheduler.enqueue(Work, { n: 1 }, { idempotenceKey: "k" })
    // @ts-expect-error 'idempotencyKey' does not exist
    scheduler.enqueueAll(Work, [{ n: 1 }], { idempotencyKey: "k" })
    // @ts-expect-error 'cancelOnInterruption' does not exist
    scheduler.execute(Work, { n: 1 }, { cancelOnInterruption: true })
    // @ts-expect-error 'overlaps' does not exist
    scheduler.runNow("a", { overlaps: true })
    // @ts-expect-error 'alias' does not exist
    scheduler.cancel("a", { alias: "default" })
    // @ts-expect-error 'alias' does not exist
    scheduler.rerun("a", { alias: "default" })
  })

  it("are refused where it looks", () => {
    // @ts-expect-error 'size' does not exist
    scheduler.list({ size: 10 })
    // @ts-expect-error 'schedule' does not exist
    scheduler.runs({ schedule: "a" })
    // @ts-expect-error 'jobs' does not exist
    scheduler.listAll({ jobs: "J" })
    // @ts-expect-error 'schedule' does not exist
    scheduler.historyAll({ schedule: "a" })
    // @ts-expect-error 'schedule' does not exist
    scheduler.history({ schedule: "a" })
    // @ts-expect-error 'jobs' does not exist
    scheduler.upcoming(3, { jobs: "J" })
    // @ts-expect-error 'jobs' does not exist
    scheduler.render({ jobs: "J" })
    // @ts-expect-error 'alias' does not exist
    scheduler.get("a", { alias: "default" })
  })
})

describe("options of a trigger", () => {
  it("are refused where they are not known", () => {
    // @ts-expect-error 'from' does not exist
    Trigger.every("1 hour", { from: "2030-01-01" })
    // @ts-expect-error 'start' does not exist
    Trigger.spaced("1 hour", { start: 0 })
    // @ts-expect-error 'timezone' does not exist in type 'CronOptions'. Did you mean to write 'timeZone'?
    Trigger.cron("0 3 * * *", { timezone: "Europe/Berlin" })
    // @ts-expect-error 'timezone' does not exist in type 'CronOptions'. Did you mean to write 'timeZone'?
    Trigger.parseCron("0 3 * * *", { timezone: "Europe/Berlin" })
    // @ts-expect-error 'gaps' does not exist
    Trigger.cron("0 3 * * *", { clockChange: { gaps: "skip", overlap: "both" } })
    // @ts-expect-error 'month' does not exist
    Trigger.calendar({ month: 1 })
    // @ts-expect-error 'timezone' does not exist
    Trigger.calendar({ months: 1 }, { timezone: "Europe/Berlin" })
    // @ts-expect-error 'dayofweek' does not exist
    Trigger.cron({ dayofweek: "mon" })
    // @ts-expect-error 'previous' does not exist
    Trigger.custom("tides", Schema.Struct({}), { next: () => Option.none(), previous: () => Option.none() })
    // @ts-expect-error 'until' does not exist
    Trigger.bounded(trigger, { until: "2030-01-01" })
    // @ts-expect-error 'within' does not exist
    Trigger.and([trigger, trigger], { within: "1 minute" })
    // @ts-expect-error 'until' does not exist
    Trigger.during(trigger, { from: "09:00", until: "17:00" })
    // @ts-expect-error 'date' does not exist
    Trigger.except(trigger, { date: ["2030-01-01"] })
  })
})

describe("options of a store", () => {
  it("are refused where they are not known", () => {
    // @ts-expect-error 'path' does not exist
    SqlJobStore.layerSqlite({ path: "jobs.sqlite" })
    // @ts-expect-error 'synchronus' does not exist
    SqlJobStore.layerSqlite({ filename: "jobs.sqlite", synchronus: "normal" })
    // @ts-expect-error 'tablePrefix' does not exist
    SqlJobStore.make({ tablePrefix: "app_" })
    // @ts-expect-error 'tablePrefix' does not exist
    SqlJobStore.layer({ tablePrefix: "app_" })
    // @ts-expect-error 'tablePrefix' does not exist
    SqlJobStore.layerMigrations({ tablePrefix: "app_" })
    // @ts-expect-error 'tablePrefix' does not exist
    SqlJobStore.layerStorage({ tablePrefix: "app_" })
    // @ts-expect-error 'file' does not exist
    SqliteClient.layer({ file: "jobs.sqlite" })
    // @ts-expect-error 'historySize' does not exist
    MemoryJobStore.layerWith({ historySize: 10 })
  })
})
