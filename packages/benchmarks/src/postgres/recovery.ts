/** From the SIGKILL of a process in the middle of a run until another process runs it. */
import { named } from "../machine.ts"
import { millis, type Options } from "../measure.ts"
import type { Sections } from "../report.ts"
import { hire } from "./crew.ts"
import { makeDatabase, withServer } from "./databases.ts"
import { ourSettings } from "./subjects.ts"

const quoted = (name: string, time: string, source: string) => [name, "quoted", time, "", source]

export const recovery = ({ quick }: Options): Promise<Sections> =>
  withServer(async (server) => {
    // Half a minute of waiting shows nothing in the quick form: there the lease is short.
    const form = quick ? "shortLease" : "default"
    const once = async () => {
      const url = server.urlOf(await makeDatabase(server))
      const victim = await hire("ours", form, url)
      const heir = await hire("ours", form, url)
      await victim.fill(1)
      await victim.hang()
      const started = heir.first()
      await new Promise((resolve) => setTimeout(resolve, quick ? 100 : 500 + Math.random() * 5_000))
      const killed = Number(process.hrtime.bigint()) / 1e6
      victim.kill()
      const waited = (await started) - killed
      await heir.quit()
      return waited
    }
    const waits = (await Promise.all(Array.from({ length: quick ? 1 : 4 }, once))).toSorted((a, b) => a - b)
    const longest = waits.at(-1)!
    return [
      {
        name: "recovery",
        title: "From a SIGKILL in the middle of a run until another process runs it, default settings",
        text:
          "A process whose handler never ends is killed at a random instant of its life of some seconds, four times, each on a database of its " +
          "own; another process works on the same database. The others are quoted, not measured.",
        head: ["library", "measured", "until it runs again", "longest", "source"],
        rows: [
          {
            cells: [
              "effect-scheduler",
              `${waits.length} times`,
              millis(waits[waits.length >> 1]!),
              millis(longest),
              "here"
            ],
            target: "under 20 s",
            met: longest < 20_000
          },
          quoted(
            "BullMQ",
            "30 s",
            '"The default max stalled check duration is 30 seconds" (docs.bullmq.io/guide/jobs/stalled)'
          ),
          quoted(
            named("pg-boss"),
            "15 min",
            '"The default is 15 minutes. This means even a quick task like sending an email could wait 15 minutes before a dead worker is detected ' +
              'via expiration." (docs/api/queues.md)'
          ),
          quoted(
            named("graphile-worker"),
            "4 h",
            "\"if a worker doesn't exit gracefully (e.g. it crashes or is forcefully killed), more jobs will remain locked and unable to execute " +
              'until the 4 hour limit expires" (worker.graphile.org/docs/performance)'
          ),
          quoted(
            "Effect cluster",
            "35 s",
            `\`shardLockExpiration: Duration.seconds(35)\` (effect/cluster/ShardingConfig of ${named("effect")})`
          )
        ],
        notes: [ourSettings]
      }
    ]
  })
