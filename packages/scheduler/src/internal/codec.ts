import { Result, Schema } from "effect"
import type * as Job from "../Job.ts"
import { printed } from "./printed.ts"

/** What is stored of a job's values is JSON text; why a value does not fit is a sentence. */
export interface JobCodec {
  readonly encodePayload: (payload: unknown) => Result.Result<string, string>
  readonly decodePayload: (text: string) => Result.Result<unknown, string>
  /** Null for a job whose success is void: it has nothing to store. */
  readonly encodeSuccess: (value: unknown) => Result.Result<string | null, string>
  readonly decodeSuccess: (text: string | null) => Result.Result<unknown, string>
  /** The error as JSON, or undefined where the schema does not take it or it is too long to keep. */
  readonly encodeError: (error: unknown) => unknown
  readonly decodeError: (json: unknown) => Result.Result<unknown, string>
}

/** Errors are kept with each failure of a run. */
const longestError = 65_536

const codecs = new WeakMap<Job.Any, JobCodec>()

/** The codec of a job, compiled once. */
export const codecOf = (job: Job.Any): JobCodec => {
  let codec = codecs.get(job)
  if (codec === undefined) {
    codec = make(job)
    codecs.set(job, codec)
  }
  return codec
}

const make = (job: Job.Any): JobCodec => {
  const payload = jsonText(job.payloadSchema)
  const success = jsonText(job.successSchema)
  const isVoid = (job.successSchema as unknown) === Schema.Void
  const error = jsonText(job.errorSchema)
  return {
    encodePayload: payload.encode,
    decodePayload: payload.decode,
    encodeSuccess: isVoid ? () => Result.succeed(null) : success.encode,
    decodeSuccess: isVoid
      ? () => Result.succeed(undefined)
      : (text) => (text === null ? Result.fail("nothing was stored") : success.decode(text)),
    encodeError: (value) => {
      const text = error.encode(value)
      return Result.isSuccess(text) && text.success.length <= longestError
        ? Result.getOrUndefined(parseJson(text.success))
        : undefined
    },
    decodeError: (json) => error.decode(JSON.stringify(json))
  }
}

const jsonText = (schema: Job.PlainSchema) => {
  if ((schema as unknown) === Schema.Void) {
    const encoded = Result.succeed("null")
    const decoded = Result.succeed(undefined)
    return { encode: () => encoded, decode: () => decoded }
  }
  const json = Schema.toCodecJson(schema)
  const encode = Schema.encodeUnknownResult(json)
  const decode = Schema.decodeUnknownResult(json)
  return {
    encode: (value: unknown): Result.Result<string, string> =>
      safely(() => Result.map(encode(value), (encoded) => JSON.stringify(encoded) ?? "null")),
    decode: (text: string): Result.Result<unknown, string> =>
      Result.flatMap(parseJson(text), (parsed) => safely(() => decode(parsed)))
  }
}

/** A user's transformation may throw, and not everything that a lax schema lets through is JSON. */
const safely = <A>(step: () => Result.Result<A, Schema.SchemaError>): Result.Result<A, string> =>
  Result.flatMap(
    Result.try({ try: step, catch: (thrown) => printed(() => String(thrown)) }),
    Result.mapError((error) => printed(() => error.message.replaceAll(/\s*\n\s*/g, " ")))
  )

/** `JSON.parse` as a `Result`. */
export const parseJson = (text: string): Result.Result<unknown, string> =>
  Result.try({ try: (): unknown => JSON.parse(text), catch: (cause) => `not JSON: ${String(cause)}` })

/** How many bytes a text takes in UTF-8. Counted only where its length leaves a doubt. */
export const byteLength = (text: string, limit: number): number => {
  if (text.length * 3 <= limit) return text.length
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code >= 0xd800 && code < 0xe000 ? 2 : 3
  }
  return bytes
}
