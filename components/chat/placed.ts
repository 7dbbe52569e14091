/** Items with their places, for what has no other identity than its place: lines, cells, words of a text. */
export function placed<T>(items: readonly T[]): { place: number; item: T }[] {
  return items.map((item, place) => ({ place, item }))
}
