/** What the packages export, as typedoc reads it from their sources. */
import { globSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { Application, type ProjectReflection } from "typedoc"

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..")

interface Package {
  readonly name: string
  readonly exports: Readonly<Record<string, string | null>>
}

/** A module that can be imported: under which name, and its source. */
export interface Entry {
  readonly name: string
  readonly file: string
}

const packageOf = (folder: string): Package => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

/** The modules of a package by its `exports`; its index, which only gathers them, is left out. */
const entriesOf = (folder: string): ReadonlyArray<Entry> => {
  const { exports, name } = packageOf(folder)
  return Object.entries(exports).flatMap(([subpath, target]) =>
    target === null || !target.endsWith(".ts")
      ? []
      : globSync(target, { cwd: folder })
          .filter((file) => file !== "src/index.ts")
          .map((file) => {
            const star = relative(dirname(target), file).replace(/\.ts$/, "")
            return { name: `${name}/${subpath.slice(2).replace("*", star)}`, file: join(folder, file) }
          })
  )
}

/** What triggers keep for themselves, and types that only compute others: of `effect-scheduler`. */
export const notExported: ReadonlyArray<string> = [
  "CalendarRule.ts:CalendarPlan",
  "CalendarRule.ts:CalendarRule",
  "FieldRule.ts:FieldRule",
  "Job.ts:PayloadInput",
  "Job.ts:PayloadSchema",
  "Scheduler.ts:PayloadOption",
  "Window.ts:Window",
  "Zone.ts:Zone",
  "clockChange.ts:Policy",
  "json.ts:RuleJson",
  "literal.ts:Problem",
  "model.ts:CronSource",
  "model.ts:SpacedLimit",
  "model.ts:Trigger",
  "modifiers.ts:Of",
  "settings.ts:StoresError",
  "settings.ts:StoresServices"
]

const folders = ["scheduler", "sql", "rrule"].map((name) => join(root, "packages", name))

export const entries: ReadonlyArray<Entry> = folders.flatMap(entriesOf).toSorted((a, b) => (a.name < b.name ? -1 : 1))

export const packages: ReadonlyArray<string> = folders.map((folder) => packageOf(folder).name)

export const convert = async (): Promise<{ readonly app: Application; readonly project: ProjectReflection }> => {
  const app = await Application.bootstrap({
    name: "effect-scheduler",
    readme: "none",
    entryPoints: entries.map(({ file }) => file),
    tsconfig: join(root, "packages/api-docs/tsconfig.json"),
    // `tsc -b` has checked the sources.
    skipErrorChecking: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true },
    treatValidationWarningsAsErrors: true,
    packagesRequiringDocumentation: [...packages],
    // Properties have a rule of their own in `rules.ts`.
    requiredToBeDocumented: ["Class", "Interface", "TypeAlias", "Variable", "Function", "Method"]
  })
  const project = await app.convert()
  if (project === undefined) throw new Error("typedoc converts nothing")
  for (const module of project.children ?? []) {
    const source = module.sources?.[0]?.fullFileName
    module.name = entries.find(({ file }) => file === source)?.name ?? module.name
  }
  return { app, project }
}
