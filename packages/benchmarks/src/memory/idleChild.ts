/** `idleChild.ts LIBRARY COUNT`: so many schedules of 1 January, which wait. */
import { answer, heap, spent } from "../child.ts"
import { libraries, type LibraryName } from "./libraries.ts"

const [name, count] = [process.argv[2] as LibraryName, Number(process.argv[3])]
const idle = "0 0 3 1 1 *"

// Code is compiled and caches are filled by a few that come before.
await libraries[name](idle, Math.min(count, 5_000), () => undefined)
const before = heap()
const began = spent()
const since = performance.now()
await libraries[name](idle, count, () => undefined)
const millis = performance.now() - since
const cpu = spent() - began
const bytes = (heap() - before) / count
answer({ millis, cpu, bytes, rss: process.memoryUsage().rss })
