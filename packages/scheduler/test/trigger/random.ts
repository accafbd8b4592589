/**
 * Random values from a seed, and random cron text: what the property tests and the fuzz test draw from.
 *
 * `SEED=` and `RUNS=` in the environment repeat a run; a failure prints the seed of its own case, and `SEED=<that>
 * RUNS=1` runs this case alone.
 */

export interface Random {
  /** A number in [0, 1). */
  readonly next: () => number
  /** An integer between both ends, inclusive. */
  readonly int: (low: number, high: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(values: ReadonlyArray<A>) => A
}

/** Mulberry32. */
export const makeRandom = (seed: number): Random => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (values) => values[int(0, values.length - 1)]!
  }
}

/** The seed and the number of cases of a run, from the environment or as given; the seed is new each time. */
export const plan = (runs: number) => {
  const text = process.env["SEED"]
  const given = process.env["RUNS"]
  return {
    seed: text === undefined ? Date.now() % 2 ** 32 : Number(text),
    runs: given === undefined ? runs : Number(given)
  }
}

/** Runs `check` on `runs` cases, each with a seed of its own that a failure names; answers how many there were. */
export const forAll = (name: string, runs: number, check: (random: Random) => void): number => {
  const { runs: count, seed } = plan(runs)
  const started = performance.now()
  for (let index = 0; index < count; index++) {
    const own = (seed + index) >>> 0
    try {
      check(makeRandom(own))
    } catch (cause) {
      throw new Error(`${name}: case ${index} of SEED=${seed} fails; SEED=${own} RUNS=1 repeats it. ${String(cause)}`, {
        cause
      })
    }
  }
  const millis = Math.round(performance.now() - started)
  process.stdout.write(`${name}: ${count} cases, SEED=${seed}, ${millis} ms\n`)
  return count
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

const anyCase = (random: Random, text: string): string =>
  random.chance(0.5) ? text.toUpperCase() : random.chance(0.5) ? text : text[0]!.toUpperCase() + text.slice(1)

const number = (random: Random, value: number): string =>
  value < 10 && random.chance(0.1) ? `0${value}` : String(value)

/** A range whose ends are in order, as `a-b` with perhaps a step. */
const range = (random: Random, low: number, high: number, write: (value: number) => string): string => {
  const from = random.int(low, high)
  const to = random.int(from, high)
  const step = random.chance(0.4) ? `/${random.int(1, Math.max(1, high - low))}` : ""
  return `${write(from)}-${write(to)}${step}`
}

interface Shape {
  readonly low: number
  readonly high: number
  /** The chance that the whole field is `*`. */
  readonly star: number
  readonly names?: ReadonlyArray<string>
  readonly lone?: (random: Random) => string
}

const field = (random: Random, shape: Shape): string => {
  if (random.chance(shape.star)) return "*"
  const write = (value: number) =>
    shape.names !== undefined && random.chance(0.4)
      ? anyCase(random, shape.names[value - (shape.names === months ? 1 : 0)] ?? String(value))
      : number(random, value)
  const item = (): string => {
    const kind = random.next()
    if (shape.lone !== undefined && kind < 0.25) return shape.lone(random)
    if (kind < 0.45) return `*/${random.int(1, shape.high)}`
    if (kind < 0.65) return range(random, shape.low, shape.high, (value) => number(random, value))
    return write(random.int(shape.low, shape.high))
  }
  const length = random.chance(0.75) ? 1 : random.int(2, 4)
  return Array.from({ length }, item).join(",")
}

const dayField = (random: Random): string => {
  if (random.chance(0.06))
    return `${random.chance(0.6) ? random.pick([1, 30, 31]) : random.int(1, 31)}${anyCase(random, "w")}`
  if (random.chance(0.03)) return anyCase(random, "lw")
  if (random.chance(0.04)) return "?"
  return field(random, { low: 1, high: 31, star: 0.55, lone: (r) => (r.chance(0.7) ? anyCase(r, "l") : "L") })
}

const weekdayField = (random: Random): string => {
  if (random.chance(0.04)) return "?"
  const weekday = (r: Random) => (r.chance(0.4) ? anyCase(r, r.pick(weekdays)) : String(r.int(0, 7)))
  const text = field(random, {
    low: 0,
    high: 7,
    star: 0.55,
    lone: (r) =>
      r.chance(0.2)
        ? `${anyCase(r, weekdays[r.int(1, 3)]!)}-${anyCase(r, weekdays[r.int(3, 6)]!)}`
        : r.chance(0.5)
          ? `${weekday(r)}#${r.int(1, 5)}`
          : r.chance(0.5)
            ? `${weekday(r)}L`
            : `${weekday(r)}#L`
  })
  return random.chance(0.12) ? `+${text}` : text
}

export const nicknames = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]

