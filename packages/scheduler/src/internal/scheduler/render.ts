import type { ScheduleView } from "../../Scheduler.ts"

const widths = { id: 22, job: 14, trigger: 22, state: 10 } as const

/** Schedules as an aligned table of at most 80 columns; what does not fit is shortened with `…`. */
export const table = (views: ReadonlyArray<ScheduleView>, now: number): string => {
  if (views.length === 0) return "No schedules"
  const rows = views.map((view) => [view.id, view.job, view.description, view.state, when(view.nextAt, now)])
  const head = ["ID", "JOB", "TRIGGER", "STATE", "NEXT"]
  const limits = [widths.id, widths.job, widths.trigger, widths.state, Infinity]
  const columns = head.map((title, i) =>
    Math.min(limits[i]!, Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  )
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cell : fit(cell, columns[i]!)))
      .join(" ")
      .trimEnd()
  return [line(head), ...rows.map(line)].join("\n")
}

const fit = (text: string, width: number): string =>
  text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}…`

/** An instant as a distance from now, in its two largest units. */
const when = (instant: number | null, now: number): string => {
  if (instant === null) return "-"
  const distance = instant - now
  if (Math.abs(distance) < 500) return "now"
  const text = span(Math.abs(distance))
  return distance > 0 ? `in ${text}` : `${text} ago`
}

const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1]
] as const

const span = (millis: number): string => {
  let seconds = Math.max(1, Math.round(millis / 1_000))
  const parts: Array<string> = []
  for (const [unit, size] of units) {
    const count = Math.floor(seconds / size)
    if (count > 0) parts.push(`${count}${unit}`)
    seconds -= count * size
    if (parts.length === 2) break
  }
  return parts.join(" ")
}
