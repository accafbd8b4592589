import type { Row, Value } from "../values.ts"

/** What a parameter of a statement may be: one value, or a list of them, which the statement casts to an array. */
export type Param = Value | ReadonlyArray<Value>

const element = (value: Value): string =>
  value === null ? "NULL" : typeof value === "number" ? String(value) : `"${value.replace(/["\\]/g, "\\$&")}"`

/** A parameter as it is sent. A list is written as an array's text, which every driver passes on as it is. */
export const encodeParam = (param: Param): Value =>
  typeof param === "object" && param !== null ? `{${param.map(element).join(",")}}` : param

/** Rows of values as one list for each column, for `unnest`. `width` is needed where there may be no row. */
export const columnsOf = (
  rows: ReadonlyArray<ReadonlyArray<Value>>,
  width: number
): ReadonlyArray<ReadonlyArray<Value>> => Array.from({ length: width }, (_, column) => rows.map((row) => row[column]!))

/** Rows as the decoders expect them: instants come as bigints, and none is too large for a number. */
export const decodeRows = (rows: ReadonlyArray<ReadonlyArray<unknown>>): ReadonlyArray<Row> =>
  rows.map((row) =>
    row.map((value) => (typeof value === "bigint" ? Number(value) : typeof value === "boolean" ? Number(value) : value))
  ) as ReadonlyArray<Row>
