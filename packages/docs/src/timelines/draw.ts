/** A scene as SVG: nominal times above, one row for each run, and a mark for each time that became no run. */
import { type Bar, record, type Recorded } from "./record.ts"
import type { Panel, Scene } from "./scenes.ts"

const left = 16
const width = 720
const row = 14

const colours: Readonly<Record<Bar["end"], string>> = {
  succeeded: "#2e7d32",
  failed: "#c62828",
  "timed out": "#e65100",
  cancelled: "#6a1b9a",
  released: "#757575",
  unfinished: "#1565c0"
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

/** Each run in the first row in which nothing of another one is, so that few rows are needed. */
const rowsOf = ({ bars, waits }: Recorded): ReadonlyMap<number, number> => {
  const spans = new Map<number, { from: number; to: number }>()
  for (const { from, run, to } of [...waits, ...bars]) {
    const span = spans.get(run) ?? { from, to }
    spans.set(run, { from: Math.min(span.from, from), to: Math.max(span.to, to) })
  }
  const ends: Array<number> = []
  const rows = new Map<number, number>()
  for (const [run, { from, to }] of [...spans].toSorted((a, b) => a[1].from - b[1].from || a[0] - b[0])) {
    const free = ends.findIndex((end) => end <= from)
    const at = free === -1 ? ends.length : free
    ends[at] = to
    rows.set(run, at)
  }
  return rows
}

const panelOf = ({ story, ticks, title }: Panel, recorded: Recorded, top: number) => {
  const x = (second: number): number => Math.round((left + (second / story.seconds) * width) * 10) / 10
  const rows = rowsOf(recorded)
  const count = Math.max(1, ...[...rows.values()].map((at) => at + 1))
  const runsTop = top + 38
  const bottom = runsTop + count * row
  const parts = [`<text x="${left}" y="${top + 12}" class="title">${escaped(title)}</text>`]
  for (const { from, to } of recorded.away) {
    parts.push(
      `<rect x="${x(from)}" y="${top + 18}" width="${x(to) - x(from)}" height="${bottom - top - 18}" fill="#9e9e9e" fill-opacity="0.25"/>`
    )
  }
  for (const tick of ticks) {
    const lost = recorded.gone.find(({ first, last }) => first <= tick && tick <= last)
    parts.push(`<path d="M${x(tick)} ${top + 30}V${bottom}" class="tick"/>`)
    parts.push(
      lost === undefined
        ? `<circle cx="${x(tick)}" cy="${top + 26}" r="3" fill="#1565c0"/>`
        : `<text x="${x(tick)}" y="${top + 30}" class="gone">✕</text>`
    )
  }
  for (const { from, run, to } of recorded.waits) {
    const y = runsTop + rows.get(run)! * row + row / 2
    parts.push(`<path d="M${x(from)} ${y}H${x(to)}" class="wait"/>`)
  }
  for (const { end, from, run, to } of recorded.bars) {
    const y = runsTop + rows.get(run)! * row + 2
    parts.push(
      `<rect x="${x(from)}" y="${y}" width="${Math.max(2, Math.round((x(to) - x(from)) * 10) / 10)}" height="${row - 4}" rx="2" fill="${colours[end]}"><title>${end}: ${from} to ${to} s</title></rect>`
    )
  }
  for (let second = 0; second <= story.seconds; second += 10) {
    parts.push(`<text x="${x(second)}" y="${bottom + 12}" class="second">${second} s</text>`)
  }
  return { parts, bottom: bottom + 24 }
}

const legendOf = (recorded: ReadonlyArray<Recorded>, top: number): ReadonlyArray<string> => {
  const ends = (Object.keys(colours) as Array<Bar["end"]>).filter((end) =>
    recorded.some(({ bars }) => bars.some((bar) => bar.end === end))
  )
  const kinds = [...new Set(recorded.flatMap(({ gone }) => gone.map(({ kind }) => kind)))]
  const entries = [
    ...ends.map(
      (end) => `<rect x="0" y="-9" width="12" height="10" rx="2" fill="${colours[end]}"/><text x="17">${end}</text>`
    ),
    ...(recorded.some(({ waits }) => waits.length > 0)
      ? ['<path d="M0 -4H12" class="wait"/><text x="17">waits</text>']
      : []),
    ...(kinds.length > 0 ? [`<text x="6" class="gone">✕</text><text x="17">${kinds.join(" or ")}</text>`] : []),
    ...(recorded.some(({ away }) => away.length > 0)
      ? [
          '<rect x="0" y="-9" width="12" height="10" fill="#9e9e9e" fill-opacity="0.25"/><text x="17">no scheduler</text>'
        ]
      : [])
  ]
  return entries.map((entry, index) => `<g transform="translate(${left + index * 110} ${top})">${entry}</g>`)
}

const style = `text{font:11px sans-serif;fill:#24292f}.title{font-weight:bold}.gone{fill:#c62828;text-anchor:middle}.second{fill:#6e7781;font-size:9px;text-anchor:middle}.tick{stroke:#d0d7de;fill:none}.wait{stroke:#6e7781;stroke-width:2;stroke-dasharray:2 2;fill:none}`

/** Plays the panels of a scene and draws what happened. */
export const draw = async ({ panels, title }: Scene): Promise<string> => {
  const recorded: Array<Recorded> = []
  // One after the other: each has a clock of its own, but they share this process.
  // oxlint-disable-next-line no-await-in-loop
  for (const { story } of panels) recorded.push(await record(story))
  let top = 28
  const parts = [`<text x="${left}" y="18">${escaped(title)}</text>`]
  for (const [index, panel] of panels.entries()) {
    const drawn = panelOf(panel, recorded[index]!, top)
    parts.push(...drawn.parts)
    top = drawn.bottom
  }
  parts.push(...legendOf(recorded, top + 10))
  const size = `${width + 2 * left} ${top + 20}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" role="img" aria-label="${escaped(title)}"><style>${style}</style><rect width="100%" height="100%" fill="#fff"/>\n${parts.join("\n")}\n</svg>\n`
}
