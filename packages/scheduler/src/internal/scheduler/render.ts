import type { ScheduleView } from "../../Scheduler.ts"

/** Terminal columns of the whole table, and those that each of its columns takes at most. */
const whole = 80
const most = [22, 14, 22, 10, 14]
/** Those that give way where the whole does not fit: trigger, id, job in turn. */
const yielding = [2, 0, 1]

const titles = ["ID", "JOB", "TRIGGER", "STATE", "NEXT"]

/** Schedules as an aligned table of at most 80 columns; what does not fit is shortened with `…`. */
export const table = (views: ReadonlyArray<ScheduleView>, now: number): string => {
  if (views.length === 0) return "No schedules"
  const rows = [
    titles,
    ...views.map((view) => [view.id, view.job, view.description, view.state, when(view.nextAt, now)])
  ].map((row) => row.map(cellOf))
  const widths = most.map((limit, i) => Math.min(limit, Math.max(...rows.map((row) => row[i]!.width))))
  const excess = widths.reduce((sum, width) => sum + width, widths.length - 1) - whole
  for (let i = 0; i < excess; i++) widths[yielding[i % yielding.length]!]!--
  const lines = rows.map((row) => row.map((cell, i) => fit(cell, widths[i]!)).join(" "))
  return lines.map((line) => line.trimEnd()).join("\n")
}

/** A text as a terminal shows it: what a reader calls its characters, and the columns that they take. */
interface Cell {
  readonly characters: ReadonlyArray<string>
  readonly width: number
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

const cellOf = (text: string): Cell => {
  // A row is one line, whatever an id has in it.
  const line = text.replace(/\p{Cc}+/gu, " ")
  const characters = /^[ -~]*$/.test(line) ? [...line] : Array.from(segmenter.segment(line), (one) => one.segment)
  return { characters, width: characters.reduce((sum, one) => sum + columnsOf(one), 0) }
}

const wide =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u

const columnsOf = (character: string): number => (character > "~" && wide.test(character) ? 2 : 1)

const fit = ({ characters, width }: Cell, columns: number): string => {
  if (width <= columns) return characters.join("") + " ".repeat(columns - width)
  let text = ""
  let room = columns - 1
  for (const character of characters) {
    if (columnsOf(character) > room) break
    text += character
    room -= columnsOf(character)
  }
  return `${text}…${" ".repeat(room)}`
}

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
