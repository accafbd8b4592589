import type { StoreSignal } from "effect-scheduler/JobStore"
import type { Tables } from "../../tables.ts"
import type { Statements } from "../statements.ts"

/** What a program works with in one transaction. `signal` collects what it has changed. */
export interface Transaction {
  readonly tables: Tables
  readonly sql: Statements
  /** For how many milliseconds the call has waited for others before the transaction began. */
  readonly waited: number
  signal: StoreSignal
}
