/**
 * The decision tables: written ones to be read, and every combination against an oracle that lists the times.
 */
import { describe, expect, it } from "@effect/vitest"
import { decide } from "../../src/Decision.ts"
import * as policies from "../../src/internal/policy.ts"
import type { Policy, PolicyOptions } from "../../src/JobSchedule.ts"
import { lettersOf, oracle } from "./oracle.ts"
import { epoch, everySeconds } from "./rules.ts"
import { policyOf } from "./world.ts"

// Five times of a 10 s trigger have passed, 42, 32, 22, 12 and 2 s ago. One letter for each: Missed, Fired, Deferred,
// Skipped, X for dropped, a dot for not decided; then `r` where the deferred runs are replaced, `c` where the active ones
// are asked to cancel, and what the schedule is if not active.
const rule = everySeconds(10)
const now = epoch + 52_000
const passed = rule.times(epoch, now)

interface Situation {
  readonly active?: number
  readonly deferred?: number
  readonly fired?: number
}

const decideIn = (policy: Policy, { active = 0, deferred = 0, fired = 0 }: Situation, batch?: number) =>
  decide({
    schedule: { id: "s", trigger: rule.trigger, policy, watermark: epoch, fired, state: "active" },
    now,
    active,
    deferred,
    batch
  })

const show = (policy: Policy, situation: Situation): string => {
  const decision = decideIn(policy, situation)
  const flags = `${decision.replaceDeferred ? "r" : ""}${decision.cancel ? "c" : ""}`
  const letters = lettersOf(passed, decision, policy)
  return [letters, flags, decision.state === "active" ? "" : decision.state].filter((part) => part !== "").join(" ")
}

const missed = {
  "none 10": { run: "none", grace: "10 seconds" },
  "none 1": { run: "none", grace: "1 second" },
  latest: { run: "latest" },
  "latest 1": { run: "latest", within: "1 second" },
  all: { run: "all" },
  "all 3": { run: "all", limit: 3 },
  "all 35": { run: "all", within: "35 seconds" },
  "all 2/35": { run: "all", within: "35 seconds", limit: 2 }
} as const satisfies Record<string, NonNullable<PolicyOptions["missed"]>>

const overlaps = {
  skip: { overlap: "skip" },
  bufferOne: { overlap: "bufferOne" },
  "bufferAll 2": { overlap: "bufferAll", buffer: 2 },
  cancelPrevious: { overlap: "cancelPrevious" },
  allow: { overlap: "allow" }
} as const satisfies Record<string, PolicyOptions>

type Rows = ReadonlyArray<readonly [keyof typeof missed, Readonly<Record<keyof typeof overlaps, string>>]>

const row = (name: keyof typeof missed, ...cells: readonly [string, string, string, string, string]): Rows[number] => {
  const [skip, bufferOne, bufferAll, cancelPrevious, allow] = cells
  return [name, { skip, bufferOne, "bufferAll 2": bufferAll, cancelPrevious, allow }]
}

