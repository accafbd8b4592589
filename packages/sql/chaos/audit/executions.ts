/** Executions as the processes wrote them down, and how long each of them held its run. */
import type { EndedRow, Facts } from "./facts.ts"

export interface Execution {
  readonly run: string
  readonly attempt: number
  readonly node: string
  readonly pid: number
  readonly begin: number
  /** When the handler ended; undefined where its process was killed before. */
  readonly end: number | undefined
}

/** From when to when, the end excluded. */
export interface Interval {
  readonly name: string
  readonly from: number
  readonly until: number
}

export const nameOf = ({ attempt, run }: { readonly run: string; readonly attempt: number }): string =>
  `${run} ${attempt}`

export const executionsOf = ({ logs }: Pick<Facts, "logs">): ReadonlyArray<Execution> =>
  logs.flatMap(({ lines, pid }) => {
    const ends = new Map(lines.flatMap((line) => (line._tag === "End" ? [[nameOf(line), line.at] as const] : [])))
    return lines.flatMap((line) =>
      line._tag === "Begin"
        ? [
            {
              run: line.run,
              attempt: line.attempt,
              node: line.node,
              pid,
              begin: line.at,
              end: ends.get(nameOf(line))
            }
          ]
        : []
    )
  })

/**
 * When an execution that history does not tell of held its run: from its begin until its handler ended, its process was
 * killed, or its node was marked dead. What a frozen process still does after that is fenced off: by then the run, its
 * key and its place are another's, and the promise is about nodes that hold their leases.
 */
const intervalOf = (execution: Execution, facts: Facts, deadAt: ReadonlyMap<string, number>): Interval => {
  const killedAt = facts.processes.find(({ pid }) => pid === execution.pid)?.killedAt
  const ends = [execution.end, killedAt, deadAt.get(execution.node)].filter((at) => at !== undefined)
  return { name: nameOf(execution), from: execution.begin, until: Math.max(execution.begin, Math.min(...ends)) }
}

export type Placed = readonly [interval: Interval, row: EndedRow]

/**
 * Every execution as an interval, with the history row of its run. `"history"`: the one that ended its run is there as
 * history has it, from its claim to the storing of its end, and those before it as the logs have them. `"logs"`: all are
 * as the logs have them, from the first line of the handler to its last.
 */
export const intervalsOf = (facts: Facts, by: "history" | "logs"): ReadonlyArray<Placed> => {
  const rows = new Map(facts.rows.ended.map((row) => [row.id, row]))
  const deadAt = new Map(facts.rows.nodes.flatMap(({ deadAt, id }) => (deadAt === null ? [] : [[id, deadAt] as const])))
  const logged = executionsOf(facts).flatMap((execution) => {
    const row = rows.get(execution.run)
    if (row === undefined || (by === "history" && row.attempt === execution.attempt)) return []
    return [[intervalOf(execution, facts, deadAt), row] as const]
  })
  if (by === "logs") return logged
  const stored = facts.rows.ended.flatMap((row) => {
    if (row.startedAt === null || row.attempt === 0) return []
    const interval = { name: nameOf({ run: row.id, attempt: row.attempt }), from: row.startedAt, until: row.endedAt }
    return [[interval, row] as const]
  })
  return [...logged, ...stored]
}
