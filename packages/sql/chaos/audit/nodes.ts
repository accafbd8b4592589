/** I8: what a dead node ran is back soon. */
import type { Facts, ProcessFact, Verdict } from "./facts.ts"

export interface Silence {
  readonly kind: "kill" | "freeze"
  readonly pid: number
  readonly node: string | undefined
  readonly from: number
  readonly until: number
  /** When a reaper marked the node of that time. */
  readonly deadAt: number | undefined
  /** It had been marked before and had not heard of it yet. */
  readonly isDead: boolean
}

/** The node that a process was at an instant. */
const nodeAt = ({ logs }: Facts, pid: number, at: number): string | undefined =>
  logs
    .find((log) => log.pid === pid)
    ?.lines.flatMap((line) => (line._tag === "Node" && line.at <= at ? [line.node] : []))
    .at(-1)

/** Every time that a process fell silent, in order. */
export const silencesOf = (facts: Facts): ReadonlyArray<Silence> => {
  const deadAt = new Map(facts.rows.nodes.map((node) => [node.id, node.deadAt]))
  const silence = (kind: Silence["kind"], pid: number, from: number, until: number): Silence => {
    const node = nodeAt(facts, pid, from)
    const marked = node === undefined ? undefined : (deadAt.get(node) ?? undefined)
    // Marked before: it had not yet heard of it. Marked later, at another silence: it outlasted this one.
    const isHere = marked !== undefined && marked >= from && marked <= until
    return { kind, pid, node, from, until, deadAt: isHere ? marked : undefined, isDead: marked! < from }
  }
  return facts.processes
    .flatMap(({ frozen, killedAt, pid }) => [
      ...frozen.map(({ from, until }) => silence("freeze", pid, from, until)),
      ...(killedAt === undefined ? [] : [silence("kill", pid, killedAt, Infinity)])
    ])
    .toSorted((a, b) => a.from - b.from)
}

const slack = 2_000

interface Observer {
  readonly process: ProcessFact
  /** When it began to execute. */
  readonly since: number
  /** When calls of it to the store failed. */
  readonly failures: ReadonlyArray<number>
}

const observersOf = ({ logs, processes }: Facts): ReadonlyArray<Observer> =>
  processes.map((process) => {
    const lines = logs.find(({ pid }) => pid === process.pid)?.lines ?? []
    return {
      process,
      since: lines.find(({ _tag }) => _tag === "Begin")?.at ?? Infinity,
      failures: lines.flatMap((line) => (line._tag === "Event" && line.name === "StoreDegraded" ? [line.at] : []))
    }
  })

/**
 * Whether a process can be asked to mark others in (from, from + lease + slack]: it executes, it stands still nowhere
 * near, and no call of it to the store failed. A reaper is one only while all its own renewals succeed.
 */
const isSteady = ({ failures, process, since }: Observer, lease: number, from: number): boolean => {
  const earliest = from - 2 * lease
  const until = from + lease + slack
  return (
    since + lease <= from &&
    (process.killedAt ?? Infinity) > until &&
    process.frozen.every((each) => each.until < earliest || each.from > until) &&
    failures.every((at) => at < earliest || at > until)
  )
}

/** The first instant from `from` at which one of these is steady. */
const steadyFrom = (
  observers: ReadonlyArray<Observer>,
  { lease, samples }: Facts,
  from: number
): number | undefined => {
  const last = samples.at(-1)?.at ?? from
  for (let at = from; at <= last; at += 50) {
    if (observers.some((observer) => isSteady(observer, lease, at))) return at
  }
  return undefined
}

export const recovered = (facts: Facts): Verdict => {
  const last = facts.samples.at(-1)?.at ?? 0
  const observers = observersOf(facts)
  // One that fell silent before it had registered has nothing that could come back.
  const registered = new Set(facts.rows.nodes.map(({ id }) => id))
  const looked = silencesOf(facts).flatMap((silence) => {
    if (silence.node === undefined || silence.isDead || !registered.has(silence.node)) return []
    const others = observers.filter(({ process }) => process.pid !== silence.pid)
    const from = steadyFrom(others, facts, silence.from)
    const by = (from ?? Infinity) + facts.lease + slack
    return by > Math.min(last, silence.until) ? [] : [{ ...silence, by, took: (silence.deadAt ?? Infinity) - from! }]
  })
  const longest = Math.max(0, ...looked.map(({ took }) => took))
  return {
    name: "I8",
    checked: `${looked.length} silent nodes that another could see, marked after ${longest} ms at most`,
    wrong: [
      ...looked
        .filter(({ took }) => took > facts.lease + slack)
        .map(({ deadAt, from, kind, pid }) => `process ${pid}: ${kind} at ${from}, marked ${deadAt ?? "never"}`),
      ...haunted(facts)
    ]
  }
}

/** Runs that stay under the id of a dead node. What its process had sent before it fell silent may arrive after. */
const haunted = ({ lease, samples }: Facts): ReadonlyArray<string> => {
  const first = new Map<string, number>()
  const found = new Set<string>()
  for (const { at, ghosts } of samples) {
    for (const node of first.keys()) if (!ghosts.includes(node)) first.delete(node)
    for (const node of ghosts) {
      if (!first.has(node)) first.set(node, at)
      if (at - first.get(node)! > lease + slack) found.add(node)
    }
  }
  return [...found].map((node) => `runs stay with the dead node ${node}`)
}
