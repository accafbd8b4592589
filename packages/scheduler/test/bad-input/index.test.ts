/**
 * Where each bad input that the project promises to refuse is shown: the file and the title of its tests. A title that is
 * not in its file fails.
 */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"

const trigger = "scheduler/test/trigger/bad-input.test.ts"
const cron = "scheduler/test/trigger/cron-text.test.ts"
const literal = "scheduler/test/trigger/literal.test.ts"
const refusals = "scheduler/test/scheduler/refusals.test.ts"
const outcomes = "scheduler/test/job/outcomes.test.ts"
const files = "sql/test/files.test.ts"
const setup = "scheduler/test/scheduler/setup.test.ts"
const configuration = "scheduler/test/scheduler/verbs/configuration.test.ts"
const scheduling = "scheduler/test/types/scheduling.ts"

type Shown = readonly [file: string, text: string]

const index: ReadonlyArray<readonly [input: string, ...shown: ReadonlyArray<Shown>]> = [
  [
    "an invalid cron text (field, position, what was expected)",
    [cron, "a cron text that is refused names its field, where it is wrong, and what was expected"],
    [cron, "and cron throws the same error as a defect"]
  ],
  ["an unknown zone", [cron, "an unknown zone, and an unknown clock-change rule"], [trigger, "an unknown time zone"]],
  [
    "an interval of zero or less, not finite, or over the range",
    [trigger, "an interval of zero or less, not finite, not whole, or over the range"]
  ],
  [
    "an end before its start",
    [trigger, "an end before its start"],
    ["scheduler/test/scheduler/schedules.test.ts", "refuses a range that ends before it begins"]
  ],
  [
    "a payload that does not match its schema, on scheduling and in a stored row",
    [refusals, "a payload that does not match its schema, on scheduling"],
    [refusals, "a payload that does not match its schema, on enqueueing"],
    [refusals, "a payload that does not match its schema, on an update"],
    [outcomes, "a payload that no longer decodes"],
    [outcomes, "ends its run as failed without a start, and is kept"]
  ],
  [
    "an id that is empty or too long",
    [refusals, "an id that is empty"],
    [refusals, "an id that is too long"],
    [refusals, "an id among many that is empty"],
    ["scheduler/test/scheduler/effects.test.ts", "of an id that is empty or too long is refused"],
    ["scheduler/test/scheduler/verbs/enqueue.test.ts", "an idempotency key that is empty"]
  ],
  [
    "an unknown schedule, run or store alias",
    [refusals, "an unknown schedule, by ${verb}"],
    [refusals, "an unknown run, by ${verb}"],
    [refusals, "an unknown store alias, by ${verb}"]
  ],
  ["the same alias twice", [refusals, "the same store alias twice"]],
  [
    "a job with no handler (its runs wait, visible)",
    [refusals, "a job with no handler"],
    [refusals, "waits, visible: its schedule is unresolved, its runs are pending, and an event says so after a minute"]
  ],
  ["a database file that is read-only", [files, "that is read-only can be read, and every write says so"]],
  [
    "a database file that is corrupt",
    [files, "that is no database is refused and left as it is"],
    [files, "that is corrupt inside is told by the call that meets it"]
  ],
  ["a database file of a newer schema version", [files, "of a newer schema version is refused and left as it is"]],
  [
    "a database file that is gone",
    [files, "whose folder is missing is refused with the folder's name"],
    [files, "that is deleted while it is open fails every call, and is not made again"]
  ],
  ["a full database", [files, "that is full says so, loses nothing, and goes on when there is room again"]],
  ["a handler that fails", [outcomes, "that fails ends its run as failed, with its error"]],
  ["a handler that dies", [outcomes, "that throws before it makes an effect ends its run as failed"]],
  ["a handler that never ends", [outcomes, "that never ends is interrupted after an hour, its default timeout"]],
  [
    "a handler that ignores interruption",
    [outcomes, "that ignores its interruption is told of as stuck after 30 s, and keeps its slot"]
  ],
  [
    "a handler that returns what its schema refuses",
    [outcomes, "that returns what its schema refuses ends its run as failed, and says why"]
  ],
  [
    "configuration values of the wrong type",
    [setup, "a configuration value of the wrong type is a ConfigError that names its key"],
    [configuration, "a configuration value of the wrong type names its key"],
    [configuration, "an option out of range in code is a mistake in the program: a defect that names it"]
  ],
  [
    "a stored row that cannot be read",
    ["scheduler/test/bad-input/rows.test.ts", "is left alone, fires nothing, is listed as unresolved"]
  ],
  ["an Effect given to schedule (compile error)", [scheduling, "@ts-expect-error an effect cannot be stored"]],
  ["a store given to scheduleEffect (compile error)", [scheduling, "@ts-expect-error it takes no store"]],
  [
    "retry beside atMostOnce (compile error)",
    ["scheduler/test/types/job.ts", "@ts-expect-error what runs at most once is not tried again"]
  ],
  ["a spaced inside a combination (compile error)", [trigger, "a spaced trigger in a combination does not compile"]],
  ["a wrong cron literal (compile error)", [literal, "an invalid literal does not compile"]]
]

const textOf = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8")

describe("each bad input is shown by a test:", () => {
  for (const [input, ...shown] of index) {
    it(input, () => {
      assert.isNotEmpty(shown)
      for (const [file, text] of shown) assert.include(textOf(file), text, file)
    })
  }
})
