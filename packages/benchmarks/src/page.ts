/** Keeps the last results of each part and writes docs/benchmarks.md with its plots from all of them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { machine, versions } from "./machine.ts"
import { draw } from "./plot.ts"
import { missed, type Section, type Sections, tableOf } from "./report.ts"

const docs = join(import.meta.dirname, "../../../docs")
const folder = join(docs, "benchmarks")

interface Kept {
  readonly measured: string
  readonly machine: string
  readonly versions: string
  readonly seconds: number
  readonly sections: Sections
}

/** Keeps what a full run of a part has measured. */
export const keep = (part: string, sections: Sections, seconds: number): void => {
  mkdirSync(folder, { recursive: true })
  const kept: Kept = {
    measured: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: versions(),
    seconds: Math.ceil(seconds),
    sections
  }
  writeFileSync(join(folder, `${part}.json`), `${JSON.stringify(kept, null, 2)}\n`)
}

const keptOf = (part: string): Kept | undefined => {
  const file = join(folder, `${part}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("*", "\\*").replaceAll("\n", " ")

const line = (cells: ReadonlyArray<string>): string => `| ${cells.map(cell).join(" | ")} |`

const markdown = (section: Section): string => {
  const { head, rows } = tableOf(section)
  const notes = (section.notes ?? []).map((note) => `- ${note}`)
  return [
    `### ${section.title}`,
    ...(section.text === undefined ? [] : [section.text]),
    [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n"),
    ...(section.plot === undefined ? [] : [`![${section.title}](benchmarks/${section.name}.svg)`]),
    ...(notes.length === 0 ? [] : [notes.join("\n")])
  ].join("\n\n")
}

const chapter = (part: string, kept: Kept): string => {
  const file = join(folder, `${part}.missed.md`)
  const told = existsSync(file) ? [`### Where \`${part}\` misses a target`, readFileSync(file, "utf8").trim()] : []
  const head = `\`pnpm bench ${part}\`, measured on ${kept.measured} in ${kept.seconds} s, on ${kept.machine}.`
  return [`## ${part}`, head, ...kept.sections.map(markdown), ...told].join("\n\n")
}

/** Writes the page and its plots from what is kept of these parts, in their order. */
export const writePage = (parts: ReadonlyArray<string>): void => {
  const all = parts.flatMap((part) => {
    const kept = keptOf(part)
    return kept === undefined ? [] : [{ part, kept }]
  })
  const plots = new Map<string, string>(
    all.flatMap(({ kept }) =>
      kept.sections.flatMap((section) =>
        section.plot === undefined ? [] : [[`${section.name}.svg`, draw(section.title, section.plot)] as const]
      )
    )
  )
  for (const old of readdirSync(folder)) if (old.endsWith(".svg") && !plots.has(old)) rmSync(join(folder, old))
  for (const [name, svg] of plots) writeFileSync(join(folder, name), svg)
  const misses = all.flatMap(({ kept, part }) =>
    kept.sections.flatMap((section) =>
      missed(section).map(
        (row) => `| ${part} | ${section.title} | ${cell(row.cells.join(", "))} | ${cell(row.target)} |`
      )
    )
  )
  const targets = all
    .flatMap(({ kept }) => kept.sections.flatMap((section) => section.rows))
    .filter((row) => "cells" in row)
  const text = [
    "# Benchmarks",
    "Written by `pnpm bench` from the last results of each part: do not edit. `pnpm bench NAME` measures one part again.",
    "Absolute times depend on the machine and on what else it does: what counts are ratios to what was measured beside them in the " +
      "same run, with the least and the greatest of several rounds in parentheses. This library is measured with the README's layer " +
      "unchanged (history, events, timeouts and durability on), each peer at its defaults and at its documented best.",
    `Measured beside ${all.at(-1)?.kept.versions ?? versions()}.`,
    `${targets.length - misses.length} of ${targets.length} targets are met${misses.length === 0 ? "." : "; these are not:"}`,
    ...(misses.length === 0 ? [] : [["| part | | measured | target |", "|---|---|---|---|", ...misses].join("\n")]),
    ...all.map(({ kept, part }) => chapter(part, kept))
  ]
  writeFileSync(join(docs, "benchmarks.md"), `${text.join("\n\n")}\n`)
}
