/** Effect's pool keeps connections that could not be opened in the places of others, and who waits may wait for ever. */
import { connect } from "node:net"
import { type Duplex, PassThrough } from "node:stream"
import { PgClient } from "@effect/sql-pg"
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Redacted, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { take } from "../../src/internal/postgres/held.ts"
import { sharedUrl } from "./database.ts"

/** A network between a client and the server, which can be taken away. */
const network = () => {
  const { hostname, port } = new URL(sharedUrl)
  const open = new Set<Duplex>()
  const toServer = () => connect({ host: hostname, port: Number(port) })
  let connecting: () => Duplex = toServer
  return {
    stream: () => {
      const stream = connecting()
      open.add(stream)
      return stream.on("close", () => open.delete(stream))
    },
    /** From now on nobody answers. */
    down: () => (connecting = () => new PassThrough()),
    /** From now on nobody is there. */
    refuse: () => (connecting = () => new PassThrough().destroy()),
    up: () => (connecting = toServer),
    break: () => {
      for (const stream of open) stream.destroy()
    },
    opened: Effect.fnUntraced(function* (count: number) {
      while (open.size !== count) yield* Effect.sleep("5 millis")
    })
  }
}

it.live("a connection is had although others could not be opened and somebody keeps the one that could", () =>
  Effect.gen(function* () {
    const net = network()
    const client = yield* PgClient.make({ url: Redacted.make(sharedUrl), maxConnections: 8, stream: net.stream })
    const outer = yield* Effect.scope
    const application = yield* Scope.fork(outer)
    for (let i = 0; i < 3; i++) yield* Scope.provide(client.reserve, application)

    net.down()
    net.break()
    // The pool opens others in the place of those that are still held. None of them can be opened.
    yield* net.opened(3)
    net.refuse()
    net.break()
    yield* Effect.sleep("50 millis")
    net.up()
    const first = yield* Effect.forkScoped(take(client, outer, Effect.interruptible))
    const second = yield* Effect.forkScoped(take(client, outer, Effect.interruptible))
    yield* Effect.yieldNow
    yield* Scope.close(application, Exit.void)
    yield* Fiber.join(first)
    const { connection } = yield* Fiber.join(second)
    assert.deepStrictEqual(yield* connection.executeValues("select 1", []), [[1]])
  }).pipe(Effect.provide(Reactivity.layer))
)
