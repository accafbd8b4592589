/**
 * Decisions of random schedules against the oracle that lists every time, and whole lives of schedules against what must
 * hold at every moment: each nominal time is accounted for exactly once (I1, I4), and a watermark never goes back (I5).
 *
 * `SEED=` in the environment repeats a run.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { type Decision, decide, type Range } from "../../src/Decision.ts"
import * as policies from "../../src/internal/policy.ts"
import { advance, upsert } from "../../src/internal/transitions/index.ts"
import { searchNext } from "../../src/internal/trigger/search.ts"
import type { Policy, PolicyOptions, ScheduleRecord } from "../../src/JobSchedule.ts"
import { makeRandom, plan, type Random } from "../trigger/random.ts"
import { lettersOf, oracle } from "./oracle.ts"
import { epoch, nextOf, randomRule, type Rule } from "./rules.ts"
import { makeWorld, policyOf, type World } from "./world.ts"

const { runs, seed } = plan(300)
const options = { arbitrary: { runs, seed }, timeout: 120_000 }
process.stdout.write(`decision properties: ${runs} cases each, SEED=${seed}\n`)

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 }))

const randomPolicy = (random: Random): PolicyOptions => ({
  missed: {
    run: random.pick(["none", "latest", "all"]),
    grace: random.pick([0, 1, 1000, 10_000, 60_000, 3_600_000]),
    within: random.pick([Infinity, Infinity, 0, 5000, 600_000]),
    limit: random.pick([1, 2, 3, 20, 100, 2000, Infinity])
  },
  overlap: random.pick(["skip", "bufferOne", "bufferAll", "cancelPrevious", "allow"]),
  maxInstances: random.pick([undefined, 1, 2, 5, Infinity]),
  buffer: random.pick([undefined, 0, 1, 30, Infinity]),
  jitter: random.pick([0, 0, 500, 60_000]),
  maxRuns: random.pick([undefined, undefined, undefined, undefined, 1, 7, 50])
})

const size = (range: Range | undefined) => range?.count ?? 0

describe("a decision", () => {
  it.prop("is what the oracle says, whatever the trigger", { seed: Seed }, ({ seed }) => {
    const random = makeRandom(seed)
    const rule = randomRule(random)
    const chosen = policyOf(randomPolicy(random))
    const policy: Policy = random.chance(0.1) ? { ...chosen, overlap: "wait" } : chosen
    const watermark = epoch + random.int(-10_000, 3_600_000)
    const now = watermark + random.pick([0, 1, 1000, 60_000, 3_600_000, 4 * 3_600_000])
    const situation = { now, active: random.int(0, 3), deferred: random.int(0, 2), fired: random.int(0, 3) }
    const batch = 100_000
    const passed = rule.times(watermark, now)
    const schedule = { id: "s", trigger: rule.trigger, policy, watermark, fired: situation.fired, state: "active" } as const
    const decision = decide({ schedule, ...situation, batch })
    const expected = oracle(passed, policy, situation)

    assert.strictEqual(lettersOf(passed, decision, policy), expected.letters, rule.name)
    assert.deepStrictEqual([decision.replaceDeferred, decision.cancel], [expected.replaces, expected.cancels])
    const count = (letter: string) => expected.letters.split(letter).length - 1
    assert.deepStrictEqual([decision.fire.length, decision.defer.length], [count("F"), count("D")])
    const ranges = [size(decision.missed), size(decision.skipped), size(decision.dropped)]
    assert.deepStrictEqual(ranges, [count("M"), count("S"), count("X")])
    expectEnds(passed, expected.letters, "M", decision.missed)
    expectEnds(passed, expected.letters, "S", decision.skipped)
    expectEnds(passed, expected.letters, "X", decision.dropped)
    const next = nextOf(rule, decision.watermark)
    if (expected.state !== "active") assert.deepStrictEqual([decision.state, decision.nextAt], [expected.state, null])
    else if (next !== undefined && searchNext(rule.trigger, decision.watermark)._tag === "NotBefore") {
      // The search spent its steps: a time to look again, which is never after the next one.
      assert.strictEqual(decision.state, "active")
      assert.isAbove(decision.nextAt!, decision.watermark)
      assert.isAtMost(decision.nextAt!, next)
    } else if (next !== undefined) assert.deepStrictEqual([decision.state, decision.nextAt], ["active", next])
    else if (decision.state === "active") assert.isAbove(decision.nextAt!, now)
    else assert.deepStrictEqual([decision.state, decision.nextAt], ["exhausted", null])
  }, options) // prettier-ignore

  it.prop("in batches is the same as at once", { seed: Seed }, ({ seed }) => {
    const random = makeRandom(seed)
    const rule = randomRule(random)
    // Fired runs of one batch are active for the next one, so only a policy that cancels nothing is the same in parts.
    const policy = policyOf({ ...randomPolicy(random), overlap: random.pick(["skip", "bufferOne", "bufferAll", "allow"]) })
    const now = epoch + random.pick([60_000, 3_600_000])
    const decided = (batch: number) => {
      const parts: Array<Decision> = []
      let schedule = { watermark: epoch, fired: 0, state: "active" as Decision["state"], active: 0, deferred: 0 }
      do {
        const { active, deferred, ...rest } = schedule
        const part = decide({ schedule: { id: "s", trigger: rule.trigger, policy, ...rest }, now, active, deferred, batch })
        parts.push(part)
        schedule = {
          watermark: part.watermark,
          fired: schedule.fired + part.fire.length + part.defer.length,
          state: part.state,
          active: active + part.fire.length,
          deferred: deferred + part.defer.length
        }
        assert.isAtMost(part.fire.length + part.defer.length, batch)
      } while (!parts.at(-1)!.complete && parts.at(-1)!.state === "active")
      const total = (of: (part: Decision) => number) => parts.reduce((sum, part) => sum + of(part), 0)
      return {
        fire: parts.flatMap((part) => part.fire),
        defer: parts.flatMap((part) => part.defer),
        missed: total((part) => size(part.missed)),
        skipped: total((part) => size(part.skipped)),
        dropped: total((part) => size(part.dropped)),
        watermark: parts.at(-1)!.watermark,
        nextAt: parts.at(-1)!.nextAt,
        state: parts.at(-1)!.state
      }
    }
    assert.deepStrictEqual(decided(random.pick([1, 2, 7])), decided(1_000_000), rule.name)
  }, options) // prettier-ignore

  it.prop("spreads runs by their jitter, the same everywhere", { seed: Seed }, ({ seed }) => {
    const random = makeRandom(seed)
    const rule = randomRule(random)
    const jitter = random.pick([1, 250, 5000, 3_600_000])
    const id = `schedule ${random.int(0, 1000)}`
    const policy = policyOf({ missed: { run: "all" }, overlap: "allow", jitter, maxRuns: Infinity })
    const decideAt = (watermark: number, now: number) =>
      decide({ schedule: { id, trigger: rule.trigger, policy, watermark, fired: 0, state: "active" }, now, active: 0, deferred: 0 })
    const now = epoch + 600_000
    const { fire } = decideAt(epoch, now)
    for (const [index, { nominal, runAt }] of fire.entries()) {
      const gap = (nextOf(rule, nominal) ?? Infinity) - nominal
      assert.isAtLeast(runAt, nominal)
      assert.isBelow(runAt - nominal, Math.min(jitter, gap))
      // On another node that decides this one alone, in a later decision.
      assert.deepStrictEqual(decideAt(nominal - 1, nominal).fire, [fire[index]!])
    }
    const order = fire.map(({ runAt }) => runAt)
    assert.deepStrictEqual(order, order.toSorted((a, b) => a - b))
  }, options) // prettier-ignore
})

const expectEnds = (passed: ReadonlyArray<number>, letters: string, letter: string, range: Range | undefined) => {
  const times = passed.filter((_, index) => letters[index] === letter)
  assert.deepStrictEqual([range?.first, range?.last], [times[0], times.at(-1)])
}

const Amount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))
const Step = Schema.Union([
  Schema.TaggedStruct("Tick", { amount: Amount }),
  Schema.TaggedStruct("Offline", { amount: Amount }),
  Schema.TaggedStruct("ClockBack", { amount: Amount }),
  Schema.TaggedStruct("Finish", {}),
  Schema.TaggedStruct("Start", {}),
  Schema.TaggedStruct("Pause", {}),
  Schema.TaggedStruct("Resume", { from: Schema.Literals(["now", "missed"]) }),
  Schema.TaggedStruct("Policy", { amount: Amount }),
  Schema.TaggedStruct("Payload", { amount: Amount }),
  Schema.TaggedStruct("Reschedule", { amount: Amount }),
  Schema.TaggedStruct("Declare", {}),
  Schema.TaggedStruct("ZoneData", {})
])
type Step = typeof Step.Type
const Steps = Arbitrary.array(Arbitrary.schema(Step), { minLength: 20, maxLength: 60 })

/** A definition that a schedule has or had, and from which watermark on. */
interface Chapter {
  readonly rule: Rule
  readonly from: number
  readonly to: number | undefined
}

