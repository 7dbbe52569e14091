import AxeBuilder from '@axe-core/playwright'
import { expect, test } from '../support/chat-page'
import { pixel } from '../support/files'

const picture = { name: 'picture.png', mimeType: 'image/png', buffer: pixel }
const notes = { name: 'notes.md', mimeType: 'text/markdown', buffer: Buffer.from('# Notes') }

test('files are attached, removed, kept over a reload, sent, and there again after another', async ({
  chat,
  page,
}) => {
  await chat.open(await chat.makeAgent())
  const choosing = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Attach files' }).click()
  await (await choosing).setFiles([picture, notes, { ...notes, name: 'spare.md' }])
  const attached = page.getByRole('list', { name: 'Attached files' })
  await expect(attached.getByRole('listitem')).toHaveCount(3)
  await expect(page.getByText('3 of 3 files uploaded')).toBeAttached()
  await page.getByRole('button', { name: 'Remove spare.md' }).click()
  await expect(attached.getByRole('listitem')).toHaveCount(2)
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])

  await page.reload()
  await expect(attached.getByText('notes.md')).toBeVisible()
  await chat.say('what are these?')
  await expect(chat.answer).toContainText('picture.png')
  await expect(chat.answer).toContainText('text/markdown, 7 bytes')
  await expect(attached).toBeHidden()

  await expect(chat.send).toBeVisible({ timeout: 30_000 })
  await page.reload()
  const files = page.getByRole('list', { name: 'Files of this message' })
  const image = files.getByRole('img', { name: 'picture.png' })
  await expect(image).toBeVisible()
  expect(await image.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBe(1)
  await expect(files.getByRole('link', { name: /notes\.md/ })).toHaveAttribute('download', 'notes.md')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
})

test('an image is pasted and sent without a word', async ({ chat, page }) => {
  await chat.open(await chat.makeAgent())
  await chat.composer.evaluate(
    (area, bytes) => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([new Uint8Array(bytes)], 'shot.png', { type: 'image/png' }))
      area.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }),
      )
    },
    [...pixel],
  )
  await expect(page.getByRole('list', { name: 'Attached files' }).getByText('shot.png')).toBeVisible()
  await chat.composer.press('Enter')
  await expect(chat.answer).toContainText('shot.png')
  await expect(page.getByRole('list', { name: 'Attached files' })).toBeHidden()
})

test('files are dropped anywhere on the conversation, on a phone’s width, too', async ({ chat, page }) => {
  await page.setViewportSize({ width: 390, height: 780 })
  await chat.open(await chat.makeAgent())
  const transfer = await page.evaluateHandle(() => {
    const made = new DataTransfer()
    for (const name of ['a-file-with-a-rather-long-name-that-has-to-be-cut.txt', '2.txt', '3.txt'])
      made.items.add(new File(['abc'], name, { type: 'text/plain' }))
    return made
  })
  const scroller = page.locator('[data-scroller]')
  await scroller.dispatchEvent('dragover', { dataTransfer: transfer })
  await expect(page.getByText('Drop the files to attach them.')).toBeVisible()
  await scroller.dispatchEvent('drop', { dataTransfer: transfer })
  await expect(page.getByText('Drop the files to attach them.')).toBeHidden()
  await expect(page.getByText('3 of 3 files uploaded')).toBeAttached()
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
})

test('a message waits for its files; one that fails says why and holds it back', async ({ chat, page }) => {
  await chat.open(await chat.makeAgent())
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  await page.route('**/api/files/upload', async (route) => {
    await held
    await route.continue()
  })
  const input = page.locator('input[type=file]')
  await input.setInputFiles([notes])
  await expect(page.getByRole('button', { name: 'Remove notes.md' })).toBeVisible()
  await chat.say('read this')
  await expect(page.getByText('The message is sent as soon as its files are uploaded.')).toBeVisible()
  letGo()
  await expect(chat.answer).toContainText('notes.md')
  await expect(chat.send).toBeVisible({ timeout: 30_000 })

  await input.setInputFiles([
    { name: 'program.exe', mimeType: 'application/octet-stream', buffer: Buffer.from([0, 1, 2]) },
  ])
  await expect(
    page.getByRole('alert').getByText(/No model here can make anything of this file/),
  ).toBeVisible()
  await chat.composer.fill('and this')
  await expect(chat.send).toBeDisabled()
  await page.getByRole('button', { name: 'Remove program.exe' }).click()
  await expect(chat.composer).toBeFocused()
  await expect(chat.send).toBeEnabled()
})

test('an edited message keeps its files', async ({ chat, page }) => {
  await chat.open(await chat.makeAgent())
  await page.locator('input[type=file]').setInputFiles([notes])
  await expect(page.getByText('1 of 1 file uploaded')).toBeAttached()
  await chat.ask('first words')
  await page.getByRole('article', { name: 'Your message' }).hover()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('textbox', { name: 'Edit your message' }).fill('other words')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('group', { name: 'Versions of this message' })).toContainText('2/2')
  await expect(page.getByRole('list', { name: 'Files of this message' })).toContainText('notes.md')
  await expect(chat.answer).toContainText('notes.md')
})
