/** `dueChild.ts LIBRARY COUNT WARM SECONDS`: so many schedules of every second, watched for so many seconds after some others. */
import { answer, spent } from "../child.ts"
import { percentile } from "../measure.ts"
import { libraries, type LibraryName } from "./libraries.ts"

const name = process.argv[2] as LibraryName
const [count, warm, seconds] = process.argv.slice(3).map(Number) as [number, number, number]

/** From this instant on runs are counted, up to so many seconds later. */
let from = Infinity
let to = Infinity
const lateness = new Float64Array(count * seconds * 2)
let counted = 0
const early = 50

const run = () => {
  const now = performance.timeOrigin + performance.now()
  // A timer may be a little early.
  if (now >= from - early) begin()
  if (now >= to - early) finish()
  if (now < from - early || now >= to - early) return
  lateness[counted++] = ((now + early) % 1_000) - early
}

let began = Infinity
let since = Infinity
let isFinished = false

/** Both by a timer, or by the first run that comes later: an event loop that is never idle has no turn for the timer. */
const begin = () => {
  if (since !== Infinity) return
  began = spent()
  since = performance.now()
}
const finish = () => {
  if (isFinished) return
  isFinished = true
  const cpu = spent() - began
  const elapsed = performance.now() - since
  const sorted = Array.from(lateness.subarray(0, counted)).toSorted((a, b) => a - b)
  answer({
    counted,
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
    max: sorted.at(-1),
    micros: (cpu * 1_000) / counted,
    share: cpu / elapsed
  })
}

await libraries[name]("* * * * * *", count, run)
from = (Math.floor(Date.now() / 1_000) + 1 + warm) * 1_000
to = from + seconds * 1_000
await new Promise((resolve) => setTimeout(resolve, from - early - 10 - Date.now()))
begin()
await new Promise((resolve) => setTimeout(resolve, to - early - Date.now()))
finish()
