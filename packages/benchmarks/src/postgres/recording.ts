/** What this library's store sends to Postgres, recorded to be sent again inside the server. */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { Connection } from "effect/sql/SqlConnection"
import { databaseOf } from "./sides/ours.ts"

export interface Call {
  readonly text: string
  readonly params: ReadonlyArray<unknown>
}

/** A client that keeps every statement, in the order in which they are sent. */
export const recordingLayer = (url: string, calls: Array<Call>) => {
  const watched = (connection: Connection): Connection =>
    new Proxy(connection, {
      get: (target, key) => {
        const value = target[key as keyof Connection]
        if (typeof value !== "function") return value
        return (text: string, params: ReadonlyArray<unknown>, ...rest: ReadonlyArray<unknown>) => {
          if (typeof text === "string") calls.push({ text, params })
          return (value as (...args: ReadonlyArray<unknown>) => unknown).call(target, text, params, ...rest)
        }
      }
    })
  const recording = (client: SqlClient.SqlClient): SqlClient.SqlClient => {
    const self: SqlClient.SqlClient = new Proxy(client, {
      get: (target, key) => {
        if (key === "withoutTransforms") return () => self
        if (key === "reserve") return Effect.map(target.reserve, watched)
        if (key !== "unsafe") return target[key as keyof typeof target]
        return (text: string, params: ReadonlyArray<unknown> = []) => {
          calls.push({ text, params })
          return target.unsafe(text, params)
        }
      }
    })
    return self
  }
  return Layer.effectContext(
    Effect.map(SqlClient.SqlClient, (client) => Context.make(SqlClient.SqlClient, recording(client)))
  ).pipe(Layer.provide(databaseOf(url)))
}

const literal = (value: unknown): string =>
  value === null || value === undefined
    ? "null"
    : typeof value === "number"
      ? String(value)
      : `'${String(value).replaceAll("'", "''")}'`

/** Whether it makes the settings of a connection. Those of a transaction end with it. */
export const isOfSession = (text: string): boolean =>
  /^select .*set_config\([^)]*false\)/s.test(text) && !/pg_settings/.test(text)

/**
 * The statements of a run from its first claim on, as a loop in the server: each statement prepared once, with a commit where the
 * store had one. The settings are those that the store makes on its connections.
 */
export const insideServer = (calls: ReadonlyArray<Call>): ReadonlyArray<string> => {
  const settings = calls.filter(({ text }) => isOfSession(text))
  const from = calls.findIndex(({ text }) => /skip locked/.test(text))
  const to = calls.findLastIndex(({ text }) => /insert into scheduler_history/.test(text))
  const path = calls.slice(from, to + 1).filter(({ text }) => /scheduler_|^begin|^commit/i.test(text))
  const names = new Map<string, string>()
  const steps: Array<string> = []
  let isOpen = false
  for (const { params, text } of path) {
    if (/^begin/i.test(text)) isOpen = true
    else if (/^commit/i.test(text)) isOpen = false
    else {
      const name = names.get(text) ?? `step_${names.size}`
      names.set(text, name)
      steps.push(`execute ${name}${params.length === 0 ? "" : `(${params.map(literal).join(", ")})`}`)
    }
    if (!isOpen) steps.push("")
  }
  const rows = steps.map((step, index) => `(${index}, ${literal(step)})`)
  const inserts: Array<string> = []
  for (let at = 0; at < rows.length; at += 50) {
    inserts.push(`insert into bench_steps values ${rows.slice(at, at + 50).join(", ")}`)
  }
  return [
    ...settings.slice(0, 1).map(({ text }) => text),
    "create table bench_steps (place int primary key, text text)",
    ...inserts,
    "vacuum analyze bench_steps",
    ...Array.from(names, ([text, name]) => `prepare ${name} as ${text}`)
  ]
}

export const loop = `do $$
declare step record;
begin
  for step in select text from bench_steps order by place loop
    if step.text = '' then commit; else execute step.text; end if;
  end loop;
end $$`
