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
    const turns = quick ? 2 : 20
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
    // The planner knows nothing yet of a table that grew by thousands of rows in seconds, for which graphile-worker's statement took five
    // times as long: what a server does by itself within a minute is done before each turn.
    const settle = async (): Promise<void> => {
      for (const { url } of team) await send(url, "vacuum analyze", "checkpoint")
    }
    for (let round = 0; round < rounds; round++) {
      // In short turns, since what the disk needs for a commit changes from second to second.
      const spent = team.map(() => 0)
      await settle()
      for (let turn = 0; turn < turns; turn++) {
        for (const at of turn % 2 === 0 ? team.keys() : [...team.keys()].toReversed())
          spent[at]! += await team[at]!.member.one(counts.one / turns)
      }
      for (const [at, { one }] of team.entries()) one.push((counts.one / spent[at]!) * 1_000)
      for (const { bulk, member } of team) {
        await settle()
        bulk.push((counts.bulk / (await member.bulk(counts.bulk))) * 1_000)
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
          `once. ${rounds} rounds, in which they take turns, one at a time ${turns} of them, and before which tables are vacuumed and analyzed. ` +
          `None of them has a setting that makes it faster; pg-boss is as it is by default, where it tells no worker of a job, which the others do. Warmed up by ${counts.one / 10} one at a time and ${counts.bulk / 4} in bulk. ` +
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
