/**
 * What one scheduler may tell of a run, in which order, as a state machine; and whether what all of them told is what the
 * store says happened.
 */
import type { JobRun, SchedulerEvent } from "effect-scheduler"

type AnyEvent = SchedulerEvent.SchedulerEvent
type RunEvent = Extract<AnyEvent, { readonly runId: string }>

/** What is known of a run by the events of one scheduler. `away`: nothing, it may be anywhere. */
type State = "away" | "waiting" | "running" | "late" | "stuck" | "ended"

const ends = {
  RunSucceeded: "ended",
  RunFailed: "ended",
  RunCancelled: "ended",
  RunReleased: "waiting",
  RunLost: "ended"
} as const

const next: Readonly<Record<State, { readonly [tag: string]: State }>> = {
  // Another node made it, or runs it.
  away: {
    RunCreated: "waiting",
    RunStarted: "running",
    RunFailed: "ended",
    RunExpired: "ended",
    RunCancelled: "ended",
    RunReleased: "waiting",
    RunRecovered: "waiting",
    RunLost: "ended"
  },
  // It ends without a start where its payload cannot be read, its time is over, or nobody wants it any more; it is given
  // back without one where its handler has just gone.
  waiting: {
    RunStarted: "running",
    RunFailed: "ended",
    RunExpired: "ended",
    RunCancelled: "ended",
    RunReleased: "waiting",
    RunRecovered: "waiting",
    RunLost: "ended"
  },
  running: { ...ends, RunTimedOut: "late", RunStuck: "stuck" },
  late: { ...ends, RunStuck: "stuck" },
  stuck: ends,
  ended: {}
}

/** Only a store that several nodes use has these. */
const ofNodes = new Set(["RunRecovered", "RunLost"])

interface Known {
  state: State
  attempt: number
  execution: number
  /** Not before this instant is it started. */
  runAt: number
  startedAt: number
  /** The attempt that another node took away while it ran here: its handler may go on for a while. */
  taken: number
  readonly story: Array<string>
}

const started = (state: State) => state === "running" || state === "late" || state === "stuck"

/** What the scheduler was, whose events are looked at. */
export interface Told {
  /** Others work on its store too. */
  readonly shared: boolean
  /** Answers of its store were lost, and with them what they would have told. */
  readonly lossy: boolean
}

/** What is wrong with the order of the events of one scheduler, from its first to its last. */
export const illegal = (events: ReadonlyArray<AnyEvent>, { lossy, shared }: Told): ReadonlyArray<string> => {
  const found: Array<string> = []
  const runs = new Map<string, Known>()
  let last: AnyEvent | undefined
  for (const event of events) {
    if (last !== undefined && event.sequence !== last.sequence + (event._tag === "EventsLost" ? event.count : 1)) {
      found.push(`${event._tag} has number ${event.sequence} after ${last.sequence}`)
    }
    if (last !== undefined && event.at < last.at) found.push(`${event._tag} is at ${event.at}, before ${last.at}`)
    last = event
    if (event._tag === "NodeFenced" || (event._tag === "SchedulerStarted" && shared)) {
      for (const known of runs.values()) {
        if (!started(known.state)) continue
        known.state = "away"
        known.taken = known.attempt
      }
    }
    if (!("runId" in event)) continue
    const key = `${event.store} ${event.runId}`
    const known = runs.get(key) ?? {
      state: "away",
      attempt: 0,
      execution: 0,
      runAt: 0,
      startedAt: 0,
      taken: 0,
      story: []
    }
    runs.set(key, known)
    for (const wrong of step(known, event, shared, shared || lossy)) {
      found.push(`run ${event.runId} of ${event.job}: ${wrong} (${known.story.join(" ")})`)
    }
  }
  return found
}

