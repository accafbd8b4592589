/**
 * The grammar of cron text (OCPS 1.0 to 1.4) as types: what `parseCron` decides when the program runs, `CronText`
 * decides when it is compiled. A test holds the two together.
 *
 * The types are written for few instantiations: a field is one look-up of its text where it is `*` or a number, and
 * every alias below takes one field or one item, so that the compiler meets most of them once for a whole program.
 *
 * @internal
 */

/**
 * The type of a parameter that takes cron text: `S` itself where `S` is a literal and valid, a literal that carries the
 * error message where it is not, and a pointer to `parseCron` where `S` is `string`. `Other` is what the parameter takes
 * beside text.
 *
 * `Trigger.cron` is declared in this form, one conditional parameter and no overloads, so that the compiler's error is
 * the message alone:
 *
 * ```ts
 * import { Trigger } from "effect-scheduler"
 *
 * // @ts-expect-error Argument of type '"0 25 * * *"' is not assignable to '"hour field: \"25\" is not valid"'
 * const wrong = () => Trigger.cron("0 25 * * *")
 *
 * // A wrapper hands a literal on by the same type.
 * const inBerlin = <const S extends string>(text: Trigger.CronText<S>) =>
 *   Trigger.cron(text, { timeZone: "Europe/Berlin" })
 *
 * inBerlin("0 9 * * *").timeZone // => "Europe/Berlin"
 * ```
 */
export type CronText<S, Other = never> = S extends string
  ? string extends S
    ? "cron takes a literal: use Trigger.parseCron for text that is not known when the program is written"
    : [Problem<S>] extends [never]
      ? S
      : Problem<S>
  : Other

/** The messages for a literal: `never` when there is none. */
type Problem<S extends string> = S extends Untidy ? Split<Tidy<S>> : Split<S>

type Untidy = `${string}\t${string}` | `${string}  ${string}` | ` ${string}` | `${string} `

type Tidy<S extends string> = S extends `${infer A}\t${infer B}`
  ? Tidy<`${A} ${B}`>
  : S extends `${infer A}  ${infer B}`
    ? Tidy<`${A} ${B}`>
    : S extends ` ${infer A}`
      ? Tidy<A>
      : S extends `${infer A} `
        ? Tidy<A>
        : S

type Split<S extends string> = S extends `${infer A} ${infer B} ${infer C} ${infer D} ${infer E}`
  ? E extends `${infer F} ${infer G}`
    ? G extends `${infer H} ${infer I}`
      ? I extends `${string} ${string}`
        ? FieldCount
        : | Check<A, SecondField>
          | Check<B, MinuteField>
          | Check<C, HourField>
          | Day<D>
          | Check<F, MonthField>
          | Weekday<H>
          | Check<I, YearField>
      : Check<A, SecondField> | Check<B, MinuteField> | Check<C, HourField> | Day<D> | Check<F, MonthField> | Weekday<G>
    : Check<A, MinuteField> | Check<B, HourField> | Day<C> | Check<D, MonthField> | Weekday<E>
  : S extends `@${string}`
    ? Nickname<S>
    : FieldCount

type FieldCount = "a cron text has 5, 6 (seconds first) or 7 (year last) fields"

/** Both letter cases are looked at because each alone takes one letter beyond ASCII: `\u212A` is `k` in lower case. */
type Nickname<S extends string> =
  Lowercase<S> extends Nicknames
    ? Uppercase<S> extends Uppercase<Nicknames>
      ? never
      : InvalidNickname<S>
    : Lowercase<S> extends "@reboot"
      ? "@reboot is not a time: run the effect when the program starts"
      : InvalidNickname<S>

type Nicknames = "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily" | "@midnight" | "@hourly"

type InvalidNickname<S extends string> = `nickname: "${S}" is not valid`

// ---------------------------------------------------------------------------------------------------------------------
// fields
// ---------------------------------------------------------------------------------------------------------------------

/** What a field takes, in lower case: `value` alone and as the ends of a range, `lone` as an item of its own, `all` also with a step. */
interface Field {
  readonly name: string
  readonly value: string
  readonly lone: string
  readonly all: string
}

interface SecondField extends Field {
  readonly name: "second"
  readonly value: Sixty
  readonly lone: Sixty | "*"
  readonly all: "*"
}

interface MinuteField extends Field {
  readonly name: "minute"
  readonly value: Sixty
  readonly lone: Sixty | "*"
  readonly all: "*"
}

interface HourField extends Field {
  readonly name: "hour"
  readonly value: Hour
  readonly lone: Hour | "*"
  readonly all: "*"
}

interface DayField extends Field {
  readonly name: "day"
  readonly value: MonthDay
  readonly lone: MonthDay | "*" | "?" | "l"
  readonly all: "*" | "?"
}

