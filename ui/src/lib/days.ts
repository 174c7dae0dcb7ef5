/** The last instant of a day where the reader lives, for "that day and earlier". */
export const endOfDay = (day: string) => new Date(`${day}T23:59:59.999`).toISOString();

/** The first instant of a day where the reader lives. */
export const startOfDay = (day: string) => new Date(`${day}T00:00:00`).toISOString();

/** A day as YYYY-MM-DD, if it is one. */
export const readDay = (text: string | undefined): string | undefined => (text && /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined);