const tables: ReadonlyArray<readonly [title: string, Situation, Rows]> = [
  [
    "no run of it is unfinished",
    {},
    [
      //               skip     bufferOne  bufferAll  cancelPrevious  allow
      row("none 10",  "MMMMF", "MMMMF",   "MMMMF",   "MMMMF",        "MMMMF"),
      row("none 1",   "MMMMM", "MMMMM",   "MMMMM",   "MMMMM",        "MMMMM"),
      row("latest",   "MMMMF", "MMMMF",   "MMMMF",   "MMMMF",        "MMMMF"),
      row("latest 1", "MMMMM", "MMMMM",   "MMMMM",   "MMMMM",        "MMMMM"),
      row("all",      "FDDDS", "FDSSS",   "FDDXX",   "SSSSF",        "FFFFF"),
      row("all 3",    "MMFDS", "MMFDS",   "MMFDD",   "MMSSF",        "MMFFF"),
      row("all 35",   "MFDDS", "MFDSS",   "MFDDX",   "MSSSF",        "MFFFF"),
      row("all 2/35", "MMMFS", "MMMFD",   "MMMFD",   "MMMSF",        "MMMFF")
    ] // prettier-ignore
  ],
  [
    "one is active",
    { active: 1 },
    [
      //               skip     bufferOne  bufferAll  cancelPrevious  allow
      row("none 10",  "MMMMS", "MMMMD",   "MMMMD",   "MMMMD c",      "MMMMF"),
      row("none 1",   "MMMMM", "MMMMM",   "MMMMM",   "MMMMM",        "MMMMM"),
      row("latest",   "MMMMS", "MMMMD",   "MMMMD",   "MMMMD c",      "MMMMF"),
      row("latest 1", "MMMMM", "MMMMM",   "MMMMM",   "MMMMM",        "MMMMM"),
      row("all",      "DDDDS", "DSSSS",   "DDXXX",   "SSSSD c",      "FFFFF"),
      row("all 3",    "MMDDS", "MMDSS",   "MMDDX",   "MMSSD c",      "MMFFF"),
      row("all 35",   "MDDDS", "MDSSS",   "MDDXX",   "MSSSD c",      "MFFFF"),
      row("all 2/35", "MMMDS", "MMMDS",   "MMMDD",   "MMMSD c",      "MMMFF")
    ] // prettier-ignore
  ],
  [
    "one is active and one is deferred",
    { active: 1, deferred: 1 },
    [
      //               skip     bufferOne  bufferAll  cancelPrevious  allow
      row("none 10",  "MMMMS", "MMMMS",   "MMMMD",   "MMMMD rc",     "MMMMF"),
      row("none 1",   "MMMMM", "MMMMM",   "MMMMM",   "MMMMM",        "MMMMM"),
      row("latest",   "MMMMS", "MMMMS",   "MMMMD",   "MMMMD rc",     "MMMMF"),
      row("latest 1", "MMMMM", "MMMMM",   "MMMMM",   "MMMMM",        "MMMMM"),
      row("all",      "DDDDS", "SSSSS",   "DXXXX",   "SSSSD rc",     "FFFFF"),
      row("all 3",    "MMDDS", "MMSSS",   "MMDXX",   "MMSSD rc",     "MMFFF"),
      row("all 35",   "MDDDS", "MSSSS",   "MDXXX",   "MSSSD rc",     "MFFFF"),
      row("all 2/35", "MMMDS", "MMMSS",   "MMMDX",   "MMMSD rc",     "MMMFF")
    ] // prettier-ignore
  ],
  [
    "two runs are left of maxRuns",
    { fired: 5 },
    [
      //               skip                bufferOne           bufferAll           cancelPrevious  allow
      row("none 10",  "MMMMF",            "MMMMF",            "MMMMF",            "MMMMF",        "MMMMF"),
      row("none 1",   "MMMMM",            "MMMMM",            "MMMMM",            "MMMMM",        "MMMMM"),
      row("latest",   "MMMMF",            "MMMMF",            "MMMMF",            "MMMMF",        "MMMMF"),
      row("latest 1", "MMMMM",            "MMMMM",            "MMMMM",            "MMMMM",        "MMMMM"),
      row("all",      "FD... exhausted",  "FD... exhausted",  "FD... exhausted",  "SSSSF",        "FF... exhausted"),
      row("all 3",    "MMFD. exhausted",  "MMFD. exhausted",  "MMFD. exhausted",  "MMSSF",        "MMFF. exhausted"),
      row("all 35",   "MFD.. exhausted",  "MFD.. exhausted",  "MFD.. exhausted",  "MSSSF",        "MFF.. exhausted"),
      row("all 2/35", "MMMFS",            "MMMFD exhausted",  "MMMFD exhausted",  "MMMSF",        "MMMFF exhausted")
    ] // prettier-ignore
  ]
]

describe("missed × overlap", () => {
  for (const [title, situation, rows] of tables) {
    describe(title, () => {
      for (const [name, cells] of rows) {
        it(`${name}: ${Object.values(cells).join(" | ")}`, () => {
          const maxRuns = situation.fired === undefined ? Infinity : 7
          const found = Object.entries(overlaps).map(
            ([overlap, options]) =>
              [overlap, show(policyOf({ missed: missed[name], ...options, maxRuns }), situation)] as const
          )
          expect(Object.fromEntries(found)).toEqual(cells)
        })
      }
    })
  }
})

