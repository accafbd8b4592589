import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { Scheduler } from "effect-scheduler"
import { settled } from "effect-scheduler/testing"
import { HttpClient, HttpClientRequest, HttpRouter, HttpServer } from "effect/http"
import { HttpApiBuilder, type HttpApiClient, HttpApiTest } from "effect/http-api"
import { TestClock } from "effect/testing"
import { Api } from "../src/Api.ts"
import { RemindersHttp } from "../src/http.ts"
import { type Mail, Mailer } from "../src/Mailer.ts"
import { Reminders, SendReminderLive } from "../src/Reminders.ts"

const program = (mails: Array<Mail>) =>
  RemindersHttp.pipe(
    Layer.provide([Reminders.layer, SendReminderLive]),
    Layer.provide(Scheduler.layer()),
    Layer.provide(Layer.succeed(Mailer, { send: (mail) => Effect.sync(() => void mails.push(mail)) })),
    Layer.provideMerge(HttpServer.layerServices)
  )

/** A client of the application in memory: its requests are routed, decoded and answered as real ones are. */
const withClient = <A, E, R>(mails: Array<Mail>, use: (client: Client) => Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.flatMap(HttpApiTest.groups(Api, ["reminders"]), (client) => use(client.reminders))).pipe(
    Effect.provide(program(mails))
  )

type Client = HttpApiClient.ForApi<typeof Api>["reminders"]

describe("the web application", () => {
  it.effect("schedules a reminder by a request, lists it, and sends it when it is due", () => {
    const mails: Array<Mail> = []
    return withClient(mails, (client) =>
      Effect.gen(function* () {
        const made = yield* client.schedule({
          payload: { to: "ada", text: "the train", when: { at: DateTime.makeUnsafe("1970-01-01T00:05:00Z") } }
        })
        assert.strictEqual(made.state, "active")
        assert.deepStrictEqual(yield* client.list(), [made])

        yield* settled
        yield* TestClock.adjust("5 minutes")
        yield* settled
        assert.deepStrictEqual(mails, [{ to: "ada", text: "the train" }])
        const [done] = yield* client.list()
        assert.deepStrictEqual({ state: done!.state, next: done!.next }, { state: "exhausted", next: null })
      })
    )
  })

  it.effect("cancels a reminder, and says so where there is none", () => {
    const mails: Array<Mail> = []
    return withClient(mails, (client) =>
      Effect.gen(function* () {
        const { id } = yield* client.schedule({
          payload: { to: "ada", text: "the rent", when: { cron: "*/10 * * * *", timeZone: "Europe/Berlin" } }
        })
        yield* client.cancel({ params: { id } })
        assert.deepStrictEqual(yield* client.list(), [])
        yield* settled
        yield* TestClock.adjust("10 minutes")
        yield* settled
        assert.deepStrictEqual(mails, [])

        const error = yield* Effect.flip(client.cancel({ params: { id } }))
        assert.strictEqual(error._tag, "NoSuchReminder")
      })
    )
  })

  it.effect("refuses a time that cannot be, with what is wrong in it", () =>
    withClient([], (client) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          client.schedule({ payload: { to: "ada", text: "late", when: { cron: "0 25 * * *" } } })
        )
        assert.strictEqual(error._tag, "WrongTime")
        assert.include(error.message, 'hour field: "25" is not valid')
      })
    )
  )

  it.live("does so over HTTP", () =>
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const answer = yield* HttpClientRequest.post("/reminders").pipe(
        HttpClientRequest.bodyJsonUnsafe({ to: "ada", text: "tea", when: { cron: "0 16 * * *" } }),
        client.execute
      )
      assert.strictEqual(answer.status, 201)
      const { id } = (yield* answer.json) as { readonly id: string }
      const cancelled = yield* client.del(`/reminders/${id}`)
      assert.strictEqual(cancelled.status, 204)
      assert.strictEqual((yield* client.del(`/reminders/${id}`)).status, 404)
      const wrong = yield* HttpClientRequest.post("/reminders").pipe(
        HttpClientRequest.bodyJsonUnsafe({ to: "ada", text: "tea", when: { cron: "0 25 * * *" } }),
        client.execute
      )
      assert.strictEqual(wrong.status, 422)
    }).pipe(
      Effect.provide(
        HttpRouter.serve(HttpApiBuilder.layer(Api).pipe(Layer.provide(program([]))), { disableLogger: true }).pipe(
          Layer.provideMerge(NodeHttpServer.layerTest)
        )
      )
    )
  )
})
