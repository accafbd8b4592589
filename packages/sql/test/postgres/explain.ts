/** What statements cost the server, measured where they are sent. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { Connection } from "effect/sql/SqlConnection"

/** A statement as it was carried out: the pages that it touched, however it found them, and its time on the server. */
export interface Cost {
  readonly text: string
  readonly pages: number
  readonly millis: number
  /** The length of the longest list that it was given, or how many rows it answered. */
  readonly batch: number
  /** The nodes of its plan, one line each. */
  readonly plan: ReadonlyArray<string>
}

interface Node {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Index Name"?: string
  readonly "Actual Rows": number
  readonly "Actual Loops": number
  readonly "Shared Hit Blocks": number
  readonly "Shared Read Blocks": number
  readonly Plans?: ReadonlyArray<Node>
}

const lines = (node: Node, depth = 0): ReadonlyArray<string> => [
  `${" ".repeat(depth)}${node["Node Type"]} ${node["Index Name"] ?? node["Relation Name"] ?? ""} rows ${node["Actual Rows"]} x ${node["Actual Loops"]}, pages ${node["Shared Hit Blocks"] + node["Shared Read Blocks"]}`,
  ...(node.Plans ?? []).flatMap((child) => lines(child, depth + 1))
]

type Send = (
  text: string,
  params: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, SqlError.SqlError>

const literal = (value: unknown): string =>
  value === null ? "null" : typeof value === "number" ? String(value) : `'${String(value).replaceAll("'", "''")}'`

/**
 * A client whose every statement is explained and undone before it is sent. `generic`: with the plan for all values that a
 * connection keeps from the sixth time on, else with one for the values that it has.
 */
const explaining = (
  client: SqlClient.SqlClient,
  costs: Array<Cost>,
  options: { readonly isExplained?: (text: string) => boolean; readonly generic?: boolean } = {}
): SqlClient.SqlClient => {
  const { generic = false, isExplained = () => true } = options
  const explain = (send: Send, text: string, params: ReadonlyArray<unknown>) =>
    generic
      ? Effect.gen(function* () {
          yield* send("set local plan_cache_mode = force_generic_plan", [])
          yield* send(`prepare explaining as ${text}`, [])
          const values = params.length === 0 ? "" : `(${params.map(literal).join(", ")})`
          const told = yield* send(`explain (analyze, buffers, format json) execute explaining${values}`, [])
          yield* send("deallocate explaining", [])
          return told
        })
      : send(`explain (analyze, buffers, format json) ${text}`, params)
  /** Undone by a savepoint, or where the statement is a transaction of its own by one around it. */
  const explained = (send: Send, text: string, params: ReadonlyArray<unknown>, isAlone: boolean) =>
    Effect.gen(function* () {
      if (!isExplained(text) || !/^\s*(select|with|insert|update|delete)/i.test(text)) return
      const told = yield* send(isAlone ? "begin" : "savepoint explaining", []).pipe(
        Effect.andThen(explain(send, text, params)),
        Effect.tap(() => send(isAlone ? "rollback" : "rollback to savepoint explaining", []))
      )
      const [{ "Execution Time": millis, Plan: root }] = told[0]![0] as readonly [
        { readonly "Execution Time": number; readonly Plan: Node }
      ]
      const pages = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
      const lists = params.map((param) => (/^\{./.test(String(param)) ? String(param).split(",").length : 1))
      costs.push({ text, pages, millis, batch: Math.max(root["Actual Rows"], ...lists), plan: lines(root) })
    })
  const sendToClient: Send = (text, params) => client.unsafe(text, params).values
  /** A connection that the store keeps, on which a statement may be a transaction of its own. */
  const reserved = (connection: Connection): Connection => {
    let isOpen = false
    const send: Send = (text, params) =>
      connection.executeValues(text, params) as Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, SqlError.SqlError>
    return new Proxy(connection, {
      get: (target, key) =>
        key !== "executeValues"
          ? target[key as keyof typeof target]
          : (text: string, params: ReadonlyArray<unknown>) =>
              Effect.suspend(() => {
                if (/^(begin|commit|rollback)/i.test(text)) isOpen = /^begin/i.test(text)
                return Effect.andThen(explained(send, text, params, !isOpen), send(text, params))
              })
    })
  }
  const self: SqlClient.SqlClient = new Proxy(client, {
    get: (target, key) => {
      if (key === "withoutTransforms") return () => self
      if (key === "reserve") return Effect.map(target.reserve, reserved)
      // Of one that can tell nobody: what is sent within a procedure cannot be explained, and is sent as it is.
      if (key === "listen") return undefined
      if (key !== "unsafe") return target[key as keyof typeof target]
      return (text: string, params?: ReadonlyArray<unknown>) => {
        const statement = target.unsafe(text, params)
        return new Proxy(statement, {
          get: (inner, name) =>
            name === "values"
              ? Effect.andThen(
                  explained(sendToClient, text, params ?? [], false),
                  inner.values as Effect.Effect<unknown, SqlError.SqlError>
                )
              : inner[name as keyof typeof inner]
        })
      }
    }
  })
  return self
}

/** The same as a layer, with the list that it fills. */
export const explainingLayer = (url: string, costs: Array<Cost>, options?: Parameters<typeof explaining>[2]) =>
  Layer.effectContext(
    Effect.map(SqlClient.SqlClient, (client) => Context.make(SqlClient.SqlClient, explaining(client, costs, options)))
  ).pipe(Layer.provide(PgClient.layer({ url: Redacted.make(url), maxConnections: 8 })))
