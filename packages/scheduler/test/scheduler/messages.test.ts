/** Every reason for which the library refuses something, with a message as a person reads it: `__snapshots__` has the list. */
import { assert, describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Result } from "effect"
import { JobRun, JobStore, Scheduler, SchedulerError, Trigger } from "../../src/index.ts"

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

const details: Partial<Record<SchedulerError.RunNotSucceeded["reason"], string>> = {
  failed: "no such user",
  timedOut: "took longer than 60000 ms",
  resultNotStored: "it is above resultLimit and was not kept"
}

const failed = (reason: Trigger.TriggerErrorReason): never => {
  throw new Trigger.TriggerError({ reason })
}

/** One mistake for each reason of a `TriggerError`. */
const mistakes: ReadonlyArray<() => unknown> = [
  () => Trigger.calendar({ days: 1 }, { timeZone: "Europe/Berlim" }),
  () => Trigger.every("0 seconds"),
  () => Trigger.at("tomorrow"),
  () => Trigger.bounded(Trigger.every("1 hour"), { start: "2030-02-01", end: "2030-01-01" }),
  () => Trigger.during(Trigger.every("1 hour"), { from: "9 am", to: "17:00" }),
  // The causes of a search that was given up.
  () => failed({ _tag: "UnknownCustom", name: "tides" }),
  () =>
    failed({
      _tag: "CustomMisbehaved",
      name: "tides",
      problem: "next must be later than 2030-01-01T09:00:00.000Z, and was 2030-01-01T08:00:00.000Z"
    })
]

const asTriggerError = (error: unknown): Trigger.TriggerError => {
  assert.instanceOf(error, Trigger.TriggerError)
  return error
}

/** What configuration can have wrong: values out of range and of a wrong kind, and keys that no option has. */
const misconfigured = [
  { maxRunning: "many" },
  { policies: { buffer: "-1" } },
  { policies: { overlap: "queue" } },
  { policies: "strict" },
  { lease: "10 millis" },
  { retention: { keys: "for ever" } },
  { autoStart: "perhaps" },
  { maxRuning: 3 },
  { color: "red" }
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

  it("say of a run that did not succeed how it ended, why, and how to run it again", () => {
    const samples = [
      ...JobRun.Outcome.literals.filter((outcome) => outcome !== "succeeded"),
      ...(["resultNotStored"] as const)
    ].map((reason) => {
      const detail = details[reason] ?? ""
      return new SchedulerError.RunNotSucceeded({ runId, job: "SendDigest", reason, detail }).message
    })
    expect(samples).toMatchSnapshot()
  })

  it("say of a trigger that cannot be made what is wrong with it, and what was expected", () => {
    const samples = mistakes.map((make) =>
      Result.getOrThrow(Result.flip(Result.try({ try: make, catch: asTriggerError })))
    )
    expect(Object.fromEntries(samples.map(({ message, reason }) => [reason._tag, message]))).toMatchSnapshot()
    assert.deepStrictEqual(
      samples.map(({ reason }) => reason._tag as string),
      Trigger.TriggerErrorReason.members.map((member) => member.fields._tag.schema.literal)
    )
  })

  it("say of each wrong cron text which field, where, and what was expected", () => {
    const texts = ["", "* * *", "60 * * * *", "0 25 * * *", "0 0 30 2-", "0 0 * FOO *", "*/0 * * * *", "@fortnightly"]
    const messages = texts.map((text) => {
      const parsed = Trigger.parseCron(text)
      return [text, Result.isFailure(parsed) ? parsed.failure.message : "is accepted"]
    })
    expect(Object.fromEntries(messages)).toMatchSnapshot()
  })

  it("say of each wrong value and unknown key of configuration where it stands, and what was expected", async () => {
    const samples = misconfigured.map((scheduler) => {
      const provider = ConfigProvider.layer(ConfigProvider.fromUnknown({ scheduler }))
      const layer = Layer.provide(Scheduler.layerConfig(), provider)
      return Effect.map(Effect.flip(Effect.scoped(Layer.build(layer))), ({ message }) => message)
    })
    expect(await Effect.runPromise(Effect.all(samples))).toMatchSnapshot()
  })

  it("name for each reason of a JobStoreError whether the same call may be sent again", () => {
    const samples = JobStore.JobStoreReason.literals.map((reason) => {
      const error = new JobStore.JobStoreError({ reason, method: "claim", message: "the server said so" })
      return [reason, error.isRetryable ? "again" : "not again"]
    })
    expect(Object.fromEntries(samples)).toMatchSnapshot()
  })
})
