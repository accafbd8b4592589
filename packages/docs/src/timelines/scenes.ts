/** What the timelines of the guides show: each panel is a run of the scheduler under `TestClock`. */
import { Effect, Layer, Schedule, Schema } from "effect"
import { Job, type JobSchedule, Trigger } from "effect-scheduler"
import type { Story } from "./record.ts"

export interface Panel {
  readonly title: string
  readonly story: Story
  /** Nominal times to draw, in seconds. */
  readonly ticks: ReadonlyArray<number>
}

export interface Scene {
  readonly name: string
  readonly title: string
  readonly panels: ReadonlyArray<Panel>
}

const everyTen = (seconds: number): ReadonlyArray<number> =>
  Array.from({ length: Math.floor((seconds - 1) / 10) }, (_, index) => (index + 1) * 10)

class Work extends Job.make("Work") {}

/** A schedule of each ten seconds whose runs take so long. */
const scheduled = (
  title: string,
  seconds: number,
  takes: number,
  policy: JobSchedule.PolicyOptions,
  away?: Story["away"]
): Panel => ({
  title,
  ticks: everyTen(seconds),
  story: {
    handlers: Work.toLayer(() => Effect.sleep(takes * 1_000)),
    seconds,
    begin: (scheduler) => scheduler.schedule(Work, { id: "work", trigger: Trigger.every("10 seconds"), ...policy }),
    ...(away === undefined ? {} : { away })
  }
})

const down = { from: 15, to: 55 }

const missed: Scene = {
  name: "missed",
  title: "every 10 seconds, a run takes 3; no scheduler runs from 15 to 55 s",
  panels: [
    scheduled('missed: { run: "latest" } (default)', 90, 3, {}, down),
    scheduled(
      'missed: { run: "none", grace: "2 seconds" }',
      90,
      3,
      { missed: { run: "none", grace: "2 seconds" } },
      down
    ),
    scheduled(
      'missed: { run: "all" }, overlap: "bufferAll"',
      90,
      3,
      { missed: { run: "all" }, overlap: "bufferAll" },
      down
    ),
    scheduled(
      'missed: { run: "all", limit: 2 }, overlap: "bufferAll"',
      90,
      3,
      { missed: { run: "all", limit: 2 }, overlap: "bufferAll" },
      down
    )
  ]
}

const overlap: Scene = {
  name: "overlap",
  title: "every 10 seconds, a run takes 24",
  panels: (["skip", "bufferOne", "bufferAll", "cancelPrevious", "allow"] as const).map((overlap) =>
    scheduled(`overlap: "${overlap}"${overlap === "skip" ? " (default)" : ""}`, 90, 24, { overlap })
  )
}

class Flaky extends Job.make("Flaky", {
  error: Schema.String,
  retry: Schedule.exponential("5 seconds").pipe(Schedule.upTo({ times: 3 }))
}) {}

const flaky = (title: string, failures: number): Panel => {
  let failed = 0
  return {
    title,
    ticks: [],
    story: {
      handlers: Flaky.toLayer(() =>
        Effect.andThen(
          Effect.sleep("4 seconds"),
          Effect.suspend(() => (failed++ < failures ? Effect.fail("no luck") : Effect.void))
        )
      ),
      seconds: 65,
      begin: (scheduler) => scheduler.enqueue(Flaky)
    }
  }
}

const retry: Scene = {
  name: "retry",
  title: "retry: exponential from 5 seconds, up to 3 times; an execution takes 4",
  panels: [flaky("fails twice, then succeeds", 2), flaky("fails each time", 9)]
}

class Slow extends Job.make("Slow", { timeout: "10 seconds", payload: { seconds: Schema.Finite } }) {}
class Again extends Job.make("Again", { timeout: "10 seconds", retry: Schedule.recurs(1) }) {}

const timeout: Scene = {
  name: "timeout",
  title: "timeout: 10 seconds",
  panels: [
    {
      title: "one run takes 6 s, one would take 30",
      ticks: [],
      story: {
        handlers: Slow.toLayer(({ seconds }) => Effect.sleep(seconds * 1_000)),
        seconds: 40,
        begin: (scheduler) => scheduler.enqueueAll(Slow, [{ seconds: 6 }, { seconds: 30 }])
      }
    },
    {
      title: "with retry: Schedule.recurs(1)",
      ticks: [],
      story: {
        handlers: Again.toLayer(() => Effect.sleep("30 seconds")),
        seconds: 40,
        begin: (scheduler) => scheduler.enqueue(Again)
      }
    }
  ]
}

class Two extends Job.make("Two", { concurrency: 2 }) {}
class Keyed extends Job.make("Keyed", { payload: { customer: Schema.String }, key: ({ customer }) => customer }) {}

const concurrency: Scene = {
  name: "concurrency",
  title: "five runs are enqueued at once, each takes 10 seconds",
  panels: [
    {
      title: "concurrency: 2",
      ticks: [],
      story: {
        handlers: Two.toLayer(() => Effect.sleep("10 seconds")),
        seconds: 40,
        begin: (scheduler) => scheduler.enqueueAll(Two, Array.from({ length: 5 }))
      }
    },
    {
      title: "key: the customer, for a, a, a, b, b",
      ticks: [],
      story: {
        handlers: Layer.mergeAll(Keyed.toLayer(() => Effect.sleep("10 seconds"))),
        seconds: 40,
        begin: (scheduler) =>
          scheduler.enqueueAll(
            Keyed,
            ["a", "a", "a", "b", "b"].map((customer) => ({ customer }))
          )
      }
    }
  ]
}

export const scenes: ReadonlyArray<Scene> = [missed, overlap, retry, timeout, concurrency]