/** Moves what is known of a run on, and says what is wrong with it. */
const step = (known: Known, event: RunEvent, shared: boolean, partial: boolean): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  if (event._tag === "RunStuck" && event.attempt === known.taken) return wrong
  // Its end was stored before it was taken, and the answer came after.
  if (known.state === "away" && known.taken > 0 && event.attempt === known.taken) known.state = "stuck"
  // It was taken from this node, which has not heard of it yet.
  if (shared && event._tag === "RunCancelled" && !event.started) known.state = "away"
  const { state } = known
  const to = next[state][event._tag]
  known.story.push(`${event._tag}/${event.attempt}`)
  if (to === undefined) wrong.push(`${event._tag} of a run that is ${state}`)
  if (!partial && state === "away" && event._tag !== "RunCreated") wrong.push(`${event._tag} comes first`)
  if (!shared && !started(state) && ofNodes.has(event._tag)) wrong.push(`${event._tag} where no other node is`)
  if (event.execution < known.execution) wrong.push(`execution ${event.execution} after ${known.execution}`)
  switch (event._tag) {
    case "RunCreated":
      if (event.attempt !== 0 || event.execution !== 1) wrong.push("was tried before it was created")
      known.runAt = event.runAt
      break
    case "RunStarted":
      if (event.attempt <= known.attempt) wrong.push(`attempt ${event.attempt} started after ${known.attempt}`)
      if (event.at < known.runAt) wrong.push(`started at ${event.at}, before ${known.runAt}`)
      known.startedAt = event.at
      break
    case "RunRecovered":
      known.runAt = event.runAt
      break
    case "RunCancelled":
      if (state !== "away" && event.started !== started(state)) wrong.push(`says started: ${event.started}`)
      break
    case "RunFailed":
      if (event.nextAttemptAt !== null) {
        if (event.nextAttemptAt < known.startedAt) wrong.push("is tried again before it was started")
        known.runAt = event.nextAttemptAt
      }
      if (!started(state) && event.nextAttemptAt !== null) wrong.push("failed without a start and is tried again")
      break
  }
  if (started(state) && event.attempt !== known.attempt) {
    wrong.push(`${event._tag} of attempt ${event.attempt} while ${known.attempt} runs`)
  }
  known.attempt = Math.max(known.attempt, event.attempt)
  known.execution = event.execution + (event._tag === "RunFailed" ? 1 : 0)
  known.state = event._tag === "RunFailed" && event.nextAttemptAt !== null ? "waiting" : (to ?? "ended")
  return wrong
}

const endOf = {
  succeeded: "RunSucceeded",
  failed: "RunFailed",
  timedOut: "RunFailed",
  cancelled: "RunCancelled",
  expired: "RunExpired",
  lost: "RunLost",
  skipped: undefined
} as const

const isEnd = (event: RunEvent): boolean =>
  event._tag === "RunFailed"
    ? event.nextAttemptAt === null
    : ["RunSucceeded", "RunCancelled", "RunExpired", "RunLost"].includes(event._tag)

/**
 * Where what the nodes of a store told differs from what the store has. Where answers were lost something may be missing,
 * but nothing may be told that is not so.
 */
export const untrue = (
  nodes: ReadonlyArray<ReadonlyArray<AnyEvent>>,
  history: ReadonlyArray<JobRun.HistoryRecord>,
  unfinished: ReadonlyArray<JobRun.RunRecord>,
  { lossy }: Pick<Told, "lossy">
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const byRun = new Map<string, Array<RunEvent>>()
  for (const event of nodes.flat()) {
    if (!("runId" in event) || event.store !== "default") continue
    const events = byRun.get(event.runId)
    if (events === undefined) byRun.set(event.runId, [event])
    else events.push(event)
  }
  const count = (events: ReadonlyArray<RunEvent>, tag: string) => events.filter((event) => event._tag === tag).length
  const compare = (id: string, what: string, told: number, so: number) => {
    if (lossy ? told > so : told !== so) found.push(`run ${id}: ${what} told ${told} times, was ${so} times`)
  }
  for (const run of [...history, ...unfinished]) {
    if ("_tag" in run && run._tag === "Range") continue
    const events = byRun.get(run.id) ?? []
    byRun.delete(run.id)
    const ended = "outcome" in run ? endOf[run.outcome] : undefined
    const told = events.filter(isEnd)
    // Of a loss both may tell: the node that stopped, and the one that took it for dead before.
    compare(run.id, "end", ended === "RunLost" ? Math.min(told.length, 1) : told.length, ended === undefined ? 0 : 1)
    for (const event of told) {
      if (event._tag !== ended) found.push(`run ${run.id}: ${event._tag} told, ${ended} was`)
      if (event.attempt !== run.attempt) found.push(`run ${run.id}: end of ${event.attempt} told, was ${run.attempt}`)
      // A node tells of an end under the id that it has by then.
      const same = lossy || event._tag === "RunLost" || event._tag === "RunCancelled" || run.node === null
      if (event.node !== run.node && !same) {
        found.push(`run ${run.id}: ended on ${run.node}, was told by ${event.node}`)
      }
    }
    compare(run.id, "created", count(events, "RunCreated"), 1)
    compare(run.id, "failed", count(events, "RunFailed"), run.failures)
    compare(run.id, "recovered", count(events, "RunRecovered"), run.recoveries)
    const attempts = events.flatMap((event) => (event._tag === "RunStarted" ? [event.attempt] : []))
    if (new Set(attempts).size !== attempts.length) found.push(`run ${run.id}: started twice: ${attempts.join(" ")}`)
    if (Math.max(0, ...attempts) > run.attempt) found.push(`run ${run.id}: started ${attempts.join(" ")}`)
    for (const event of events) {
      if (event.job !== run.job || event.cause !== run.cause || event.nominal !== run.nominal) {
        found.push(`run ${run.id}: ${event._tag} is of another run`)
      }
    }
  }
  for (const id of byRun.keys()) found.push(`run ${id}: told of, and nowhere`)
  return found
}
