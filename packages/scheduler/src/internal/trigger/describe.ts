import type { Trigger } from "./model.ts"
export const describe = (self: Trigger): string => self._tag
