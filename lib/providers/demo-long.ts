/** Over three thousand words, so that scrolling, stopping, leaving and coming back can be tried at leisure. */
export const demoLong = `# How an answer reaches you

This is a long text, and that is its whole purpose. Scroll up while it is being written, and the page should stay where you are reading. Scroll back to the end, and it should follow again. Reload, close the tab, open the conversation on your phone: what you saw should still be there, in order, once. While you try that, here is something worth reading, more or less: the story of a single answer, from the key that you press to the words that appear, told slowly enough to last.

## 1. You press Enter

It begins with a message in the composer. Until you send it, it belongs to the page alone; nobody has been told. When you press Enter, the page does something that looks unnecessary. Before it asks the server for anything, it makes up a name for the message, a long identifier that no other message in the world is likely to have.

The reason is that networks fail in the most inconvenient place, which is the middle. Suppose that you send a message, the server receives it, stores it, starts to answer, and then the connection drops before you hear back. Did it arrive? From your side, there is no way to know. A page that simply sends again may well ask the same question twice, and pay for two answers, and show you both. A page that does not send again may lose your words. Neither is acceptable, and no amount of waiting helps, because the confirmation is precisely the thing that was lost.

With a name made up in advance, the riddle goes away. The page can send the same message as often as it likes. The server looks at the name, finds that it has already seen it, and answers as it did the first time. A double click becomes a single message. A retry in a tunnel becomes a single message. Two tabs that wake up at the same moment and both try to send what you had written become, again, a single message. It is an old trick, older than the web, and it is still the best one there is: when you cannot be sure that something happened exactly once, make it harmless for it to happen twice.

## 2. The door

At the server, the message meets a door, and the door is suspicious by profession. It asks who you are, and does not take the page's word for it. It asks whether what came has the right shape: a text of reasonable length, a parent that is a real message, an identifier that looks like one. It asks whether the conversation is yours.

That last question deserves a moment. There are two ways of asking it. One is to fetch the conversation, look at its owner, and compare. The other is to ask the database for the conversation *that is this one and that belongs to you*, in one breath, so that somebody else's conversation is simply not found. The second is better for a reason that has nothing to do with speed. A check that comes after can be forgotten. A condition that is part of the question cannot be, because without it there is no question. And if the thing belongs to somebody else, the honest answer is that there is no such thing for you, rather than that there is one which you may not see. The second answer would already be telling tales.

Only when all of this is settled is the message stored. From here on your words are safe, whatever happens to the answer. If the power fails now, you will find your question waiting for you tomorrow, and you can ask for the answer again.

## 3. A reply begins its own life

Many programs would now start to talk to the model and pass on what it says, for as long as you stay to listen. It is the obvious way, and it has an obvious flaw. If you leave, the listener is gone, and the answer with it. A reload, a lost signal, a laptop lid: each of them ends an answer that someone has already begun to pay for.

Here, the reply is a thing of its own. It has an identifier, a beginning and exactly one end, and it goes on whether anybody is listening or not. What your browser holds is not the reply. It is a place in the audience. You may leave and come back, and take your seat again at the very word where you left off. You may listen from two devices at once, and both hear the same. If you had to name the most important decision in the whole building, it might be this one: that asking and listening are two different things.

It follows that stopping must be said out loud. Closing a tab is not a wish to stop; it is only the end of listening. The Stop button is a wish to stop, and when you press it, the server hangs up on the model at once and keeps what has been written so far. Half an answer is often worth keeping. Sometimes it is the half that you needed.

## 4. The vault lends a key

To speak to a model that somebody else runs, one needs a key. A key is a short string of characters that is worth real money, and most leaks of such strings are not the work of clever thieves. They are accidents. A key is printed in a log. A key is returned in an answer, because a page once needed to show its last four characters. A key is left in a file that someone copies to a public place, and programs that look for nothing else find it within minutes.

So the rule is that the key does not leave the vault. It rests there encrypted, under a key of its own which is itself encrypted, bound to its owner and to the address for which it is meant. When a reply needs it, it is lent for one call. It goes into one request, to one host, and is forgotten. It is not shown to you again, not even on the page where you entered it, because there is nothing you could do with it there that is worth the risk of showing it.

The address matters as much as the secret. A server may answer a request with a polite suggestion to ask elsewhere; it is called a redirect, and browsers follow them all day long. A key must not. If it did, then whoever could make the first server say *ask over there* could collect keys like rain. A request that carries a key goes where it was meant to go, or nowhere.

And if the provider refuses the key, you should be told three things: what happened, to which key, and what to do about it. The last four characters are enough to recognise it by. The rest stays where it is, even if the provider, in explaining what went wrong, is careless enough to repeat it.

## 5. What the model is given

A model does not remember you. It is worth saying plainly, because a conversation feels so much like one. Each time that you send a message, the whole conversation is read to the model again from the top: the instructions of the agent, your first question, its first answer, your second question, and so on to the sentence that you have just written. It has, each time, never seen any of it before.

This explains several things that otherwise look like moods. It explains why long conversations become slow and dear: everything is read again at each turn. It explains why there is a limit to their length: there is only so much that can be read at once. It explains why a correction works better when you edit the question than when you argue with the answer, for the argument stays in the record, and is read again each time, and goes on pulling at everything after it. When a conversation has gone astray, the kindest thing to do is often to go back to where it turned, and turn the other way.

It also explains why the instructions of an agent are worth some care. They are read at the beginning of every single turn. A sentence there does more work than any sentence you will write later. Good ones are short, and say what is wanted rather than what is not; they give a reason where there is one, for a reason covers the cases that you did not think of; and they show an example when the form matters. If you find that you write the same request in every conversation, it would like to become an instruction.

## 6. One piece at a time

Then the model begins to write, and it does so in pieces. They are called tokens. Some are whole words, some are parts of words, some are a comma or a space. The model looks at all that has been written so far, weighs which piece might come next, settles on one, adds it to the end, and looks at all of it again. That is the entire procedure. There is no draft, no eraser and no look ahead: what is written is written, and the next piece must make the best of it.

Watching an answer appear word by word is therefore not a piece of theatre. It is what is happening. The page could wait until everything is there and show it at once, and in a few cases that would be calmer. But the time until the first word is the time in which you wonder whether anything is happening at all, and a person who is reading is not waiting. The same ten seconds are long when they are empty, and short when they are full of sentences.

Some models think before they speak. They write to themselves for a while, weighing one approach against another, and only then write to you. Where a provider lets us see that, it is shown apart from the answer, and folded away: it is a workbench, not the work. It is interesting now and then, and it should not be mistaken for an explanation, much as the scribbles in a margin are not the proof.

## 7. The wire

The pieces travel in envelopes. For each small piece of text, the provider sends a little parcel of structured data which says what kind of event this is, to which part of which answer it belongs, where in the order it stands, and, somewhere in the middle, the piece itself. Four letters of text may come wrapped in two hundred and fifty characters of paper.

Networks do not respect envelopes. What was sent as one parcel may arrive in two parts, or glued to the next, or in single bytes if the line is bad enough. Even a letter may be cut in two. Everything beyond the plain Latin alphabet is several bytes long, and nothing stops a network from delivering the first half of an *ü* now and the second half later. A program that turns each arriving part into text by itself will now and then show you a little black diamond with a question mark in it, the grave marker of a letter that was buried in two halves. The cure is patience: hold back what is not yet complete, and read it when the rest has come.

Then there is the question of what to do with a stranger. Providers invent new kinds of events, and they do not call ahead. A reader that gives up at the first unknown envelope will break on the day that something is improved. A reader that accepts anything will, one day, believe something that it should not. The useful middle is to pass over what one does not know, and be strict about what one does: an answer counts as finished only when the provider says that it is finished. If the line goes quiet, or closes without that word, then it was cut off, however complete the last sentence may look. You should know that, rather than having to guess.

## 8. First to disk, then to you

Here is a promise that sounds modest and is not: *everything that you saw stays*. Most chat programs show you the words as they come and store them afterwards, when the answer is complete. It is natural, it is quick, and it means that a crash at the wrong moment unsays what you have already read. You saw a paragraph, perhaps you even quoted it to someone, and after the restart it has never existed.

To keep the promise, the order has to be the other way round. First the words are committed to disk, and only then are they sent to anyone. It sounds expensive. A write to disk for each word, for each of hundreds of conversations, would be expensive indeed. But words can share a ride. All that came in the last few hundredths of a second, from all the replies that are running, go to disk together, in one trip. The delay is shorter than the blink of an eye by a good margin, and the price of the trip is shared by everyone on board. It is the same insight that gave us buses.

And because each piece is stored with its number, a listener who was away need only say the last number it heard. The rest is read from the disk, in order, without a gap and without a repeat, and then the live words go on from there. There is no special case for coming back. Everyone is always coming back, some of them from a hundredth of a second ago.

## 9. From words to a page

What arrives in your browser is plain text with a few conventions: a hash for a heading, a star for emphasis, three backticks around a program. Turning this into a page is easy when the text is complete, and curiously hard while it is not. Half a table is not a table. A star may be the beginning of emphasis, or a bullet, or a multiplication. A program that has been opened and not yet closed might end with the next line, or run on for pages.

A page that is too eager will flicker. It decides that something is a list, then a paragraph, then a list again, and the text jumps about under your eyes. A page that is too careful shows nothing until it is sure, and loses what was good about streaming. The craft lies in finishing the sentence quietly: close the emphasis that is still open, draw the table as far as it goes, and change as little as possible when the next piece shows what was really meant. If it is done well, you will not notice. Most good work on a page is of this kind.

There is also what should not be drawn. A model repeats what it has read, and it may have read something that was put there to be repeated: a picture whose address contains your words and whose loading would carry them away, or a piece of a program that would like to run in your page. The text of a model is a stranger's text, however friendly its tone. It is drawn as text. Pictures from elsewhere are not fetched by themselves, and nothing in it runs.

## 10. When it goes wrong

Things go wrong. Keys run out of credit on the last day of the month. Providers are overloaded on the morning when everyone has heard of the same new model. A network somewhere between two oceans forgets a route. A server under a desk, which has run without complaint for a year, is unplugged by someone who needed the socket for a lamp.

A good error has three parts. It says what happened, in words that belong to your world and not to the program's. It says whether anything was lost, because that is what you really want to know. And it says what you can do now, if there is anything. *Something went wrong* has none of the three; it is a shrug in a nice typeface. *The key ending 9e77 has no credit left; add credit, or choose another key* has all of them, and takes no longer to read.

The words that came before the fault are kept. It would be tidy to remove them, since they are not a complete answer, but tidiness is not a virtue when it is applied to somebody else's reading. They remain, marked as what they are, and beneath them stands the one thing to do next: try again, look at the key, or choose another model. If you try again, the question does not need to be asked anew. It is still there. It was stored before anything else happened, back in the second chapter.

## 11. What it costs

Every answer is paid for by someone, in pieces read and pieces written. The sums are tiny, and they add up in the way that tiny sums do. So they are counted, each of them once: also for the answer that you stopped, for the pieces that were written before you pressed the button have been written; and also for the one that failed. A ledger that forgets the unpleasant entries is not a ledger.

There is another cost, which is less often counted. Each piece of text on its way through the server takes a little work: to receive it, to open its envelope, to store it, to send it on. It is a few millionths of a second, and it is spent for each piece of each answer of each person, all day. A careless program spends five times what a careful one does, and nobody notices, until the day when the whole company is talking at once, and the careless one needs five machines. Frugality of this sort is invisible. You will only ever see it as something that does not happen.

## 12. The end of the answer

At last the provider says the word: *completed*. The pieces, which have been lying in the store one by one, each with its number, are folded into one message, and the numbers are thrown away. They have done their work. What remains is a text, with a note of who wrote it, when, and what it took.

On the page, the caret at the end stops blinking and disappears. A row of small buttons may appear if you move near: copy, try again, go on from here. The composer is ready. Nothing else happens, and that is as it should be. The program steps back; the words remain, and they are yours to do something with.

You may by now have a question about all this. I am sorry to say that I cannot answer it. I have been a text in a file from the first line to the last. But if you add a key in the vault, somebody will answer you from the other end of that wire, and everything that you have just read will happen, in a second or two, without your noticing any of it.

That is the whole idea.`
