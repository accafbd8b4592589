import type { Row, Value } from "../values.ts"

/** A statement and the parameters of each time that it is run. Its answer is the rows of all of them. */
interface Query {
  readonly text: string
  readonly params: ReadonlyArray<ReadonlyArray<Value>>
}

/**
 * A piece of work on the tables that does not say how its statements are run: synchronously on the embedded client's own
 * connection, or through any `SqlClient`. Each method of the store is one, and runs in one transaction.
 */
export type Program<A> = Generator<Query, A, ReadonlyArray<Row>>

const once: ReadonlyArray<ReadonlyArray<Value>> = [[]]

export function* query(text: string, params?: ReadonlyArray<Value>): Program<ReadonlyArray<Row>> {
  return yield { text, params: params === undefined ? once : [params] }
}

/** Runs a statement once for each list of parameters, in order. */
export function* each(text: string, params: ReadonlyArray<ReadonlyArray<Value>>): Program<ReadonlyArray<Row>> {
  return params.length === 0 ? [] : yield { text, params }
}

const ofLength = (length: number): Array<Value> => {
  const values: Array<Value> = []
  values.length = length
  return values
}

/** How many rows one statement writes where there are so many. Each saves a call, which costs as much as a third of a row. */
export const manyRows = 25

/** Rows to be written by two texts of a statement: one that takes a single row, and one that takes `manyRows` at once. */
export class Rows {
  private readonly width: number
  private full: Array<Array<Value>> = []
  /** Made at its full length: one that grows is copied again and again. */
  private last: Array<Value> | undefined
  private used = 0

  constructor(width: number) {
    this.width = width
  }

  add(values: ReadonlyArray<Value>): void {
    const { width } = this
    const last = (this.last ??= ofLength(width * manyRows))
    for (let i = 0; i < width; i++) last[this.used++] = values[i]!
    if (this.used < last.length) return
    this.full.push(last)
    this.last = undefined
    this.used = 0
  }

  *write(one: string, many: string): Program<void> {
    const { full, last, used, width } = this
    this.full = []
    this.last = undefined
    this.used = 0
    yield* each(many, full)
    const rest: Array<ReadonlyArray<Value>> = []
    for (let at = 0; at < used; at += width) rest.push(last!.slice(at, at + width))
    yield* each(one, rest)
  }
}

/** A statement run by its connection, which throws what goes wrong. */
export type Execute = (text: string, params: ReadonlyArray<Value>) => ReadonlyArray<Row>

const none: ReadonlyArray<Row> = []

/** Runs a program to its end, synchronously. */
export const runSync = <A>(program: Program<A>, execute: Execute): A => {
  let step = program.next(none)
  while (step.done !== true) {
    const { params, text } = step.value
    if (params.length === 1) {
      step = program.next(execute(text, params[0]!))
    } else {
      const rows: Array<Row> = []
      for (const values of params) {
        for (const row of execute(text, values)) rows.push(row)
      }
      step = program.next(rows)
    }
  }
  return step.value
}
