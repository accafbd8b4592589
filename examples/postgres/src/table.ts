/**
 * Who runs what, as a table of 80 columns.
 */
import { jobNames } from "./jobs.ts"
import { clip, type Paint, seconds, tail } from "./text.ts"

export interface NodeRow {
  readonly pid: number
  /** Undefined until it has one. */
  readonly node: string | undefined
  /** `killed` until a living one has found it `dead`. */
  readonly state: "starts" | "alive" | "killed" | "dead" | "stopped"
  /** Milliseconds that are left of its lease, less than none if it has passed. */
  readonly lease: number | undefined
  /** By the job's name. */
  readonly runs: Readonly<Record<string, number>>
  readonly done: number
}

export interface Board {
  readonly nodes: ReadonlyArray<NodeRow>
  readonly pending: number
  readonly running: number
  readonly succeeded: number
  readonly recovered: number
  readonly news: ReadonlyArray<News>
}

export interface News {
  /** Milliseconds since the beginning. */
  readonly at: number
  readonly text: string
}

/** Lines of news that are shown, the newest. */
const NEWS = 6

const jobWidths = jobNames.map((name) => name.length + 2)

/** A row by its cells. */
export const row = (
  pid: string,
  node: string,
  state: string,
  lease: string,
  runs: ReadonlyArray<string>,
  done: string
): string =>
  [
    pid.padStart(7),
    "  ",
    node.padEnd(8),
    "  ",
    state.padEnd(8),
    lease.padStart(6),
    ...runs.map((text, index) => text.padStart(jobWidths[index]!)),
    done.padStart(6)
  ].join("")

const colours = { starts: "dim", alive: "green", killed: "red", dead: "yellow", stopped: "dim" } as const

const nodeLine = ({ done, lease, node, pid, runs, state }: NodeRow, paint: Paint): string =>
  paint(
    colours[state],
    row(
      String(pid),
      node === undefined ? "" : tail(node),
      state,
      lease === undefined ? "-" : lease < 0 ? "passed" : seconds(lease),
      jobNames.map((name) => String(runs[name] ?? "-")),
      String(done)
    )
  )

/** Always of the same height for as many nodes. */
export const table = (board: Board, paint: Paint): ReadonlyArray<string> => [
  paint("dim", row("process", "node", "state", "lease", jobNames, "done")),
  ...board.nodes.map((node) => nodeLine(node, paint)),
  "",
  `${board.pending} pending  ${board.running} running  ${board.succeeded} succeeded  ${board.recovered} recovered`,
  ...Array.from({ length: NEWS }, (_, index) => board.news.slice(-NEWS)[index]).map((news) =>
    news === undefined ? "" : clip(`${seconds(news.at).padStart(8)}  ${news.text}`)
  )
]
