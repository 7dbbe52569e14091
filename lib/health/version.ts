import packageJson from '../../package.json' with { type: 'json' }

/** The version of this AL-Chat. */
export const version: string = packageJson.version
