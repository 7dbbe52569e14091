import { parentPort } from 'node:worker_threads'
import bcrypt from 'bcryptjs'

/** What a hashing thread is asked: to make a hash, or whether one fits. Passwords come as digests. */
export type HashJob =
  | { task: 'hash'; digest: string; cost: number }
  | { task: 'verify'; digest: string; hash: string }

parentPort?.on('message', async (job: HashJob) => {
  const answer =
    job.task === 'hash' ? await bcrypt.hash(job.digest, job.cost) : await bcrypt.compare(job.digest, job.hash)
  parentPort?.postMessage(answer)
})
