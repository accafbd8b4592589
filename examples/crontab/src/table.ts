/**
 * The last thing that is printed: what became of each line's nominal times, and the verdict.
 */
import type { Account, Accounting } from "./accounting.ts"
import { clip, column, type Paint } from "./text.ts"

const columns: ReadonlyArray<readonly [title: string, width: number, (account: Account) => number]> = [
  ["nominal", 8, ({ nominal }) => nominal],
  ["runs", 5, ({ runs }) => runs],
  ["ok", 4, ({ succeeded }) => succeeded],
  ["failed", 7, ({ failed }) => failed],
  ["missed", 7, ({ missed }) => missed],
  ["skipped", 8, ({ skipped }) => skipped],
  ["recovered", 10, ({ recovered }) => recovered]
]

const label = 80 - columns.reduce((sum, [, width]) => sum + width, 0)

export const table = ({ accounts }: Accounting, paint: Paint): ReadonlyArray<string> => [
  paint("dim", `${column("line", label)}${columns.map(([title, width]) => title.padStart(width)).join("")}`),
  ...accounts.map((account) => {
    const name = column(`${account.entry.schedule} ${account.entry.command}`, label - 1)
    return `${name} ${columns.map(([, width, of]) => cell(account, of(account), width)).join("")}`
  })
]

/** `@reboot` has no nominal times. */
const cell = (account: Account, value: number, width: number): string =>
  (account.entry.trigger === "reboot" && value === 0 ? "-" : String(value)).padStart(width)

export const isGood = (accounting: Accounting): boolean => accounting.faults.length === 0 && total(accounting) > 0

const total = ({ accounts }: Accounting): number => accounts.reduce((sum, account) => sum + account.nominal, 0)

export const verdict = (accounting: Accounting, paint: Paint): ReadonlyArray<string> => {
  const times = `${total(accounting)} nominal times from first to last`
  return isGood(accounting)
    ? [paint("green", `All ${times} are accounted for exactly once.`)]
    : [
        ...accounting.faults.slice(0, 10).map((fault) => clip(`  ${fault}`, 80)),
        paint("red", `NOT every one of ${times} is accounted for exactly once.`)
      ]
}
