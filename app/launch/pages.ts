const frame = (title: string, body: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} – AL-Chat</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  main { max-width: 22rem; margin: 18vh auto 0; padding: 0 1.5rem }
  h1 { font-size: 1.25rem }
  button { font: inherit; padding: .5rem 1rem; cursor: pointer }
</style>
<main><h1>${title}</h1>${body}</main>
</html>
`

function page(status: number, title: string, body: string): Response {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
  }
  return new Response(frame(title, body), { status, headers })
}

/** For who does not come by clicking: nothing happens until somebody presses the button. */
export function waitingPage(ticket: string): Response {
  const action = `/launch?ticket=${encodeURIComponent(ticket)}`
  const form = `<form method="post" action="${action}"><button autofocus>Open AL-Chat</button></form>`
  return page(200, 'You are about to be signed in', form)
}

/** For a link that is worth nothing any more; which of the reasons it is, nobody is told. */
export function deadPage(): Response {
  const said =
    '<p>Such a link works once, within a minute. Go back to where you found it and open AL-Chat again, or <a href="/login">sign in</a>.</p>'
  return page(401, 'This link has been used or has run out', said)
}
