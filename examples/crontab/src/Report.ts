/**
 * What the program tells while it runs: the scheduler's events, and what only this program knows.
 */
import { Console, Context, Effect, Layer, Schema } from "effect"
import { Clock } from "effect"
import { SchedulerEvent } from "effect-scheduler"
import { render } from "./render.ts"
import type { Paint } from "./text.ts"

const run = { runId: Schema.String, /** The line as a person names it. */ title: Schema.String }

const Message = Schema.Union([
  Schema.TaggedStruct("Event", {
    /** The line that it is about, as a person names it; empty for none. */
    title: Schema.String,
    event: SchedulerEvent.SchedulerEvent
  }),
  Schema.TaggedStruct("Note", { text: Schema.String }),
  Schema.TaggedStruct("Problem", { text: Schema.String }),
  /** The file was read and its lines are stored. */
  Schema.TaggedStruct("Synced", { lines: Schema.Finite, removed: Schema.Finite, problems: Schema.Finite }),
  /** A command of an earlier execution, whose scheduler died, was still running. */
  Schema.TaggedStruct("LeftoverEnded", { ...run, group: Schema.Finite }),
  Schema.TaggedStruct("CommandStarted", { ...run, group: Schema.Finite }),
  Schema.TaggedStruct("Output", { ...run, line: Schema.String })
])

export type Message = typeof Message.Type

/** A message and when it was told, in epoch milliseconds. */
export const Told = Schema.Struct({ at: Schema.Finite, message: Message })

export type Told = typeof Told.Type

export class Report extends Context.Service<Report, (message: Message) => Effect.Effect<void>>()("crontab/Report") {
  static readonly make = (tell: (told: Told) => Effect.Effect<void>) =>
    Report.of((message) => Effect.flatMap(Clock.currentTimeMillis, (at) => tell({ at, message })))

  /** For people. */
  static readonly layerText = (paint: Paint): Layer.Layer<Report> =>
    Layer.succeed(
      Report,
      Report.make((told) => {
        const line = render(told, paint)
        return line === undefined ? Effect.void : Console.log(line)
      })
    )

  /** For another program: one JSON text a line. */
  static readonly layerJson: Layer.Layer<Report> = Layer.succeed(
    Report,
    Report.make((told) => Console.log(encode(told)))
  )
}

const Line = Schema.fromJsonString(Told)

const encode = Schema.encodeSync(Line)

/** Reads a line of `layerJson`; none for any other text. */
export const decodeTold = Schema.decodeUnknownOption(Line)
