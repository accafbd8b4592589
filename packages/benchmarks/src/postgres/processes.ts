/** Two processes on one database beside one. */
import type { Server } from "@effect-scheduler/postgres-server"
import { median, type Options, spread } from "../measure.ts"
import type { Sections, TargetRow } from "../report.ts"
import { hire } from "./crew.ts"
import { makeDatabase, send, withServer } from "./databases.ts"
import { ourSettings, serverSettings } from "./subjects.ts"

const run = async (server: Server, workers: number, count: number, waits: number, warm: number) => {
  const name = await makeDatabase(server)
  const url = server.urlOf(name)
  const first = await hire("ours", "default", url)
  const team = [first, ...(workers === 1 ? [] : [await hire("ours", "default", url)])]
  const drained = (size: number, wait: number) =>
    // Of two nobody knows which part falls to whom.
    Promise.all(team.map((member) => member.drain(workers === 1 ? size : 0, wait)))
  await first.fill(warm)
  await drained(warm, 0)
  await first.fill(count)
  await send(url, "vacuum analyze")
  const all = await drained(count, waits)
  await Promise.all(team.map((member) => member.quit()))
  await send(server.url, `drop database ${name} with (force)`)
  const handled = all.reduce((sum, each) => sum + each.handled, 0)
  if (handled !== count) throw new Error(`${handled} runs of ${count}`)
  const began = Math.min(...all.map((each) => each.began))
  const rate = (count / (Math.max(...all.map((each) => each.ended)) - began)) * 1_000
  return { rate, share: Math.max(...all.map((each) => each.handled)) / count }
}

const thousands = (rates: ReadonlyArray<number>): string =>
  spread(
    rates.map((rate) => rate / 1_000),
    "k/s"
  )

export const processes = ({ quick }: Options): Promise<Sections> =>
  withServer(async (server) => {
    const count = quick ? 400 : 10_000
    const rounds = quick ? 1 : 2
    const warm = quick ? 100 : 2_000
    const cases = [
      { waits: 0, name: "do nothing", least: 1, target: "no less than one" },
      { waits: 20, name: "wait 20 ms", least: 1.8, target: "1.8 × one" }
    ]
    const rows: Array<TargetRow> = []
    for (const { least, name, target, waits } of cases) {
      const one: Array<number> = []
      const two: Array<number> = []
      const shares: Array<number> = []
      for (let round = 0; round < rounds; round++) {
        one.push((await run(server, 1, count, waits, warm)).rate)
        const both = await run(server, 2, count, waits, warm)
        two.push(both.rate)
        shares.push(both.share * 100)
      }
      const times = two.map((rate, round) => rate / one[round]!)
      rows.push({
        cells: [name, thousands(one), thousands(two), spread(times), spread(shares, " %")],
        target,
        met: median(times) >= least
      })
    }
    return [
      {
        name: "processes",
        title: `${count.toLocaleString("en")} runs on one Postgres, two processes beside one`,
        text:
          "From the start of the workers to the last end that is stored. The server runs on the same cores as the processes. With handlers " +
          "that wait 20 ms a process can run 5,000 in a second at most: 100 at a time. Warmed up by 2,000 runs. " +
          serverSettings,
        head: ["handlers", "one process", "two", "two ÷ one", "of the busier one"],
        rows,
        notes: [ourSettings]
      }
    ]
  })
