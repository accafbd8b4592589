import { Result, Schema } from "effect"
import type * as Job from "../Job.ts"

/** What is stored of a job's values is JSON text; why a value does not fit is a sentence. */
export interface JobCodec {
  readonly encodePayload: (payload: unknown) => Result.Result<string, string>
  readonly decodePayload: (text: string) => Result.Result<unknown, string>
  /** Null for a job whose success is void: it has nothing to store. */
  readonly encodeSuccess: (value: unknown) => Result.Result<string | null, string>
  readonly decodeSuccess: (text: string | null) => Result.Result<unknown, string>
  /** The error as JSON, or undefined where the schema does not take it. */
  readonly encodeError: (error: unknown) => unknown
  readonly decodeError: (json: unknown) => Result.Result<unknown, string>
}

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
  const error = Schema.toCodecJson(job.errorSchema)
  const encodeError = Schema.encodeUnknownResult(error)
  const decodeError = Schema.decodeUnknownResult(error)
  return {
    encodePayload: payload.encode,
    decodePayload: payload.decode,
    encodeSuccess: isVoid ? () => Result.succeed(null) : success.encode,
    decodeSuccess: isVoid
      ? () => Result.succeed(undefined)
      : (text) => (text === null ? Result.fail("nothing was stored") : success.decode(text)),
    encodeError: (value) => Result.getOrUndefined(encodeError(value)),
    decodeError: (json) => Result.mapError(decodeError(json), (issue) => issue.message)
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
      Result.map(
        Result.mapError(encode(value), (error) => error.message),
        (encoded) => JSON.stringify(encoded) ?? "null"
      ),
    decode: (text: string): Result.Result<unknown, string> =>
      Result.flatMap(parseJson(text), (parsed) => Result.mapError(decode(parsed), (error) => error.message))
  }
}

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
