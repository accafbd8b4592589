/** How long it takes from enqueueing in one process until the handler starts in another, and how late a tick is. */
import { inChild } from "../child.ts"
import { millis, type Options, percentile } from "../measure.ts"
import type { Section, Sections, TargetRow } from "../report.ts"
import { hire } from "./crew.ts"
import { makeDatabase, withServer } from "./databases.ts"
import { noteOf, ours, ourSettings, serverSettings, type Subject, subjectOf } from "./subjects.ts"

const subjects: ReadonlyArray<Subject> = [
  ours,
  subjectOf("graphile", "defaults"),
  subjectOf("graphile", "best"),
  subjectOf("pgBoss", "recommended")
]

const pace = ({ quick }: Options): Promise<Section> =>
  withServer(async (server) => {
    const rounds = quick ? 1 : 2
    const count = quick ? 50 : 2_000
    const team = []
    for (const subject of subjects)
      team.push({ subject, url: server.urlOf(await makeDatabase(server)), all: [] as Array<number> })
    for (let round = 0; round < rounds; round++) {
      for (const { all, subject, url } of team) {
        const worker = await hire(subject.side, subject.form, url)
        const writer = await hire(subject.side, subject.form, url)
        await worker.listen()
        // The first ones find code that is not compiled and connections that are not open.
        const warm = quick ? 10 : 100
        await writer.pace(warm + count / rounds, 3)
        all.push(...(await worker.latencies(warm + count / rounds)).slice(warm))
        await worker.quit()
        await writer.quit()
      }
    }
    const found = team.map(({ all, subject }) => {
      const sorted = all.toSorted((a, b) => a - b)
      return {
        subject,
        count: sorted.length,
        p50: percentile(sorted, 50),
        p99: percentile(sorted, 99),
        max: sorted.at(-1)!
      }
    })
    const graphile = found.filter(({ subject }) => subject.side === "graphile")
    const best = {
      p50: Math.min(...graphile.map((each) => each.p50)),
      p99: Math.min(...graphile.map((each) => each.p99))
    }
    const rows = found.map(({ count, max, p50, p99, subject }): ReadonlyArray<string> | TargetRow => {
      const cells = [subject.name, subject.settings.settings, String(count), millis(p50), millis(p99), millis(max)]
      const met = p50 <= best.p50 && p99 <= best.p99
      return subject === ours ? { cells, target: "p50 and p99 no worse than graphile-worker's", met } : cells
    })
    return {
      name: "latency",
      title: "From enqueue to the first instruction of the handler, Postgres",
      text:
        "One job at a time on a system that is otherwise idle, 1.5 to 4.5 ms apart, enqueued by one process and run by another, by the monotonic " +
        `clock that they share: from before the call until the handler runs. They take turns, ${rounds} rounds. pg-boss at its defaults looks ` +
        "for one job every 2 seconds, so it is measured with `useListenNotify`, as its documentation says. Warmed up by 100 jobs each round. " +
        serverSettings,
      head: ["library", "settings", "jobs", "p50", "p99", "max"],
      rows,
      notes: [ourSettings, ...subjects.slice(1).map(noteOf)]
    }
  })

const lateness = ({ quick }: Options): Promise<Section> =>
  withServer(async (server) => {
    const url = server.urlOf(await makeDatabase(server))
    const found = await inChild<{ count: number; p50: number; p99: number; max: number }>("memory/latenessChild.ts", [
      "postgres",
      10,
      quick ? 1 : 21,
      url
    ])
    return {
      name: "lateness-postgres",
      title: "Lateness of a cron tick on an idle system, Postgres",
      text:
        "100 schedules of `* * * * * *`, each 10 ms after the one before by `Trigger.offset`, so that ticks come one by one: from the nominal time " +
        "to the first instruction of the handler, after 1,000 other runs. The README's layer on Postgres, no option set. " +
        "The store's write of a tick does not wait for the disk by itself: the claim does, with both.",
      head: ["library", "ticks", "late p50", "late p99", "late max"],
      rows: [
        {
          cells: [ours.name, String(found.count), millis(found.p50), millis(found.p99), millis(found.max)],
          target: "p99 10 ms",
          met: found.p99 <= 10
        }
      ]
    }
  })

export const latency = async (options: Options): Promise<Sections> => [await pace(options), await lateness(options)]