const tally = { steps: 0, definitions: 0, fired: 0, deferred: 0, missed: 0, skipped: 0, dropped: 0, paused: 0 }

describe("the life of a schedule", () => {
  afterAll(() => {
    process.stdout.write(`lives of schedules: ${JSON.stringify(tally)}\n`)
  })

  it.prop("accounts for each nominal time exactly once, and never goes back", { seed: Seed, steps: Steps }, ({ seed, steps }) => {
    const random = makeRandom(seed)
    const world = makeWorld()
    const first = randomRule(random)
    const policy = randomPolicy(random)
    world.declare({ trigger: first.trigger, ...policy })
    const chapters: Array<Chapter> = [{ rule: first, from: world.schedule.watermark, to: undefined }]
    check(world, chapters)
    for (const step of steps) {
      const before = world.schedule
      if (step._tag === "Reschedule") {
        const rule = randomRule(makeRandom(step.amount))
        world.reschedule(rule.trigger)
        if (world.schedule.trigger !== before.trigger) {
          const { rule: old, from } = chapters.pop()!
          chapters.push({ rule: old, from, to: endOf(world, before) }, { rule, from: world.schedule.watermark, to: undefined })
        }
      } else perform(world, step)
      assert.isAtLeast(world.schedule.watermark, before.watermark)
      check(world, chapters)
    }
    const { counts, watermark } = world.schedule
    tally.steps += steps.length
    tally.definitions += chapters.length
    tally.deferred += world.created.filter((run) => run.state === "deferred").length
    for (const kind of ["fired", "missed", "skipped", "dropped", "paused"] as const) tally[kind] += counts[kind]
    world.remove()
    assert.isUndefined(world.row)
    assert.strictEqual(world.ranges.every((range) => range.last <= Math.max(world.now, watermark)), true)
  }, options) // prettier-ignore
})

