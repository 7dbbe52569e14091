export const demoLong = `# How an answer reaches you`
