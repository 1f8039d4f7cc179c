/** Parts of a date, in UTC, of a number of seconds since 1970. Any thread. */

const DAY_SEC = 86_400;

/** The civil date of a day since 1970 (after Howard Hinnant's `civil_from_days`). */
function civilOf(day: number): { year: number; month: number; day: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra -
    (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

/** Days since 1970 of the first of January. */
function yearStart(year: number): number {
  const before = year - 1;
  return 365 * (year - 1970) + Math.floor(before / 4) -
    Math.floor(before / 100) + Math.floor(before / 400) - 477;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/**
 * Go makes the smallest 64-bit integer of what is no time, and its calendar, which
 * counts from far before it, takes that for the largest one.
 */
const NO_TIME_SEC = 2 ** 63;

function secondsOf(value: number): number {
  return Number.isFinite(value) && Math.abs(value) < 2 ** 63
    ? Math.trunc(value)
    : NO_TIME_SEC;
}

function dayOf(value: number): number {
  return Math.floor(secondsOf(value) / DAY_SEC);
}

function positiveModulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

export const dayFunctions = {
  year: (value: number) => civilOf(dayOf(value)).year,
  month: (value: number) => civilOf(dayOf(value)).month,
  day_of_month: (value: number) => civilOf(dayOf(value)).day,
  day_of_week: (value: number) => positiveModulo(dayOf(value) + 4, 7),
  day_of_year: (value: number) => {
    const day = dayOf(value);
    return day - yearStart(civilOf(day).year) + 1;
  },
  days_in_month: (value: number) => {
    const { year, month } = civilOf(dayOf(value));
    return daysInMonth(year, month);
  },
  hour: (value: number) =>
    Math.floor(positiveModulo(secondsOf(value), DAY_SEC) / 3600),
  minute: (value: number) =>
    Math.floor(positiveModulo(secondsOf(value), 3600) / 60),
} as const;