interface MonthField extends Field {
  readonly name: "month"
  readonly value: Month
  readonly lone: Month | "*"
  readonly all: "*"
}

interface WeekdayField extends Field {
  readonly name: "weekday"
  readonly value: WeekdayName
  readonly lone: WeekdayName | `${WeekdayName}l` | `${WeekdayName}#${"1" | "2" | "3" | "4" | "5" | "l"}` | "*" | "?"
  readonly all: "*" | "?"
}

interface YearField extends Field {
  readonly name: "year"
  readonly value: never
  readonly lone: "*"
  readonly all: "*"
}

type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"

type Sixty = Digit | `${"0" | "1" | "2" | "3" | "4" | "5"}${Digit}`

type Hour = Digit | `${"0" | "1"}${Digit}` | "20" | "21" | "22" | "23"

type MonthDay = Exclude<Digit | `${"0" | "1" | "2"}${Digit}`, "0" | "00"> | "30" | "31"

type Month = Exclude<Digit | `0${Digit}`, "0" | "00"> | "10" | "11" | "12" | keyof MonthRank

type WeekdayName = Exclude<Digit | `0${Digit}`, "8" | "9" | "08" | "09"> | keyof WeekdayRank

interface MonthRank {
  jan: "01"
  feb: "02"
  mar: "03"
  apr: "04"
  may: "05"
  jun: "06"
  jul: "07"
  aug: "08"
  sep: "09"
  oct: "10"
  nov: "11"
  dec: "12"
}

interface WeekdayRank {
  sun: "00"
  mon: "01"
  tue: "02"
  wed: "03"
  thu: "04"
  fri: "05"
  sat: "06"
}

interface NameRank extends MonthRank, WeekdayRank {}

/** `W` may only be the whole field. */
type Day<F extends string> = Lowercase<F> extends "lw" | `${MonthDay}w` ? never : Check<F, DayField>

/** `+` may only begin the field. */
type Weekday<F extends string> = F extends `+${infer R}`
  ? R extends ""
    ? Invalid<F, WeekdayField>
    : Check<R, WeekdayField>
  : Check<F, WeekdayField>

type Check<F extends string, G extends Field> = F extends G["lone"] ? never : List<F, G>

type List<F extends string, G extends Field, Found = never> = F extends `${infer I},${infer R}`
  ? List<R, G, Found | Item<I, G>>
  : Found | Item<F, G>

type Item<I extends string, G extends Field> = Takes<Lowercase<I>, G> extends true ? never : Invalid<I, G>

type Invalid<I extends string, G extends Field> = `${G["name"]} field: "${I}" is not valid`

// ---------------------------------------------------------------------------------------------------------------------
// items
// ---------------------------------------------------------------------------------------------------------------------

type Takes<I extends string, G extends Field> = I extends G["lone"]
  ? true
  : I extends `${infer A}/${infer N}`
    ? FourDigits<N> extends ""
      ? false
      : A extends G["all"]
        ? true
        : Range<A, G>
    : I extends `${string}-${string}`
      ? Range<I, G>
      : Rank<I, G> extends ""
        ? false
        : true

type Range<I extends string, G extends Field> = I extends `${infer A}-${infer B}`
  ? Rank<A, G> extends ""
    ? false
    : Rank<B, G> extends ""
      ? false
      : B extends "sun"
        ? true
        : NotAfter<Rank<A, G>, Rank<B, G>>
  : false

/** A value with leading zeros, for comparison; empty for what the field does not take. */
type Rank<X extends string, G extends Field> = X extends G["value"]
  ? X extends Digit
    ? `0${X}`
    : X extends keyof NameRank
      ? NameRank[X]
      : X
  : G extends YearField
    ? FourDigits<X>
    : ""

/** A number from 1 to 9999 with leading zeros; empty for anything else. */
type FourDigits<X extends string> = X extends "0" | "00" | "000" | "0000"
  ? ""
  : X extends `${infer A extends Digit}${infer R}`
    ? R extends "" | Digit
      ? R extends ""
        ? `000${A}`
        : `00${A}${R}`
      : R extends `${infer B extends Digit}${infer C extends Digit}${infer D extends Digit | ""}`
        ? D extends ""
          ? `0${A}${B}${C}`
          : `${A}${B}${C}${D}`
        : ""
    : ""

/** Compares texts of equal length digit by digit. */
type NotAfter<A extends string, B extends string> = A extends `${infer X}${infer P}`
  ? B extends `${infer Y}${infer Q}`
    ? X extends Y
      ? NotAfter<P, Q>
      : "0123456789" extends `${string}${X}${string}${Y}${string}`
        ? true
        : false
    : false
  : true
