import type { RunRecord } from "../../../JobRun.ts"
import type { Priority, ScheduleRecord } from "../../../JobSchedule.ts"
import type { RunFilter, RunReport } from "../../../JobStore.ts"
import type { Dump } from "../../Invariants.ts"
import { run, schedule, t0, uuid } from "../fixtures.ts"
import { release, retry, success } from "../probe.ts"
import type { Seeded } from "../random.ts"
import type { Command, Edit } from "./command.ts"
import type { Rhythm, Rules } from "./periodic.ts"

const jobs = ["mail", "report", "sync"]
const ids = Array.from({ length: 12 }, (_, index) => `${"abc"[index % 3]}/${index}`)
const keys = [null, null, "k1", "k2"]
const minute = 60_000

/** What the generator keeps in mind between two commands. */
interface Mind {
  now: number
  /** Ids that were given out, so that each is new; their order is not that of their making. */
  serial: number
  nodes: Array<string>
  /** Reports that were sent, to be sent again. */
  readonly sent: Array<{ readonly node: string; readonly reports: ReadonlyArray<RunReport> }>
}

/** A source of commands that make sense for what is stored, most of the time. */
export const makeGenerator = (random: Seeded, options: { readonly forget: boolean }): ((state: Dump) => Command) => {
  const mind: Mind = { now: t0, serial: 0, nodes: [], sent: [] }
  const fresh = () => uuid(0x10_0000 + ((++mind.serial * 0x9e_3779) % 0xff_ffff))
  const node = () => (mind.nodes.length === 0 ? uuid(1) : random.pick(mind.nodes))
  const knowledge = () => ({
    version: random.pick([1, 2, 2, 2]),
    triggers: random.pick([["lunar"], ["lunar", "tides"], []])
  })
  const limits = () => ({
    jobs: random.some(jobs, 0.8).map((name) => ({
      name,
      queue: random.pick(["default", "slow"]),
      ...(random.chance(0.3) ? { concurrency: 2 } : {})
    })),
    queues: random.chance(0.3) ? { default: random.int(0, 4), slow: 1 } : {}
  })

  const row = (): ScheduleRecord => {
    const rhythm: Rhythm = random.chance(0.8) ? { every: random.int(1, 20) * 500 } : { after: random.int(1, 5000) }
    const rules: Rules = {
      overlap: random.pick(["skip", "defer", "replace", "allow"]),
      maxRuns: random.chance(0.2) ? random.int(1, 4) : 1e9
    }
    const anchor = mind.now - random.int(0, 5000)
    const next = "every" in rhythm ? anchor + Math.ceil((mind.now - anchor) / rhythm.every) * rhythm.every : mind.now
    return schedule(random.pick(ids), {
      generation: fresh(),
      job: random.pick(jobs),
      queue: random.pick(["default", "slow"]),
      priority: random.int(0, 3) as Priority,
      payload: `{"n":${random.int(0, 9)}}`,
      key: random.pick(keys),
      delivery: random.pick(["atLeastOnce", "atLeastOnce", "atMostOnce"]),
      trigger: JSON.stringify(rhythm),
      version: random.pick([1, 1, 2]),
      needs: random.pick(["", "", "", "lunar", "lunar,tides"]),
      anchor,
      policy: JSON.stringify(rules),
      origin: random.pick([null, "app"]),
      cause: random.pick(["nominal", "nominal", "nominal", `backfill:${fresh()}`]),
      firstWatermark: next - 1,
      watermark: next - 1,
      nextAt: next,
      zoneData: random.pick(["2026a", "2026a", "2025b"]),
      createdAt: mind.now,
      updatedAt: mind.now
    })
  }

  const edit = (): readonly [string, Edit] => {
    const put = row()
    if (random.chance(0.45)) return [put.id, { _tag: "Put", row: put }]
    const other: Edit = random.pick<Edit>([
      { _tag: "Remove" },
      { _tag: "Pause" },
      { _tag: "Pause" },
      { _tag: "Resume" },
      { _tag: "Resume" },
      { _tag: "Update", fields: { payload: put.payload, priority: put.priority, key: put.key, version: put.version } },
      { _tag: "Update", fields: { needs: put.needs, zoneData: put.zoneData, policy: put.policy } },
      { _tag: "RunNow" },
      { _tag: "Cancel", deferred: random.chance(0.5), active: random.chance(0.5) },
      { _tag: "Leave" }
    ])
    return [random.pick(ids), other]
  }

  const enqueued = (state: Dump): { readonly run: RunRecord; readonly unique: string | null } => {
    const unique = random.chance(0.3) ? `u${random.int(1, 6)}` : null
    if (random.chance(0.1) && state.runs.length > 0) return { run: random.pick(state.runs), unique }
    const job = random.pick(jobs)
    const made = run(0, {
      id: fresh(),
      job,
      queue: random.pick(["default", "slow"]),
      priority: random.int(0, 3) as Priority,
      payload: `"${random.int(0, 99)}"`,
      key: random.pick(keys),
      delivery: random.pick(["atLeastOnce", "atMostOnce"]),
      runAt: mind.now + random.pick([0, 0, -1000, random.int(0, 5000)]),
      startBy: random.pick([null, mind.now + 500]),
      createdAt: mind.now
    })
    return { run: made, unique }
  }

  const report = (of: RunRecord): RunReport => {
    const row = { id: of.id, attempt: random.chance(0.93) ? of.attempt : of.attempt + random.pick([-1, 1]) }
    const failures = of.failures + 1
    const errors = `[${failures},${of.attempt}]`
    const choice = random.next()
    if (choice < 0.5) {
      const isStored = random.chance(0.8)
      return success(row, {
        failures: of.failures,
        errors: of.errors,
        result: isStored ? `${random.int(0, 99)}` : null,
        resultStored: isStored,
        remember: random.chance(0.5)
      })
    }
    if (choice < 0.65) {
      return success(row, { outcome: random.pick(["failed", "timedOut", "cancelled", "expired"]), failures, errors })
    }
    return choice < 0.85 ? retry(row, { failures, errors, runAt: mind.now + random.int(0, 3000) }) : release(row)
  }

  const finish = (state: Dump): Command => {
    const again = random.chance(0.1) && mind.sent.length > 0 ? random.pick(mind.sent) : undefined
    const from = again?.node ?? node()
    const held = state.runs.filter((each) => each.node === (random.chance(0.95) ? from : each.node))
    const reports = again?.reports ?? random.some(held, 0.7).map(report)
    mind.sent.push({ node: from, reports })
    return { _tag: "Finish", params: { now: mind.now, node: from, reports } }
  }

  const anyRun = (state: Dump): string => {
    const known = [...state.runs, ...state.history.filter((each) => each._tag === "Run")]
    return known.length === 0 || random.chance(0.05) ? fresh() : random.pick(known).id
  }

  const filter = (): RunFilter => ({
    ...(random.chance(0.3) ? { job: random.pick(jobs) } : {}),
    ...(random.chance(0.3) ? { scheduleId: random.pick(ids) } : {}),
    ...(random.chance(0.2) ? { state: random.pick(["pending", "running", "deferred"] as const) } : {}),
    ...(random.chance(0.2) ? { outcome: random.pick(["succeeded", "skipped", "missed", "lost"] as const) } : {}),
    ...(random.chance(0.2) ? { from: mind.now - random.int(0, minute) } : {}),
    ...(random.chance(0.2) ? { to: mind.now - random.int(0, minute) } : {})
  })

  const nodeCommand = (): Command => {
    const common = { now: mind.now, lease: 15_000, jobs: random.some(jobs, 0.7), triggers: ["lunar"] }
    const choice = random.next()
    if (mind.nodes.length < 2 || choice < 0.2) {
      const started = fresh()
      mind.nodes = [...mind.nodes, started].slice(-3)
      return { _tag: "Register", params: { ...common, node: started, version: 2 } }
    }
    if (choice < 0.3) {
      const gone = node()
      mind.nodes = mind.nodes.filter((each) => each !== gone)
      return { _tag: "Leave", params: { node: gone } }
    }
    if (choice < 0.6) return { _tag: "Heartbeat", params: { ...common, node: node() } }
    const delays = random.pick([[0, 1000], [0, 1000, 10_000, 60_000], []])
    return { _tag: "Reap", params: { now: mind.now, node: node(), delays, limit: random.pick([2, 1000]) } }
  }

  const read = (state: Dump): Command => {
    const limit = random.int(1, 7)
    switch (random.int(1, 6)) {
      case 1:
        return { _tag: "Held", params: { node: node() } }
      case 2:
        return { _tag: "GetRuns", params: { ids: [...new Set([anyRun(state), anyRun(state), fresh()])] } }
      case 3:
        return { _tag: "GetSchedules", params: { ids: random.some(ids, 0.4).toReversed() } }
      case 4: {
        const prefix = random.pick([{}, { prefix: "b/" }, { origin: "app" }, { state: "active" as const }])
        return { _tag: "ListSchedules", params: { filter: prefix, limit } }
      }
      case 5:
        return { _tag: "ListRuns", params: { filter: filter(), limit } }
      default:
        return { _tag: "History", params: { filter: filter(), limit } }
    }
  }

  const janitor = (): Command => {
    const day = 24 * 60 * minute
    const retention = options.forget
      ? { succeeded: minute, others: 3 * minute, exhausted: 2 * minute, keys: minute }
      : { succeeded: 9999 * day, others: 9999 * day, exhausted: 9999 * day, keys: minute }
    const params = { now: mind.now, retention, limit: random.pick([3, 1000]), zoneData: "2026a", ...knowledge() }
    return { _tag: "Maintain", params }
  }

  return (state) => {
    // The clock mostly goes on a little, sometimes far, and now and then back.
    mind.now += random.chance(0.9) ? random.int(0, 1500) : random.pick([20_000, minute, -1, -3000])
    const { now } = mind
    const choice = random.next()
    if (choice < 0.14) {
      const edits = new Map(Array.from({ length: random.int(1, 4) }, edit))
      return { _tag: "Modify", now, edits: [...edits] }
    }
    if (choice < 0.3) return { _tag: "Fire", params: { now, limit: random.pick([1, 3, 1000]), ...knowledge() } }
    if (choice < 0.38) {
      const runs = Array.from({ length: random.int(1, 4) }, () => enqueued(state))
      return { _tag: "Enqueue", params: { now, runs } }
    }
    if (choice < 0.56) {
      return { _tag: "Claim", params: { now, node: node(), limit: random.pick([1, 3, 1000]), ...limits() } }
    }
    if (choice < 0.74) return finish(state)
    if (choice < 0.77) {
      const entries = random
        .some(state.runs, 0.3)
        .map((each) => ({ id: each.id, attempt: each.attempt, progress: `${random.int(0, 99)}` }))
      return { _tag: "Progress", params: { node: node(), entries } }
    }
    if (choice < 0.84) return nodeCommand()
    if (choice < 0.88) return { _tag: "Cancel", params: { now, id: anyRun(state) } }
    if (choice < 0.91) return { _tag: "Wake", params: { now, ...knowledge(), ...limits() } }
    return choice < 0.94 ? janitor() : read(state)
  }
}
