/** So many trivial jobs that were enqueued before, from the start of a worker to the last end that is stored. */
import type { Server } from "@effect-scheduler/postgres-server"
import { median, type Options, spread } from "../measure.ts"
import type { Sections, TargetRow } from "../report.ts"
import { hire } from "./crew.ts"
import { makeDatabase, send, spentBy, withServer } from "./databases.ts"
import { insideServer, isOfSession, loop } from "./recording.ts"
import { pause } from "./sides/side.ts"
import { noteOf, ours, ourSettings, peers as others, serverSettings, type Subject } from "./subjects.ts"

interface Found {
  /** Runs in a second. */
  readonly rate: number
  /** CPU time of the process, and of the server, microseconds for each run. */
  readonly cpu: number
  readonly served: number
}

const drain = async (server: Server, subject: Subject, count: number, warm: number): Promise<Found> => {
  const name = await makeDatabase(server)
  const member = await hire(subject.side, subject.form, server.urlOf(name))
  if (count > 10) {
    await member.fill(warm)
    await member.drain(warm)
  }
  await member.fill(count)
  await send(server.urlOf(name), "vacuum analyze")
  const before = spentBy(server)
  const { began, cpu, ended, handled } = await member.drain(count)
  // Connections of the worker that are just ending would be counted neither as there nor as gone.
  await pause(300)
  const served = ((spentBy(server) - before) * 1_000) / count
  await member.quit()
  if (handled !== count) throw new Error(`${subject.name} ran ${handled} jobs of ${count}`)
  await send(server.url, `drop database ${name} with (force)`)
  return { rate: (count / (ended - began)) * 1_000, cpu: (cpu * 1_000) / count, served }
}

/** Keeps a database before such a run and what the store sends in it. */
const recorded = async (server: Server, count: number, warm: number) => {
  const name = await makeDatabase(server)
  const filler = await hire("ours", "default", server.urlOf(name))
  await filler.fill(warm)
  await filler.drain(warm)
  await filler.fill(count)
  await filler.quit()
  await send(server.urlOf(name), "vacuum analyze")
  const filled = await makeDatabase(server, name)
  const member = await hire("ours", "recorded", server.urlOf(name))
  await member.drain(count)
  const texts = insideServer(await member.recorded())
  await member.quit()
  return { filled, texts, rows: count + warm }
}

const isPrepared = (text: string): boolean => text.startsWith("prepare") || isOfSession(text)

const inside = async (
  server: Server,
  { filled, rows, texts }: Awaited<ReturnType<typeof recorded>>,
  count: number
): Promise<Found> => {
  const name = await makeDatabase(server, filled)
  const url = server.urlOf(name)
  await send(url, ...texts.filter((text) => !isPrepared(text)))
  const before = spentBy(server)
  const [times] = await send(
    url,
    ...texts.filter(isPrepared),
    "create temp table bench_began as select clock_timestamp() as at",
    loop,
    `select extract(epoch from clock_timestamp() - at)::float8, (select count(*)::int from scheduler_history),
      (select count(*)::int from scheduler_runs) from bench_began`
  )
  const [seconds, ended, left] = times as unknown as readonly [number, number, number]
  if (ended !== rows || left !== 0)
    throw new Error(`the loop made ${ended} rows of history, not ${rows}, and left ${left}`)
  const served = ((spentBy(server) - before) * 1_000) / count
  await send(server.url, `drop database ${name} with (force)`)
  return { rate: count / seconds, cpu: 0, served }
}

const perSecond = (rates: ReadonlyArray<number>): string =>
  median(rates) < 2_000
    ? spread(rates, "/s")
    : spread(
        rates.map((rate) => rate / 1_000),
        "k/s"
      )

