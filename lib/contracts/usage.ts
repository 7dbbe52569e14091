/** What was used on one day, `YYYY-MM-DD` in UTC. */
export type DayOfUse = { day: string; requests: number; tokens: number }