const sixty = (star: number): Shape => ({ low: 0, high: 59, star })

/** A valid cron text of five, six or seven fields. */
export const cronText = (random: Random): string => {
  if (random.chance(0.01)) return random.pick(nicknames)
  const count = random.chance(0.6) ? 5 : random.chance(0.7) ? 6 : 7
  const fields = [
    field(random, sixty(0.25)),
    field(random, { low: 0, high: 23, star: 0.35 }),
    dayField(random),
    field(random, { low: 1, high: 12, star: 0.7, names: months }),
    weekdayField(random)
  ]
  if (count > 5) fields.unshift(random.chance(0.5) ? number(random, random.int(0, 59)) : field(random, sixty(0.2)))
  if (count > 6) fields.push(yearField(random))
  return fields.join(" ")
}

const yearField = (random: Random): string => {
  const year = random.int(1975, 2080)
  const kind = random.next()
  if (kind < 0.3) return "*"
  if (kind < 0.5) return `*/${random.int(1, 5)}`
  if (kind < 0.8) return `${year}-${year + random.int(0, 30)}${random.chance(0.4) ? `/${random.int(1, 7)}` : ""}`
  return Array.from({ length: random.int(1, 3) }, () => String(random.int(1975, 2080))).join(",")
}

const glyphs = "0123456789*/-,?#LW+@ \tabcdefghijklmnopqrstuvwxyzSUNMONFRIDEC"
const odd = [
  "é",
  "☃",
  "💥",
  "\u0000",
  "\n",
  "\u00a0",
  "\u212a",
  "\u0131",
  "٣",
  "１",
  "\ud800",
  "e1",
  "0x",
  "-1",
  "1e309"
]

/** A text with one to three characters replaced, removed, doubled or inserted. */
export const mutate = (random: Random, text: string): string => {
  let out = text
  for (let count = random.chance(0.6) ? 1 : random.int(2, 3); count > 0; count--) {
    const at = random.int(0, out.length)
    const glyph = random.chance(0.03) ? random.pick(odd) : glyphs[random.int(0, glyphs.length - 1)]!
    const kind = random.next()
    if (kind < 0.35) out = out.slice(0, at) + glyph + out.slice(at + 1)
    else if (kind < 0.6) out = out.slice(0, at) + glyph + out.slice(at)
    else if (kind < 0.85) out = out.slice(0, at) + out.slice(at + 1)
    else {
      const end = Math.min(out.length, at + random.int(1, 6))
      out = out.slice(0, end) + out.slice(at, end) + out.slice(end)
    }
  }
  return out
}

const words = [
  "*",
  "*/5",
  "0",
  "7",
  "L",
  "LW",
  "15W",
  "MON",
  "FRI#2",
  "5L",
  "1-5",
  "jan",
  "?",
  "+1",
  "2024",
  "59",
  "@daily",
  "60",
  "//",
  "--",
  ",,",
  "#",
  "+",
  "W",
  "*/0",
  "5-1"
]

/** Text that looks like a cron text from afar: words and characters of the grammar in any order, now and then long. */
export const soup = (random: Random): string => {
  if (random.chance(0.002)) {
    return random.pick(["*,", "1-", " ", "\t", "9", "*/", "@", "LW", "💥", "1,2,"]).repeat(random.int(100, 3000))
  }
  const length = random.chance(0.7) ? random.int(4, 8) : random.int(0, 20)
  const separator = random.chance(0.9) ? " " : random.pick(["", ",", "\t", "  ", "\n"])
  // With a loop and no lists: the fuzz test has half a million of them.
  let text = ""
  for (let index = 0; index < length; index++) {
    if (index > 0) text += separator
    if (random.chance(0.01)) text += random.pick(odd)
    else if (random.chance(0.8)) text += random.pick(words)
    else for (let left = random.int(1, 4); left > 0; left--) text += glyphs[random.int(0, glyphs.length - 1)]!
  }
  return text
}
