/** pg-boss at its defaults, and as its documentation says that backlogs are worked off. */
import { PgBoss } from "pg-boss"
import { type Form, handle, type Side } from "./side.ts"

const source = "docs/api/workers.md of pg-boss 12"
const queue = "note"

export const forms = {
  defaults: {
    settings: "its defaults (1 job every 2 s)",
    quote: `"The default options for \`work()\` is 1 job every 2 seconds" (${source}).`,
    lacks: "–",
    isRecommended: false,
    count: 4
  },
  recommended: {
    settings: "batchSize 20, burstWhenBatchFull, localConcurrency 5, notify",
    quote:
      `"While each fetch returns a full \`batchSize\` batch there is clearly more work, so the worker keeps fetching continuously with no ` +
      `delay"; "Create 5 workers that can each process jobs in parallel": \`localConcurrency: 5\`; "cutting dispatch latency to ` +
      `milliseconds": \`useListenNotify\` (${source}); \`batchSize: 20\` (docs/api/jobs.md).`,
    lacks: "result of each job; 20 jobs succeed or fail as one (`perJobResults`, off by default, keeps both)",
    isRecommended: true,
    count: 20_000
  },
  best: {
    settings: "batchSize 1000, burstWhenBatchFull, localConcurrency 5, notify",
    quote: `No larger batch than 20 is in its documentation, and no bound of it: 1,000 is ours, as many as one of our calls takes at most.`,
    lacks: "result of each job; 1,000 jobs succeed or fail as one (`perJobResults` as above)",
    isRecommended: false,
    count: 20_000
  }
} satisfies Record<string, Form>

const settings = {
  defaults: {},
  recommended: { batchSize: 20, burstWhenBatchFull: true, localConcurrency: 5 },
  best: { batchSize: 1_000, burstWhenBatchFull: true, localConcurrency: 5 }
}

export const make = async (url: string, form: string): Promise<Side> => {
  const notify = form !== "defaults"
  const boss = new PgBoss({ connectionString: url, useListenNotify: notify })
  // Without a listener an error would end the process.
  boss.on("error", (error) => process.stderr.write(`${String(error)}\n`))
  await boss.start()
  await boss.createQueue(queue, { notify })
  return {
    enqueue: (text) => boss.send(queue, { text }),
    enqueueAll: (texts) =>
      boss.insert(
        queue,
        texts.map((text) => ({ data: { text } }))
      ),
    work: async (handler) => {
      await boss.work<{ readonly text: string }>(queue, settings[form as keyof typeof forms], async (jobs) => {
        await Promise.all(jobs.map((job) => handle(handler, job.data.text)))
      })
      return () => boss.offWork(queue)
    },
    unfinished: "select exists (select 1 from pgboss.job where name = 'note' and state < 'completed')",
    close: () => boss.stop({ graceful: false })
  }
}
