/**
 * Job scheduling for Effect applications.
 *
 * @since 0.1.0
 */
export * as JobRun from "./JobRun.ts"
export * as JobSchedule from "./JobSchedule.ts"
export * as JobStore from "./JobStore.ts"
