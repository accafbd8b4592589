/** Checks that everything public is documented, and writes the documentation where a folder is given. */
import { resolve } from "node:path"
import { type DeclarationReflection, ReflectionKind } from "typedoc"
import { convert, entries, notExported, packages } from "./convert.ts"
import { problemsOf, problemsOfProperty } from "./rules.ts"

const [folder] = process.argv.slice(2)
const { app, project } = await convert()
app.validate(project)

// Of types that are not exported typedoc tells only for one package.
app.options.setValue("validation", { notExported: true, invalidLink: false, invalidPath: false, notDocumented: false })
for (const name of packages) {
  project.packageName = name
  app.options.setValue("intentionallyNotExported", name === "effect-scheduler" ? [...notExported] : [])
  app.validate(project)
}
delete project.packageName

const report = (of: DeclarationReflection, problems: ReadonlyArray<string>): void => {
  for (const problem of problems) app.logger.error(`${of.getFullName()} ${problem}`)
}

type Exports = Readonly<Record<string, unknown>>

/** Events and reasons of errors are used as members of their unions, which have an example. */
const isMember = (exports: Exports, name: string): boolean =>
  Object.values(exports).some(
    (value) =>
      (typeof value === "object" || typeof value === "function") &&
      value !== null &&
      "members" in value &&
      Array.isArray(value.members) &&
      value.members.includes(exports[name])
  )

const visit = (parent: DeclarationReflection, exports: Exports): void => {
  for (const child of parent.children ?? []) {
    if (child.kindOf(ReflectionKind.SomeModule)) {
      visit(child, exports[child.name] as Exports)
      continue
    }
    report(child, problemsOf(child, isMember(exports, child.name)))
    if (!child.kindOf(ReflectionKind.Class)) continue
    for (const member of child.children ?? []) {
      if (member.flags.isStatic && !member.flags.isInherited) report(member, problemsOf(member, false))
    }
  }
}
for (const module of project.children ?? []) {
  const entry = entries.find(({ name }) => name === module.name)!
  if (!module.hasComment()) report(module, ["has no words on its page: `@module` in its first comment"])
  visit(module, await import(entry.file))
}

for (const property of project.getReflectionsByKind(ReflectionKind.Property) as Array<DeclarationReflection>) {
  report(property, problemsOfProperty(property))
}

if (folder !== undefined) await app.generateDocs(project, resolve(folder))
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1
