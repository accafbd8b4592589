/** graphile-worker, in the three settings that its documentation names. */
import { Logger, makeWorkerUtils, run, runMigrations } from "graphile-worker"
import { type Form, handle, type Side } from "./side.ts"

const source = "worker.graphile.org/docs/performance"
const lacks = "no row of history, no result: an ended job is deleted"

export const forms = {
  defaults: {
    settings: "its defaults (1 job at a time)",
    quote: `"this pool defaults to size 1 (only one job at a time on this worker)" (${source}).`,
    lacks,
    isRecommended: false,
    count: 1_000
  },
  recommended: {
    settings: "concurrentJobs 10, localQueue 11, delays 250",
    quote:
      `"If you have a high throughput job queue (even intermittently) we recommend that you enable batching; the settings to use will ` +
      `depend on your setup, but consider these as a starting point": \`concurrentJobs: 10\`, \`localQueue: { size: concurrentJobs + 1 }\`, ` +
      `\`completeJobBatchDelay: 250\`, \`failJobBatchDelay: 250\` (${source}).`,
    lacks,
    isRecommended: true,
    count: 20_000
  },
  best: {
    settings: "concurrentJobs 24, localQueue 500, delays 0",
    quote:
      `"The above stats were achieved with this configuration": \`concurrentJobs: 24\`, \`maxPoolSize: 25\`, \`localQueue: { size: 500 }\`, ` +
      `\`completeJobBatchDelay: 0\`, \`failJobBatchDelay: 0\` (${source}).`,
    lacks,
    isRecommended: false,
    count: 20_000
  }
} satisfies Record<string, Form>

const settings: Readonly<Record<keyof typeof forms, object>> = {
  defaults: {},
  recommended: {
    concurrentJobs: 10,
    localQueue: { size: 11 },
    completeJobBatchDelay: 250,
    failJobBatchDelay: 250
  },
  best: {
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0
  }
}

const silent = new Logger(() => () => undefined)

export const make = async (url: string, form: string): Promise<Side> => {
  await runMigrations({ connectionString: url, logger: silent })
  const utils = await makeWorkerUtils({ connectionString: url, logger: silent })
  return {
    enqueue: (text) => utils.addJob("note", { text }),
    enqueueAll: (texts) => utils.addJobs(texts.map((text) => ({ identifier: "note", payload: { text } }))),
    work: async (handler) => {
      const runner = await run({
        preset: { worker: { connectionString: url, logger: silent, ...settings[form as keyof typeof forms] } },
        noHandleSignals: true,
        taskList: { note: (payload) => handle(handler, (payload as { readonly text: string }).text) }
      })
      return () => runner.stop()
    },
    unfinished: "select exists (select 1 from graphile_worker._private_jobs)",
    close: async () => utils.release()
  }
}
