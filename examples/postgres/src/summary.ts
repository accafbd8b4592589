/**
 * The last thing that is printed: who ran what, what was taken over from whom, and the verdict.
 */
import type { Audit } from "./audit.ts"
import { jobNames, RESIZES } from "./jobs.ts"
import type { Facts } from "./rows.ts"
import { row } from "./table.ts"
import { clip, type Paint, tail } from "./text.ts"

/** A process, its node ids, and how it ended. */
export interface Ran {
  readonly pid: number
  readonly nodes: ReadonlyArray<string>
  readonly end: string
}

export const summary = (
  { ended, executions }: Facts,
  processes: ReadonlyArray<Ran>,
  paint: Paint
): ReadonlyArray<string> => {
  const pidOf = (node: string | null) => processes.find(({ nodes }) => nodes.includes(node ?? ""))?.pid ?? "?"
  const recovered = ended.filter(({ recoveries }) => recoveries > 0)
  return [
    "Runs by the process in which they ended, from history:",
    paint("dim", row("process", "node", "end", "", jobNames, "done")),
    ...processes.map(({ end, nodes, pid }) => {
      const own = ended.filter(({ node }) => nodes.includes(node ?? ""))
      const counts = jobNames.map((name) => String(own.filter(({ job }) => job === name).length))
      return row(String(pid), tail(nodes.at(-1) ?? ""), end, "", counts, String(own.length))
    }),
    "",
    recovered.length === 0 ? "No run was recovered." : "Runs that were recovered, and where they ended:",
    ...recovered.map(({ attempt, id, job, node }) => {
      const before = executions.find((execution) => execution.run === id && execution.attempt < attempt)
      const began = before === undefined ? "not begun" : `begun in ${before.pid}`
      return clip(`  run ${tail(id)}  ${job.padEnd(13)}  ${began}, ended in ${pidOf(node)} as attempt ${attempt}`)
    })
  ]
}

export const verdict = ({ executions, faults, images, invoices, runs }: Audit, paint: Paint): ReadonlyArray<string> => [
  ...faults.slice(0, 10).map((fault) => clip(`  ${fault}`)),
  `${executions} executions. At once: ${images} images (limit ${RESIZES}), ${invoices} invoice of a customer (limit 1).`,
  isGood({ faults, runs })
    ? paint("green", `Each of ${runs} runs ended once, no (run, attempt) ran twice, and the limits held.`)
    : paint("red", `NOT as promised: ${faults.length} ${faults.length === 1 ? "fault" : "faults"} in ${runs} runs.`)
]

export const isGood = ({ faults, runs }: Pick<Audit, "faults" | "runs">): boolean => faults.length === 0 && runs > 0