/** How far an old definition was decided: up to now, unless it had ended, then with its last time. */
const endOf = (world: World, before: ScheduleRecord): number => {
  const { maxRuns } = policies.decode(before.policy)!
  const ended = before.state === "exhausted" || world.schedule.counts.fired >= maxRuns
  return ended ? Math.max(before.watermark, ...lastTimes(world)) : Math.max(world.now, before.watermark)
}

const lastTimes = (world: World) => [
  ...world.created.map((run) => run.nominal!),
  ...world.ranges.map((range) => range.last)
]

const check = (world: World, chapters: ReadonlyArray<Chapter>): void => {
  const { counts, nextAt, state, watermark } = world.schedule
  const nominal = chapters.flatMap(({ from, rule, to }) => rule.times(from, to ?? watermark))

  // I4, by the row's own counts and by history.
  const { dropped, fired, missed, paused, skipped } = counts
  assert.strictEqual(fired + skipped + missed + dropped + paused, nominal.length)
  assert.strictEqual(fired, world.created.length)
  for (const kind of ["missed", "skipped", "dropped", "paused"] as const) {
    const ranges = world.ranges.filter((range) => range.kind === kind)
    assert.strictEqual(
      ranges.reduce((sum, range) => sum + range.count, 0),
      counts[kind]
    )
    for (const { count, first, last } of ranges) {
      assert.isAtLeast(nominal.filter((time) => time >= first && time <= last).length, count)
      assert.strictEqual(
        [first, last].every((time) => nominal.includes(time)),
        true
      )
    }
  }

  // I1: no time fires twice, and only nominal times do.
  const times = world.created.map((run) => run.nominal!)
  assert.strictEqual(new Set(times).size, times.length)
  assert.strictEqual(
    times.every((time) => nominal.includes(time)),
    true
  )
  assert.deepStrictEqual(
    times,
    times.toSorted((a, b) => a - b)
  )

  // I5.
  if (state === "active") assert.isAbove(nextAt!, watermark)
  else assert.isNull(nextAt)
  assert.strictEqual(world.runs.length + world.ended.length, world.created.length)
}

const perform = (world: World, step: Exclude<Step, { readonly _tag: "Reschedule" }>): void => {
  switch (step._tag) {
    case "Tick":
      return world.until(world.now + step.amount * 200)
    case "Offline":
      return world.at(world.now + step.amount * 3_000)
    case "ClockBack":
      return world.at(world.now - step.amount * 300)
    case "Finish":
      return world.finish()
    case "Start":
      return world.start()
    case "Pause":
      return void world.pause()
    case "Resume":
      world.resume(step.from)
      return world.fire()
    case "Policy":
      world.setPolicy(randomPolicy(makeRandom(step.amount)))
      return world.fire()
    case "Payload":
      return void world.update({ payload: JSON.stringify(step.amount) })
    case "Declare": {
      const before = world.schedule
      world.transact(upsert(world.context, { ...before, generation: "another" }))
      return assert.deepStrictEqual(world.schedule, before)
    }
    case "ZoneData":
      world.zoneData = world.zoneData === "2026a" ? "2026b" : "2026a"
      return void world.transact(advance(world.context))
  }
}
