/**
 * The version of the zone data that this process computes with, such as `2026c`; `unknown` where the platform does not
 * tell.
 */
export const zoneDataVersion: string =
  (globalThis as { readonly process?: { readonly versions?: { readonly tz?: string } } }).process?.versions?.tz ??
  "unknown"
