/**
 * The sources that a `ConfigProvider` is put together from, each in its own spelling: an environment has names with
 * underscores, a document has keys within keys.
 */
import { Array as Arr, type ConfigProvider, Effect } from "effect"

type Path = ConfigProvider.Path

/** A path that no source has. */
export const nowhere: Path = ["\u0000"]

/** Sources can be told apart only by the order in which they are asked: all but the one of this index are sent nowhere. */
export const sourceOf = (provider: ConfigProvider.ConfigProvider, index: number) => {
  const ask = (path: Path, turned: (spelled: Path) => Path) =>
    Effect.suspend(() => {
      let asked = 0
      return provider.mapInput((spelled) => (asked++ === index ? turned(spelled) : nowhere)).load(path)
    })
  return {
    /** What is at a path that is spelled as the source spells it. What cannot be read is not known. */
    load: (spelled: Path) => quietly(ask([], () => spelled)),
    /** A path as the source spells it; `nowhere` if there is no such source. */
    spell: (path: Path) =>
      Effect.suspend(() => {
        let seen = nowhere
        const asked = ask(path, (spelled) => {
          seen = spelled
          return nowhere
        })
        return Effect.map(quietly(asked), () => seen)
      })
  }
}

/** A source of the application's own may fail, or even throw, at a path that nobody has asked it for before. */
const quietly = <A, E>(asked: Effect.Effect<A, E>): Effect.Effect<A | undefined> =>
  asked.pipe(
    Effect.orElseSucceed(() => undefined),
    Effect.catchDefect(() => Effect.succeed(undefined))
  )

export type Source = ReturnType<typeof sourceOf>

/** The paths of all values below one. Hidden files, as a folder has that Kubernetes mounts, are no keys. */
export const valuesBelow = (source: Source, path: Path): Effect.Effect<ReadonlyArray<Path>> =>
  Effect.flatMap(source.load(path), (node) => {
    if (node === undefined) return Effect.succeed([])
    if (node._tag === "Value") return Effect.succeed([path])
    const keys = node._tag === "Array" ? Arr.makeBy(node.length, (index) => index) : [...node.keys]
    const visible = keys.filter((key) => !String(key).startsWith("."))
    return Effect.map(
      Effect.forEach(visible, (key) => valuesBelow(source, [...path, key])),
      Arr.flatten
    )
  })

/** What stands between the parts of a name: an environment also answers a whole name. */
export const separatorOf = (source: Source, value: Path) =>
  Effect.map(source.load([value.join("_")]), (node) => (node === undefined ? "." : "_"))
