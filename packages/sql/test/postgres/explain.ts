/** What statements cost the server, measured where they are sent. */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient, type SqlError } from "effect/sql"

/** A statement as it was carried out: the pages that it touched, however it found them, and its time on the server. */
export interface Cost {
  readonly text: string
  readonly pages: number
  readonly millis: number
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

/**
 * A client whose every statement is explained and undone before it is sent. `unprepared` plans it for the values that it has;
 * else the server keeps one plan for all values, as it does from the sixth time on.
 */
export const explaining = (
  client: SqlClient.SqlClient,
  costs: Array<Cost>,
  isExplained: (text: string) => boolean = () => true
): SqlClient.SqlClient => {
  const explained = (text: string, params: ReadonlyArray<unknown> | undefined) =>
    Effect.gen(function* () {
      if (!isExplained(text) || !/^\s*(select|with|insert|update|delete)/i.test(text)) return
      const told = yield* client.unsafe("savepoint explaining").values.pipe(
        Effect.andThen(client.unsafe(`explain (analyze, buffers, format json) ${text}`, params).values),
        Effect.tap(() => client.unsafe("rollback to savepoint explaining").values)
      )
      const [{ "Execution Time": millis, Plan: root }] = told[0]![0] as readonly [
        { readonly "Execution Time": number; readonly Plan: Node }
      ]
      const pages = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
      costs.push({ text, pages, millis, plan: lines(root) })
    })
  const self: SqlClient.SqlClient = new Proxy(client, {
    get: (target, key) => {
      if (key === "withoutTransforms") return () => self
      if (key !== "unsafe") return target[key as keyof typeof target]
      return (text: string, params?: ReadonlyArray<unknown>) => {
        const statement = target.unsafe(text, params)
        return new Proxy(statement, {
          get: (inner, name) =>
            name === "values"
              ? Effect.andThen(explained(text, params), inner.values as Effect.Effect<unknown, SqlError.SqlError>)
              : inner[name as keyof typeof inner]
        })
      }
    }
  })
  return self
}

/** The same as a layer, with the list that it fills. */
export const explainingLayer = (url: string, costs: Array<Cost>, isExplained?: (text: string) => boolean) =>
  Layer.effectContext(
    Effect.map(SqlClient.SqlClient, (client) =>
      Context.make(SqlClient.SqlClient, explaining(client, costs, isExplained))
    )
  ).pipe(Layer.provide(PgClient.layer({ url: Redacted.make(url), maxConnections: 5 })))
