/** The picture of docs/architecture.md: the way of one nominal time, and who keeps it going where a node stops. */

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly title: string
  readonly lines: ReadonlyArray<string>
}

const width = 752
const lineHeight = 13
const boxHeight = 58

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const box = ({ lines, title, width: wide, x, y }: Box, kind: "fiber" | "table"): string =>
  [
    `<rect x="${x}" y="${y}" width="${wide}" height="${boxHeight}" rx="${kind === "fiber" ? 8 : 1}" class="${kind}"/>`,
    `<text x="${x + 8}" y="${y + 17}" class="title">${escaped(title)}</text>`,
    ...lines.map((line, index) => `<text x="${x + 8}" y="${y + 33 + index * lineHeight}">${escaped(line)}</text>`)
  ].join("\n")

/** The numbered step of an arrow, and what it is called. */
const step = (x: number, y: number, number: number, words: string): string =>
  `<circle cx="${x}" cy="${y}" r="8" class="step"/><text x="${x}" y="${y + 4}" class="number">${number}</text>
<text x="${x + 12}" y="${y + 4}">${escaped(words)}</text>`

const arrow = (path: string, kind: "way" | "rescue" | "count" = "way"): string =>
  `<path d="${path}" class="${kind}" marker-end="url(#head-${kind})"/>`

/** Its name stands where no arrow passes. */
const band = (y: number, height: number, words: string, edge: "top" | "bottom"): string =>
  `<rect x="0.5" y="${y}" width="${width - 1}" height="${height}" class="band"/>
<text x="${width - 16}" y="${edge === "top" ? y + 16 : y + height - 8}" class="where">${escaped(words)}</text>`

const head = (kind: string, colour: string): string =>
  `<marker id="head-${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="${colour}"/></marker>`

const style = [
  "text{font:11px sans-serif;fill:#24292f}",
  ".title{font-weight:bold}",
  ".where{fill:#57606a;text-anchor:end}",
  ".band{fill:#f6f8fa;stroke:#d0d7de}",
  ".fiber{fill:#fff;stroke:#1565c0;stroke-width:1.5}",
  ".table{fill:#fff8e1;stroke:#b26a00;stroke-width:1.5}",
  ".step{fill:#1565c0}",
  ".number{fill:#fff;text-anchor:middle;font-weight:bold}",
  ".way{fill:none;stroke:#1565c0;stroke-width:1.5}",
  ".rescue{fill:none;stroke:#c62828;stroke-width:1.5;stroke-dasharray:4 3}",
  ".count{fill:none;stroke:#6e7781;stroke-width:1.2;stroke-dasharray:2 2}",
  ".red{fill:#c62828}"
].join("")

const top = 28
const tables = 196
const bottom = 330

const fibers: ReadonlyArray<Box> = [
  { x: 16, y: top, width: 176, title: "firer", lines: ["has what is due decided:", "run, wait, or be counted"] },
  { x: 216, y: top, width: 152, title: "claimer", lines: ["takes no more runs", "than it has free slots"] },
  { x: 392, y: top, width: 144, title: "handler", lines: ["a fiber for each run"] },
  { x: 560, y: top, width: 176, title: "finisher", lines: ["stores how runs ended,", "many in one call"] },
  { x: 16, y: bottom, width: 176, title: "janitor", lines: ["retention, and what was", "left behind"] },
  {
    x: 216,
    y: bottom,
    width: 240,
    title: "reaper",
    lines: ["marks nodes whose lease has", "passed, takes back their runs"]
  },
  { x: 480, y: bottom, width: 256, title: "heart", lines: ["renews this node's lease,", "hears of cancels"] }
]

const rows: ReadonlyArray<Box> = [
  { x: 16, y: tables, width: 176, title: "schedules", lines: ["trigger, policies,", "watermark, next time"] },
  { x: 216, y: tables, width: 240, title: "runs", lines: ["unfinished: pending, running on", "a node, or deferred"] },
  { x: 480, y: tables, width: 88, title: "nodes", lines: ["leases"] },
  { x: 592, y: tables, width: 144, title: "history", lines: ["ended runs, times", "without a run"] }
]

/** The picture as SVG. */
export const drawArchitecture = (): string => {
  const under = top + boxHeight
  const below = tables + boxHeight
  const parts = [
    band(1, 98, "a node: what carries a time along", "top"),
    band(157, 121, "the store of all nodes", "bottom"),
    band(314, 100, "the same node: what keeps it going", "bottom"),
    ...fibers.map((each) => box(each, "fiber")),
    ...rows.map((each) => box(each, "table")),
    // Due, and what was decided of it.
    arrow(`M48 ${tables}V${under + 2}`),
    step(62, 120, 1, "due"),
    arrow(`M128 ${under}V${tables - 2}`),
    step(142, 120, 2, "decided"),
    arrow(`M128 148H240V${tables - 2}`),
    arrow(`M128 178H624V${tables - 2}`, "count"),
    `<text x="476" y="173">counted</text>`,
    // Claimed, executed, ended.
    arrow(`M288 ${tables}V${under + 2}`),
    step(302, 120, 3, "claimed"),
    arrow(`M368 ${top + 29}H390`),
    step(406, top + 46, 4, "executed"),
    arrow(`M536 ${top + 29}H558`),
    arrow(`M680 ${under}V${tables - 2}`),
    step(694, 120, 5, "ended"),
    arrow(`M584 ${under}V148H408V${tables - 2}`),
    `<text x="418" y="142">to be retried, or given back</text>`,
    // What goes on when a node does not.
    arrow(`M104 ${bottom}V280`),
    arrow(`M336 ${bottom}V${below + 2}`, "rescue"),
    `<text x="346" y="300" class="red">pending again</text>`,
    arrow(`M524 ${bottom}V${below + 2}`),
    `<text x="534" y="300">renewed</text>`
  ]
  const said = "A nominal time is decided by the firer; its run is claimed, executed, and ended in history"
  const heads = [head("way", "#1565c0"), head("rescue", "#c62828"), head("count", "#6e7781")].join("")
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 416" role="img" aria-label="${said}"><style>${style}</style><defs>${heads}</defs><rect width="100%" height="100%" fill="#fff"/>
${parts.join("\n")}
</svg>
`
}
