/** Every reason for which the library refuses something, with a message as a person reads it: `__snapshots__` has the list. */
import { assert, describe, expect, it } from "@effect/vitest"
import { Result } from "effect"
import { JobRun, JobStore, SchedulerError, Trigger } from "../../src/index.ts"

const store = "default"
const scheduleId = "digest:42"
const runId = "0198c5f2-7b1e-7000-8000-000000000042"

/** One sample of each reason of a `SchedulerError`. */
const refusals: ReadonlyArray<typeof SchedulerError.SchedulerErrorReason.Type> = [
  new SchedulerError.ScheduleNotFound({ scheduleId, store }),
  new SchedulerError.ScheduleExists({ scheduleId, store }),
  new SchedulerError.NotStarted({ scheduleId, verb: "pause" }),
  new SchedulerError.RunNotFound({ runId, store }),
  new SchedulerError.RunNotRepeatable({ runId, why: "it has not ended" }),
  new SchedulerError.UnknownStore({ store: "durable", known: [store, "mail"] }),
  new SchedulerError.DuplicateStore({ store }),
  new SchedulerError.InvalidOption({
    subject: `schedule "${scheduleId}"`,
    option: "maxRuns",
    expected: "a whole number of at least 1",
    actual: "0"
  }),
  new SchedulerError.InvalidPayload({ subject: `schedule "${scheduleId}"`, job: "SendDigest", why: "no userId" }),
  new SchedulerError.InsideTransaction({ verb: "execute" }),
  new SchedulerError.Unreadable({ scheduleId, why: "its trigger is of version 2, and this node reads 1" })
]

const reasonsOf = (schema: { readonly members: ReadonlyArray<{ readonly identifier?: string }> }) =>
  schema.members.map((member) => member.identifier ?? String(member))

describe("the messages of errors", () => {
  it("say of a refused verb what happened, to what, and what to do", () => {
    expect(Object.fromEntries(refusals.map((reason) => [reason._tag, reason.message]))).toMatchSnapshot()
  })

  it("have a sample for each reason of a SchedulerError", () => {
    assert.deepStrictEqual(
      refusals.map((reason) => reason._tag as string),
      reasonsOf(SchedulerError.SchedulerErrorReason)
    )
  })

  it("say of a run that did not succeed how it ended", () => {
    const reasons = [
      ...JobRun.Outcome.literals.filter((outcome) => outcome !== "succeeded"),
      "resultNotStored"
    ] as const
    const samples = reasons.map((reason) => {
      const error = new SchedulerError.RunNotSucceeded({ runId, job: "SendDigest", reason, detail: "" })
      return error.message
    })
    expect(samples).toMatchSnapshot()
  })

  it("say of each wrong cron text which field, where, and what was expected", () => {
    const texts = ["", "* * *", "60 * * * *", "0 25 * * *", "0 0 30 2-", "0 0 * FOO *", "*/0 * * * *", "@fortnightly"]
    const messages = texts.map((text) => {
      const parsed = Trigger.parseCron(text)
      return [text, Result.isFailure(parsed) ? parsed.failure.message : "is accepted"]
    })
    expect(Object.fromEntries(messages)).toMatchSnapshot()
  })

  it("name for each reason of a JobStoreError whether the same call may be sent again", () => {
    const samples = JobStore.JobStoreReason.literals.map((reason) => {
      const error = new JobStore.JobStoreError({ reason, method: "claim", message: "the server said so" })
      return [reason, error.isRetryable ? "again" : "not again"]
    })
    expect(Object.fromEntries(samples)).toMatchSnapshot()
  })
})