describe("a limit on instances", () => {
  const all = { run: "all" } as const
  const cases: ReadonlyArray<readonly [title: string, PolicyOptions, Situation, string]> = [
    ["skip, 2 at most", { missed: all, maxInstances: 2 }, {}, "FFDDS"],
    ["skip, 2 at most, 1 active", { missed: all, maxInstances: 2 }, { active: 1 }, "FDDDS"],
    ["bufferOne, 2 at most", { missed: all, overlap: "bufferOne", maxInstances: 2 }, {}, "FFDSS"],
    ["bufferAll, 2 at most", { missed: all, overlap: "bufferAll", buffer: 1, maxInstances: 2 }, {}, "FFDXX"],
    ["a buffer of 0 drops", { missed: all, overlap: "bufferAll", buffer: 0 }, {}, "FXXXX"],
    ["cancelPrevious, 5 at most", { missed: all, overlap: "cancelPrevious", maxInstances: 5 }, {}, "FFFFF"],
    ["cancelPrevious, 2 at most", { missed: all, overlap: "cancelPrevious", maxInstances: 2 }, {}, "SSSSF"],
    ["cancelPrevious, 3 at most, 1 active", { missed: all, overlap: "cancelPrevious", maxInstances: 3 }, { active: 1 }, "SSSSD c"],
    ["allow, 2 at most", { missed: all, overlap: "allow", maxInstances: 2 }, {}, "FFSSS"],
    ["allow, 2 at most, 1 active, 3 deferred", { missed: all, overlap: "allow", maxInstances: 2 }, { active: 1, deferred: 3 }, "SSSSS"],
    ["maxRuns reached already", { missed: all, maxRuns: 5 }, { fired: 5 }, "..... exhausted"],
    ["maxRuns: a skipped time is none", { maxRuns: 5 }, { fired: 4, active: 1 }, "MMMMS"]
  ] // prettier-ignore
  it.each(cases)("%s", (_, options, situation, expected) => {
    expect(show(policyOf(options), situation)).toBe(expected)
  })

  it("wait: only what has room is decided", () => {
    const policy = policies.backfill(2)
    expect(show(policy, {})).toBe("FF... waiting")
    expect(show(policy, { active: 1 })).toBe("F.... waiting")
    expect(show(policy, { active: 1, deferred: 1 })).toBe("..... waiting")
    expect(show(policies.backfill(5), {})).toBe("FFFFF")
  })
})

const size = (range: { readonly count: number } | undefined) => range?.count ?? 0

describe("every combination", () => {
  const policiesOfAll: Array<Policy> = []
  for (const kept of Object.values(missed)) {
    for (const overlap of ["skip", "bufferOne", "bufferAll", "cancelPrevious", "allow", "wait"] as const) {
      for (const maxInstances of [1, 2, 4, Infinity]) {
        for (const maxRuns of [Infinity, 3, 4, 6]) {
          for (const buffer of [0, 1, 100]) {
            const made = policyOf({ missed: kept, maxInstances, maxRuns, buffer })
            policiesOfAll.push({ ...made, overlap })
          }
        }
      }
    }
  }
  const situations: Array<Required<Situation>> = []
  for (const active of [0, 1, 2]) {
    for (const deferred of [0, 1, 2]) {
      for (const fired of [0, 3]) situations.push({ active, deferred, fired })
    }
  }

  it("is what the oracle says", () => {
    let count = 0
    for (const policy of policiesOfAll) {
      for (const situation of situations) {
        const expected = oracle(passed, policy, { now, ...situation })
        const decision = decideIn(policy, situation)
        const found = {
          letters: lettersOf(passed, decision, policy),
          replaces: decision.replaceDeferred,
          cancels: decision.cancel,
          state: decision.state
        }
        expect({ policy, situation, ...found }).toEqual({ policy, situation, ...expected })
        count++
      }
    }
    process.stdout.write(`decisions: ${count} combinations\n`)
    expect(count).toBe(8 * 6 * 4 * 4 * 3 * 18)
  })

  it("counts what its letters say, and nothing twice", () => {
    for (const policy of policiesOfAll) {
      for (const situation of situations) {
        const decision = decideIn(policy, situation)
        const decided = passed.filter((time) => time <= decision.watermark).length
        const counted =
          decision.fire.length +
          decision.defer.length +
          size(decision.missed) +
          size(decision.skipped) +
          size(decision.dropped)
        const nextAt = decision.state === "active" ? epoch + 60_000 : null
        const found = { counted, nextAt: decision.nextAt }
        expect({ policy, situation, ...found }).toEqual({ policy, situation, counted: decided, nextAt })
      }
    }
  })

  it("of many times is so too, at the very edge of a tolerance", () => {
    const { times, trigger } = everySeconds(1)
    let count = 0
    for (const length of [15, 16, 17, 18, 100]) {
      const now = epoch + length * 1000
      const passed = times(epoch, now)
      for (const within of [9_999, 10_000, 10_001, 50_000, Infinity]) {
        for (const limit of [1, 10, 11, 12, 100, 1001, Infinity]) {
          const policy = policyOf({ missed: { run: "all", within, limit }, overlap: "allow" })
          const situation = { now, active: 0, deferred: 0 }
          const schedule = { id: "s", trigger, policy, watermark: epoch, fired: 0, state: "active" } as const
          const decision = decide({ schedule, ...situation })
          const { letters } = oracle(passed, policy, { ...situation, fired: 0 })
          const found = { letters: lettersOf(passed, decision, policy), missed: size(decision.missed) }
          expect({ length, within, limit, ...found }).toEqual({
            length,
            within,
            limit,
            letters,
            missed: letters.split("M").length - 1
          })
          count++
        }
      }
    }
    expect(count).toBe(175)
  })
})
