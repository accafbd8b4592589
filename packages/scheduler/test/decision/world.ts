/**
 * The least that a store has to do for transitions: one row, its unfinished runs, and what history keeps. It counts
 * nothing itself, so that the tests can.
 */
import { Result } from "effect"
import * as policies from "../../src/internal/policy.ts"
import * as transitions from "../../src/internal/transitions/index.ts"
import type { EndedRange, RunRecord } from "../../src/JobRun.ts"
import type { PolicyOptions, ScheduleRecord } from "../../src/JobSchedule.ts"
import type { ScheduleChange, Transition } from "../../src/JobStore.ts"
import * as Trigger from "../../src/Trigger.ts"
import { epoch } from "./rules.ts"

/** An ended run, and why. */
export interface Ended {
  readonly run: RunRecord
  readonly how: "ended" | "replaced" | "cancelled"
}

/** What the tests say of a definition; the rest is the same everywhere. */
export interface Declared extends PolicyOptions {
  readonly trigger?: Trigger.Trigger | undefined
  readonly payload?: string | undefined
  readonly onConflict?: "update" | "keep" | "replace" | "fail" | undefined
  readonly draft?: Partial<transitions.Draft> | undefined
}

export const policyOf = (options: PolicyOptions) => Result.getOrThrow(policies.make(options))

const isOverlap = (run: RunRecord) => run.waitsFor === "overlap"

export const makeWorld = () => {
  let ids = 0
  const world = {
    now: epoch,
    row: undefined as ScheduleRecord | undefined,
    /** The row, which must be there. */
    get schedule(): ScheduleRecord {
      if (world.row === undefined) throw new Error("there is no schedule")
      return world.row
    },
    /** Unfinished. */
    runs: [] as Array<RunRecord>,
    ended: [] as Array<Ended>,
    ranges: [] as Array<EndedRange>,
    /** All runs that ever were. */
    created: [] as Array<RunRecord>,
    zoneData: "2026a",
    /** This node cannot read any row. */
    blind: false
  }
  const known = new Map<string, Trigger.Trigger>()

  const context: transitions.TransitionContext = {
    resolve: (record) => {
      const trigger = known.get(record.trigger)
      const policy = policies.decode(record.policy)
      if (world.blind || trigger === undefined || policy === undefined) return undefined
      return { trigger: Trigger.anchor(trigger, record.anchor), policy }
    },
    newId: () => `id-${String(++ids).padStart(6, "0")}`,
    get zoneData() {
      return world.zoneData
    }
  }

  const define = (trigger: Trigger.Trigger): transitions.Definition => {
    const text = JSON.stringify(trigger)
    known.set(text, trigger)
    return { trigger: text, version: 1, needs: "" }
  }

  const own = () => {
    const { row } = world
    return world.runs.filter((run) => row !== undefined && run.cause === row.cause && run.generation === row.generation)
  }

  const end = (run: RunRecord, how: Ended["how"]) => {
    world.runs = world.runs.filter((other) => other !== run)
    world.ended.push({ run, how })
  }

  const promote = () => {
    const deferred = own().find(isOverlap)
    if (deferred === undefined) return
    world.runs = world.runs.map((run) => (run === deferred ? { ...run, state: "pending", waitsFor: null } : run))
  }

  const transact = (transition: Transition): ScheduleChange | undefined => {
    const { now, row } = world
    const runs = own()
    const deferred = runs.filter(isOverlap).length
    const view = row === undefined ? undefined : { schedule: row, active: runs.length - deferred, deferred }
    const change = transition("s", view, now)
    if (change === undefined) return undefined
    if (change.replaceDeferred) for (const run of runs.filter(isOverlap)) end(run, "replaced")
    let left = 0
    if (change.cancelActive) {
      for (const run of runs.filter((run) => !isOverlap(run))) {
        if (run.state === "pending") left++
        if (run.state === "pending") end(run, "cancelled")
      }
    }
    world.row = change.schedule === null ? undefined : { ...change.schedule, revision: (row?.revision ?? -1) + 1 }
    world.runs.push(...change.runs)
    world.created.push(...change.runs)
    world.ranges.push(...change.ranges)
    for (; left > 0; left--) promote()
    return change
  }

  /** As the firer: until nothing is due. */
  const fire = () => {
    for (let turn = 0; turn < 10_000; turn++) {
      const due = world.row?.state === "active" && world.row.nextAt !== null && world.row.nextAt <= world.now
      if (!due || transact(transitions.advance(context)) === undefined) return
    }
    throw new Error("the firer never comes to rest")
  }

  return Object.assign(world, {
    context,
    define,
    transact,
    fire,
    /** Goes to an instant, and lets the firer do its work there only. */
    at: (instant: number) => {
      world.now = instant
      fire()
    },
    /** Goes there as a firer that is never late does. */
    until: (instant: number) => {
      for (let turn = 0; turn < 100_000; turn++) {
        const next = world.row?.state === "active" ? world.row.nextAt : null
        if (next == null || next > instant) break
        world.now = Math.max(world.now, next)
        fire()
      }
      world.now = instant
    },
    declare: ({ draft, onConflict, payload, trigger, ...policy }: Declared) =>
      transact(
        transitions.upsert(
          context,
          {
            id: "s",
            job: "J",
            queue: "default",
            priority: 2,
            payload: payload ?? "{}",
            key: null,
            delivery: "atLeastOnce",
            policy: policies.encode(policyOf(policy)),
            origin: null,
            cause: "nominal",
            ...define(trigger ?? Trigger.every("10 seconds")),
            ...draft
          },
          { onConflict }
        )
      ),
    update: (patch: transitions.Patch) => transact(transitions.update(context, patch)),
    setPolicy: (options: PolicyOptions) =>
      transact(transitions.update(context, { policy: policies.encode(policyOf(options)) })),
    reschedule: (trigger: Trigger.Trigger) => transact(transitions.reschedule(context, define(trigger))),
    pause: () => transact(transitions.pause(context)),
    resume: (from: "now" | "missed") => transact(transitions.resume(context, from)),
    remove: () => transact(transitions.remove(context)),
    /** Claims all that is pending. */
    start: () => {
      world.runs = world.runs.map((run) => (run.state === "pending" ? { ...run, state: "running" } : run))
    },
    /** Ends the oldest run that is not deferred, as the store's `finish` does. */
    finish: () => {
      const run = world.runs.find((run) => !isOverlap(run))
      if (run === undefined) return
      end(run, "ended")
      if (run.generation !== world.row?.generation) return
      promote()
      if (run.settles && world.row.state === "waiting") transact(transitions.advance(context))
      fire()
    },
    pending: () => own().filter((run) => !isOverlap(run)),
    deferred: () => own().filter(isOverlap)
  })
}

export type World = ReturnType<typeof makeWorld>
