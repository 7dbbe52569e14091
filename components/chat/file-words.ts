const figures = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

/** A size as people say it: `12 bytes`, `3.4 KB`, `50 MB`. */
export function sayBytes(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`
  if (bytes < 1024 * 1024) return `${figures.format(bytes / 1024)} KB`
  return `${figures.format(bytes / 1024 / 1024)} MB`
}
