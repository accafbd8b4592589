/**
 * Sends mails. Whoever sends the same key twice has sent once: what a mail service calls an idempotency key.
 */
import { Console, Context, type Effect, Layer, Schema } from "effect"

export interface Mail {
  readonly key: string
  readonly to: string
  readonly lines: ReadonlyArray<string>
}

export class MailFailed extends Schema.TaggedError<MailFailed>()("MailFailed", { why: Schema.String }) {
  override get message(): string {
    return `The mail was not sent: ${this.why}`
  }
}

export class Mailer extends Context.Service<
  Mailer,
  { readonly send: (mail: Mail) => Effect.Effect<void, MailFailed> }
>()("digest/Mailer") {
  static readonly layerConsole = Layer.succeed(Mailer, {
    send: ({ lines, to }) =>
      Console.log([`To ${to}: ${lines.length} new`, ...lines.map((line) => `  - ${line}`)].join("\n"))
  })
}
