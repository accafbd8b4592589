import type { EndedRange, EndedRun, RunRecord } from "../../JobRun.ts"
import type { ScheduleRecord } from "../../JobSchedule.ts"
import type { Applied } from "../../JobStore.ts"
import type { Answer } from "../memory/params.ts"
import * as metrics from "./metrics.ts"
import type { Runner } from "./Runner.ts"

/** What every event of a run says. */
export const runFields = (run: RunRecord | EndedRun) => ({
  runId: run.id,
  job: run.job,
  scheduleId: run.scheduleId,
  nominal: run.nominal,
  cause: run.cause,
  attempt: run.attempt,
  execution: run.failures + run.recoveries + 1
})

/** Tells what came of committed transitions, and interrupts what they cancelled here. */
export const announce = (runner: Runner, applied: ReadonlyArray<Applied>): void => {
  if (applied.length === 0) return
  let fired = 0
  for (const one of applied) {
    const { cancelRequested, cancelled, change, replaced } = one
    fired += change.runs.length
    if (change.ranges.length > 0) count(runner, change.ranges)
    if (cancelRequested.length > 0) for (const id of cancelRequested) runner.running.get(id)?.interrupt("cancel")
    if (runner.hub.active()) publish(runner, one)
    if (cancelled.length > 0) for (const run of cancelled) runner.onEnd(run.id)
    if (replaced.length > 0) for (const run of replaced) runner.onEnd(run.id)
  }
  if (fired > 0) metrics.fired.updateUnsafe(fired, runner.context)
}

/** Tells what came of asking a run to cancel, and interrupts it where it runs here. */
export const announceCancel = (runner: Runner, runId: string, answered: Answer<"cancel">): void => {
  const { answer, applied, ended, node } = answered
  if (node === runner.state.node) runner.running.get(runId)?.interrupt("cancel")
  if (ended !== undefined) {
    if (answer === "cancelled") {
      runner.foretold.seen(ended)
      runner.hub.publish({ _tag: "RunCancelled", store: runner.alias, ...runFields(ended), started: false })
    }
    runner.onEnd(runId)
  }
  announce(runner, applied)
}

const count = (runner: Runner, ranges: ReadonlyArray<EndedRange>): void => {
  for (const range of ranges) {
    if (range.kind !== "paused") counters[range.kind].updateUnsafe(range.count, runner.context)
  }
}

const counters = { missed: metrics.missed, skipped: metrics.skipped, dropped: metrics.dropped }

const publish = (runner: Runner, { after, before, cancelled, change, id, replaced }: Applied): void => {
  const { alias: store, foretold, hub } = runner
  const row = (after ?? before)!
  const schedule = { store, scheduleId: id, job: row.job }
  if (before === undefined) hub.publish({ _tag: "ScheduleAdded", ...schedule })
  for (const range of change.ranges) {
    const fields = { ...schedule, first: range.first, last: range.last, count: range.count }
    switch (range.kind) {
      case "missed":
        hub.publish({ _tag: "RunMissed", ...fields })
        break
      case "skipped":
        hub.publish({ _tag: "RunSkipped", ...fields })
        break
      case "dropped":
        hub.publish({ _tag: "RunDropped", ...fields })
        break
      case "paused":
        break
    }
  }
  for (const run of replaced) {
    foretold.seen(run)
    const nominal = run.nominal ?? run.runAt
    hub.publish({ _tag: "RunSkipped", ...schedule, first: nominal, last: nominal, count: 1 })
  }
  for (const run of cancelled) {
    foretold.seen(run)
    hub.publish({ _tag: "RunCancelled", store, ...runFields(run), started: false })
  }
  for (const run of change.runs) foretold.tell(run.id)
  if (after === undefined) {
    hub.publish({ _tag: "ScheduleRemoved", ...schedule })
    return
  }
  if (before === undefined) return
  if (before.state === "paused" && after.state !== "paused") {
    let skipped = 0
    for (const range of change.ranges) if (range.kind === "paused") skipped += range.count
    hub.publish({ _tag: "ScheduleResumed", ...schedule, skipped })
  }
  if (redefined(before, after)) hub.publish({ _tag: "ScheduleUpdated", ...schedule })
  if (before.state !== after.state) {
    if (after.state === "paused") hub.publish({ _tag: "SchedulePaused", ...schedule })
    if (after.state === "exhausted") hub.publish({ _tag: "ScheduleExhausted", ...schedule })
    if (after.state === "faulty") hub.publish({ _tag: "ScheduleFaulty", ...schedule, message: after.error ?? "" })
  }
}

const redefined = (before: ScheduleRecord, after: ScheduleRecord): boolean =>
  before.trigger !== after.trigger ||
  before.policy !== after.policy ||
  before.payload !== after.payload ||
  before.job !== after.job ||
  before.priority !== after.priority ||
  before.generation !== after.generation
