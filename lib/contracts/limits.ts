/** The longest message that a person may send, in UTF-16 units. Apart, so that the page need not load zod for it. */
export const maxMessageLength = 200_000

/** Messages of the shown branch that come with a chat page itself; longer conversations follow piece by piece. */
export const openingLength = 40

/** Turns are drawn in groups of so many; a page that begins where a group does is not drawn again later. */
export const turnGroupSize = 10

/** How many answers one stream of events can follow. */
export const maxFollowedReplies = 32

/** The largest file that can be uploaded. */
export const maxFileBytes = 50 * 1024 * 1024

/** Files that one message can carry. */
export const maxMessageFiles = 20
