/**
 * What is written to users, numbered in its order. A real one is a table.
 */
import { Context, Effect, Layer } from "effect"

export interface Note {
  readonly number: number
  readonly user: string
  readonly text: string
}

export class Notes extends Context.Service<
  Notes,
  {
    readonly write: (user: string, text: string) => Effect.Effect<void>
    /** A user's notes after this number, oldest first. */
    readonly after: (user: string, number: number) => Effect.Effect<ReadonlyArray<Note>>
  }
>()("digest/Notes") {
  static readonly layerMemory = Layer.sync(Notes, () => {
    const notes: Array<Note> = []
    return {
      write: (user, text) => Effect.sync(() => void notes.push({ number: notes.length + 1, user, text })),
      after: (user, number) => Effect.sync(() => notes.filter((note) => note.user === user && note.number > number))
    }
  })
}
