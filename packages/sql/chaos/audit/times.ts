/** I4 and I5: every nominal time is accounted for, and no watermark goes back. */
import type { Facts, ScheduleRow, Verdict } from "./facts.ts"

const kinds = ["fired", "skipped", "missed", "dropped", "paused"] as const

/** How many times anchor + k · period, k ≥ 1, lie in (after, upTo]. */
const countTimes = (anchor: number, period: number, after: number, upTo: number): number =>
  Math.max(0, Math.floor((upTo - anchor) / period)) - Math.max(0, Math.floor((after - anchor) / period))

export const accounted = (facts: Facts, periodOf: (id: string) => number): Verdict => {
  const totals = Object.fromEntries(
    kinds.map((kind) => [kind, facts.rows.schedules.reduce((sum, { counts }) => sum + counts[kind], 0)])
  )
  return {
    name: "I4",
    checked:
      `the nominal times of ${facts.rows.schedules.length} schedules: ` +
      kinds.map((kind) => `${totals[kind]} ${kind}`).join(", "),
    wrong: facts.rows.schedules.flatMap((row) => wrongTimes(row, periodOf(row.id), facts))
  }
}

const wrongTimes = (row: ScheduleRow, period: number, { rows }: Facts): ReadonlyArray<string> => {
  const isOwn = (other: { readonly scheduleId: string | null; readonly generation: string | null }) =>
    other.scheduleId === row.id && other.generation === row.generation
  const runs = rows.ended.filter(isOwn)
  const ranges = rows.ranges.filter(isOwn)
  const times = countTimes(row.anchor, period, row.firstWatermark, row.watermark)
  const counted = kinds.reduce((sum, kind) => sum + row.counts[kind], 0)
  const stored = (kind: (typeof kinds)[number]) =>
    kind === "fired"
      ? runs.length
      : ranges.filter((range) => range.kind === kind).reduce((sum, { count }) => sum + count, 0)
  const isTime = (at: number | null) =>
    at !== null && (at - row.anchor) % period === 0 && at > row.firstWatermark && at <= row.watermark
  return [
    ...(times === counted ? [] : [`${row.id} has ${times} nominal times, ${counted} are counted`]),
    ...kinds
      // Not all that fired has ended where the work was not done.
      .filter((kind) => stored(kind) !== row.counts[kind] && (kind !== "fired" || rows.unfinished === 0))
      .map((kind) => `${row.id} counts ${row.counts[kind]} ${kind}, history has ${stored(kind)}`),
    ...runs
      .filter(({ nominal }) => !isTime(nominal))
      .map(({ id, nominal }) => `${row.id}: run ${id} has ${nominal}, which is none of its times`),
    ...ranges
      .filter(({ first, last }) => !isTime(first) || !isTime(last))
      .map(({ first, id, last }) => `${row.id}: range ${id} from ${first} to ${last} is none of its times`)
  ]
}

export const forward = ({ rows, samples }: Facts): Verdict => {
  const highest = new Map<string, number>()
  const wrong: Array<string> = []
  let looks = 0
  const look = (id: string, generation: string, watermark: number) => {
    const name = `${id} ${generation}`
    const before = highest.get(name) ?? -Infinity
    if (watermark < before) wrong.push(`${id} went back from ${before} to ${watermark}`)
    highest.set(name, Math.max(before, watermark))
    looks++
  }
  for (const { watermarks } of samples) for (const row of watermarks) look(row.id, row.generation, row.watermark)
  for (const row of rows.schedules) {
    look(row.id, row.generation, row.watermark)
    if (row.nextAt !== null && row.nextAt <= row.watermark) wrong.push(`${row.id} looks back at ${row.nextAt}`)
  }
  return { name: "I5", checked: `${looks} watermarks, read in ${samples.length} samples and at the end`, wrong }
}
