/** How many cases a fuzz test tries: few with the other tests, 100,000 in the long run (`npm run test:fuzz`). */
export const fuzzCases = Number(process.env.FUZZ_CASES ?? 2000)
