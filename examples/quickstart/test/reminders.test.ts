import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { SqlJobStore } from "@effect-scheduler/sql"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { Scheduler } from "effect-scheduler"
import { settled } from "effect-scheduler/testing"
import { TestClock, TestConsole } from "effect/testing"
import { Reminders } from "../src/reminders.ts"

describe("the reminders", () => {
  it.effect("come when they are due", () =>
    Effect.gen(function* () {
      // A Friday. In Berlin it is one hour later.
      yield* TestClock.setTime(Date.parse("2026-01-30T07:49:55Z"))
      yield* Layer.build(Reminders.pipe(Layer.provide(Scheduler.layer())))
      yield* settled
      const [table] = (yield* TestConsole.logLines) as [string]
      assert.deepStrictEqual(table.split("\n"), [
        "ID       JOB    TRIGGER                STATE  NEXT",
        "rent     Remind at 09:00 on the last … active in 1h 10m",
        "stand-up Remind at 08:50 on Monday to… active in 5s",
        "stretch  Remind every 2 seconds        active in 2s"
      ])
      yield* TestClock.adjust("5 seconds")
      yield* settled
      assert.deepStrictEqual((yield* TestConsole.logLines).slice(1).toSorted(), [
        "everybody: the stand-up in ten minutes",
        "you: stretching",
        "you: stretching"
      ])
    })
  )
})

/** Runs the program until it has printed so many lines. */
const lines = (count: number, ...args: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))
    const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "ignore"] })
    let text = ""
    child.stdout.on("data", (chunk) => {
      text += String(chunk)
      if (text.split("\n").length > count) child.kill("SIGTERM")
    })
    child.once("close", () => resume(Effect.succeed(text)))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("the program", () => {
  it.live("runs until it is stopped, and leaves its schedules in the file that was named", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "effect-scheduler-quickstart-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const filename = join(folder, "jobs.sqlite")
      const text = yield* lines(5, filename)
      assert.match(text, /^stretch +Remind every 2 seconds +active +(in [12]s|now)$/m)
      assert.include(text, "you: stretching")

      const client = yield* Layer.build(Scheduler.layerClient({ default: SqlJobStore.layerSqlite({ filename }) }))
      const { items } = yield* Context.get(client, Scheduler).list()
      assert.deepStrictEqual(
        items.map(({ id }) => id),
        ["rent", "stand-up", "stretch"]
      )
    })
  )
})