export const peers = ({ quick }: Options): Promise<Sections> =>
  withServer(async (server) => {
    const rounds = quick ? 1 : 2
    const warm = quick ? 100 : 2_000
    const size = (subject: Subject) => (quick ? Math.min(200, subject.settings.count) : subject.settings.count)
    const measured = others.filter((peer) => !quick || peer.settings.isRecommended)
    const found = new Map<Subject, Array<Found>>([ours, ...measured].map((subject) => [subject, []]))
    const limit: Array<Found> = []
    const count = size(ours)
    const recording = await recorded(server, count, warm)
    for (let round = 0; round < rounds; round++) {
      for (const [subject, all] of found) {
        // Once what takes long, or is there for comparison alone.
        const isAgain = subject === ours || (subject.settings.count >= 20_000 && subject.settings.isRecommended)
        if (round > 0 && !isAgain) continue
        all.push(await drain(server, subject, size(subject), Math.min(warm, Math.ceil(size(subject) / 5))))
      }
      limit.push(await inside(server, recording, count))
    }
    const ourRates = found.get(ours)!.map(({ rate }) => rate)
    const times = (rates: ReadonlyArray<number>) => rates.map((rate, round) => ourRates[round]! / rate)
    const behind = measured.filter(
      (peer) => peer.settings.isRecommended && median(times(found.get(peer)!.map(({ rate }) => rate))) < 1
    )
    const share = ourRates.map((rate, round) => (rate / limit[round]!.rate) * 100)
    const ofOne = (all: ReadonlyArray<Found>, key: "cpu" | "served") => median(all.map((each) => each[key])).toFixed(0)
    const micros = (all: ReadonlyArray<Found>) => `${ofOne(all, "cpu")} + ${ofOne(all, "served")} µs`
    const rows: Array<ReadonlyArray<string> | TargetRow> = [
      {
        cells: [
          ours.name,
          ours.settings.settings,
          String(count),
          perSecond(ourRates),
          "",
          micros(found.get(ours)!),
          "–"
        ],
        target: "ahead of each peer as it recommends",
        met: behind.length === 0
      },
      ...measured.map((peer) => {
        const all = found.get(peer)!
        const rates = all.map(({ rate }) => rate)
        const { isRecommended, lacks, settings } = peer.settings
        return [
          peer.name,
          `${settings}${isRecommended ? " – as recommended" : ""}`,
          String(size(peer)),
          perSecond(rates),
          spread(times(rates)),
          micros(all),
          lacks
        ]
      }),
      {
        cells: [
          "the same statements inside the server",
          "",
          String(count),
          perSecond(limit.map(({ rate }) => rate)),
          `${spread(share, " %")} of it`,
          micros(limit),
          "the way to a client"
        ],
        target: "60 % of it",
        met: median(share) >= 60
      }
    ]
    return [
      {
        name: "peers",
        title: `${count.toLocaleString("en")} trivial jobs on Postgres, one process`,
        text:
          "Jobs that do nothing and were enqueued before: from the start of the worker to the last end that is stored, by the clock. The " +
          `libraries take turns, ${rounds} rounds; those that run fewer jobs, or are tuned, have one. Each is warmed up by 2,000 jobs, or a fifth of those that it runs. The limit: all that this store sends to Postgres in such a run, recorded and sent again by a ` +
          "loop inside the server, prepared, with a commit where the store has one, on a copy of the database as it was before. " +
          serverSettings,
        head: ["library", "settings", "runs", "runs/s", "ours ÷ it", "CPU a run, client + server", "does not keep"],
        rows,
        notes: [ourSettings, ...measured.map(noteOf)],
        plot: {
          kind: "bars",
          unit: "runs in a second",
          bars: [
            { name: ours.name, value: median(ourRates) },
            ...measured
              .filter((peer) => peer.settings.count > 10)
              .map((peer) => ({
                name: `${peer.name}, ${peer.form}`,
                value: median(found.get(peer)!.map(({ rate }) => rate))
              })),
            { name: "inside the server", value: median(limit.map(({ rate }) => rate)) }
          ]
        }
      }
    ]
  })
