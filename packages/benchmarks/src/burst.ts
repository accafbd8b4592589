/** Schedules that are due at one instant, in memory. */
import { inChild, inTurns } from "./child.ts"
import { median, millis, type Options } from "./measure.ts"
import type { Sections } from "./report.ts"

interface Found {
  readonly first: number
  readonly last: number
  readonly cpu: number
  readonly peak: number
  readonly kept: number
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

export const burst = async ({ quick }: Options): Promise<Sections> => {
  const sizes = quick ? [200] : [1_000, 10_000, 100_000]
  const names = ["effect-scheduler", "heap and one timer", "Effect, a fiber with Effect.delay each"]
  const found = await inTurns(
    names.flatMap((name) =>
      sizes.map((size) => async () => {
        const tries: Array<Found> = []
        for (let i = 0; i < (!quick && name === names[0] && size === sizes.at(-1) ? 2 : 1); i++) {
          tries.push(await inChild<Found>("memory/burstChild.ts", [name, size]))
        }
        const of = (key: keyof Found) => median(tries.map((each) => each[key]))
        const all = tries.map(({ last }) => last)
        const spread = all.length === 1 ? "" : ` (${Math.min(...all).toFixed(0)}–${Math.max(...all).toFixed(0)})`
        const cells = [
          name,
          size.toLocaleString("en"),
          millis(of("first")),
          `${millis(of("last"))}${spread}`,
          millis(of("cpu")),
          megabytes(of("peak")),
          megabytes(Math.max(0, of("kept")))
        ]
        const met = of("last") <= 600 && of("peak") <= 256e6
        const target = "all started within 0.6 s, memory grows by 256 MB at most"
        return {
          name,
          size,
          last: of("last"),
          row: name === names[0] && size === 100_000 ? { cells, target, met } : cells
        }
      })
    ),
    quick
  )
  const lines = names.map((name) => ({
    name,
    points: found.filter((each) => each.name === name).map(({ last, size }) => [size, last] as const)
  }))
  return [
    {
      name: "burst",
      title: "Schedules due at one instant, in memory",
      text:
        "From the instant to the start of the first and of the last run, by the clock; the growth of the process while they start, and " +
        "of its heap after a collection when all have ended: for this library their rows of history, of which `Scheduler.layer()` keeps " +
        "100,000 for 7 days or longer.",
      head: [
        "library",
        "schedules",
        "first starts after",
        "last starts after",
        "CPU time",
        "memory grows by",
        "heap kept"
      ],
      rows: found.map(({ row }) => row),
      plot: { kind: "lines", of: "schedules due at one instant", unit: "ms until all have started", lines }
    }
  ]
}
