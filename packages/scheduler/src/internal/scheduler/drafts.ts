import { Result } from "effect"
import type * as Job from "../../Job.ts"
import type { PolicyOptions, ScheduleRecord } from "../../JobSchedule.ts"
import type { ScheduleOptions } from "../../Scheduler.ts"
import { InvalidOption, type InvalidPayload } from "../../SchedulerError.ts"
import * as policies from "../policy.ts"
import type * as transitions from "../transitions/index.ts"
import { zoneDataVersion } from "../zone/version.ts"
import { type Core, idIssue, priorityIssue } from "./Core.ts"
import { encodePayload } from "./runVerbs.ts"

/** What transitions need of this scheduler. */
export const contextOf = (core: Pick<Core, "resolver" | "newId">): transitions.TransitionContext => ({
  resolve: core.resolver.resolve,
  newId: core.newId,
  zoneData: zoneDataVersion
})

/** A schedule as a user writes it, checked and encoded. */
export const draftOf = <J extends Job.Any>(
  core: Core,
  job: J,
  options: ScheduleOptions<J>
): Result.Result<transitions.Draft, InvalidOption | InvalidPayload> => {
  const { id } = options
  const wrong =
    idIssue("schedule", "id", id, 255) ??
    (options.priority === undefined ? undefined : priorityIssue(`schedule "${id}"`, options.priority))
  if (wrong !== undefined) return Result.fail(wrong)
  const policy = hasPolicy(options) ? encodedPolicy(core, options, `schedule "${id}"`) : core.usualPolicy
  if (Result.isFailure(policy)) return Result.fail(policy.failure)
  const encoded = encodePayload(core, job, options.payload, id)
  if (Result.isFailure(encoded)) return Result.fail(encoded.failure)
  const { needs, trigger, version } = core.resolver.define(options.trigger)
  return Result.succeed({
    trigger,
    version,
    needs,
    id,
    job: job.jobName,
    queue: job.settings.queue,
    priority: options.priority ?? job.settings.priority,
    payload: encoded.success.payload,
    key: encoded.success.key,
    delivery: job.settings.delivery,
    policy: policy.success,
    origin: options.origin ?? core.settings.origin,
    cause: "nominal",
    generation: core.newId()
  })
}

/** A schedule's own policies over the scheduler's, checked and as a row keeps them. */
export const encodedPolicy = (core: Pick<Core, "settings">, options: PolicyOptions, subject: string) =>
  Result.map(policies.make(policies.merge(core.settings.policies, options), subject), policies.encode)

/** The policy of a schedule with a patch over it, if it can be read; refused where the job is not the schedule's. */
export const patchedPolicy = (
  job: Job.Any,
  schedule: Pick<ScheduleRecord, "id" | "job" | "policy">,
  patch: PolicyOptions
): Result.Result<{ readonly policy: string }, InvalidOption> => {
  const subject = `schedule "${schedule.id}"`
  if (schedule.job !== job.jobName) {
    const expected = `"${schedule.job}", the one that it was scheduled with`
    return Result.fail(new InvalidOption({ subject, option: "job", expected, actual: `"${job.jobName}"` }))
  }
  const old = policies.decode(schedule.policy)
  return old === undefined || !hasPolicy(patch)
    ? Result.succeed({ policy: schedule.policy })
    : Result.map(policies.patch(old, patch, subject), (policy) => ({ policy: policies.encode(policy) }))
}

const hasPolicy = ({ buffer, jitter, maxInstances, maxRuns, missed, overlap }: PolicyOptions): boolean =>
  missed !== undefined ||
  overlap !== undefined ||
  maxInstances !== undefined ||
  buffer !== undefined ||
  jitter !== undefined ||
  maxRuns !== undefined
