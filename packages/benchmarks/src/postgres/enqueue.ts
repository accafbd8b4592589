/** Jobs enqueued one at a time, and in bulk. */
import { median, type Options, spread } from "../measure.ts"
import type { Sections, TargetRow } from "../report.ts"
import { hire, type Member } from "./crew.ts"
import { makeDatabase, send, withServer } from "./databases.ts"
import { ours, serverSettings, type Subject, subjectOf } from "./subjects.ts"

const ways = [
  { key: "one", title: "one at a time" },
  { key: "bulk", title: "in bulk" }
] as const

const thousands = (rates: ReadonlyArray<number>): string =>
  spread(
    rates.map((rate) => rate / 1_000),
    "k/s"
  )

export const enqueue = ({ quick }: Options): Promise<Sections> =>
  withServer(async (server) => {
    const counts = quick ? { one: 50, bulk: 500 } : { one: 1_000, bulk: 20_000 }
    const rounds = quick ? 1 : 2
    const subjects: ReadonlyArray<Subject> = [
      ours,
      subjectOf("graphile", "recommended"),
      subjectOf("pgBoss", "defaults")
    ]
    const team: Array<{
      readonly subject: Subject
      readonly member: Member
      readonly url: string
      readonly one: Array<number>
      readonly bulk: Array<number>
    }> = []
    for (const subject of subjects) {
      const url = server.urlOf(await makeDatabase(server))
      const member = await hire(subject.side, subject.form, url)
      await member.one(counts.one / 10)
      await member.bulk(counts.bulk / 4)
      team.push({ subject, member, url, one: [], bulk: [] })
    }
    for (let round = 0; round < rounds; round++) {
      for (const { bulk, member, one, url } of team) {
        one.push((counts.one / (await member.one(counts.one))) * 1_000)
        bulk.push((counts.bulk / (await member.bulk(counts.bulk))) * 1_000)
        await send(url, "checkpoint")
      }
    }
    for (const { member } of team) await member.quit()
    const [we, ...others] = team
    const rows = ways.flatMap(({ key, title }): ReadonlyArray<ReadonlyArray<string> | TargetRow> => {
      const times = (rates: ReadonlyArray<number>) => we![key].map((rate, round) => rate / rates[round]!)
      return [
        {
          cells: [title, String(counts[key]), ours.name, thousands(we![key]), ""],
          target: "ahead of both",
          met: others.every((other) => median(times(other[key])) > 1)
        },
        ...others.map((other) => [
          title,
          String(counts[key]),
          other.subject.name,
          thousands(other[key]),
          spread(times(other[key]))
        ])
      ]
    })
    return [
      {
        name: "enqueue",
        title: "Enqueue on Postgres",
        text:
          "With a payload of one text, from a process that only writes: `enqueue` and `enqueueAll` of `Scheduler.layerClient`, `addJob` and " +
          `\`addJobs\` (graphile-worker), \`send\` and \`insert\` (pg-boss). Each one is stored before the next begins; in bulk all are given at ` +
          `once. They take turns, ${rounds} rounds. None of them has a setting that makes it faster. ` +
          serverSettings,
        head: ["", "jobs", "library", "jobs/s", "ours ÷ it"],
        rows,
        plot: {
          kind: "bars",
          unit: "jobs in a second",
          logarithmic: true,
          bars: ways.flatMap(({ key, title }) =>
            team.map((each) => ({ name: `${each.subject.name}, ${title}`, value: median(each[key]) }))
          )
        }
      }
    ]
  })
