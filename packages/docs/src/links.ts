/** The links of the pages: each file, heading and test title that one names has to be there. */
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { root } from "./root.ts"

export interface Link {
  readonly target: string
  /** Of a link to a test: the title that its file must have. */
  readonly title: string | undefined
}

/** Fenced and quoted code has no links. */
const proseOf = (text: string): string => text.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "`code`")

export const linksOf = (text: string): ReadonlyArray<Link> =>
  Array.from(proseOf(text).matchAll(/\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)(?: "([^"]*)")?\)/g), (match) => ({
    target: match[1]!,
    title: match[2]
  }))

/** The name under which a heading of a page can be linked to. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-")

const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(Array.from(text.matchAll(/^#+ (.+)$/gm), (match) => anchorOf(match[1]!)))

/** What is wrong with the links of a page; empty if all lead somewhere. */
export const brokenLinks = (page: string, text = readFileSync(join(root, page), "utf8")): ReadonlyArray<string> =>
  linksOf(text).flatMap(({ target, title }) => {
    // Of the web only the form is looked at: a test does not depend on other people's servers.
    if (/^https?:/.test(target)) return URL.canParse(target) ? [] : [`${page}: ${target} is no address`]
    const [path = "", anchor] = target.split("#")
    const file = path === "" ? join(root, page) : join(root, dirname(page), path)
    if (!existsSync(file)) return [`${page}: there is no ${target}`]
    if (anchor !== undefined && !anchorsOf(readFileSync(file, "utf8")).has(anchor)) {
      return [`${page}: ${path} has no heading #${anchor}`]
    }
    if (title !== undefined && !readFileSync(file, "utf8").includes(title)) {
      return [`${page}: ${path} has no test "${title}"`]
    }
    return []
  })

/** The rows of the table under a heading, the first of them its head; without the first column, which names them. */
export const tableUnder = (text: string, heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ""
  const rows = section.split("\n").filter((line) => line.startsWith("|") && !line.startsWith("|---"))
  return rows.map((row) =>
    row
      .split("|")
      .slice(2, -1)
      .map((cell) => cell.trim())
  )
}

const require = createRequire(join(root, "packages/benchmarks/package.json"))

/** A file of a published package, as `https://unpkg.com/NAME@VERSION/PATH` shows it. */
export const publishedFile = (target: string) => {
  const [, name, version, path] = /^https:\/\/unpkg\.com\/((?:@[^/]+\/)?[^@/]+)@([^/]+)\/(.+)$/.exec(target) ?? []
  return name === undefined ? undefined : { name, version: version!, path: path! }
}

/** Whether it is there, in the copy that the workspace has of that version; undefined where it has none. */
export const isPublished = ({ name, path, version }: NonNullable<ReturnType<typeof publishedFile>>) => {
  const folder = require.resolve
    .paths(name)
    ?.map((modules) => join(modules, name))
    .find((each) => existsSync(each))
  if (folder === undefined) return undefined
  const installed = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly version: string }
  return installed.version === version ? existsSync(join(folder, path)) : undefined
}
