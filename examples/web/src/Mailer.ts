/**
 * Sends mails. A real one talks to a mail service.
 */
import { Console, Context, type Effect, Layer } from "effect"

export interface Mail {
  readonly to: string
  readonly text: string
}

export class Mailer extends Context.Service<Mailer, { readonly send: (mail: Mail) => Effect.Effect<void> }>()(
  "web/Mailer"
) {
  static readonly layerConsole = Layer.succeed(Mailer, { send: ({ text, to }) => Console.log(`To ${to}: ${text}`) })
}
