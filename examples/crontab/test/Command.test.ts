import { tmpdir } from "node:os"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Option } from "effect"
import * as Command from "../src/Command.ts"
import * as ProcessGroup from "../src/ProcessGroup.ts"

const command = (text: string, options?: Partial<Command.Options<never>>): Command.Options<never> => ({
  runId: "run-1",
  shell: "/bin/sh",
  command: text,
  stdin: undefined,
  env: { PATH: "/usr/bin:/bin" },
  cwd: tmpdir(),
  timeout: Duration.seconds(20),
  beforeStart: () => Effect.void,
  onLine: () => Effect.void,
  ...options
})

const output = (text: string, options?: Partial<Command.Options<never>>) =>
  Effect.map(Command.run(command(text, options)), (result) => result.output)

const failure = (text: string, options?: Partial<Command.Options<never>>) =>
  Effect.flip(Command.run(command(text, options)))

/** The group of a command, once it has been started. */
const started = Effect.fnUntraced(function* (text: string, options?: Partial<Command.Options<never>>) {
  const group = yield* Deferred.make<ProcessGroup.ProcessGroup>()
  const ready = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(
    Command.run(
      command(text, {
        beforeStart: (value) => Deferred.succeed(group, value),
        onLine: () => Deferred.succeed(ready, undefined),
        ...options
      })
    )
  )
  yield* Deferred.await(ready)
  return { group: yield* Deferred.await(group), fiber }
})

describe("a command", () => {
  it.live("runs through the shell and gives what it wrote on both streams, in order", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* output("echo one; echo two >&2; printf three"), "one\ntwo\nthree")
    })
  )

  it.live("uses the shell that it is given", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* output("ignored", { shell: "/bin/echo" }), "-c ignored")
    })
  )

  it.live("reads its standard input, and no more", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* output("cat; echo end", { stdin: "a\nb\n" }), "a\nb\nend")
      assert.strictEqual(yield* output("cat; echo end"), "end")
    })
  )

  it.live("need not read its standard input", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* output("exec <&-; echo done", { stdin: "x".repeat(1_000_000) }), "done")
    })
  )

  it.live("sees its environment and nothing of the scheduler's", () =>
    Effect.gen(function* () {
      const text = yield* output("env | sort", { env: { PATH: "/usr/bin:/bin", GREETING: "hello  world " } })
      const names = text.split("\n").map((line) => line.split("=")[0]!)
      assert.include(text.split("\n"), "GREETING=hello  world ")
      assert.include(text.split("\n"), "CRON_RUN_ID=run-1")
      assert.isEmpty(
        names.filter((name) => !["CRON_RUN_ID", "GREETING", "PATH", "PWD", "SHLVL", "_", "OLDPWD"].includes(name))
      )
    })
  )

  it.live("works in the folder that it is given", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* output("pwd", { cwd: "/" }), "/")
    })
  )

  it.live("fails with its exit code and its output", () =>
    Effect.gen(function* () {
      const error = yield* failure("echo so far; exit 3")
      assert.deepStrictEqual(error.why, { _tag: "Exit", code: 3 })
      assert.strictEqual(error.output, "so far")
      assert.strictEqual(error.message, "exit code 3")
    })
  )

  it.live("fails with the signal that ended it", () =>
    Effect.gen(function* () {
      const error = yield* failure("kill -KILL $$")
      assert.deepStrictEqual(error.why, { _tag: "Signal", signal: "SIGKILL" })
    })
  )

  it.live("fails if it cannot be started", () =>
    Effect.gen(function* () {
      const error = yield* failure("true", { cwd: "/no/such/folder" })
      assert.strictEqual(error.why._tag, "NotStarted")
      assert.include(error.message, "/no/such/folder")
      assert.deepStrictEqual((yield* failure("no-such-command")).why, { _tag: "Exit", code: 127 })
    })
  )

  it.live("keeps the end of its output, in bounds", () =>
    Effect.gen(function* () {
      const text = yield* output("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done")
      assert.isBelow(text.length, 4_100)
      assert.match(text, /^\(\d+ earlier lines\)\n/)
      assert.isTrue(text.endsWith("line 2999"))
      const endless = yield* output("head -c 300000 /dev/zero | tr '\\0' x")
      assert.isBelow(endless.length, 4_100)
    })
  )

  it.live("lasts until the last process that can write to its output has ended", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* output("(sleep 0.3; echo late) & echo early"), "early\nlate")
    })
  )

  it.live("may leave a process behind that has let go of its output, as with cron", () =>
    Effect.gen(function* () {
      const { group, fiber } = yield* started("echo go; sleep 5 >/dev/null 2>&1 & exit 1")
      const exit = yield* Effect.flip(Fiber.join(fiber))
      assert.deepStrictEqual(exit.why, { _tag: "Exit", code: 1 })
      assert.isTrue(yield* ProcessGroup.isRunning(group, "run-1"))
      assert.isTrue(yield* ProcessGroup.end(group, "run-1", "2 seconds"))
    })
  )
})

