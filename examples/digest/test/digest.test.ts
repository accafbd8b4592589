import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SqlJobStore } from "@effect-scheduler/sql"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, type Duration, Effect, Layer } from "effect"
import { Scheduler, Trigger } from "effect-scheduler"
import { settled } from "effect-scheduler/testing"
import { TestClock } from "effect/testing"
import { type Mail, Mailer, MailFailed } from "../src/Mailer.ts"
import { Notes } from "../src/Notes.ts"
import { mornings, SendDigest, SendDigestLive, subscribe } from "../src/SendDigest.ts"

/** A mail service that writes down what it is given, and is down when the test says so. */
const mailbox = () => {
  const mails: Array<Mail> = []
  const state = { down: false }
  const layer = Layer.succeed(Mailer, {
    send: (mail) =>
      Effect.suspend(() => {
        if (state.down) return Effect.fail(new MailFailed({ why: "the service is down" }))
        mails.push(mail)
        return Effect.void
      })
  })
  return { layer, mails, state }
}

/** Lets time pass, and what it set going come to rest. */
const pass = (duration: Duration.Input) =>
  settled.pipe(Effect.andThen(TestClock.adjust(duration)), Effect.andThen(settled))

const texts = (mails: ReadonlyArray<Mail>) => mails.map(({ lines, to }) => [to, ...lines])

const inMemory = (mailer: Layer.Layer<Mailer>) =>
  SendDigestLive.pipe(Layer.provideMerge(Scheduler.layer()), Layer.provideMerge([Notes.layerMemory, mailer]))

describe("the digest", () => {
  it("comes at eight in the morning of its reader, also on the days of a clock change", () => {
    const days = Trigger.between(mornings("Europe/Berlin"), "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z")
    assert.deepStrictEqual(Array.from(days, DateTime.formatIso), [
      "2026-03-28T07:00:00.000Z",
      "2026-03-29T06:00:00.000Z"
    ])
  })

  it.effect("has what is new since the last one, for each user, and is not sent where nothing is", () => {
    const { layer, mails } = mailbox()
    return Effect.gen(function* () {
      const notes = yield* Notes
      yield* subscribe("ada", Trigger.every("1 hour"))
      yield* subscribe("grace", Trigger.every("1 hour"))
      yield* notes.write("ada", "one")
      yield* notes.write("grace", "two")
      yield* notes.write("ada", "three")
      yield* pass("1 hour")
      assert.deepStrictEqual(texts(mails).toSorted(), [
        ["ada", "one", "three"],
        ["grace", "two"]
      ])

      yield* pass("1 hour")
      assert.lengthOf(mails, 2)
      yield* notes.write("ada", "four")
      yield* pass("1 hour")
      assert.deepStrictEqual(texts(mails).slice(2), [["ada", "four"]])
    }).pipe(Effect.provide(inMemory(layer)))
  })

  it.effect("is sent once when the mail service is up again, under the key of its run", () => {
    const { layer, mails, state } = mailbox()
    return Effect.gen(function* () {
      const notes = yield* Notes
      const scheduler = yield* Scheduler
      yield* subscribe("ada", Trigger.every("1 hour"))
      yield* notes.write("ada", "one")
      state.down = true
      yield* pass("62 minutes")
      assert.lengthOf(mails, 0)
      const [run] = (yield* scheduler.runs({ job: SendDigest.jobName })).items
      assert.strictEqual(run!.failures, 2)

      state.down = false
      yield* notes.write("ada", "two")
      yield* pass("8 minutes")
      assert.deepStrictEqual(mails, [{ key: run!.id, to: "ada", lines: ["one", "two"] }])
    }).pipe(Effect.provide(inMemory(layer)))
  })

  it.effect("goes on where it was after a restart, out of SQLite", () => {
    const { layer, mails } = mailbox()
    const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-digest-"))
    const Durable = Scheduler.layer({
      stores: { default: SqlJobStore.layerSqlite({ filename: join(folder, "jobs.sqlite") }) }
    })
    // Each time it is provided is a start of the program, and leaving it is its end.
    const Program = SendDigestLive.pipe(Layer.provideMerge(Durable), Layer.provide(layer))
    return Effect.gen(function* () {
      const notes = yield* Notes
      yield* notes.write("ada", "one")
      yield* Effect.andThen(subscribe("ada", Trigger.every("1 minute")), pass("1 minute")).pipe(Effect.provide(Program))
      assert.deepStrictEqual(texts(mails), [["ada", "one"]])

      yield* TestClock.adjust("30 seconds")
      yield* notes.write("ada", "two")
      yield* pass("30 seconds").pipe(Effect.provide(Program))
      assert.deepStrictEqual(texts(mails).slice(1), [["ada", "two"]])
    }).pipe(Effect.ensuring(Effect.sync(() => rmSync(folder, { recursive: true }))), Effect.provide(Notes.layerMemory))
  })
})
