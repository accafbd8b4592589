/** Which faults are injected, when and how long: decided by a seed, before anything runs. */

export interface Options {
  readonly store: "postgres" | "sqlite"
  readonly processes: number
  /** How many runs are enqueued. What schedules fire comes on top. */
  readonly runs: number
  readonly kills: number
  /** Freezes longer than a lease. */
  readonly freezes: number
  /** How many processes may be frozen at a time: the others must be able to say that they are gone. */
  readonly frozenAtOnce: number
  /** Milliseconds. Polls, timeouts and freezes are made to fit. */
  readonly lease: number
  /** Handlers in one process: few enough that work waits for a place, so that every process is in the middle of some. */
  readonly maxRunning: number
  /** Of each kind of schedule. */
  readonly schedules: number
  /** Milliseconds from the start by which all must have ended. */
  readonly deadline: number
}

export interface Fault {
  readonly kind: "kill" | "freeze"
  /** Milliseconds after the fault before. */
  readonly after: number
  /** Milliseconds that a frozen process stays so. */
  readonly length: number
  /** Picks one of the processes that can be hit then, from 0 to 1. */
  readonly target: number
}

/** mulberry32. */
const random = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const planOf = (
  seed: number,
  { freezes, kills, lease }: Pick<Options, "kills" | "freezes" | "lease">
): ReadonlyArray<Fault> => {
  const next = random(seed)
  const between = (least: number, most: number) => Math.round(least + next() * (most - least))
  const kinds = [...Array.from({ length: kills }, () => "kill"), ...Array.from({ length: freezes }, () => "freeze")]
  for (let i = kinds.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    ;[kinds[i], kinds[j]] = [kinds[j]!, kinds[i]!]
  }
  return kinds.map((kind) => ({
    kind: kind as Fault["kind"],
    after: between(200, 2_000),
    // A lease that has passed is no death yet: others wait another second for a late renewal.
    length: between(lease + 1_300, lease + 3_000),
    target: next()
  }))
}

/** The full form reaches every number of the promise, the quick one is for each push. */
export const forms: Readonly<Record<"full" | "quick", ReadonlyArray<Options>>> = {
  full: [
    {
      store: "postgres",
      processes: 4,
      runs: 40_000,
      kills: 16,
      freezes: 14,
      frozenAtOnce: 2,
      lease: 1_000,
      maxRunning: 28,
      schedules: 3,
      deadline: 1_800_000
    },
    {
      store: "sqlite",
      processes: 2,
      runs: 40_000,
      kills: 16,
      freezes: 14,
      frozenAtOnce: 1,
      lease: 1_000,
      maxRunning: 14,
      schedules: 1,
      deadline: 1_800_000
    }
  ],
  quick: [
    {
      store: "postgres",
      processes: 4,
      runs: 3_000,
      kills: 4,
      freezes: 3,
      frozenAtOnce: 2,
      lease: 1_000,
      maxRunning: 8,
      schedules: 1,
      deadline: 240_000
    },
    {
      store: "sqlite",
      processes: 2,
      runs: 1_500,
      kills: 2,
      freezes: 2,
      frozenAtOnce: 1,
      lease: 1_000,
      maxRunning: 8,
      schedules: 1,
      deadline: 240_000
    }
  ]
}
