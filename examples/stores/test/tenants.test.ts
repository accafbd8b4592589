import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect } from "effect"
import { Scheduler } from "effect-scheduler"
import { settled } from "effect-scheduler/testing"
import { TestClock, TestConsole } from "effect/testing"
import { Live, open, overview } from "../src/tenants.ts"

const pass = (duration: Duration.Input) =>
  settled.pipe(Effect.andThen(TestClock.adjust(duration)), Effect.andThen(settled))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-scheduler-tenants-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true }))
)

const printed = (text: string) =>
  Effect.map(TestConsole.logLines, (lines) => lines.filter((line) => line === text).length)

describe("several stores", () => {
  it.effect("run side by side, with schedules and a history of their own", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const scheduler = yield* Scheduler
      yield* open("acme", join(home, "acme.sqlite"))
      yield* open("globex", join(home, "globex.sqlite"))
      yield* pass("1 minute")
      assert.deepStrictEqual(
        yield* Effect.forEach(["invoices of acme", "invoices of globex", "rates"], printed),
        [3, 3, 2]
      )
      assert.deepStrictEqual((yield* overview).split("\n"), [
        "default",
        "ID    JOB   TRIGGER          STATE  NEXT",
        "rates rates every 30 seconds active in 30s",
        "",
        "acme",
        "ID       JOB          TRIGGER          STATE  NEXT",
        "invoices SendInvoices every 20 seconds active in 20s",
        "",
        "globex",
        "ID       JOB          TRIGGER          STATE  NEXT",
        "invoices SendInvoices every 20 seconds active in 20s"
      ])
      const { items } = yield* scheduler.history({ store: "acme" })
      assert.deepStrictEqual(
        items.map(({ job }) => job),
        ["SendInvoices", "SendInvoices", "SendInvoices"]
      )
    }).pipe(Effect.provide(Live))
  )

  it.effect("come and go: one that is closed rests, and what it missed is decided when it is back", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const scheduler = yield* Scheduler
      yield* open("acme", join(home, "acme.sqlite"))
      yield* Effect.scoped(Effect.andThen(open("globex", join(home, "globex.sqlite")), pass("20 seconds")))
      assert.deepStrictEqual(yield* scheduler.stores, ["default", "acme"])
      const unknown = yield* Effect.flip(scheduler.pause("invoices", { store: "globex" }))
      assert.include(unknown.message, "globex")

      yield* pass("1 minute")
      assert.deepStrictEqual(yield* Effect.forEach(["invoices of acme", "invoices of globex"], printed), [4, 1])

      // Of the three times that passed the newest is made up for.
      yield* open("globex", join(home, "globex.sqlite"))
      yield* settled
      assert.strictEqual(yield* printed("invoices of globex"), 2)
      const { items } = yield* scheduler.history({ store: "globex" })
      const missed = items.flatMap((row) => (row._tag === "Range" && row.kind === "missed" ? [row.count] : []))
      assert.deepStrictEqual(missed, [2])
    }).pipe(Effect.provide(Live))
  )

  it.effect("fail alone: a file that cannot be opened leaves the others as they are", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const scheduler = yield* Scheduler
      yield* open("acme", join(home, "acme.sqlite"))
      writeFileSync(join(home, "broken.sqlite"), "this is no database, but a text that is long enough to look at")
      const error = yield* Effect.flip(open("broken", join(home, "broken.sqlite")))
      assert.strictEqual(error._tag, "JobStoreError")
      assert.deepStrictEqual(yield* scheduler.stores, ["default", "acme"])
      yield* pass("20 seconds")
      assert.strictEqual(yield* printed("invoices of acme"), 1)
    }).pipe(Effect.provide(Live))
  )
})
