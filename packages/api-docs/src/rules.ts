/** What the documentation of an export must have beyond what typedoc itself can ask for. */
import { type Comment, type DeclarationReflection, ReflectionKind, type SomeType } from "typedoc"
import { comments } from "../../docs/src/blocks.ts"

const commentsOf = (of: DeclarationReflection): ReadonlyArray<Comment> => {
  const signatures = of.type?.type === "reflection" ? of.type.declaration.signatures : undefined
  return [of, ...(of.signatures ?? []), ...(signatures ?? [])].flatMap(({ comment }) => comment ?? [])
}

/** What is said, without the programs. */
const summaryOf = (of: DeclarationReflection): string =>
  commentsOf(of)
    .flatMap(({ summary }) => summary.map(({ text }) => text))
    .join("")
    .replaceAll(/```[\s\S]*?```/g, "")
    .trim()

/** The programs in a comment, with and without a tag. */
const examplesOf = (of: DeclarationReflection): ReadonlyArray<string> =>
  commentsOf(of)
    .flatMap(({ blockTags, summary }) => [summary, ...blockTags.map(({ content }) => content)])
    .flatMap((parts) =>
      Array.from(
        parts
          .map(({ text }) => text)
          .join("")
          .matchAll(/```ts\n([\s\S]*?)```/g)
      )
    )
    .map(([, code]) => code!)

const words = (code: string): string => code.replaceAll(/\s+/g, " ").trim()

/** Those that the test of the pages compiles and runs. */
const executed = new Set(comments.map(({ code }) => words(code)))

const isNumeric = (type: SomeType | undefined): boolean => {
  switch (type?.type) {
    case "intrinsic":
      return type.name === "number"
    case "reference":
      return type.package === "effect" && /^(Duration\.)?(Input|Duration)$/.test(type.qualifiedName)
    case "union":
      return type.types.some(isNumeric)
    case "array":
      return isNumeric(type.elementType)
    case "typeOperator":
      return isNumeric(type.target)
    default:
      return false
  }
}

/** What a number counts, in the words of a comment. */
const unit =
  /millisecond|second|minute|hour|\bdays?\b|byte|instant|how (many|often|long|much)|at most|number|count|share|version/i

/** Whether an effect or a layer, or a function that answers one, can fail. */
const canFail = (of: DeclarationReflection): boolean =>
  [of.type, ...(of.signatures ?? []).map(({ type }) => type)].some((type) => {
    if (type?.type !== "reference" || type.package !== "effect" || !/^(Effect|Layer)$/.test(type.name)) return false
    const error = type.typeArguments?.[1]
    return error !== undefined && !(error.type === "intrinsic" && error.name === "never")
  })

const values = ReflectionKind.Function | ReflectionKind.Variable | ReflectionKind.Class

/** The rules that an export breaks, each in a sentence. `isCovered`: it is one of a union whose example is for all. */
export const problemsOf = (of: DeclarationReflection, isCovered: boolean): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const examples = examplesOf(of)
  if (summaryOf(of) === "") problems.push("has no sentence that says what it is")
  if (of.kindOf(values | ReflectionKind.Method) && examples.length === 0 && !isCovered) problems.push("has no example")
  if (canFail(of) && !/\bfails?\b|error/i.test(summaryOf(of))) problems.push("can fail and does not say with what")
  for (const code of examples) {
    if (!executed.has(words(code))) problems.push(`has an example that no test runs: ${words(code).slice(0, 60)}…`)
  }
  return problems
}

/** What is said of the things that a property is part of. */
const aroundOf = (property: DeclarationReflection): string => {
  const said: Array<string> = []
  for (let at = property.parent; at !== undefined && !at.kindOf(ReflectionKind.SomeModule); at = at.parent) {
    if (at.isDeclaration()) said.push(summaryOf(at))
  }
  return said.join(" ")
}

/** A property of a service says what it does, and one that is a number or a duration says of what. */
export const problemsOfProperty = (property: DeclarationReflection): ReadonlyArray<string> => {
  const own = summaryOf(property)
  if (isNumeric(property.type) && own === "" && !unit.test(aroundOf(property))) return ["is a number and has no unit"]
  const isOfService = property.parent?.kindOf(ReflectionKind.Interface) && property.parent.name.endsWith("Service")
  return isOfService && own === "" ? ["is of a service and says nothing"] : []
}
