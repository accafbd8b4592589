/**
 * What is stored and what is known of the processes, put together.
 */
import type { Now } from "./rows.ts"
import type { Board, News, NodeRow } from "./table.ts"
import { tail } from "./text.ts"
import type { Heard, Worker, Workers } from "./Workers.ts"

/** `own` is what the demo did itself; `began` its beginning in epoch milliseconds. */
export const boardOf = (now: Now, workers: Workers, own: ReadonlyArray<News>, began: number): Board => ({
  nodes: workers.all.map((worker) => nodeRow(now, worker)),
  pending: now.pending,
  running: now.running,
  succeeded: now.succeeded,
  recovered: now.recovered,
  news: [
    ...own,
    ...newsOf(workers.heard, workers.ofNode).map(({ at, text }) => ({ at: at - began, text })),
    ...workers.printed.map(({ at, text }) => ({ at: at - began, text }))
  ].toSorted((a, b) => a.at - b.at)
})

const nodeRow = (now: Now, worker: Worker): NodeRow => {
  const id = worker.nodes.at(-1)
  const stored = now.nodes.find(({ node }) => node === id)
  return {
    pid: worker.pid,
    node: id,
    state: stateOf(worker, stored?.dead ?? false),
    lease: stored?.lease,
    runs: Object.fromEntries(now.runs.filter(({ node }) => node === id).map(({ job, n }) => [job, n])),
    done: now.done.filter(({ node }) => worker.nodes.includes(node ?? "")).reduce((sum, { n }) => sum + n, 0)
  }
}

const stateOf = ({ code, killed, nodes }: Worker, dead: boolean): NodeRow["state"] => {
  if (dead) return "dead"
  if (killed) return "killed"
  if (code !== undefined) return "stopped"
  return nodes.length === 0 ? "starts" : "alive"
}

/** In words. Runs that one worker recovers one after another are one line. */
export const newsOf = (heard: ReadonlyArray<Heard>, ofNode: Workers["ofNode"]): ReadonlyArray<News> => {
  const news: Array<News> = []
  let recovered: { readonly by: Worker; readonly jobs: Array<string> } | undefined
  for (const { at, by, told } of heard) {
    if (told._tag === "RunRecovered") {
      if (recovered?.by === by) news.pop()
      else recovered = { by, jobs: [] }
      recovered.jobs.push(told.job)
      news.push({ at, text: `process ${by.pid} recovered ${counted(recovered.jobs)}` })
      continue
    }
    recovered = undefined
    if (told._tag === "NodeReaped") {
      const dead = ofNode(told.dead)?.pid ?? tail(told.dead)
      news.push({ at, text: `process ${by.pid} saw the lease of process ${dead} pass, and marked it dead` })
    } else if (told._tag === "NodeFenced") {
      news.push({ at, text: `process ${by.pid} was taken for dead and goes on as node ${tail(told.newNode)}` })
    } else {
      news.push({ at, text: `process ${by.pid} started as node ${tail(told.node)}` })
    }
  }
  return news
}

const counted = (names: ReadonlyArray<string>): string =>
  [...Map.groupBy(names, (name) => name)].map(([name, { length }]) => `${length} ${name}`).join(", ")
