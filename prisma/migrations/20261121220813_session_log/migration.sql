-- CreateTable
CREATE TABLE "chat_sessions" (
    "id" UUID NOT NULL,
    "moment" TEXT NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "user_id" UUID NOT NULL,
    "key_id" UUID,
    "username" TEXT NOT NULL,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "status" TEXT NOT NULL DEFAULT 'opening',
    "day" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "stopped_at" TIMESTAMPTZ(3),
    "ended_by" TEXT,
    "duration_seconds" DOUBLE PRECISION,
    "metrics" JSONB NOT NULL DEFAULT '{}',
    "counted" JSONB,
    "final_metrics" JSON,
    "event_count" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "chat_sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chat_session_lines" (
    "session_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "event" TEXT NOT NULL,
    "day" TEXT NOT NULL,
    "line" TEXT NOT NULL,
    "metrics" JSONB NOT NULL DEFAULT '{}',
    "begun_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "written" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "chat_session_lines_pkey" PRIMARY KEY ("session_id","at")
);

-- CreateIndex
CREATE INDEX "chat_sessions_started_at_id_idx" ON "chat_sessions"("started_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "chat_sessions_user_id_started_at_id_idx" ON "chat_sessions"("user_id", "started_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "chat_sessions_status_last_seen_at_idx" ON "chat_sessions"("status", "last_seen_at");

-- CreateIndex
CREATE UNIQUE INDEX "chat_sessions_moment_ordinal_key" ON "chat_sessions"("moment", "ordinal");

-- AddForeignKey
ALTER TABLE "chat_sessions" ADD CONSTRAINT "chat_sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chat_session_lines" ADD CONSTRAINT "chat_session_lines_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "chat_sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Lines that are on their way to the file; few at any time.
CREATE INDEX "chat_session_lines_pending_idx" ON "chat_session_lines"("begun_at") WHERE NOT "written";