describe("a timeout", () => {
  it.live("ends the command and all that it started", () =>
    Effect.gen(function* () {
      const { group, fiber } = yield* started("(sleep 30; echo never) & sleep 30 & echo both; wait", {
        timeout: Duration.millis(500)
      })
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.deepStrictEqual(error.why, { _tag: "TimedOut", seconds: 0.5 })
      assert.strictEqual(error.output, "both")
      assert.isFalse(yield* ProcessGroup.isRunning(group, "run-1"))
    })
  )

  it.live("ends a command that ignores SIGTERM", () =>
    Effect.gen(function* () {
      const { group, fiber } = yield* started("trap '' TERM; echo deaf; sleep 30; sleep 30", {
        timeout: Duration.millis(300)
      })
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber))).why._tag, "TimedOut")
      assert.isFalse(yield* ProcessGroup.isRunning(group, "run-1"))
    })
  )

  it.live("does not wait for a process that has left the group", () =>
    Effect.gen(function* () {
      const { fiber } = yield* started("setsid sleep 4 & echo gone; wait", { timeout: Duration.millis(300) })
      const [elapsed] = yield* Effect.timed(Effect.flip(Fiber.join(fiber)))
      assert.isBelow(Duration.toMillis(elapsed), 3_000)
    })
  )
})

describe("an interruption", () => {
  it.live("ends the command before it is done itself", () =>
    Effect.gen(function* () {
      const { group, fiber } = yield* started("echo running; sleep 30")
      yield* Fiber.interrupt(fiber)
      assert.isFalse(yield* ProcessGroup.isRunning(group, "run-1"))
    })
  )

  it.live("before the start means that nothing was started", () =>
    Effect.gen(function* () {
      const group = yield* Deferred.make<ProcessGroup.ProcessGroup>()
      const fiber = yield* Effect.forkChild(
        Command.run(
          command("echo started >&2; sleep 30", {
            beforeStart: (value) => Effect.andThen(Deferred.succeed(group, value), Effect.never)
          })
        )
      )
      const held = yield* Deferred.await(group)
      yield* Fiber.interrupt(fiber)
      assert.isFalse(yield* ProcessGroup.isRunning(held, "run-1"))
    })
  )
})

describe("a process group", () => {
  it.live("is not another one that was given the same number", () =>
    Effect.gen(function* () {
      const { group, fiber } = yield* started("echo running; sleep 30")
      const reused = { ...group, started: `${group.started}0` }
      assert.isFalse(yield* ProcessGroup.isRunning(reused, "run-1"))
      assert.isFalse(yield* ProcessGroup.end(reused, "run-1", "1 second"))
      assert.isTrue(yield* ProcessGroup.isRunning(group, "run-1"))
      yield* Fiber.interrupt(fiber)
    })
  )

  // Environments of other processes are read from /proc, which only Linux has.
  it.live.skipIf(process.platform !== "linux")(
    "is known by its run where its leader has ended before its children",
    () =>
      Effect.gen(function* () {
        const { group, fiber } = yield* started("sleep 5 >/dev/null 2>&1 & echo left")
        yield* Fiber.join(fiber)
        assert.isFalse(yield* ProcessGroup.end(group, "another run", "1 second"))
        assert.isTrue(yield* ProcessGroup.end(group, "run-1", "1 second"))
        assert.isFalse(yield* ProcessGroup.isRunning(group, "run-1"))
      })
  )

  it.live("of a process that is not there is none", () =>
    Effect.gen(function* () {
      assert.isTrue(Option.isNone(yield* ProcessGroup.ofLeader(2 ** 30)))
    })
  )
})
