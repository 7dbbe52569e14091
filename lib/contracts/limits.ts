/** The longest message that a person may send, in UTF-16 units. Apart, so that the page need not load zod for it. */
export const maxMessageLength = 200_000
