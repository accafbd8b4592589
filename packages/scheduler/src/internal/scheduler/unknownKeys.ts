/** The keys of configuration that no option has, each with the option that was most likely meant. */
import { Config, ConfigProvider, Effect, Schema, type SchemaAST, SchemaIssue, String as Str } from "effect"
import { nearest } from "../nearest.ts"
import { nowhere, separatorOf, type Source, sourceOf, valuesBelow } from "./configSource.ts"

type Path = ConfigProvider.Path

/** Stands for a name that the application gives, as that of a queue. */
const anyName = "NAME"

/** The paths of all options and groups of options, the root first. */
const pathsOf = (ast: SchemaAST.AST, path: Path): ReadonlyArray<Path> =>
  ast._tag === "Objects"
    ? [
        path,
        ...ast.propertySignatures.flatMap(({ name, type }) => pathsOf(type, [...path, String(name)])),
        ...ast.indexSignatures.flatMap(({ type }) => pathsOf(type, [...path, anyName]))
      ]
    : [path]

/** Variables that Kubernetes and Docker set in every container for a service, whose name may begin as the options do. */
const ofService = /_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$/

const capitals = (path: Path): Path => path.map((segment) => Str.configCase(String(segment)))

/** The options as a source spells them, also with each name that it has where the application gives one. */
const spelledBy = Effect.fnUntraced(function* (source: Source, options: ReadonlyArray<Path>) {
  const spelled: Array<Path> = []
  for (const option of options) {
    const at = option.indexOf(anyName)
    const group = at === -1 ? undefined : yield* source.load(yield* source.spell(option.slice(0, at)))
    const names = group?._tag === "Record" ? [...group.keys] : []
    for (const path of [option, ...names.map((name) => option.with(at, name))]) spelled.push(yield* source.spell(path))
  }
  return spelled
})

const issue = (message: string): SchemaIssue.Issue => new SchemaIssue.InvalidValue({ message })

/** What a source has below the root that is no option. */
const unknownIn = Effect.fnUntraced(function* (source: Source, options: ReadonlyArray<Path>) {
  const [root = nowhere, ...known] = yield* spelledBy(source, options)
  // Where the options lie at the top of a source, all other keys of the application lie beside them.
  if (root.length === 0) return []
  const values = (yield* valuesBelow(source, root)).filter((path) => path.length > root.length)
  if (values[0] === undefined) return []
  const separator = yield* separatorOf(source, values[0])
  const nameOf = (path: Path) => path.join(separator)
  const inside = nameOf(root).length + 1
  const read = new Set<string>()
  for (const path of known) {
    if ((yield* source.load(path)) !== undefined) read.add(nameOf(path))
  }
  const names = known.map(nameOf)
  return values
    .filter((path) => !read.has(nameOf(path.filter((segment) => typeof segment === "string"))))
    .map(nameOf)
    .filter((name) => !ofService.test(name))
    .flatMap((name) => {
      const meant = nearest(
        name.slice(inside),
        names.map((known) => known.slice(inside))
      )
      if (meant !== undefined) {
        return [issue(`"${name}" is no option of the scheduler: did you mean "${name.slice(0, inside)}${meant}"?`)]
      }
      // An environment is shared with whatever else is named so.
      if (separator === "_") return []
      const groups = names.filter((_, index) => known[index]!.length === root.length + 1)
      return [issue(`"${name}" is no option of the scheduler; there is ${groups.join(", ")}`)]
    })
})

/** Variables in capitals that are an option but for a letter, where the options are not read in capitals. */
const notRead = Effect.fnUntraced(function* (source: Source, options: ReadonlyArray<Path>) {
  const [root = nowhere, ...known] = yield* spelledBy(source, options)
  const top = capitals(root)
  if (top.join("_") === root.join("_")) return []
  const names = new Map(known.map((path) => [capitals(path).join("_"), path.join("_")]))
  return (yield* valuesBelow(source, top)).flatMap((path) => {
    const name = path.join("_")
    const meant = nearest(name, [...names.keys()], 1)
    if (meant === undefined) return []
    return [issue(`"${name}" is not read: did you mean "${names.get(meant)}", or ConfigProvider.constantCase?`)]
  })
})

/** Fails if something that can be listed is below the root and is no option: it would have no effect, without a word. */
export const refuseUnknown = Effect.fnUntraced(function* (ast: SchemaAST.AST, root: string) {
  const provider = yield* ConfigProvider.ConfigProvider
  const options = pathsOf(ast, [root])
  const issues: Array<SchemaIssue.Issue> = []
  for (let index = 0; ; index++) {
    const source = sourceOf(provider, index)
    if ((yield* source.spell([root])) === nowhere) break
    issues.push(...(yield* unknownIn(source, options)), ...(yield* notRead(source, options)))
  }
  const [first, ...others] = issues
  if (first !== undefined) {
    return yield* Effect.fail(
      new Config.ConfigError(new Schema.SchemaError(new SchemaIssue.Composite(ast, [first, ...others])))
    )
  }
})
