-- A conversation has at most one answer that is being written.
CREATE UNIQUE INDEX "replies_running_key" ON "replies" ("conversation_id") WHERE "status" = 'running';
