/**
 * Counts again, from rows alone, whether each run ended exactly once, no (run, attempt) was executed twice, and the limits
 * held.
 */
import { ResizeImage, RESIZES, SendInvoice } from "./jobs.ts"
import type { Facts } from "./rows.ts"
import { tail } from "./text.ts"

export interface Audit {
  readonly runs: number
  readonly executions: number
  /** The most images that were resized at once, and the most invoices of one customer. */
  readonly images: number
  readonly invoices: number
  /** In words. */
  readonly faults: ReadonlyArray<string>
}

/** `enqueued` are the ids that the demo was answered. */
export const audit = (facts: Facts, enqueued: ReadonlyArray<string>): Audit => {
  const held = heldOf(facts)
  const images = most(held.filter(({ job }) => job === ResizeImage.jobName))
  const byCustomer = Map.groupBy(
    held.filter(({ job }) => job === SendInvoice.jobName),
    ({ customer }) => customer
  )
  const invoices = Math.max(0, ...Array.from(byCustomer.values(), most))
  return {
    runs: facts.ended.length,
    executions: facts.executions.length,
    images,
    invoices,
    faults: [
      ...ends(facts, enqueued),
      ...executed(facts),
      ...(images > RESIZES ? [`${images} images were resized at once, and ${RESIZES} may be`] : []),
      ...(invoices > 1 ? [`${invoices} invoices of one customer were sent at once`] : [])
    ]
  }
}

/** What is there more than once. */
const repeated = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...Map.groupBy(names, (name) => name)].flatMap(([name, same]) => (same.length > 1 ? [name] : []))

const ends = ({ ended, left }: Facts, enqueued: ReadonlyArray<string>): ReadonlyArray<string> => {
  const ids = new Set(ended.map(({ id }) => id))
  const times = ended.flatMap(({ nominal, schedule }) => (schedule === null ? [] : [`${schedule} of ${nominal}`]))
  return [
    ...(left > 0 ? [`${left} runs have not ended`] : []),
    ...enqueued.filter((id) => !ids.has(id)).map((id) => `run ${tail(id)} did not end`),
    ...repeated(ended.map(({ id }) => id)).map((id) => `run ${tail(id)} ended more than once`),
    ...repeated(times).map((time) => `${time} has more than one run`),
    ...ended.filter(({ outcome }) => outcome !== "succeeded").map(({ id, outcome }) => `run ${tail(id)}: ${outcome}`)
  ]
}

const nameOf = (run: string, attempt: number): string => `attempt ${attempt} of run ${tail(run)}`

const executed = ({ dead, ended, executions }: Facts): ReadonlyArray<string> => {
  const names = executions.map(({ attempt, run }) => nameOf(run, attempt))
  const whole = new Set(executions.flatMap(({ attempt, ended, run }) => (ended === null ? [] : [nameOf(run, attempt)])))
  const known = new Set(ended.map(({ id }) => id))
  return [
    ...repeated(names).map((name) => `${name} was executed more than once`),
    ...ended.flatMap(({ attempt, id }) => {
      const name = nameOf(id, attempt)
      return whole.has(name) ? [] : [`${name} ended its run and was not executed to its end`]
    }),
    ...executions.flatMap(({ attempt, ended, node, run }) => [
      ...(known.has(run) ? [] : [`${nameOf(run, attempt)} was executed, and its run never ended`]),
      ...(ended === null && dead.every((each) => each.node !== node)
        ? [`${nameOf(run, attempt)} has no end, and its node did not die`]
        : [])
    ])
  ]
}

/** From when to when, the end excluded. */
interface Held {
  readonly job: string
  readonly customer: string | null
  readonly from: number
  readonly until: number
}

/**
 * When each run was held by a node: from the beginning of its handler until its end was stored. One of which history has
 * another attempt was held until its node was marked dead.
 */
const heldOf = ({ dead, ended, executions }: Facts): ReadonlyArray<Held> => {
  const rows = new Map(ended.map((row) => [row.id, row]))
  const deadAt = new Map(dead.map(({ at, node }) => [node, at]))
  return executions.flatMap(({ attempt, began, customer, ended, node, run }) => {
    const row = rows.get(run)
    if (row === undefined) return []
    const until = row.attempt === attempt ? row.ended : Math.min(ended ?? Infinity, deadAt.get(node) ?? Infinity)
    return [{ job: row.job, customer, from: began, until }]
  })
}

/** The most that are there at once. */
const most = (held: ReadonlyArray<Held>): number => {
  const changes = held
    .filter(({ from, until }) => until > from)
    .flatMap(({ from, until }) => [
      { at: from, by: 1 },
      { at: until, by: -1 }
    ])
    .toSorted((a, b) => a.at - b.at || a.by - b.by)
  let now = 0
  return changes.reduce((highest, { by }) => Math.max(highest, (now += by)), 0)
}
