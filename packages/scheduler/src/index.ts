/**
 * Job scheduling for Effect applications.
 *
 * @since 0.1.0
 */
export * as Decision from "./Decision.ts"
export * as Job from "./Job.ts"
export { JobRegistry } from "./JobRegistry.ts"
export * as JobRun from "./JobRun.ts"
export * as JobSchedule from "./JobSchedule.ts"
export * as JobStore from "./JobStore.ts"
export * as MemoryJobStore from "./MemoryJobStore.ts"
export { Scheduler } from "./Scheduler.ts"
export * as SchedulerError from "./SchedulerError.ts"
export * as SchedulerEvent from "./SchedulerEvent.ts"
export * as Trigger from "./Trigger.ts"
