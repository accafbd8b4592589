/**
 * The budget of one search, and why it ended without an answer. A search that ends so returns `STOPPED`, which is NaN, so
 * that the answers themselves stay plain numbers.
 */
import type { Rule } from "./model.ts"

export const STOPPED = NaN

export class Steps {
  #left: number
  /** Up to here there is no instant; set when a search stopped. */
  reached = NaN
  fault: { readonly cause: unknown } | undefined = undefined

  constructor(budget: number) {
    this.#left = budget
  }

  /** Takes one step; false when there is none left. */
  take(): boolean {
    return this.#left-- > 0
  }

  /** Runs a search with one of so many equal shares of what is left, so that it leaves something for the others. */
  shared<A>(shares: number, search: () => A): A {
    const rest = this.#left - Math.ceil(this.#left / shares)
    this.#left -= rest
    const found = search()
    this.#left += rest
    return found
  }

  stop(reached: number): number {
    this.reached = reached
    return STOPPED
  }

  fail(cause: unknown): number {
    this.fault = { cause }
    return STOPPED
  }
}

export const isStopped = (at: number): boolean => Number.isNaN(at)

/** Whether a search in it may take steps. */
export const isCombination = (rule: Rule): boolean => {
  switch (rule._tag) {
    case "At":
    case "Every":
    case "Cron":
    case "Calendar":
    case "Custom":
      return false
    case "Bounded":
    case "Offset":
    case "StartNow":
      return isCombination(rule.of)
    default:
      return true
  }
}
