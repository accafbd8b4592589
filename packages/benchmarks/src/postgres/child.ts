/** `child.ts SIDE FORM URL`: a process that does what the one that has started it asks for (`crew.ts`). */
import { PgClient } from "@effect/sql-pg"
import { Effect, ManagedRuntime, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { spent } from "../child.ts"
import type { Duties, SideName } from "./crew.ts"
import { type Call, recordingLayer } from "./recording.ts"
import { type Handler, pause, type Side } from "./sides/side.ts"

const [name, form, url] = [process.argv[2] as SideName, process.argv[3]!, process.argv[4]!]

const calls: Array<Call> = []
const load = async (): Promise<Side> => {
  switch (name) {
    case "ours": {
      const { make } = await import("./sides/ours.ts")
      return form === "recorded" ? make(url, form, recordingLayer(url, calls)) : make(url, form)
    }
    case "graphile":
      return (await import("./sides/graphile.ts")).make(url, form)
    case "pgBoss":
      return (await import("./sides/pgBoss.ts")).make(url, form)
    case "effectMq":
      return (await import("./sides/effectMq.ts")).make(url, form)
    case "persistedQueue":
      return (await import("./sides/persistedQueue.ts")).make(url, form)
  }
}
const side = await load()

/** Nanoseconds of a clock that all processes of a machine share. */
const instant = (): bigint => process.hrtime.bigint()
const millisOf = (nanos: bigint): number => Number(nanos) / 1e6

const observer = ManagedRuntime.make(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 }))
const isUnfinished = () =>
  observer.runPromise(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const rows = yield* sql.unsafe(side.unfinished).values
      return (rows[0] as ReadonlyArray<unknown>)[0] as boolean
    })
  )

const found: Array<number> = []
let stop: (() => Promise<unknown>) | undefined
const texts = (count: number) => Array.from({ length: count }, (_, i) => `note ${i}`)

const timed = async (use: () => Promise<unknown>): Promise<number> => {
  const began = instant()
  await use()
  return millisOf(instant() - began)
}

const duties: Omit<Duties, "quit"> = {
  fill: async (count) => {
    for (let at = 0; at < count; at += 5_000) await side.enqueueAll(texts(Math.min(5_000, count - at)))
  },
  drain: async (least, waits = 0) => {
    let handled = 0
    let lately = -1
    await isUnfinished()
    globalThis.gc?.()
    const cpu = spent()
    const began = instant()
    const handler: Handler = { run: () => void handled++, waits }
    const end = await side.work(handler)
    // It asks only when it must: the server is busy with what is measured.
    const isOver = async () => handled >= least && handled === lately && !(await isUnfinished())
    while (!(await isOver())) {
      lately = handled
      await pause(least === 0 ? 10 : 5)
    }
    const ended = instant()
    const used = spent() - cpu
    await end()
    return { began: millisOf(began), ended: millisOf(ended), cpu: used, handled }
  },
  listen: async () => {
    stop = await side.work({ run: (text) => void found.push(millisOf(instant() - BigInt(text))), waits: 0 })
  },
  latencies: async (count) => {
    while (found.length < count) await pause(10)
    return found
  },
  pace: async (count, gap) => {
    for (let i = 0; i < count; i++) {
      await side.enqueue(String(instant()))
      // Not in step with what polls.
      await pause(gap * (0.5 + Math.random()))
    }
  },
  one: (count) =>
    timed(async () => {
      for (const text of texts(count)) await side.enqueue(text)
    }),
  bulk: (count) => {
    const all = texts(count)
    return timed(() => side.enqueueAll(all))
  },
  hang: () =>
    new Promise((resolve) => {
      void side.work({ run: () => resolve(), waits: 3_600_000 })
    }),
  first: () =>
    new Promise((resolve) => {
      void side.work({ run: () => resolve(millisOf(instant())), waits: 0 })
    }),
  recorded: () => Promise.resolve(calls)
}

const quit = async () => {
  await stop?.()
  await side.close()
  await observer.dispose()
}

process.on("message", ({ args, duty, id }: { id: number; duty: keyof Duties; args: ReadonlyArray<unknown> }) => {
  const act = (duty === "quit" ? quit : duties[duty]) as (...args: ReadonlyArray<unknown>) => Promise<unknown>
  act(...args).then(
    (value) => process.send!({ id, value }),
    (error) => process.send!({ id, error: String(error?.stack ?? error) })
  )
})
process.on("disconnect", () => process.exit(0))
