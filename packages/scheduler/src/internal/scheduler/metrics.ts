import { Metric } from "effect"

const milliseconds = Metric.boundariesFromIterable([1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 30_000, 300_000])

export const fired = Metric.counter("effect_scheduler_fired", { description: "Runs made by schedules" })
export const missed = Metric.counter("effect_scheduler_missed", { description: "Nominal times later than tolerated" })
export const skipped = Metric.counter("effect_scheduler_skipped", {
  description: "Nominal times that found a run unfinished"
})
export const dropped = Metric.counter("effect_scheduler_dropped", {
  description: "Nominal times that found a buffer full"
})
export const running = Metric.gauge("effect_scheduler_running", { description: "Handlers running on this node" })
export const succeeded = Metric.counter("effect_scheduler_succeeded", { description: "Runs that succeeded" })
export const failed = Metric.counter("effect_scheduler_failed", { description: "Executions that failed or timed out" })
export const fenced = Metric.counter("effect_scheduler_fenced", {
  description: "Reports refused since the run was another's"
})
export const lateness = Metric.histogram("effect_scheduler_lateness_ms", {
  description: "From a run's due instant to its start, in milliseconds",
  boundaries: milliseconds
})
export const duration = Metric.histogram("effect_scheduler_duration_ms", {
  description: "Execution of a handler, in milliseconds",
  boundaries: milliseconds
})
export const claimSize = Metric.histogram("effect_scheduler_claim_size", {
  description: "Runs claimed at once",
  boundaries: Metric.boundariesFromIterable([0, 1, 2, 5, 10, 20, 50, 100, 500, 1_000])
})
export const storeLatency = Metric.histogram("effect_scheduler_store_ms", {
  description: "A store call, in milliseconds",
  boundaries: milliseconds
})
export const leaseAge = Metric.gauge("effect_scheduler_lease_age_ms", {
  description: "Since the last renewal of the node's lease was sent, in milliseconds"
})
